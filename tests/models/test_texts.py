"""How many texts are read together, whatever reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from onepass.models import texts as module
from onepass.models.texts import read_all


class Noting:
    """A reader that notes how many texts it was given at a time."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def read(self, texts: list[str], asked: object) -> list[str]:
        self.groups.append(len(texts))
        return list(texts)


def taken(texts: Any) -> tuple[list[int], list[Any]]:
    reader: Any = Noting()
    return reader.groups, list(read_all(reader, texts, None, None))  # type: ignore[arg-type]


def test_a_list_is_read_as_many_together_as_are_read_well() -> None:
    texts = [str(number) for number in range(600)]
    assert taken(texts) == ([256, 256, 88], texts)


def test_texts_that_come_are_read_in_groups_that_grow() -> None:
    texts = [str(number) for number in range(700)]
    assert taken(iter(texts)) == ([1, 4, 16, 64, 256, 256, 103], texts)


def test_nobody_waits_for_the_second_text_to_have_the_first() -> None:
    given = []

    def texts() -> Iterator[str]:
        for number in range(9):
            given.append(number)
            yield str(number)

    reader: Any = Noting()
    answers: Any = read_all(reader, texts(), None, None)  # type: ignore[arg-type]
    assert (next(answers), given) == ("0", [0])
    assert (next(answers), given) == ("1", [0, 1, 2, 3, 4])


@pytest.mark.parametrize("come", [list, iter])
def test_long_texts_are_read_in_small_groups(come: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHARS", 10)
    groups, found = taken(come(["x" * 4] * 9))
    assert len(found) == 9
    assert max(groups) == 3
    assert taken(come([])) == ([], [])
