"""Spans of a batch that are scored, and what the records and pairs made of them score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from onepass.arrays import Bools, Float32s, Float64s, Int64s
from onepass.backends.base import Rows
from onepass.models.boundary.pairs import score_pairs
from onepass.models.boundary.proposals import Places, Spans, propose
from onepass.models.boundary.records import score_records
from onepass.models.boundary.scores import BoundaryScores, How
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Batch, Reading
from onepass.models.gliner2.prompt import SECTION_OF
from onepass.models.kept import PLAIN
from onepass.models.thresholds import sigmoid

_Floats = TypeVar("_Floats", Float32s, Float64s)


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Queries of some rows of a batch.

    Attributes:
        rows: (used,) rows of the batch that ask for spans.
        firsts: for each used row, group to its first query.
        counts: (used,) queries of each.
        vectors: (used, queries, hidden).
    """

    rows: Int64s
    firsts: list[dict[int, int]]
    counts: Int64s
    vectors: Float32s


def score_spans(
    batch: Batch, word_states: Rows, queries: Queries, how: How
) -> list[BoundaryScores]:
    """Return the scores of the rows that ask for spans, in their order.

    Args:
        batch: padded readings.
        word_states: (batch, words, hidden).
        queries: of the rows that ask.
        how: what they are scored with.
    """
    backend, config = how.backend, how.config
    used = queries.rows
    counts = batch.word_counts[used]
    texts = {"word_states": word_states[used], "word_counts": counts, "queries": queries.vectors}
    known = backend.run("boundaries", texts)
    check_finite(known[1], known[2])
    readings = [batch.readings[row] for row in used.tolist()]
    own = [
        Places(
            known[1][line, :asked, : words + 1], known[2][line, :asked, : words + 1],
            known[4][line, : words + 1], known[5][line, : words + 1],
            known[6][line, :asked] if config.proposals.pool == "per_query" else None,
        )
        for line, (asked, words) in enumerate(
            zip(queries.counts.tolist(), counts.tolist(), strict=True)
        )
    ]  # fmt: skip
    spans = [
        propose(text, config.proposals, _choice_words(reading))
        for text, reading in zip(own, readings, strict=True)
    ]
    inside = [
        _inside(one, known[3][line, :asked, : len(text.start_keys) - 1])
        for line, (one, text, asked) in enumerate(
            zip(spans, own, queries.counts.tolist(), strict=True)
        )
    ]
    raw = _run_spans(spans, inside, {"place_states": known[0], **texts}, queries, how)
    found = []
    for line, (one, text, asked) in enumerate(
        zip(spans, own, queries.counts.tolist(), strict=True)
    ):
        count = one.places.shape[-2]
        places = np.broadcast_to(one.places, (asked, count, 2))
        logits = raw[line, :asked, :count] + _taken(text.starts, places[..., 0])
        logits += _taken(text.ends, places[..., 1])
        if text.gates is not None:
            logits += one.prior
        elif config.head.inside:
            logits += inside[line]
        logits = np.where(one.real, logits, np.float32(-np.inf))
        nothing = known[-1][line, :asked] if config.head.abstains else None
        found.append(
            BoundaryScores(
                places,
                logits,
                _probs(logits, readings[line], queries.firsts[line], how),
                _there(nothing, asked, config.head.abstention),
                queries.firsts[line],
            )
        )
    score_records(found, readings, (known[0], queries.vectors), how)
    score_pairs(found, readings, texts, how)
    return found


def _there(nothing: Float32s | None, queries: int, limit: float) -> Bools:
    if nothing is None:
        return np.ones(queries, dtype=bool)
    there: Bools = sigmoid(nothing) <= np.float32(limit)
    return there


def _probs(logits: Float32s, reading: Reading, firsts: Mapping[int, int], how: How) -> Float32s:
    """Return (queries, spans) probabilities, calibrated by what is asked."""
    out = np.zeros_like(logits)
    for number, first in firsts.items():
        group = reading.prompt.groups[number]
        own = how.asking.thresholds.calibration.get(SECTION_OF[group.kind], PLAIN)
        lines = slice(first, first + len(group.items))
        out[lines] = sigmoid(logits[lines] / np.float32(how.config.temperatures.spans), own)
    return np.where(np.isneginf(logits), np.float32(0), out)


def _choice_words(reading: Reading) -> Int64s:
    """Return (words, 2): each choice of a field as a span, so that it is scored."""
    rows = [*reading.prompt.choices.values()]
    words = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    return np.stack([words, words + 1], axis=-1)


def _inside(spans: Spans, logits: Float32s) -> Float32s:
    """Return (queries, spans): the sum of what words inside say, by the root of their number.

    Args:
        spans: of one text.
        logits: (queries, words).
    """
    before = np.zeros((logits.shape[0], logits.shape[1] + 1))
    np.cumsum(logits, axis=1, dtype=np.float64, out=before[:, 1:])
    places = np.broadcast_to(spans.places, (len(logits), *spans.places.shape[-2:]))
    sums = _taken(before, places[..., 1]) - _taken(before, places[..., 0])
    lengths = np.maximum(places[..., 1] - places[..., 0], 1)
    mean: Float32s = (sums / np.sqrt(lengths)).astype(np.float32)
    return mean


def _run_spans(
    spans: Sequence[Spans],
    inside: Sequence[Float32s],
    texts: dict[str, Any],
    queries: Queries,
    how: How,
) -> Float32s:
    """Return (used, queries, spans) what the graph says of the spans."""
    backend, config = how.backend, how.config
    rows, asked = queries.vectors.shape[:2]
    most = max(max(one.places.shape[-2] for one in spans), 1)
    if config.proposals.pool == "shared":
        places = np.zeros((rows, most, 2), dtype=np.int64)
        mask = np.zeros((rows, most), dtype=np.int64)
        prior = np.zeros((rows, most), dtype=np.float32)
        for line, one in enumerate(spans):
            count = len(one.places)
            places[line, :count], mask[line, :count], prior[line, :count] = (
                one.places, 1, one.prior,
            )  # fmt: skip
        query_mask = (np.arange(asked) < queries.counts[:, None]).astype(np.int64)
        own = {"query_mask": query_mask, "places": places, "span_mask": mask, "prior": prior}
    else:
        places = np.zeros((rows, asked, most, 2), dtype=np.int64)
        told = np.zeros((rows, asked, most), dtype=np.float32)
        for line, (one, says) in enumerate(zip(spans, inside, strict=True)):
            number, count = one.real.shape
            places[line, :number, :count] = one.places
            if config.head.inside:
                told[line, :number, :count] = says
        own = {"places": places, "inside": told}
    logits: Float32s = backend.run("spans", {**texts, **own})[0]
    return logits


def _taken(values: _Floats, columns: Int64s) -> _Floats:
    return cast(_Floats, np.take_along_axis(values, columns, axis=-1))
