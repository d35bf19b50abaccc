"""The model that comes with the package: where its files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onepass.hub import Checkpoint, locate

NAME = "builtin"


def builtin_checkpoint() -> Checkpoint:
    """Return the built-in checkpoint.

    >>> builtin_checkpoint().kind
    'gliner2'
    """
    return Checkpoint(Path(__file__).parent / "model", NAME, None)


def named(name: str | Path, **how: Any) -> Checkpoint:
    """Return the built-in checkpoint by its name, or any other by its directory or hub id.

    Args:
        name: "builtin", a directory or a hub id.
        **how: the options of `onepass.hub.locate`, which say nothing about the built-in one.

    Raises:
        InputError: as `onepass.hub.locate` does.
        CheckpointError: likewise.

    >>> named("builtin") == builtin_checkpoint()
    True
    """
    return builtin_checkpoint() if name == NAME else locate(name, **how)
