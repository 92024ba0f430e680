"""Reading appeal: six things a reader may want from a book; it covers no genres.

Adapted from the appeal factors of readers' advisory work (Saricks and Brown 1989; Saricks 2005).
There are no country averages.
"""

from functools import cache

from agents.frameworks.framework import Framework


@cache
def framework() -> Framework:
    """The six appeals."""
    return Framework.read("reading")
