"""Rules filter candidates before the choice, and change nothing where they refuse nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.decoding.candidates import ChoiceFind, SpanFind
from onepass.decoding.constrained import constrained_values, limited, value_options
from onepass.decoding.overlap import resolve_overlaps
from onepass.decoding.spans import best_span, candidates
from onepass.schema import Field, Rules
from onepass.schema.rules import Kind
from onepass.schema.types import Dtype
from onepass.text.words import split_words

TEXT = split_words("pay 12 now or 40 later")
WORDS = TEXT.forms()


def spans(found: list[tuple[SpanFind, ...]]) -> list[list[tuple[int, int]]]:
    return [[(find.start, find.end) for find in one] for one in found]


def scores(**words: float) -> NDArray[np.float64]:
    """Return (1, words, 2) probabilities of single words, and of pairs that begin with "_"."""
    probs = np.zeros((1, len(WORDS), 2))
    for word, score in words.items():
        probs[0, WORDS.index(word.strip("_")), int(word.startswith("_"))] = score
    return probs


@pytest.mark.parametrize("dtype", ["str", "list"])
def test_rules_that_refuse_nothing_change_nothing(dtype: Dtype) -> None:
    rng = np.random.default_rng(3)
    field = Field("x", dtype, rules=Rules(max_length=999))
    for _ in range(60):
        probs = rng.integers(0, 11, size=(2, len(WORDS), 3)) / 10  # many ties
        probs[:, len(WORDS) - 2 :, 2] = probs[:, len(WORDS) - 1 :, 1:] = 0
        found = constrained_values(value_options(probs, 0.5, field, TEXT), field)
        for instance, one in enumerate(found):
            if dtype == "str":
                best = best_span(probs[instance], 0.5)
                assert one == (() if best is None else (best,))
                continue
            kept = resolve_overlaps(candidates(probs[instance][None], [0.5]), policy="flat")
            assert one == tuple(kept.spans())


def test_a_bound_refuses_the_best_and_the_next_is_chosen() -> None:
    probs = scores(**{"12": 0.9, "40": 0.6})
    field = Field("sum", "str", rules=Rules(kind="integer", ge=20))
    assert spans(constrained_values(value_options(probs, 0.5, field, TEXT), field)) == [[(4, 5)]]
    assert spans(constrained_values(value_options(probs, 0.7, field, TEXT), field)) == [[]]


@pytest.mark.parametrize("kind", ["integer", "number", "decimal", "money", "quantity"])
def test_a_minus_outside_a_span_counts_for_its_bounds(kind: Kind) -> None:
    words = split_words("Ann owes. It is -12 dollars, and once 40 dollars.")
    probs = np.zeros((1, 3, 2))
    probs[0, 1, 0], probs[0, 1, 1] = 0.9, 0.8  # "12", "12 dollars"

    def ends(**rules: Any) -> list[int]:
        field = Field("sum", "str", rules=Rules(kind=kind, **rules))
        options = value_options(probs, 0.5, field, words, first=5)[0]
        return [option.find.end for option in options]

    assert ends(ge=0) == ends(gt=-12) == []
    assert ends(ge=-12) == [2, 3]
    assert ends(le=0, max_length=2) == [2]
    assert ends(le=0, pattern="-") == []  # form is that of the span


def test_a_readable_span_comes_before_a_better_one() -> None:
    probs = scores(**{"_now": 0.9, "40": 0.6})
    field = Field("sum", "str", rules=Rules(kind="integer"))
    assert spans(constrained_values(value_options(probs, 0.5, field, TEXT), field)) == [[(4, 5)]]


def test_an_unreadable_span_is_kept_where_nothing_else_is_left() -> None:
    field = Field("sum", "str", rules=Rules(kind="integer"))
    assert spans(constrained_values(value_options(scores(now=0.9), 0.5, field, TEXT), field)) == [
        [(2, 3)]
    ]


def test_a_refused_span_takes_no_words_from_a_list() -> None:
    probs = scores(**{"_12": 0.9, "12": 0.6, "40": 0.7})
    field = Field("sums", "list", rules=Rules(pattern=r"^\d+$"))
    assert spans(constrained_values(value_options(probs, 0.5, field, TEXT), field)) == [
        [(1, 2), (4, 5)]
    ]


def test_a_list_keeps_its_best_items() -> None:
    probs = scores(**{"pay": 0.6, "12": 0.9, "40": 0.7})
    field = Field("words", "list", rules=Rules(max_items=2))
    assert spans(constrained_values(value_options(probs, 0.5, field, TEXT), field)) == [
        [(1, 2), (4, 5)]
    ]
    chosen = (ChoiceFind(0, 0.6), ChoiceFind(1, 0.9), ChoiceFind(2, 0.7))
    assert limited(chosen, field) == chosen[1:]


@pytest.mark.parametrize("dtype", ["str", "list"])
def test_of_an_exclusive_field_no_two_records_share_a_word(dtype: Dtype) -> None:
    probs = np.concatenate([scores(**{"12": 0.7, "40": 0.6}), scores(**{"_12": 0.9})])
    plain = Field("sum", dtype, rules=Rules(max_length=99))
    assert (1, 2) in spans(constrained_values(value_options(probs, 0.5, plain, TEXT), plain))[0]
    field = Field("sum", dtype, rules=Rules(exclusive=True))
    assert spans(constrained_values(value_options(probs, 0.5, field, TEXT), field)) == [
        [(4, 5)],
        [(1, 3)],
    ]


def test_rules_see_a_link_without_the_marks_behind_it() -> None:
    field = Field("link", "str", rules=Rules(kind="url", pattern="^https.*z$"))
    text = split_words("see https://y.org/z).")
    probs = np.array([[[0.1], [0.9]]])
    ((option,),) = value_options(probs, 0.5, field, text)
    assert (option.find, option.late) == (SpanFind(1, 2, 0.9), False)
