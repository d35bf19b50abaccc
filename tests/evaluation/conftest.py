"""A model with answers that were prepared, which is all that evaluation needs of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from onepass.results.types import Extraction
from onepass.schema import Schema
from onepass.schema.options import CallOptions


class Canned:
    """Answers each text with the extraction prepared for it, and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Extraction]) -> None:
        self.answers = answers
        self.calls: list[tuple[list[str], Schema, CallOptions]] = []

    def extract(self, texts: list[str], schema: Schema, **options: Any) -> list[Extraction]:
        self.calls.append((texts, schema, CallOptions(**options)))
        return [self.answers.get(text, Extraction(text)) for text in texts]


@pytest.fixture
def canned() -> Callable[..., Canned]:
    """Return what makes a model from extractions."""
    return lambda *answers: Canned({answer.text: answer for answer in answers})
