"""Windows in any order give one document, which loses nothing but repetitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.candidates import (
    Candidates,
    ChoiceFind,
    RecordFind,
    RecordPart,
    RelationFind,
    SpanFind,
)
from onepass.decoding.merge import (
    merge_candidates,
    merge_class_scores,
    merge_records,
    merge_relations,
)
from onepass.schema.task import WINDOW_SCORES

scores = st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9])
spans = st.builds(
    lambda s, n, p: SpanFind(s, s + n, p), st.integers(0, 4), st.integers(1, 2), scores
)
choices = st.builds(ChoiceFind, st.integers(0, 1), scores)
shuffles = st.randoms(use_true_random=False)


def candidates(rows: list[tuple[int, int, float, int]]) -> Candidates:
    table = np.array(rows, dtype=float).reshape(-1, 4)
    starts, ends, labels = (table[:, i].astype(np.int64) for i in (0, 1, 3))
    return Candidates(starts, ends, table[:, 2], labels)


def rows_of(found: Candidates) -> list[tuple[int, int, float, int]]:
    columns = (found.starts, found.ends, found.scores, found.labels)
    return list(zip(*(column.tolist() for column in columns), strict=True))


tables = st.lists(
    st.builds(
        lambda span, label: (span.start, span.end, span.score, label), spans, st.integers(0, 2)
    ),
    max_size=6,
)


@given(st.lists(tables, max_size=4), shuffles)
def test_candidates_merge_into_the_best_of_each(parts, shuffle) -> None:  # type: ignore[no-untyped-def]
    merged = merge_candidates([candidates(part) for part in parts])
    best: dict[tuple[int, int, int], float] = {}
    for start, end, score, label in (row for part in parts for row in part):
        best[start, end, label] = max(score, best.get((start, end, label), 0))
    assert rows_of(merged) == [(s, e, best[s, e, k], k) for s, e, k in sorted(best)]
    shuffle.shuffle(parts)
    assert rows_of(merge_candidates([candidates(part) for part in parts])) == rows_of(merged)
    assert rows_of(merge_candidates([merged])) == rows_of(merged)


def test_candidates_check_take_and_shift() -> None:
    found = candidates([(0, 2, 0.9, 1), (3, 4, 0.8, 0)])
    assert rows_of(found.shift(5).take(np.array([1]))) == [(8, 9, 0.8, 0)]
    assert len(merge_candidates([])) == 0
    assert merge_candidates([]).starts.dtype == np.int64
    with pytest.raises(ValueError, match="one length"):
        Candidates(found.starts, found.ends, found.scores, found.labels[:1])


windows = st.lists(
    st.tuples(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 400)),
    min_size=1,
    max_size=5,
)


@given(windows, st.sampled_from(WINDOW_SCORES), shuffles)
def test_class_scores_stay_between_those_of_the_windows(given_windows, how, shuffle) -> None:  # type: ignore[no-untyped-def]
    def merged() -> np.ndarray:
        parts = [np.array(part) for part, _ in given_windows]
        return merge_class_scores(parts, [words for _, words in given_windows], how)

    first = merged()
    every = np.array([part for part, _ in given_windows])
    words = [words for _, words in given_windows]
    assert (first >= every.min(0)).all()
    assert (first <= every.max(0)).all()
    if how == "max":
        assert (first == every.max(0)).all()
    elif how == "mean" or not sum(words):
        np.testing.assert_allclose(first, every.mean(0), atol=1e-12)
    else:
        np.testing.assert_allclose(first, np.average(every, axis=0, weights=words), atol=1e-12)
    shuffle.shuffle(given_windows)
    np.testing.assert_allclose(merged(), first, atol=1e-12)
    np.testing.assert_array_equal(merge_class_scores([first], [7], how), first)


def test_class_scores_of_one_label_tasks_stay_a_distribution() -> None:
    parts = [np.array([0.9, 0.1], np.float32), np.array([0.2, 0.8], np.float32)]
    assert merge_class_scores(parts, np.array([100, 300]), "length").sum() == pytest.approx(1)
    assert merge_class_scores(parts, [0, 0], "length").tolist() == pytest.approx([0.55, 0.45])


@pytest.mark.parametrize(
    ("parts", "weights"),
    [
        ([], []),
        ([np.zeros(2), np.zeros(3)], [1, 1]),
        ([np.zeros((2, 2))], [1]),
        ([np.zeros(2)], [1, 1]),
        ([np.zeros(2)], [-1]),
        ([np.zeros(2)], [float("nan")]),
    ],
)
def test_class_scores_that_do_not_fit_are_refused(parts, weights) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="window"):
        merge_class_scores(parts, weights, "max")


# Records


def record(*fields: tuple[SpanFind | ChoiceFind, ...]) -> RecordFind:
    return RecordFind(fields)


def says(one: RecordFind) -> frozenset[tuple[int, ...]]:
    return frozenset(
        (field, find.start, find.end) if isinstance(find, SpanFind) else (field, find.choice)
        for field, held in enumerate(one.fields)
        for find in held
    )


records = st.builds(
    record, st.lists(spans, max_size=2).map(tuple), st.lists(choices, max_size=2).map(tuple)
)
record_parts = st.builds(
    lambda start, words, found: RecordPart(start, start + words, tuple(found)),
    st.integers(0, 6),
    st.integers(1, 4),
    st.lists(records, max_size=3),
)


@given(st.lists(record_parts, max_size=4), shuffles)
def test_records_do_not_depend_on_the_order_of_windows(parts, shuffle) -> None:  # type: ignore[no-untyped-def]
    merged = merge_records(parts)
    shuffle.shuffle(parts)
    assert merge_records(parts) == merged


@given(st.lists(record_parts, max_size=4))
def test_merging_records_again_changes_nothing(parts: list[RecordPart]) -> None:
    merged = merge_records(parts)
    assert merge_records([RecordPart(0, 10, merged)]) == merged


@given(st.lists(record_parts, max_size=4))
def test_records_lose_nothing_but_repetitions(parts: list[RecordPart]) -> None:
    merged = merge_records(parts)
    every = [one for part in parts for one in part.records]
    assert all(one in every for one in merged)
    kept = [says(one) for one in merged]
    for one in every:
        assert not says(one) or any(says(one) <= other for other in kept)
    with_spans = [said for said in kept if any(len(key) == 3 for key in said)]
    for i, said in enumerate(with_spans):  # nothing that another one contains is left
        assert not any(said <= other for j, other in enumerate(with_spans) if i != j)


NAME, PRICE = SpanFind(0, 2, 0.9), SpanFind(5, 6, 0.8)
NEW, USED = ChoiceFind(0, 0.9), ChoiceFind(1, 0.9)


def test_the_fuller_record_stays_and_then_the_better_scored() -> None:
    half, full = record((NAME,), (), ()), record((NAME,), (PRICE,), (NEW,))
    assert merge_records([RecordPart(0, 4, (half,)), RecordPart(0, 8, (full,))]) == (full,)
    weak = record((SpanFind(0, 2, 0.6),), (), ())
    assert merge_records([RecordPart(0, 4, (weak,)), RecordPart(1, 8, (half,))]) == (half,)
    assert merge_records([RecordPart(0, 8, (half, full, half))]) == (full,)


def test_records_that_differ_somewhere_both_stay_in_the_order_of_the_text() -> None:
    new, used = record((NAME,), (), (NEW,)), record((NAME,), (), (USED,))
    other_field = record((), (NAME,), ())
    parts = [RecordPart(4, 12, (other_field, used)), RecordPart(0, 8, (new,))]
    assert merge_records(parts) == (new, other_field, used)


def test_records_that_two_windows_find_stand_in_the_order_of_the_text() -> None:
    """The surer copy of each counts, and the one that stands first is of the second window."""
    a, weak_a = (record((SpanFind(2, 3, score),), ()) for score in (0.9, 0.4))
    b, weak_b = (record((SpanFind(5, 6, score),), ()) for score in (0.9, 0.4))
    chosen = record((), (NEW,))
    parts = [RecordPart(0, 8, (weak_a, b)), RecordPart(1, 9, (a, chosen, weak_b))]
    assert merge_records(parts) == (a, chosen, b)


def test_choices_alone_are_one_only_where_windows_overlap() -> None:
    only = record((), (), (NEW,))
    assert merge_records([RecordPart(0, 8, (only,)), RecordPart(8, 12, (only,))]) == (only, only)
    assert merge_records([RecordPart(0, 8, (only,)), RecordPart(6, 12, (only,))]) == (only,)
    assert merge_records([RecordPart(0, 8, (only,)), RecordPart(0, 8, (only,))]) == (only,)
    more = record((), (), (NEW, USED))
    assert merge_records([RecordPart(0, 8, (only,)), RecordPart(6, 12, (more,))]) == (only, more)


def test_choices_alone_are_never_contained_in_a_record_with_spans() -> None:
    only, full = record((), (), (NEW,)), record((NAME,), (), (NEW,))
    assert merge_records([RecordPart(0, 8, (only, full))]) == (only, full)


def test_one_window_may_say_the_same_choice_of_two_things() -> None:
    only = record((), (), (NEW,))
    two = RecordPart(0, 8, (only, only))
    assert merge_records([two]) == (only, only)
    assert merge_records([two, RecordPart(4, 12, (only,))]) == (only, only)


RED, BLUE, GRAY = SpanFind(7, 8, 0.9), SpanFind(8, 9, 0.9), SpanFind(9, 10, 0.9)


def merged_lists(*lists: tuple[SpanFind, ...], apart: bool = False) -> list[tuple[Any, ...]]:
    """Return what is left of one name with other colors in each of several windows."""
    starts = range(0, 20 * len(lists), 20) if apart else range(len(lists))
    found = [record((NAME,), colors) for colors in lists]
    parts = [RecordPart(at, at + 20, (one,)) for at, one in zip(starts, found, strict=True)]
    return [one.fields[1] for one in merge_records(parts, [0])]


def test_one_thing_that_two_windows_see_with_other_lists_is_one_record() -> None:
    assert merged_lists((BLUE, GRAY), (RED, BLUE, GRAY, PRICE)) == [(RED, BLUE, GRAY, PRICE)]
    assert merged_lists((RED, BLUE), (BLUE, GRAY, PRICE)) == [(BLUE, GRAY, PRICE)]
    assert merged_lists((RED, BLUE), (BLUE, GRAY, PRICE), apart=True) == [
        (RED, BLUE), (BLUE, GRAY, PRICE),
    ]  # fmt: skip
    assert merged_lists((RED,), (BLUE, GRAY)) == [(RED,), (BLUE, GRAY)]  # nothing is lost


def test_two_records_with_one_name_and_nothing_else_in_common_are_two_things() -> None:
    red, blue, more = (record((NAME,), colors) for colors in ((RED,), (BLUE,), (BLUE, GRAY)))
    assert merge_records([RecordPart(0, 20, (red, more))], [0]) == (red, more)
    parts = [RecordPart(0, 20, (red, blue)), RecordPart(1, 21, (more,))]
    assert merge_records(parts, [0]) == (red, more)


def test_a_window_may_find_one_thing_twice() -> None:
    less, more = record((NAME,), (RED, BLUE)), record((NAME,), (BLUE, GRAY, PRICE))
    assert merge_records([RecordPart(0, 20, (less, more))], [0]) == (more,)


def test_another_choice_makes_no_other_thing() -> None:
    new, used = record((NAME,), (PRICE,), (NEW,)), record((NAME,), (PRICE,), (USED,))
    parts = [RecordPart(0, 20, (new,)), RecordPart(1, 21, (used,))]
    assert merge_records(parts, [0, 1, 2]) == (new,)
    assert merge_records(parts, [0, 1]) == (new, used)


def test_empty_records_are_dropped() -> None:
    assert merge_records([RecordPart(0, 8, (record((), (), ()),))]) == ()
    assert merge_records([]) == ()


# Relations

relations = st.builds(RelationFind, st.integers(0, 1), spans, spans, scores)


@given(st.lists(st.lists(relations, max_size=4), max_size=4), shuffles)
def test_relations_merge_into_the_best_of_each(parts, shuffle) -> None:  # type: ignore[no-untyped-def]
    def key(find: RelationFind) -> tuple[int, ...]:
        return find.type, find.head.start, find.head.end, find.tail.start, find.tail.end

    merged = merge_relations(parts)
    every = [find for part in parts for find in part]
    assert {key(find) for find in merged} == {key(find) for find in every}
    assert len({key(find) for find in merged}) == len(merged)
    assert all(find in every for find in merged)
    assert all(find.score == max(f.score for f in every if key(f) == key(find)) for find in merged)
    order = [(find.head.start, find.tail.start, find.type) for find in merged]
    assert order == sorted(order)
    assert merge_relations([merged]) == merged
    shuffle.shuffle(parts)
    assert merge_relations(parts) == merged


def test_direction_and_type_tell_relations_apart() -> None:
    a, b = SpanFind(0, 1, 0.9), SpanFind(2, 3, 0.9)
    found = [RelationFind(0, a, b, 0.5), RelationFind(0, b, a, 0.5), RelationFind(1, a, b, 0.5)]
    assert len(merge_relations([found])) == 3
