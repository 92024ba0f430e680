"""Says in its first line what this machine lacks; runs on any Python 3, installs nothing."""

import shutil
import sys

LEAST_PYTHON = (3, 11)
LEAST_DISK_GB = 6


def lacks():
    """The first thing that is missing, or nothing."""
    if sys.version_info < LEAST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return (
            "Python %s is too old: Gravity needs 3.11 or newer. Try make PYTHON=python3.12" % found
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "Python has no venv module. On Debian: apt-get install python3-venv"
    free = shutil.disk_usage(".").free / 1e9
    if free < LEAST_DISK_GB:
        return "The disk has %.1f GB free: Gravity needs %d GB." % (free, LEAST_DISK_GB)
    return None


if __name__ == "__main__":
    problem = lacks()
    if problem:
        sys.exit("make: " + problem)
