"""The boundary program: from a batch of readings to scored spans, pairs and records.

One run of the backbone for everything that is asked; the heads run only for what was asked. Which
spans are scored is decided by `onepass.models.boundary.proposals`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onepass.arrays import Float32s
from onepass.models.boundary.scores import BoundaryScores, How
from onepass.models.boundary.spans import Queries, score_spans
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Batch
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.score import GroupPlace, group_places, score_classes


def score(batch: Batch, how: How) -> list[BoundaryScores]:
    """Return the scores of each reading of a batch.

    Args:
        batch: padded readings.
        how: what they are scored with.
    """
    backend = how.backend
    word_states, markers = backend.run("encode", batch.inputs())
    check_finite(markers)
    places = group_places(batch)
    classes = score_classes(places, markers, backend)
    places_of_none, none = np.zeros((0, 0, 2), dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    no_spans = (places_of_none, none, none, np.zeros(0, dtype=bool))
    scores = [BoundaryScores(*no_spans) for _ in batch.readings]
    asked = [place for place in places if place.kind is not Kind.CLASSES]
    if asked:
        queries = _queries(asked, markers)
        found = score_spans(batch, word_states, queries, how)
        for row, one in zip(queries.rows.tolist(), found, strict=True):
            scores[row] = one
    for (row, group), logits in classes.items():
        scores[row].classes[group] = logits
    return scores


def _queries(asked: Sequence[GroupPlace], markers: Float32s) -> Queries:
    """Return one query for each label, field, head and tail, group by group."""
    rows = sorted({place.row for place in asked})
    line_of = {row: line for line, row in enumerate(rows)}
    firsts: list[dict[int, int]] = [{} for _ in rows]
    counts = np.zeros(len(rows), dtype=np.int64)
    columns: list[list[int]] = [[] for _ in rows]
    for place in asked:
        line = line_of[place.row]
        firsts[line][place.group] = len(columns[line])
        columns[line] += range(place.column + 1, place.column + 1 + place.items)
    vectors = np.zeros((len(rows), max(map(len, columns)), markers.shape[2]), dtype=np.float32)
    for line, (row, own) in enumerate(zip(rows, columns, strict=True)):
        counts[line] = len(own)
        vectors[line, : len(own)] = markers[row, own]
    return Queries(np.array(rows), firsts, counts, vectors)
