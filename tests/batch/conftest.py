"""The built-in model, opened once, and small chunks."""

from collections.abc import Callable

import pytest

from onepass.batch import rows
from onepass.extractor import Extractor

SMALL = 4


@pytest.fixture(scope="session")
def load() -> Callable[[], Extractor]:
    model = Extractor(threads=1)
    return lambda: model


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_ROWS", SMALL)
