"""Labels in which nothing can be read are refused, whatever asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from onepass import Extractor, Schema
from onepass.errors import SchemaError


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"entities": ["person", "\u200b"]}, "entity label '\\u200b'"),
        ({"classifications": {"tone": ["\ufeff", "calm"]}}, "label '\\ufeff'"),
        ({"structures": {"a": ["\u200b"]}}, "field '\\u200b' of 'a'"),
        ({"structures": {"a": ["b::[x|\u200b]"]}}, "choice '\\u200b' of the field 'b' of 'a'"),
        ({"relations": ["\u200b\u200b"]}, "relation type '\\u200b\\u200b'"),
        (Schema().ask({"q": "\u200b"}), "question 'q'"),
        (Schema().summary("\u200b"), "question '\\u200b'"),
    ],
)
def test_what_has_no_piece_is_refused(model: Extractor, schema: Any, named: str) -> None:
    with pytest.raises(SchemaError) as refused:
        model.extract("Tim Cook runs Apple.", schema)
    assert str(refused.value).startswith(f"The {named} is read as '")
    assert "finds nothing to read" in str(refused.value)


def test_a_description_may_say_it_instead(model: Extractor) -> None:
    schema = {"entities": {"\u200b": "a person"}}
    assert model.extract("Tim Cook runs Apple.", schema).coverage.windows == 1
