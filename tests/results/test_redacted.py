"""A text after its redaction comes back from plain values, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onepass.results.redacted import Found, Redacted
from onepass.results.types import Coverage

TEXT = "Bo asked Anna."
PLACES = (
    Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0),
    Found("person", "Anna", 9, 13, 1.0, "repeat", True, "mask", "****", 15),
)
DONE = Redacted("[person] asked ****.", PLACES, Coverage(14, 14, 1, False))


def test_it_comes_back_from_json() -> None:
    plain = json.loads(json.dumps(DONE.to_dict()))
    assert Redacted.from_dict(plain, TEXT) == DONE
    assert not {"Bo", "Anna"} & set(json.dumps(plain).replace('"', " ").split())
    nothing = Redacted("", (), Coverage(0, 0, 0, False))
    assert Redacted.from_dict(nothing.to_dict(), "") == nothing


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"text": "[person] asked Anna."}, {}),
        ({"text": 3}, {}),
        ({"found": {}}, {}),
        ({"found": ["person"]}, {}),
        ({"coverage": {"chars": "14", "chars_read": 0, "windows": 0, "truncated": False}}, {}),
        ({}, {"label": 1}),
        ({}, {"start": "0"}),
        ({}, {"end": True}),
        ({}, {"score": 2.0}),
        ({}, {"replacement": None}),
        ({}, {"replacement": "[place]"}),
        ({}, {"end": 3}),
        ({}, {"at": 1}),
        ({}, {"start": -14}),
        ({}, {"end": 10}),
    ],
)
def test_what_is_none_is_refused(changed: dict[str, Any], place: dict[str, Any]) -> None:
    plain = DONE.to_dict() | changed
    if place:
        plain["found"] = [plain["found"][0] | place, *plain["found"][1:]]
    with pytest.raises(ValueError, match=r"must "):
        Redacted.from_dict(plain, TEXT)


def test_of_another_text_it_is_refused() -> None:
    with pytest.raises(ValueError, match="is another"):
        Redacted.from_dict(DONE.to_dict(), "Bo asked Anna!")
