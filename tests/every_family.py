"""A small checkpoint of each family, for what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.boundary_checkpoints import make_boundary
from tests.embedding_checkpoints import make_embedding
from tests.gliclass_checkpoints import write_checkpoint as write_gliclass
from tests.gliner_checkpoints import KINDS, make_reference
from tests.nli_checkpoints import make_nli
from tests.tiny import make_tiny_checkpoint

MAKE: dict[str, Callable[[Path], object]] = {
    "gliner2": make_tiny_checkpoint,
    "gliner2-boundary": make_boundary,
    "gliner": lambda path: make_reference(path, **KINDS["span"]),
    "gliclass": lambda path: write_gliclass(path),
    "nli": lambda path: make_nli(path),
    "embedding": lambda path: make_embedding(path),
}
