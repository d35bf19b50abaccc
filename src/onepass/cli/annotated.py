"""Annotated files as commands take them; what a directory has beside them is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onepass.cli.output import say


def annotated_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return annotated files by name, as `onepass.corpus.files.find_files` does."""
    from onepass.corpus.files import find_files

    return find_files(paths, left_out=_say)


def _say(path: Path) -> None:
    say(
        f"{path} is left out: its directory has files that are read before it. To read it, name it."
    )
