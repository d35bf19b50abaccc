"""Which words a checkpoint reads: those of its family, or those of the splitter that it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError
from onepass.text.splitters import SPLITTERS, is_splitter
from onepass.text.words import Splitter

WORD_SPLITTER = "word_splitter"  # in ``onepass.json``


def read_splitter(own: Mapping[str, Any], path: Path) -> Splitter | None:
    """Return the splitter that settings name; None for the words of the family.

    Args:
        own: the settings.
        path: of their file, for an error.

    Raises:
        CheckpointError: if there is no such splitter.

    >>> read_splitter({"word_splitter": "script"}, Path("onepass.json"))
    'script'
    """
    if WORD_SPLITTER not in own:
        return None
    given: Splitter = own[WORD_SPLITTER]
    if not is_splitter(given):
        raise CheckpointError(
            f"The {WORD_SPLITTER} {given!r:.60} in {path} is not known; give one of "
            f"{', '.join(SPLITTERS)}, or leave it out for the words of the family."
        )
    return given


def splitter_kept(splitter: Splitter | None) -> dict[str, str]:
    """Return what ``onepass.json`` of a checkpoint with this splitter says of it.

    >>> splitter_kept("script"), splitter_kept(None)
    ({'word_splitter': 'script'}, {})
    """
    return {} if splitter is None else {WORD_SPLITTER: splitter}
