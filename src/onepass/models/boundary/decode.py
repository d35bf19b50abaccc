"""From boundary scores to findings: spans, records, pairs, class logits of one reading.

Positions are words of the reading's own window; labels, fields and types are the schema's indices.
Where the reference library is wrong this module is right: records of spans that overlap are one,
no field is filled below its threshold, and a pair is never repeated by a longer or a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from onepass.arrays import Bools, Float32s, Int64s
from onepass.decoding.candidates import Candidates, RecordFind, RelationFind, SpanFind
from onepass.decoding.findings import Findings
from onepass.models.boundary.scores import BoundaryScores, Pairs
from onepass.models.family import Asking
from onepass.models.gliner2.decode import AskedRecords
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Kind
from onepass.models.kept import PLAIN
from onepass.models.thresholds import sigmoid

_LEAST = np.finfo(np.float32).tiny  # lowest score of a value


def decode(scores: BoundaryScores, reading: Reading, asking: Asking, words: int) -> Findings:
    """Decode one reading.

    Args:
        scores: of the reading.
        reading: its prompt says what was asked.
        asking: the schema that the indices of the prompt point into, and its thresholds.
        words: the text's own words of the window; those after them were added.
    """
    thresholds = asking.thresholds
    found: list[Candidates] = []
    records: dict[int, tuple[RecordFind, ...]] = {}
    relations: list[RelationFind] = []
    classes: dict[tuple[int, tuple[int, ...]], Float32s] = {}
    prefix = reading.prompt.prefix_words
    for number, group in enumerate(reading.prompt.groups):
        if group.kind is Kind.CLASSES:
            classes[group.task, group.items] = scores.classes[number]
        elif not words:
            continue
        elif group.kind is Kind.ENTITIES:
            first = scores.firsts[number]
            lines = slice(first, first + len(group.items))
            limits = thresholds.entities[list(group.items)]
            places = scores.places[lines] - prefix
            hits = scores.probs[lines] >= limits[:, None]
            hits &= _inside(places, words) & scores.there[lines, None]
            labels, columns = np.nonzero(hits)
            found.append(
                Candidates(
                    places[labels, columns, 0], places[labels, columns, 1],
                    scores.probs[lines][labels, columns].astype(np.float64),
                    np.array(group.items, dtype=np.int64)[labels],
                )
            )  # fmt: skip
        elif group.kind is Kind.RELATION:
            pairs = scores.pairs[number]
            probs = sigmoid(pairs.logits, thresholds.calibration.get("relations", PLAIN))
            limit = float(thresholds.relations[group.task])
            options = _pairs(pairs, probs, limit, group.task, (prefix, words))
            relations += _apart(options)
        else:
            places = scores.places[scores.firsts[number] :][: len(group.items)] - prefix
            # What no record holds has the score 0, which is no answer at a threshold of 0 either.
            limits = np.maximum(thresholds.fields[group.task], _LEAST)
            held = scores.records[number]
            held = np.where(held >= limits[list(group.items), None], held, np.float32(0))
            asked = AskedRecords(
                choices=_choices(held, places, prefix), text=_text(held, places, words),
                reading=reading, number=number, structure=asking.schema.structures[group.task],
                thresholds=limits, distinct=False,
            )  # fmt: skip
            records[group.task] = asked.records()
    return Findings(Candidates.joined(found), records, tuple(relations), classes)


def _inside(places: Int64s, words: int) -> Bools:
    """Mark the spans of the text's own words; what fills up rows is none."""
    starts, ends = places[..., 0], places[..., 1]
    inside: Bools = (starts >= 0) & (starts < ends) & (ends <= words)
    return inside


def _pairs(
    pairs: Pairs, probs: Float32s, limit: float, kind: int, where: tuple[int, int]
) -> list[RelationFind]:
    """Return the pairs that hold, best first.

    Args:
        pairs: of one type.
        probs: (pairs,).
        limit: inclusive.
        kind: their type.
        where: words before those of the text, and how many there are of these.
    """
    prefix, words = where
    places = pairs.places - prefix
    fit = (probs >= np.float32(limit)) & (places[:, 1] <= words) & (places[:, 3] <= words)
    order = np.flatnonzero(fit)
    order = order[np.argsort(-probs[order], kind="stable")]
    rows = zip(
        places[order].tolist(), pairs.ends[order].tolist(), probs[order].tolist(), strict=True
    )
    return [
        RelationFind(kind, SpanFind(h0, h1, head), SpanFind(t0, t1, tail), score)
        for (h0, h1, t0, t1), (head, tail), score in rows
    ]


def _apart(pairs: Iterable[RelationFind]) -> list[RelationFind]:
    """Return pairs, of which none has a head and a tail that overlap those of a better one."""
    kept: list[RelationFind] = []
    for pair in pairs:
        if not any(_meet(pair.head, k.head) and _meet(pair.tail, k.tail) for k in kept):
            kept.append(pair)
    return kept


def _meet(one: SpanFind, other: SpanFind) -> bool:
    return one.start < other.end and other.start < one.end


def _text(probs: Float32s, places: Int64s, words: int) -> Float32s:
    """Return (records, fields, words, width) of the spans of the text.

    A record whose anchor is no span of the text's own words holds nothing.

    Args:
        probs: (records, fields, spans).
        places: (fields, spans, 2) in words of the text.
        words: of the text.
    """
    records, fields, _ = probs.shape
    inside = _inside(places, words)
    lines, columns = np.nonzero(inside & (probs > 0).any(axis=0))
    starts, ends = places[lines, columns].T
    grid = np.zeros((records, fields, words, max((ends - starts).max(initial=1), 1)), np.float32)
    grid[:, lines, starts, ends - starts - 1] = probs[:, lines, columns]
    return grid


def _choices(probs: Float32s, places: Int64s, prefix: int) -> Float32s:
    """Return (records, fields, choice words); the arguments are those of `_text`.

    Args:
        probs: (records, fields, spans).
        places: (fields, spans, 2) in words of the text; those of choices are before it.
        prefix: number of words before it.
    """
    grid = np.zeros((*probs.shape[:2], prefix), dtype=np.float32)
    single = (places[..., 1] - places[..., 0] == 1) & (places[..., 1] <= 0)
    lines, columns = np.nonzero(single)
    grid[:, lines, places[lines, columns, 0] + prefix] = probs[:, lines, columns]
    return grid
