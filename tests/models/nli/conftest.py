from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.nli_checkpoints import THREE, make_nli


@pytest.fixture(autouse=True, scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a checkpoint of a kind and an order of labels, each once."""
    root = tmp_path_factory.mktemp("nli")

    @cache
    def make(kind: str = "deberta-v3", labels: tuple[str, ...] = THREE) -> Path:
        directory = root / f"{kind}-{'-'.join(labels)}"
        make_nli(directory, kind, labels)
        return directory

    return make
