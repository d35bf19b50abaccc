"""The command `onepass`; nothing is imported before it runs."""

from __future__ import annotations

import gc
from collections.abc import Sequence

ROWS_FAILED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells count
_OBJECTS = 50_000  # that are made before Python looks for cycles, in place of 700


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: what follows ``onepass``; None for those of this process.

    Returns:
        0 if all went well, 1 if something was done but a part of it failed, 2 for bad input, 129
        after SIGHUP (a terminal that was closed), 130 after Ctrl-C, 141 if whoever read the output
        stopped reading, 143 after SIGTERM.

    >>> main(["--version"])
    onepass ...
    0
    """
    # A process that imports a few hundred modules, whose objects all stay, would look often: that
    # is a twentieth of what a short command takes.
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    try:
        from onepass.cli.app import run

        return run(arguments)
    except (KeyboardInterrupt, ImportError) as error:
        if was_interrupted(error):
            return INTERRUPTED
        raise


def was_interrupted(error: BaseException) -> bool:
    """Return whether Ctrl-C is behind an error: modules in C turn it into that of their import.

    >>> was_interrupted(KeyboardInterrupt()), was_interrupted(ImportError())
    (True, False)
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt):
        seen = seen.__cause__ or seen.__context__
    return seen is not None
