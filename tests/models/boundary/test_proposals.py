"""Which spans are scored, beside what a search over all of them would choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onepass.models.boundary import proposals
from onepass.models.boundary.config import Proposals
from onepass.models.boundary.proposals import Places, propose

NONE = np.zeros((0, 2), dtype=np.int64)


def make(queries: int = 3, places: int = 9, *, gates: bool = False, seed: int = 0) -> Places:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    own = draw(queries, 4) if gates else None
    return Places(
        draw(queries, places), draw(queries, places), draw(places, 4), draw(places, 4), own
    )


def spans_of(found: np.ndarray) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in found]


@pytest.mark.parametrize("seed", range(5))
def test_with_room_for_all_every_span_is_scored(seed: int) -> None:
    text = make(seed=seed)
    found = spans_of(propose(text, Proposals("shared"), NONE).places)
    assert sorted(found) == [(i, j) for i in range(9) for j in range(i + 1, 9)]
    text = make(gates=True, seed=seed)
    each = propose(text, Proposals(ends_each=9, starts_each=9), NONE)
    for places, real in zip(each.places, each.real, strict=True):
        assert sorted(spans_of(places[real])) == sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_spans_are_kept_and_those_of_each_query_before_others(seed: int) -> None:
    text = make(seed=seed)
    how = Proposals("shared", spans=8, least=2)
    found = spans_of(propose(text, how, NONE).places)
    every = [(i, j) for i in range(9) for j in range(i + 1, 9)]
    fit = text.start_keys @ text.end_keys.T / 2
    for starts, ends in zip(text.starts, text.ends, strict=True):
        ranked = sorted(every, key=lambda s: -(starts[s[0]] + ends[s[1]] + fit[s]))
        assert set(ranked[:2]) <= set(found)
    starts, ends = text.starts.max(0), text.ends.max(0)
    others = [span for span in every if span not in found]
    worst = min(found[6:], key=lambda s: starts[s[0]] + ends[s[1]] + fit[s])
    assert max(starts[i] + ends[j] + fit[i, j] for i, j in others) <= (
        starts[worst[0]] + ends[worst[1]] + fit[worst]
    )


def test_what_is_forced_is_scored_beside_all_others() -> None:
    forced = np.array([[2, 3], [4, 5]])
    for gates in (False, True):
        how = Proposals("per_query" if gates else "shared", spans=3, budget=3)
        places = propose(make(gates=gates), how, forced).places.reshape(-1, 5, 2)
        own = propose(make(gates=gates), how, NONE).places.reshape(-1, 3, 2)
        for one, without in zip(places, own, strict=True):
            assert spans_of(one)[:2] == [(2, 3), (4, 5)]
            assert set(spans_of(without)) <= set(spans_of(one))


def test_a_query_with_fewer_spans_is_filled_up() -> None:
    found = propose(make(places=3, gates=True), Proposals(), NONE)
    assert found.real.sum(-1).tolist() == [3, 3, 3]
    assert not found.prior[~found.real].any()


def test_a_text_without_words_has_no_spans() -> None:
    assert not len(propose(make(places=1), Proposals("shared"), NONE).places)
    assert not propose(make(places=1, gates=True), Proposals(), NONE).real.any()


def test_more_starts_are_tried_in_long_texts_where_the_checkpoint_says_so() -> None:
    text, few = make(places=40, gates=True), Proposals(starts=1, ends=1, both_ways=False)
    starts = {s for s, _ in spans_of(propose(text, few, NONE).places[0])}
    assert len(starts - {0}) <= 1
    more = propose(text, replace(few, growth=0.2, growth_step=4), NONE)
    assert len({s for s, _ in spans_of(more.places[0][more.real[0]])}) > 4


@pytest.mark.parametrize("seed", range(20))
def test_the_best_columns_are_those_of_a_stable_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(3, 4, 30)).round(int(rng.integers(0, 4))).astype(np.float32)
    for number in (1, 5, 29, 30, 31):
        expected = np.argsort(-scores, axis=-1, kind="stable")[..., :number]
        assert np.array_equal(proposals._top(scores, number), expected)


def test_a_query_may_have_no_spans_of_its_own() -> None:
    """``min_pool_per_query`` may be 0: then those of all queries together are scored."""
    text = make()
    found = spans_of(propose(text, Proposals("shared", spans=8, least=0), NONE).places)
    starts, ends = text.starts.max(0), text.ends.max(0)
    fit = text.start_keys @ text.end_keys.T / 2
    every = [(i, j) for i in range(9) for j in range(i + 1, 9)]
    assert found == sorted(every, key=lambda s: -(starts[s[0]] + ends[s[1]] + fit[s]))[:8]
