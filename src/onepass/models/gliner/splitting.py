"""The splitter of words that a GLiNER configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import GLINER_CONFIG
from onepass.hub.files import read_json
from onepass.text.splitters import SPLITTERS
from onepass.text.words import Splitter

_KEY = "words_splitter_type"
_WHITESPACE = "whitespace"  # the words of the family
_LIBRARIES = tuple(name for name, source in SPLITTERS.items() if source.modules)


def splitter_of(config: Mapping[str, Any]) -> Splitter | None:
    """Return the splitter that a configuration names; None for the words of the family.

    Raises:
        CheckpointError: if there is no such splitter.

    >>> splitter_of({"words_splitter_type": "jieba"}), splitter_of({})
    ('jieba', None)
    """
    named = config.get(_KEY, _WHITESPACE)
    if named == _WHITESPACE:
        return None
    if named not in _LIBRARIES:
        raise CheckpointError(
            f"This GLiNER checkpoint was trained on the words of the splitter {named!r:.80} "
            f"({_KEY}), which is not known; {_WHITESPACE}, {', '.join(_LIBRARIES)} are."
        )
    splitter: Splitter = named
    return splitter


def named_splitter(directory: Path) -> Splitter | None:
    """Return the splitter that the configuration in a directory names; None without one.

    Raises:
        CheckpointError: if there is no such splitter.
    """
    path = directory / GLINER_CONFIG
    return splitter_of(read_json(path)) if path.is_file() else None
