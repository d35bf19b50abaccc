"""Records of several prompts are joined where they belong together in the text."""

from __future__ import annotations

import pytest

from onepass.decoding.candidates import ChoiceFind, RecordFind, SpanFind
from onepass.decoding.join_records import join_records


def at(start: int) -> tuple[SpanFind, ...]:
    return (SpanFind(start, start + 1, 0.9),)


def names(*starts: int) -> tuple[RecordFind, ...]:
    return tuple(RecordFind((at(start), (), ())) for start in starts)


def colors(*starts: int) -> tuple[RecordFind, ...]:
    return tuple(RecordFind(((), at(start), ())) for start in starts)


def joined(*passes: tuple[RecordFind, ...]) -> list[tuple[int | None, int | None]]:
    """Return where the name and the color of each record stand."""

    def start(record: RecordFind, field: int) -> int | None:
        finds = [find for find in record.fields[field] if isinstance(find, SpanFind)]
        return finds[0].start if finds else None

    return [(start(one, 0), start(one, 1)) for one in join_records(passes)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 10), (4, 14), [(0, 4), (10, 14)]),
        ((0, 10, 20), (13, 24), [(0, None), (10, 13), (20, 24)]),
        ((0, 10, 20), (14,), [(0, None), (10, 14), (20, None)]),
        ((0, 10, 20), (10,), [(0, None), (10, 10), (20, None)]),
        ((5, 10), (1,), [(5, 1), (10, None)]),  # before all of them
        ((0, 10, 20), (12, 13), [(0, 12), (10, 13), (20, None)]),  # one each
        ((0, 10), (30, 31), [(0, 30), (10, 31)]),  # the second list follows the first
        ((0, 10), (), [(0, None), (10, None)]),
        ((), (1,), [(None, 1)]),
        ((), (), []),
    ],
)
def test_each_joins_the_record_before_it(
    first: tuple[int, ...], second: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    assert joined(names(*first), colors(*second)) == expected
    assert joined(colors(*second), names(*first)) == expected
    assert joined((), names(*first), (), colors(*second)) == expected


def test_a_prompt_after_the_second_joins_what_was_joined() -> None:
    sizes = (RecordFind(((), (), at(17))),)
    records = join_records([names(0, 10), colors(14), sizes])
    assert [record.fields for record in records] == [
        (at(0), (), ()),
        (at(10), at(14), at(17)),
    ]


def test_choices_stand_nowhere_and_keep_their_order() -> None:
    choice = (ChoiceFind(1, 0.8),)
    records = join_records([names(0, 10, 20), (RecordFind(((), (), choice)),) * 2])
    assert [record.fields[2] for record in records] == [choice, choice, ()]
