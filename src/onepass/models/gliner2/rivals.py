"""Candidates for values of records and ends of pairs: what the graph ``rerank`` takes and gives.

The span head scores each span for each field of each record by itself. Whether it is right is also
told by the others: a surer one in the same place, the same span in another record, the fields of
the record that stand near. A variant of our own (``reranker`` in ``config.json``) scores the
likeliest spans once more, each in view of the others. A pair of a relation is a record of two
fields here, head and tail. This module knows no prompts and no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Bools, Float32s, Int64s
from onepass.models.thresholds import sigmoid

MOST = 4  # spans of a field of a record, none of which overlap
FLOOR = np.float32(-4.5)  # logit below which a span is none of them
_NEVER = np.float32(-30.0)  # logit of what is no span
LARGEST = 1000  # candidates of a group; of more, the surest
SCORES, PLACES = 10, 7  # numbers of a candidate, and whole ones
ONE, SEVERAL, AN_END = 0, 1, 2
_LOW = np.float32(-12.0)  # logit of what is not there
_FAR = np.float32(6.0)  # differences beyond it are all the same
_PAIRS = 500_000  # of candidates that are looked at in one run


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """The likeliest spans of the fields of one group of records.

    Attributes:
        cells: (n, 4) record, item, word and width, all counted from 0.
        scores: (n, SCORES) its logit, and how it compares with others, see `_compared`.
        places: (n, PLACES) record, item, first and last word, the shapes of those two, and what
            the field holds: `ONE` value, `SEVERAL`, or `AN_END` of a pair.
        owners: (records, items, words, width) for each span the candidate that it is or overlaps,
            the surest of them; n where it is none and overlaps none.
    """

    cells: Int64s
    scores: Float32s
    places: Int64s
    owners: Int64s

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def holds(self) -> Int64s:
        """What the field of each candidate holds, (n,)."""
        return self.places[:, -1]


def rivals(logits: Float32s, shapes: Int64s, asked: Bools, holds: Int64s) -> Rivals:
    """Return the likeliest spans of a group.

    Args:
        logits: (records, items, words, width) of the words of the text, at least one.
        shapes: (words,) of `onepass.text.shapes`.
        asked: (items,) whether its values are spans of the text, and not choices; of at least one.
        holds: (items,) what each holds, as in `Rivals.places`.

    >>> logits = np.full((1, 2, 3, 2), -9.0, dtype=np.float32)
    >>> logits[0, 0, 1, 0], logits[0, 0, 1, 1], logits[0, 0, 2, 0] = 2.0, 1.0, 0.5
    >>> fields = np.array([True, False])
    >>> found = rivals(logits, np.zeros(3, dtype=np.int64), fields, np.array([ONE, ONE]))
    >>> found.cells.tolist(), found.scores[:, :2].tolist()
    ([[0, 0, 1, 0], [0, 0, 2, 0]], [[2.0, 1.5], [0.5, -1.5]])
    """
    words, widths = logits.shape[2:]
    start, width = (grid.ravel() for grid in np.indices((words, widths)))
    last = start + width
    inside = logits[:, asked].astype(np.float32)
    inside[:, :, start[last >= words], width[last >= words]] = _NEVER
    line, cell, of = _likeliest(inside.reshape(-1, words * widths), start, last)
    record, column = np.divmod(line, inside.shape[1])
    item, word, end = np.flatnonzero(asked)[column], start[cell], last[cell]
    scores = _compared(inside, (record, column, word, width[cell]))
    scores.insert(1, _leads(scores[0], line))
    owners = np.full(logits.shape, len(line))
    owners[:, asked] = of.reshape(inside.shape)
    told = (record, item, word, end, shapes[word], shapes[end], holds[item])
    return Rivals(
        np.stack([record, item, word, width[cell]], axis=1),
        np.stack(scores, axis=1).astype(np.float32),
        np.stack(told, axis=1),
        owners,
    )


def _likeliest(logits: Float32s, start: Int64s, last: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Return the surest spans of each line that do not overlap, and whom all others go with.

    Args:
        logits: (lines, cells), one line a field of a record.
        start: (cells,) the first word of each span.
        last: (cells,) the last one.

    Returns:
        (n,) lines and (n,) cells, those of a line side by side and the surest first; and (lines,
        cells) numbers of the candidates, as in `Rivals.owners`.
    """
    left, lines = logits.copy(), np.arange(len(logits))  # what is not taken yet
    ranks = np.full(logits.shape, MOST, dtype=np.int8)  # of the candidate that a span overlaps
    found = [np.zeros((3, 0), dtype=np.int64)]  # line, cell and rank
    for rank in range(MOST):
        best = left[lines].argmax(-1)
        held = left[lines, best] > FLOOR
        lines, best = lines[held], best[held]
        if not len(lines):
            break
        found.append(np.stack([lines, best, np.full(len(lines), rank)]))
        over = (start <= last[best, None]) & (last >= start[best, None])
        ranks[lines] = np.where(over & (ranks[lines] == MOST), rank, ranks[lines])
        left[lines] = np.where(over, _NEVER, left[lines])
    line, cell, own_rank = np.concatenate(found, axis=1)
    surest = np.argsort(-logits[line, cell], kind="stable")[:LARGEST]
    kept = surest[np.lexsort((own_rank[surest], line[surest]))]
    line, cell, own_rank = line[kept], cell[kept], own_rank[kept]
    numbers = np.full((len(logits), MOST + 1), len(line))
    numbers[line, own_rank] = np.arange(len(line))
    return line, cell, np.take_along_axis(numbers, ranks, axis=1)


def _compared(logits: Float32s, cells: tuple[Int64s, Int64s, Int64s, Int64s]) -> list[Float32s]:
    """Return how spans compare with all others, one (n,) array each.

    Their logits; how far each is above the same words in any other field, in the same field of the
    record before, and of the one behind; the logarithms of its share among all records and among
    all fields, of the likely spans that overlap it and of those of its field; and the mean of the
    surest spans of its record.

    Args:
        logits: (records, fields, words, width).
        cells: record, field, word and width of each.
    """
    record, field, word, width = cells
    n = np.arange(len(word))
    own, probs = logits[cells], sigmoid(logits)
    same = logits[:, :, word, width]  # (records, fields, n) the same words
    shares = probs[:, :, word, width]
    right = shares[record, field, n]
    others = same.copy()
    others[:, field, n] = _LOW
    beyond = np.full((1, *same.shape[1:]), _LOW, dtype=np.float32)
    around = np.concatenate([beyond, same, beyond])
    mass = probs.sum((2, 3))  # (records, fields)
    surest = np.maximum(logits.max((2, 3), initial=_LOW), _LOW).mean(1)
    differences = (
        own - others.max((0, 1), initial=_LOW),
        own - around[record, field, n],
        own - around[record + 2, field, n],
    )
    return [
        own,
        *(np.clip(one, -_FAR, _FAR) for one in differences),
        np.log(right / shares[:, field, n].sum(0)),
        np.log(right / shares[record, :, n].sum(1)),
        np.log1p(np.maximum(_overlapping(probs, cells) - right, 0)),
        np.log(mass[record, field] + 0.05),
        surest[record],
    ]


def _overlapping(probs: Float32s, cells: tuple[Int64s, Int64s, Int64s, Int64s]) -> Float32s:
    """Return (n,) sums of all spans of a field and record that share a word with a span."""
    record, field, word, width = cells
    begins = probs.sum(3).cumsum(2)  # (records, fields, words) of those that begin up to a word
    ends = np.zeros_like(begins)  # of those that end before it
    for size in range(probs.shape[3]):
        ends[:, :, size + 1 :] += probs[:, :, : max(probs.shape[2] - size - 1, 0), size]
    ends = ends.cumsum(2)
    found: Float32s = begins[record, field, word + width] - ends[record, field, word]
    return found


def _leads(own: Float32s, line: Int64s) -> Float32s:
    """Return how far each candidate is above the surest other one of its line.

    Args:
        own: (n,) logits, those of a line side by side and the surest first.
        line: (n,) of a field of a record.
    """
    if not len(own):
        return own
    begins = np.append(True, line[1:] != line[:-1])
    surest = own[begins][np.cumsum(begins) - 1]
    second = np.append(own[1:], -np.inf)  # of a line, at its first candidate
    alone = np.append(begins[1:], True)
    other = np.where(begins, np.where(alone, -np.inf, second), surest)
    leads: Float32s = np.clip(own - other, -_FAR, _FAR).astype(np.float32)
    return leads


def runs_of(groups: Sequence[Rivals]) -> Iterator[tuple[list[int], dict[str, Float32s | Int64s]]]:
    """Yield which groups are looked at together, and what the graph takes of them.

    Args:
        groups: those without a candidate are left out.
    """
    order = sorted((i for i, own in enumerate(groups) if len(own)), key=lambda i: len(groups[i]))
    while order:
        most = max(1, _PAIRS // len(groups[order[-1]]) ** 2)
        run, order = order[-most:], order[:-most]
        yield run, packed([groups[i] for i in run])


def packed(groups: Sequence[Rivals]) -> dict[str, Float32s | Int64s]:
    """Return the candidates of several groups as one batch.

    Returns:
        ``scores`` (groups, candidates, SCORES), ``places`` (groups, candidates, PLACES) and
        ``mask`` (groups, candidates), 1 at real ones.
    """
    most = max(map(len, groups))
    scores = np.zeros((len(groups), most, SCORES), dtype=np.float32)
    places = np.zeros((len(groups), most, PLACES), dtype=np.int64)
    mask = np.zeros((len(groups), most), dtype=np.int64)
    for line, own in enumerate(groups):
        scores[line, : len(own)] = own.scores
        places[line, : len(own)] = own.places
        mask[line, : len(own)] = 1
    return {"scores": scores, "places": places, "mask": mask}


def rescored(logits: Float32s, own: Rivals, new: Float32s) -> Float32s:
    """Return the logits of a group with new ones of its candidates.

    Those of fields that hold several values stay: whether a span is one of many is told by itself.
    What overlaps a candidate moves as that does, so that rules have the same to choose from.

    Args:
        logits: (records, items, words, width) as `rivals` took them.
        own: the candidates.
        new: (n,) their logits.
    """
    moves = np.where(own.holds == SEVERAL, 0, new - own.scores[:, 0])
    moves = np.append(moves, 0).astype(np.float32)
    moved: Float32s = logits + moves[own.owners]
    return moved
