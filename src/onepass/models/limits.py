"""How long a sequence a checkpoint was made for, where its tokenizer says so, too.

Also the whole numbers that configurations hold, checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.encoding.sequences import encoder_limit
from onepass.errors import CheckpointError
from onepass.hub.files import read_json


def tokenizer_config(directory: Path) -> dict[str, Any]:
    """Return ``tokenizer_config.json`` of a checkpoint; nothing if there is none.

    >>> tokenizer_config(Path("models/without/tokenizer"))
    {}
    """
    path = directory / "tokenizer_config.json"
    return read_json(path) if path.is_file() else {}


def longest_sequence(encoder: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> int:
    """Return how many pieces a checkpoint reads at once.

    Args:
        encoder: its transformers configuration.
        tokenizer: its ``tokenizer_config.json``, whose ``model_max_length`` may be a huge number
            that says nothing.

    >>> longest_sequence({"model_type": "modernbert"}, {"model_max_length": 512})
    512
    """
    said, limit = tokenizer.get("model_max_length"), encoder_limit(encoder)
    return int(min(limit, said)) if isinstance(said, int | float) and said >= 1 else limit


def whole_number(config: Mapping[str, Any], key: str, what: str, *, least: int = 1) -> int:
    """Return a whole number that must be in a configuration.

    Args:
        config: as it was read.
        key: of the number.
        what: what a message calls the configuration.
        least: that it may be.

    Raises:
        CheckpointError: if it is missing, too small, or something else.

    >>> whole_number({"in_features": 24}, "in_features", "the dense layer 2_Dense")
    24
    """
    found = config.get(key)
    if type(found) is int and found >= least:
        return found
    raise CheckpointError(
        f"{key} of {what} must be a whole number from {least} up, but is {found!r:.80}; "
        "download the checkpoint again."
    )
