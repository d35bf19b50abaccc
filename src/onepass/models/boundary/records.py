"""Records of a boundary checkpoint: a span of the first field, and what the other fields hold.

The first field without choices is the anchor: each of its spans is a record. A head says which of
the other spans belongs to which record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend
from onepass.decoding.candidates import Candidates
from onepass.decoding.matching import best_matching
from onepass.decoding.overlap import resolve_overlaps
from onepass.models.boundary.scores import BoundaryScores, How
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Kind
from onepass.models.thresholds import sigmoid
from onepass.schema import Field


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A group that asks for records in one text.

    Attributes:
        fields: that are asked.
        choices: line of a field to the (choices,) places where its choices start.
        anchor: line of the field whose spans are records.
        records: (records,) columns of the spans of the anchor that are records.
        places: (fields, spans, 2).
        probs: (fields, spans) probabilities, 0 for what is no span.
        place_states: (places, size).
        queries: (fields, hidden).
    """

    fields: Sequence[Field]
    choices: Mapping[int, Int64s]
    anchor: int
    records: Int64s
    places: Int64s
    probs: Float32s
    place_states: Float32s
    queries: Float32s


def anchors(places: Int64s, probs: Float32s, threshold: float) -> Int64s:
    """Return the columns of the spans that are records, likeliest first.

    Of spans that overlap only the best is one.

    Args:
        places: (spans, 2).
        probs: (spans,), 0 for what is no span of the text.
        threshold: of the field, inclusive.

    >>> places = np.array([[0, 1], [0, 2], [3, 4], [5, 6]])
    >>> anchors(places, np.array([0.6, 0.9, 0.7, 0.1], dtype=np.float32), 0.5).tolist()
    [1, 2]
    """
    fit = np.flatnonzero((probs >= np.float32(threshold)) & (probs > 0))
    starts, ends = places[fit].T
    found = Candidates(starts, ends, probs[fit].astype(np.float64), np.zeros_like(fit))
    column = {(int(s), int(e)): int(c) for c, (s, e) in zip(fit, places[fit], strict=True)}
    kept = sorted(resolve_overlaps(found, policy="flat").spans(), key=lambda one: -one.score)
    return np.array([column[one.start, one.end] for one in kept], dtype=np.int64)


def assign(groups: Sequence[Asked], backend: Backend, temperature: float) -> list[Float32s]:
    """Return (records, fields, spans) probabilities that a field of a record holds a span.

    Records are in the order of their anchors in the text.

    Args:
        groups: each with one record or more.
        backend: that runs the graph "assign".
        temperature: what its logits are divided by.
    """
    rows, fields = len(groups), max(len(group.fields) for group in groups)
    records = max(len(group.records) for group in groups)
    spans, hidden = max(g.places.shape[1] for g in groups), groups[0].queries.shape[1]
    ends = 2 * groups[0].place_states.shape[1]
    starts = np.zeros((rows, records, ends), dtype=np.float32)
    queries = np.zeros((rows, fields, hidden), dtype=np.float32)
    values = np.zeros((rows, fields, spans, ends), dtype=np.float32)
    for row, group in enumerate(groups):
        number, count = group.probs.shape
        own = group.place_states[group.places].reshape(number, count, ends)
        starts[row, : len(group.records)] = own[group.anchor, group.records]
        queries[row, :number] = group.queries
        values[row, :number, :count] = own
    inputs = {"anchors": starts, "fields": queries, "values": values}
    (logits,) = backend.run("assign", inputs)
    check_finite(logits)
    found = []
    for row, group in enumerate(groups):
        number, count = group.probs.shape
        own = logits[row, : len(group.records), :number, : 1 + count] / np.float32(temperature)
        order = np.argsort(group.places[group.anchor, group.records, 0], kind="stable")
        found.append(_scores(group, own)[order])
    return found


def _scores(group: Asked, logits: Float32s) -> Float32s:
    """Return (records, fields, spans): the lesser of what a span and its place in a record say.

    Args:
        group: asked.
        logits: (records, fields, 1 + spans); the first column is that of no value.
    """
    out = np.zeros((len(logits), *group.probs.shape), dtype=np.float32)
    for line, field in enumerate(group.fields):
        probs = group.probs[line]
        if line == group.anchor:
            out[np.arange(len(logits)), line, group.records] = probs[group.records]
            continue
        real = probs > 0
        if line in group.choices:
            real = real & np.isin(group.places[line, :, 0], group.choices[line])
            real &= group.places[line, :, 1] - group.places[line, :, 0] == 1
        own = np.where(np.append(True, real), logits[:, line], -np.inf)  # (records, 1 + spans)
        if field.dtype == "str":
            held = _softmax(own)
            # A rule may refuse the likeliest value: then all others are to choose from.
            free = line in group.choices or field.is_ruled
            mine = held[:, 1:] if free else _matched(held)
        else:
            held = sigmoid(own[:, 1:])
            best = held.argmax(axis=0) == np.arange(len(held))[:, None]
            mine = held if line in group.choices else np.where(best, held, 0)
        out[:, line] = np.minimum(mine, probs)
    return out


def _softmax(logits: Float32s) -> Float32s:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probs: Float32s = powers / powers.sum(axis=-1, keepdims=True)
    return probs


def _matched(held: Float32s) -> Float32s:
    """Return (records, spans) where each span is of one record, and each record has one or none.

    Args:
        held: (records, 1 + spans) probabilities, the first that of none.
    """
    least = np.finfo(np.float32).eps
    gains = np.log(np.maximum(held[:, 1:], least)) - np.log(np.maximum(held[:, :1], least))
    out = np.zeros_like(held[:, 1:])
    for record, span in best_matching(np.maximum(gains, 0)):
        out[record, span] = held[record, 1 + span]
    return out


def score_records(
    found: Sequence[BoundaryScores],
    readings: Sequence[Reading],
    states: tuple[Float32s, Float32s],
    how: How,
) -> None:
    """Fill in the records of every structure that is asked.

    Args:
        found: of each row.
        readings: likewise.
        states: (rows, places, size) and (rows, queries, hidden).
        how: what they are scored with.
    """
    config, thresholds = how.config, how.asking.thresholds
    chosen: list[tuple[int, int, Asked]] = []
    for row, (scores, reading) in enumerate(zip(found, readings, strict=True)):
        for number, group in enumerate(reading.prompt.groups):
            if group.kind is not Kind.STRUCTURE:
                continue
            structure = how.asking.schema.structures[group.task]
            lines = slice(scores.firsts[number], scores.firsts[number] + len(group.items))
            places, probs = scores.places[lines], scores.probs[lines].copy()
            fields = [structure.fields[item] for item in group.items]
            anchor = next((i for i, one in enumerate(fields) if not one.choices), None)
            if anchor is None:  # nothing but choices: one record of the whole text
                scores.records[number] = probs[None]
                continue
            first, last = reading.own
            outside = (places[..., 0] < first) | (places[..., 1] > last)
            spans = [line for line, one in enumerate(fields) if not one.choices]
            probs[spans] = np.where(outside[spans], np.float32(0), probs[spans])
            likely = sigmoid(scores.logits[lines][anchor] / np.float32(config.temperatures.records))
            probs[anchor] = np.minimum(probs[anchor], likely)
            limit = float(thresholds.fields[group.task][group.items[anchor]])
            starts = anchors(places[anchor], probs[anchor], limit)
            scores.records[number] = np.zeros((0, *probs.shape), dtype=np.float32)
            if len(starts):
                choices = {
                    line: reading.prompt.choices[number, item]
                    for line, item in enumerate(group.items)
                    if (number, item) in reading.prompt.choices
                }
                asked = Asked(
                    fields, choices, anchor, starts, places, probs,
                    states[0][row], states[1][row, lines],
                )  # fmt: skip
                chosen.append((row, number, asked))
    if chosen:
        asked_for = [asked for _, _, asked in chosen]
        values = assign(asked_for, how.backend, config.temperatures.records)
        for (row, number, _), own in zip(chosen, values, strict=True):
            found[row].records[number] = own
