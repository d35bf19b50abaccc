"""The built-in model, opened once for all guests."""

import pytest

from onepass import Extractor

TEXTS = [
    "Tim Cook runs Apple in Cupertino.",
    "",
    "Angela Merkel met Emmanuel Macron in Paris 😀, said Reuters.",
]


@pytest.fixture(scope="session")
def model() -> Extractor:
    return Extractor()


@pytest.fixture
def texts() -> list[str]:
    return list(TEXTS)
