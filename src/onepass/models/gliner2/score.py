"""The GLiNER2 program: from a batch of readings to logits, over any backend.

One run of the backbone for everything that is asked; the heads run only for what was asked. This
module decides which head sees what; it makes no choices about thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Array, Float32s
from onepass.backends.base import Backend, Rows
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Batch
from onepass.models.gliner2.instances import Instances
from onepass.models.gliner2.prompt import Kind


@dataclass(frozen=True, slots=True, eq=False)
class SpanScores:
    """The answer to one group of spans.

    Attributes:
        count: number of instances that were scored; 0 means that the group is not in the text.
        logits: (instances, items, words, width); choice words stand before the text's words.
            None when the count is 0.
        spare: whether there may be more instances than the text has.
        distinct: whether fields with one value share no word within an instance.
        whole: whether no finding cuts a form of several words (`onepass.text.forms`).
    """

    count: int
    logits: Float32s | None
    spare: bool = False
    distinct: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ReadingScores:
    """The answers of one reading, one an entry of its prompt's groups.

    Attributes:
        spans: group to span scores.
        classes: group to (items,) logits.
    """

    spans: dict[int, SpanScores]
    classes: dict[int, Float32s]


_PREDICTED = Instances()


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """Where a group stands in the batch."""

    row: int
    group: int
    column: int  # of its parent among the row's markers; its items follow
    items: int
    kind: Kind


def score(
    batch: Batch, backend: Backend, looked_for: Instances = _PREDICTED
) -> list[ReadingScores]:
    """Return the scores of each reading of a batch.

    Args:
        batch: padded readings.
        backend: that runs the graphs of `onepass.models.gliner2.graphs`.
        looked_for: instances beyond those that the count head predicts.
    """
    word_states, marker_states = backend.run("encode", batch.inputs())
    check_finite(marker_states)
    scores = [ReadingScores({}, {}) for _ in batch.readings]
    places = group_places(batch)
    for (row, group), logits in score_classes(places, marker_states, backend).items():
        scores[row].classes[group] = logits
    _score_spans(batch, places, (word_states, marker_states), scores, (backend, looked_for))
    return scores


def group_places(batch: Batch) -> list[GroupPlace]:
    """Return where each group of each row stands among the markers."""
    places = []
    for row, reading in enumerate(batch.readings):
        column = 0
        for number, group in enumerate(reading.prompt.groups):
            places.append(GroupPlace(row, number, column, len(group.items), group.kind))
            column += 1 + len(group.items)
    return places


def score_classes(
    places: Sequence[GroupPlace], markers: Array, backend: Backend
) -> dict[tuple[int, int], Float32s]:
    """Return the (items,) logits of each group of classes, by row and group.

    Args:
        places: of all groups of a batch.
        markers: (batch, markers, hidden).
        backend: that runs the graph "classify".
    """
    chosen = [place for place in places if place.kind is Kind.CLASSES]
    if not chosen:
        return {}
    rows = np.concatenate([np.full(p.items, p.row) for p in chosen])
    columns = np.concatenate([p.column + 1 + np.arange(p.items) for p in chosen])
    (logits,) = backend.run("classify", {"labels": markers[rows, columns]})
    check_finite(logits)
    ends = np.cumsum([place.items for place in chosen])
    parts = np.split(logits, ends[:-1])
    return {(p.row, p.group): part for p, part in zip(chosen, parts, strict=True)}


def _score_spans(
    batch: Batch,
    places: Sequence[GroupPlace],
    states: tuple[Rows, Array],
    scores: list[ReadingScores],
    how: tuple[Backend, Instances],
) -> None:
    word_states, markers = states
    backend, looked_for = how
    asked = [place for place in places if place.kind is not Kind.CLASSES]
    if not asked:
        return
    rows = np.array([place.row for place in asked])
    columns = np.array([place.column for place in asked])
    (count_logits,) = backend.run("count", {"parents": markers[rows, columns]})
    check_finite(count_logits)
    counts = count_logits.argmax(-1)  # (groups,)
    live: list[tuple[GroupPlace, int]] = []
    most = count_logits.shape[1] - 1
    for place, count in zip(asked, counts.tolist(), strict=True):
        number = looked_for.number(place.kind, predicted=count, most=most)
        if number == 0:
            scores[place.row].spans[place.group] = SpanScores(0, None)
        else:
            live.append((place, number))
    if not live:
        return
    queries, firsts = _queries(live, markers, len(batch.readings), backend)
    used = np.array(sorted({place.row for place, _ in live}))  # rows that ask for a span
    (logits,) = backend.run("spans", {"word_states": word_states[used], "queries": queries[used]})
    line_of = {row: line for line, row in enumerate(used.tolist())}
    for (place, instances), first in zip(live, firsts, strict=True):
        words = int(batch.word_counts[place.row])
        own = logits[line_of[place.row], first : first + instances * place.items, :words]
        shape = (instances, place.items, words, logits.shape[3])
        over = looked_for.spare > 0 and place.kind is not Kind.ENTITIES
        scores[place.row].spans[place.group] = SpanScores(
            instances, own.reshape(shape), over, looked_for.distinct, looked_for.whole
        )


def _queries(
    live: Sequence[tuple[GroupPlace, int]], markers: Array, batch: int, backend: Backend
) -> tuple[Float32s, list[int]]:
    """Return (batch, queries, hidden) and the first query of each group in its row.

    A row's queries are numbered group by group, instance by instance, item by item.
    """
    hidden = markers.shape[2]
    taken = [0] * batch
    firsts = []
    for place, instances in live:
        firsts.append(taken[place.row])
        taken[place.row] += instances * place.items
    queries = np.zeros((batch, max(taken), hidden), dtype=np.float32)
    # Groups with one instance go together; the others are padded to the longest of theirs.
    for several in (False, True):
        chosen = [i for i, (_, instances) in enumerate(live) if (instances > 1) is several]
        if not chosen:
            continue
        items = max(live[i][0].items for i in chosen)
        steps = max(live[i][1] for i in chosen)
        vectors = np.zeros((len(chosen), items, hidden), dtype=np.float32)
        mask = np.zeros((len(chosen), items), dtype=np.int64)
        for line, i in enumerate(chosen):
            place = live[i][0]
            columns = slice(place.column + 1, place.column + 1 + place.items)
            vectors[line, : place.items] = markers[place.row, columns]
            mask[line, : place.items] = 1
        (out,) = backend.run(
            "queries",
            {"items": vectors, "item_mask": mask, "steps": np.arange(steps, dtype=np.int64)},
        )  # (groups, steps, items, hidden)
        for line, i in enumerate(chosen):
            place, instances = live[i]
            own = out[line, :instances, : place.items].reshape(-1, hidden)
            queries[place.row, firsts[i] : firsts[i] + len(own)] = own
    return queries, firsts
