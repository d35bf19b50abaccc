"""Spans of a batch that are scored, and what the records and pairs made of them score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from onepass.arrays import Bools, Float32s, Float64s, Int64s
from onepass.backends.base import Rows
from onepass.models.boundary.config import BoundaryConfig, Head
from onepass.models.boundary.pairs import score_pairs
from onepass.models.boundary.proposals import Places, Spans, propose
from onepass.models.boundary.records import score_records
from onepass.models.boundary.scores import BoundaryScores, How
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Batch, Reading
from onepass.models.gliner2.prompt import SECTION_OF
from onepass.models.kept import PLAIN
from onepass.models.thresholds import CHOICES, sigmoid

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


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What the graph "boundaries" says of some texts; axes as in its outputs."""

    place_states: Float32s
    starts: Float32s
    ends: Float32s
    inside: Float32s
    start_keys: Float32s
    end_keys: Float32s
    gates: Float32s | None
    nothing: Float32s | None

    @classmethod
    def of(cls, outputs: Sequence[Float32s], config: BoundaryConfig) -> _Known:
        """Name the outputs, of which a checkpoint has the last two or not."""
        gates = outputs[6] if config.proposals.pool == "per_query" else None
        nothing = outputs[-1] if config.head.abstains else None
        states, starts, ends, inside, start_keys, end_keys = outputs[:6]
        return cls(states, starts, ends, inside, start_keys, end_keys, gates, nothing)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One text: its places, the spans that are scored, and what (queries, spans) have inside."""

    text: Places
    spans: Spans
    inside: Float32s

    @property
    def places(self) -> Int64s:
        """Return (queries, spans, 2)."""
        own = self.spans.places
        return np.broadcast_to(own, (len(self.inside), *own.shape[-2:]))

    def logits(self, said: Float32s, head: Head) -> Float32s:
        """Return (queries, spans) logits, minus infinity for what is no span.

        Args:
            said: (queries, spans) of the graph "spans".
            head: of the checkpoint.
        """
        places = self.places
        sums = said + _taken(self.text.starts, places[..., 0])
        sums = sums + _taken(self.text.ends, places[..., 1])
        if self.text.gates is not None:
            sums = sums + self.spans.prior
        elif head.inside:  # with gates it is an input of the graph
            sums = sums + self.inside
        return np.where(self.spans.real, sums, np.float32(-np.inf))


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
    used = queries.rows
    readings = [batch.readings[row] for row in used.tolist()]
    texts = {
        "word_states": word_states[used],
        "word_counts": batch.word_counts[used],
        "queries": queries.vectors,
    }
    known = _Known.of(how.backend.run("boundaries", texts), how.config)
    check_finite(known.starts, known.ends, known.inside)
    if known.nothing is not None:
        check_finite(known.nothing)
    rows = [
        _row(known, line, (int(queries.counts[line]), int(batch.word_counts[row])), reading, how)
        for line, (row, reading) in enumerate(zip(used.tolist(), readings, strict=True))
    ]
    said = _run_spans(rows, {"place_states": known.place_states, **texts}, queries, how)
    found = []
    for line, (row, reading) in enumerate(zip(rows, readings, strict=True)):
        asked, count = row.inside.shape
        logits = row.logits(said[line, :asked, :count], how.config.head)
        probs = _probs(logits, reading, queries.firsts[line], how)
        nothing = None if known.nothing is None else known.nothing[line, :asked]
        there = _there(nothing, asked, how.config.head.abstention)
        found.append(BoundaryScores(row.places, logits, probs, there, queries.firsts[line]))
    score_records(found, readings, (known.place_states, queries.vectors), how)
    score_pairs(found, readings, texts, how)
    return found


def _row(known: _Known, line: int, sizes: tuple[int, int], reading: Reading, how: How) -> _Row:
    """Return one text with the spans that are scored; ``sizes`` are its queries and words."""
    asked, words = sizes
    text = Places(
        known.starts[line, :asked, : words + 1],
        known.ends[line, :asked, : words + 1],
        known.start_keys[line, : words + 1],
        known.end_keys[line, : words + 1],
        None if known.gates is None else known.gates[line, :asked],
    )
    spans = propose(text, how.config.proposals, _choice_words(reading))
    return _Row(text, spans, _inside(spans, known.inside[line, :asked, :words]))


def _there(nothing: Float32s | None, queries: int, limit: float) -> Bools:
    if nothing is None:
        return np.ones(queries, dtype=bool)
    there: Bools = sigmoid(nothing) <= np.float32(limit)
    return there


def _probs(logits: Float32s, reading: Reading, firsts: Mapping[int, int], how: How) -> Float32s:
    """Return (queries, spans) probabilities, calibrated by what is asked."""
    out = np.zeros_like(logits)
    calibrations = how.asking.thresholds.calibration
    scaled = logits / np.float32(how.config.temperatures.spans)
    for number, first in firsts.items():
        group = reading.prompt.groups[number]
        own = calibrations.get(SECTION_OF[group.kind], PLAIN)
        chosen = calibrations.get(CHOICES, own)
        for line, item in enumerate(group.items, start=first):
            of_choices = (number, item) in reading.prompt.choices
            out[line] = sigmoid(scaled[line], chosen if of_choices else own)
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


def _run_spans(rows: Sequence[_Row], texts: dict[str, Any], queries: Queries, how: How) -> Float32s:
    """Return (used, queries, spans) what the graph "spans" says."""
    lines, asked = queries.vectors.shape[:2]
    most = max(max(row.spans.places.shape[-2] for row in rows), 1)
    if how.config.proposals.pool == "shared":
        places = np.zeros((lines, most, 2), dtype=np.int64)
        mask = np.zeros((lines, most), dtype=np.int64)
        prior = np.zeros((lines, most), dtype=np.float32)
        for line, row in enumerate(rows):
            count = len(row.spans.places)
            places[line, :count], mask[line, :count] = row.spans.places, 1
            prior[line, :count] = row.spans.prior
        query_mask = (np.arange(asked) < queries.counts[:, None]).astype(np.int64)
        own = {"query_mask": query_mask, "places": places, "span_mask": mask, "prior": prior}
    else:
        places = np.zeros((lines, asked, most, 2), dtype=np.int64)
        inside = np.zeros((lines, asked, most), dtype=np.float32)
        for line, row in enumerate(rows):
            number, count = row.inside.shape
            places[line, :number, :count] = row.spans.places
            if how.config.head.inside:
                inside[line, :number, :count] = row.inside
        own = {"places": places, "inside": inside}
    logits: Float32s = how.backend.run("spans", {**texts, **own})[0]
    check_finite(logits)
    return logits


def _taken(values: _Floats, columns: Int64s) -> _Floats:
    return cast(_Floats, np.take_along_axis(values, columns, axis=-1))
