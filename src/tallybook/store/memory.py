"""Memory: the search for reference cycles paused, and what was freed given back to the system."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the search for reference cycles.

    What is read from books has none, and with all that is held in memory the search costs a quarter
    of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def release_unused() -> None:
    """Give what was freed back to the system, where the C library can (glibc's ``malloc_trim(3)``).

    Arrays that are freed leave holes between what lives on, and the heap would keep them.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
