"""Which spans of a text are scored: those between the likeliest starts and ends.

All spans of a text are too many where a span may have any length. It knows the places of one text
and no graph, no word and no threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from onepass.arrays import Bools, Float32s, Int64s
from onepass.models.boundary.config import Proposals

_Numbers = TypeVar("_Numbers", Int64s, Float32s)
_FORCED, _RESERVED = 1e4, 5e3  # ranks above any sum of logits


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What is known of the places of one text.

    Attributes:
        starts: (queries, places) logits.
        ends: (queries, places) logits.
        start_keys: (places, size) vectors whose product says how a start and an end fit together.
        end_keys: (places, size).
        gates: (queries, size) what each query reads of them; None where all read everything.
    """

    starts: Float32s
    ends: Float32s
    start_keys: Float32s
    end_keys: Float32s
    gates: Float32s | None = None

    @property
    def count(self) -> int:
        """Number of places, one more than there are words."""
        return len(self.start_keys)

    @property
    def scale(self) -> np.float32:
        """What products of keys are multiplied by."""
        return np.float32(1 / math.sqrt(self.start_keys.shape[1]))


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Spans that are scored.

    Attributes:
        places: (spans, 2) where they start and end, or (queries, spans, 2).
        real: (spans,) or (queries, spans): false where a query has fewer than others.
        prior: likewise, how their ends fit together.
    """

    places: Int64s
    real: Bools
    prior: Float32s


def propose(text: Places, how: Proposals, forced: Int64s) -> Spans:
    """Return the spans of a text that are scored.

    Args:
        text: its places.
        how: settings of the checkpoint.
        forced: (spans, 2) that are scored beside those that the settings leave room for.

    >>> starts, ends = np.array([[2.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 2.0]])
    >>> text = Places(starts, ends, np.zeros((3, 4)), np.zeros((3, 4)))
    >>> none = np.zeros((0, 2), dtype=np.int64)
    >>> propose(text, Proposals("shared", spans=2), none).places.tolist()
    [[0, 2], [0, 1]]
    """
    if text.gates is None:
        return _shared(text, how, forced)
    return _each(text, text.gates, how, forced)


def _shared(text: Places, how: Proposals, forced: Int64s) -> Spans:
    """Return spans that all queries share, (spans, 2); the best of each query are among them."""
    best_starts, best_ends = text.starts.max(axis=0), text.ends.max(axis=0)  # (places,)
    firsts = _top(best_starts[None], how.boundaries)[0]
    lasts = _top(best_ends[None], how.boundaries)[0]
    fit = (text.start_keys[firsts] @ text.end_keys[lasts].T) * text.scale
    rows, columns = np.nonzero(firsts[:, None] < lasts)
    starts, ends, fit = firsts[rows], lasts[columns], fit[rows, columns]  # (pairs,)
    ranks = fit + best_starts[starts] + best_ends[ends]
    own = text.starts[:, starts] + text.ends[:, ends] + fit  # (queries, pairs)
    best = _top(own, how.least)  # (queries, least)
    reserved = np.zeros(len(starts), dtype=np.float32)
    order = np.broadcast_to(how.least - np.arange(best.shape[1], dtype=np.float32), best.shape)
    np.maximum.at(reserved, best.ravel(), order.ravel())
    ranks = np.where(reserved > 0, _RESERVED + reserved, ranks)
    keys = np.concatenate([starts * text.count + ends, forced @ (text.count, 1)])
    ranks = np.concatenate([ranks, np.full(len(forced), _FORCED, dtype=np.float32)])
    keys = _best_keys(keys[None], ranks[None], how.spans + len(forced))[0]
    places = np.stack(np.divmod(keys, text.count), axis=-1)
    places = places[keys >= 0]
    prior = (text.start_keys[places[:, 0]] * text.end_keys[places[:, 1]]).sum(-1) * text.scale
    return Spans(places, np.ones(len(places), dtype=bool), prior)


def _each(text: Places, gates: Float32s, how: Proposals, forced: Int64s) -> Spans:
    """Return spans of each query, (queries, spans, 2)."""
    place = np.arange(text.count)
    queries = len(gates)
    keys = [np.broadcast_to(forced @ (text.count, 1), (queries, len(forced)))]
    ranks = [np.full((queries, len(forced)), _FORCED, dtype=np.float32)]
    firsts = _top(text.starts, _budget(how.starts, how, text.count))  # (queries, firsts)
    fit = _fit(text.start_keys[firsts], text.end_keys, gates) * text.scale
    scores = fit + text.ends[:, None] + _taken(text.starts, firsts)[..., None]
    scores = np.where(place > firsts[..., None], scores, -np.inf)  # (queries, firsts, places)
    ends = _top(scores, how.ends_each)
    keys.append(_flat(firsts[..., None] * text.count + ends))
    ranks.append(_flat(_taken(scores, ends)))
    if how.both_ways:
        lasts = _top(text.ends, _budget(how.ends, how, text.count))
        fit = _fit(text.end_keys[lasts], text.start_keys, gates) * text.scale
        scores = fit + text.starts[:, None] + _taken(text.ends, lasts)[..., None]
        scores = np.where(place < lasts[..., None], scores, -np.inf)
        starts = _top(scores, how.starts_each)
        keys.append(_flat(starts * text.count + lasts[..., None]))
        ranks.append(_flat(_taken(scores, starts)))
    most = how.budget + len(forced)
    chosen = _best_keys(np.concatenate(keys, axis=1), np.concatenate(ranks, axis=1), most)
    real = chosen >= 0
    places = np.stack(np.divmod(np.where(real, chosen, 0), text.count), axis=-1)
    left = text.start_keys[places[..., 0]] * gates[:, None]
    prior = (left * text.end_keys[places[..., 1]]).sum(-1) * text.scale
    return Spans(places, real, np.where(real, prior, np.float32(0)))


def _fit(chosen: Float32s, others: Float32s, gates: Float32s) -> Float32s:
    """Return (queries, chosen, places) products of (queries, chosen, size) with (places, size)."""
    products: Float32s = np.matmul(chosen * gates[:, None], others.T)
    return products


def _budget(number: int, how: Proposals, places: int) -> int:
    """Return how many starts or ends a query has; more in long texts where a checkpoint says so."""
    if how.growth <= 0:
        return number
    wanted = max(number, min(math.ceil(how.growth * (places - 1)), how.growth_most))
    return min(how.growth_most, math.ceil(wanted / how.growth_step) * how.growth_step)


def _top(scores: Float32s, number: int) -> Int64s:
    """Return the (..., number) best columns of each row, of equal ones the earlier first.

    Which of several that are minus infinity does not matter.
    """
    if number >= scores.shape[-1]:
        return np.argsort(-scores, axis=-1, kind="stable")
    best = np.sort(np.argpartition(-scores, number, axis=-1)[..., :number], axis=-1)
    own = _taken(scores, best)
    last = own.min(axis=-1, keepdims=True, initial=np.inf)  # a checkpoint may ask for none
    equal = (scores == last).sum(-1) > (own == last).sum(-1)  # some of them were left out
    if (equal & (last[..., 0] > -np.inf)).any():
        return np.argsort(-scores, axis=-1, kind="stable")[..., :number]
    return _taken(best, np.argsort(-own, axis=-1, kind="stable"))


def _taken(values: _Numbers, columns: Int64s) -> _Numbers:
    return cast(_Numbers, np.take_along_axis(values, columns, axis=-1))


def _flat(values: _Numbers) -> _Numbers:
    return cast(_Numbers, values.reshape(len(values), -1))


def _best_keys(keys: Int64s, ranks: Float32s, number: int) -> Int64s:
    """Return (rows, number) different keys of each row by rank, then by key; -1 for no more.

    Args:
        keys: (rows, keys), some several times.
        ranks: (rows, keys); minus infinity for what is no span.
        number: of keys that are kept.
    """
    order = np.lexsort((-ranks, keys), axis=-1)  # of equal keys the best first
    keys, ranks = _taken(keys, order), _taken(ranks, order)
    first = np.ones(keys.shape, dtype=bool)
    first[:, 1:] = keys[:, 1:] != keys[:, :-1]
    ranks = np.where(first, ranks, np.float32(-np.inf))
    best = _top(ranks, number)
    return np.where(_taken(ranks, best) > -np.inf, _taken(keys, best), -1)
