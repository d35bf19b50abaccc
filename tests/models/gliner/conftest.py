from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.gliner_checkpoints import DECODERS, KINDS, NAMERS, RELATED, make_reference

from onepass.models.gliner.network.checkpoint import load_network
from onepass.models.gliner.network.network import GlinerNetwork


@dataclass(frozen=True)
class Case:
    """A checkpoint of the reference library, its model, and our network of it."""

    name: str
    directory: Path
    model: Any
    network: GlinerNetwork


@pytest.fixture(scope="session")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Makes each kind of checkpoint once."""
    root = tmp_path_factory.mktemp("gliner")

    @cache
    def make(name: str) -> Case:
        model = make_reference(root / name, **{**KINDS, **RELATED, **DECODERS, **NAMERS}[name])
        return Case(name, root / name, model, load_network(root / name))

    return make
