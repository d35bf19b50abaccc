"""The command `onepass`; nothing is imported before it runs."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: what follows ``onepass``; None for those of this process.

    Returns:
        0 if all went well, 1 if something was done but a part of it failed, 2 for bad input, 130
        after Ctrl-C.

    >>> main(["--version"])
    onepass ...
    0
    """
    from onepass.cli.app import run

    return run(arguments)
