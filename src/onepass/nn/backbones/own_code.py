"""The refusal of encoders that bring their own code. It knows no architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.errors import CheckpointError


def refuse_own_code(config: Mapping[str, Any], part: str = "encoder") -> None:
    """Raise an error if a configuration asks for code that comes with the checkpoint.

    Args:
        config: the content of its ``config.json``.
        part: what the message calls the network.

    Raises:
        CheckpointError: if it does.

    >>> refuse_own_code({"model_type": "bert"})
    """
    if "auto_map" in config:
        raise CheckpointError(
            f"The {part} {config.get('model_type')!r} brings its own code (auto_map in its "
            "config.json), which is never run; use one that transformers knows."
        )
