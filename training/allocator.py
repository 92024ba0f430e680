"""Tells glibc to keep freed memory, so that every training step need not ask the kernel again."""

import ctypes
import ctypes.util

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Parameters of mallopt(3)."""
MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Serve large blocks from the heap and never shrink it; elsewhere than on glibc do nothing.

    A step on the CPU allocates and frees gigabytes of activations. By default glibc maps each
    large block anew and the kernel zeroes its pages: a third of the processor time of a step.
    """
    name = ctypes.util.find_library("c")
    mallopt = getattr(ctypes.CDLL(name), "mallopt", None) if name else None
    if mallopt is not None:
        for parameter, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, MOST), (M_TOP_PAD, 2**28)):
            mallopt(parameter, value)
