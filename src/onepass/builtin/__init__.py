"""The model that comes with the package: where its files are."""

from __future__ import annotations

from pathlib import Path

from onepass.hub import Checkpoint

NAME = "builtin"


def builtin_checkpoint() -> Checkpoint:
    """Return the built-in checkpoint.

    >>> builtin_checkpoint().kind
    'gliner2'
    """
    return Checkpoint(Path(__file__).parent / "model", NAME, None)
