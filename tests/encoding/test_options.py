"""Values of configurations: what is read, what an absent key and null mean, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from onepass.encoding.options import Options
from onepass.errors import CheckpointError

HELD: dict[str, Any] = {
    "whole": 3, "number": 0.5, "flag": False, "text": "a", "mapping": {"a": 1}, "null": None,
}  # fmt: skip
OPTIONS = Options(HELD, "this checkpoint")


def test_what_is_there_is_read() -> None:
    assert OPTIONS.whole("whole", 7, null=8, least=3, most=3) == 3
    assert OPTIONS.number("number", 7) == OPTIONS.share("number") == 0.5
    assert OPTIONS.flag("flag", True, null=True) is False
    assert OPTIONS.text("text", "b") == OPTIONS.one_of("text", ("b", "a")) == "a"
    assert OPTIONS.mapping("mapping") == {"a": 1}
    number = OPTIONS.number("whole")
    assert (number, type(number)) == (3.0, float)


def test_an_absent_key_and_null() -> None:
    assert OPTIONS.whole("absent", 7, null=8) == 7
    assert OPTIONS.whole("null", 7, null=8) == 8
    assert OPTIONS.flag("null", True, null=False) is False
    assert OPTIONS.mapping("null") is OPTIONS.mapping("absent") is None
    with pytest.raises(CheckpointError, match="but None was found"):
        OPTIONS.whole("null", 7)
    with pytest.raises(CheckpointError, match="but it is not there"):
        OPTIONS.whole("absent")


@pytest.mark.parametrize(
    ("reader", "value", "said"),
    [
        *(("whole", value, "a whole number") for value in (True, 1.0, "1", [], None, 1e400)),
        *(("number", value, "a number") for value in (True, "1", [], None, 1e400, 10**400)),
        *(("number", value, "a number") for value in (float("nan"), {})),
        *(("share", value, "a number from 0 to 1") for value in (-0.1, 1.1, "0", float("nan"))),
        *(("flag", value, "true or false") for value in ("false", 0, None, [])),
        *(("text", value, "a string") for value in (5, None, ["a"], False)),
        *(("mapping", value, "an object") for value in (5, "", [], False)),
    ],
)
def test_everything_else_is_refused(reader: str, value: object, said: str) -> None:
    options = Options({"key": value}, "this checkpoint")
    with pytest.raises(CheckpointError) as refused:
        getattr(options, reader)("key")
    assert str(refused.value).startswith(f"key of this checkpoint must be {said}")
    assert str(refused.value).endswith("correct it in its configuration, or download it again.")
    assert len(str(refused.value)) < 220


@pytest.mark.parametrize("value", [5, None, [], {}, "c"])
def test_names_that_are_not_known(value: object) -> None:
    with pytest.raises(CheckpointError, match="of this checkpoint is not known; a, b are"):
        Options({"key": value}, "this checkpoint").one_of("key", ("a", "b"))


def test_ranges() -> None:
    options = Options({"key": 5}, "this checkpoint")
    for least, most, said in (
        (6, None, "a whole number from 6 up, but 5 was found"),
        (None, 4, "a whole number up to 4, but 5 was found"),
        (10_000, 20_000, "a whole number from 10,000 to 20,000, but 5 was found"),
    ):
        with pytest.raises(CheckpointError, match=said):
            options.whole("key", least=least, most=most)
