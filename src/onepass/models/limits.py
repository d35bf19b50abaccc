"""How long a sequence a checkpoint was made for, where its tokenizer says so, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.encoding.sequences import encoder_limit
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

    Raises:
        CheckpointError: for a wrong number of positions in the encoder's configuration.

    >>> longest_sequence({"model_type": "modernbert"}, {"model_max_length": 512})
    512
    """
    said, limit = tokenizer.get("model_max_length"), encoder_limit(encoder)
    if not isinstance(said, int | float) or isinstance(said, bool) or not said >= 1:
        return limit
    return int(min(limit, said))
