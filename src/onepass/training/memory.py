"""Memory that was freed goes back to the system, where the C library would keep it.

Batches differ in size, so that what one frees hardly fits the next: with glibc a run on a CPU grows
by some 10 MB a step. It knows nothing about what the memory was for.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

EVERY = 50  # steps; it takes 0.1 s, and pages that are used again have to be made anew


def give_back() -> bool:
    """Return whether there was something to give back; always False without glibc."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


@cache
def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
