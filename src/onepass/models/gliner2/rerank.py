"""The stage behind the heads: candidates for values and ends are scored in view of each other.

It knows prompts and schemas; candidates and what is told of them are in
`onepass.models.gliner2.rivals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onepass.backends.base import Backend
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.rivals import AN_END, ONE, SEVERAL, Rivals, rescored, rivals, runs_of
from onepass.models.gliner2.score import ReadingScores, SpanScores
from onepass.schema import Schema


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One group that asks for records or pairs.

    Attributes:
        row: of its reading.
        group: number of the group in the prompt.
        spans: its scores.
        rows: of the text's own words in the scores.
        candidates: the likeliest spans.
    """

    row: int
    group: int
    spans: SpanScores
    rows: slice
    candidates: Rivals


def rerank(
    scores: Sequence[ReadingScores], readings: Sequence[Reading], backend: Backend, schema: Schema
) -> None:
    """Put new scores of the spans of records and pairs in the place of the old ones.

    Args:
        scores: of each reading.
        readings: in the same order.
        backend: that runs the graph "rerank".
        schema: that the prompts point into.
    """
    asked = groups_of(scores, readings, schema)
    for run, inputs in runs_of([one.candidates for one in asked]):
        (logits,) = backend.run("rerank", inputs)
        check_finite(logits)
        for line, number in enumerate(run):
            one = asked[number]
            held = one.spans.logits
            if held is None:
                continue
            new = logits[line, : len(one.candidates)]
            words = rescored(held[:, :, one.rows], one.candidates, new)
            parts = [held[:, :, : one.rows.start], words, held[:, :, one.rows.stop :]]
            joined = np.concatenate(parts, axis=2)
            scores[one.row].spans[one.group] = replace(one.spans, logits=joined)


def groups_of(
    scores: Sequence[ReadingScores], readings: Sequence[Reading], schema: Schema
) -> list[Asked]:
    """Return the groups that ask for records or pairs, and were found, with their candidates."""
    out = []
    for row, reading in enumerate(readings):
        first, last = reading.own
        for number, group in enumerate(reading.prompt.groups):
            spans = scores[row].spans.get(number)
            if group.kind is Kind.ENTITIES or spans is None or spans.logits is None:
                continue
            if group.kind is Kind.RELATION:
                fields, holds = np.ones(2, dtype=bool), np.full(2, AN_END)
            else:
                own = [schema.structures[group.task].fields[item] for item in group.items]
                fields = np.array([not field.choices for field in own])
                holds = np.array([SEVERAL if field.dtype == "list" else ONE for field in own])
            if first == last or not fields.any():
                continue
            logits = spans.logits[:, :, first:last]
            found = rivals(logits, reading.told[: last - first], fields, holds)
            out.append(Asked(row, number, spans, slice(first, last), found))
    return out
