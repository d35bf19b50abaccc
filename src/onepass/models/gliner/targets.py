"""Gold answers as arrays: what the loss of a GLiNER network compares with.

Spans have a grid (labels, words, width), words a grid (labels, words, start-end-inside), and spans
that are scored by themselves a list of places. What does not count is a mask of its own. This
module is torch-free; the loss reads its arrays.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from onepass.arrays import Array, Bools, Int64s
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.decoder_targets import LabelWriting, WrittenBatch
from onepass.models.gliner.encode import collate
from onepass.models.gliner.label_batch import LabelBatch, LabelReader
from onepass.models.gliner.read_prompts import PromptPlaces, prompt_places
from onepass.models.gliner.training_passes import Asked, Pair

_MOST_PAIRS = 256  # of a text that nothing relates
_NEAR = 2  # words that an end of a wrong span beside a right one may be off


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells of labels at places.

    Attributes:
        gold: whether a label holds there.
        counted: whether the cell counts in the loss.
    """

    gold: Bools
    counted: Bools


@dataclass(frozen=True, slots=True, eq=False)
class SpanList:
    """Spans that are scored by themselves: gold ones, and wrong ones beside them.

    Attributes:
        places: (batch, spans, 2) first and last word, padded with 0.
        counts: (batch,) spans of each row.
        labels: (batch, labels, spans) which labels hold.
    """

    places: Int64s
    counts: Int64s
    labels: Grid


@dataclass(frozen=True, slots=True, eq=False)
class PairList:
    """Ordered pairs of the spans of a `SpanList`.

    Attributes:
        near: (batch, spans, spans) whether anything relates two spans, in either direction: most
            adjacency layers cannot tell the two apart, and the types do.
        rows: (pairs,) row of the batch.
        heads: (pairs,) column of the spans.
        tails: (pairs,) likewise.
        types: (pairs, types) which relation types hold.
    """

    near: Grid
    rows: Int64s
    heads: Int64s
    tails: Int64s
    types: Grid


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """A batch with its gold answers.

    Attributes:
        arrays: inputs of the graph ``encode``; of a streaming checkpoint, with all pieces of the
            prompts in place of the markers.
        labels: of a checkpoint with a label encoder, else None.
        grid: (batch, labels, words, width) of spans, or (batch, labels, words, 3) of words.
        spans: None where no spans are scored by themselves.
        pairs: None where no relations are asked.
        written: labels of spans that a decoder shall write; None without one.
        prompts: where those of a streaming checkpoint stand; None for every other.
    """

    arrays: dict[str, Array]
    labels: LabelBatch | None
    grid: Grid
    spans: SpanList | None
    pairs: PairList | None
    written: WrittenBatch | None = None
    prompts: PromptPlaces | None = None


def build_targets(
    asked: Sequence[Asked],
    config: GlinerConfig,
    *,
    labels: LabelReader | None = None,
    writing: LabelWriting | None = None,
    candidates: float = 1.0,
) -> Targets:
    """Return the batch of several passes with its gold answers.

    Args:
        asked: the rows.
        config: of the checkpoint.
        labels: reads labels for a label encoder; None without one.
        writing: says what a decoder shall write; None without one.
        candidates: wrong spans for each gold one, where spans are scored by themselves.
    """
    arrays = collate([one.reading for one in asked], config)
    asked = [_scored(one, config) for one in asked]
    prompts = None
    if config.streaming is not None:
        prompts = prompt_places([one.reading.prompt for one in asked])
        arrays["labels"] = prompts.places
    batch = None if labels is None else labels.read(asked)
    counts = [len(one.names) for one in asked] if batch is None else batch.counts.tolist()
    real = np.arange(max([*counts, 1])) < np.array(counts)[:, None]  # (batch, labels)
    words, most = arrays["word_counts"], arrays["words"].shape[1]
    if config.tokens:
        grid = _token_grid(asked, real, words, most)
    else:
        grid = _span_grid(asked, real, words, (most, config.max_width))
    related = config.relations is not None and any(one.reading.prompt.types for one in asked)
    spans = pairs = written = None
    if config.represent_spans or related or writing is not None:
        places = [[*_right(one), *_wrong(one, candidates, config)] for one in asked]
        spans = _span_list(asked, real, places)
        pairs = _pair_list(asked, places) if related else None
        written = None if writing is None else writing.read(asked, places)
    return Targets(arrays, batch, grid, spans, pairs, written, prompts)


def _scored(one: Asked, config: GlinerConfig) -> Asked:
    """Return a pass without the answers that have a span wider than the checkpoint enumerates."""
    held = [fits(first, last, config) for _, first, last in one.gold]
    return replace(
        one,
        gold=tuple(compress(one.gold, held)),
        written=tuple(compress(one.written, held)),
        unsure=tuple(own for own in one.unsure if fits(own[1], own[2], config)),
        pairs=tuple(own for own in one.pairs if pair_fits(own, config)),
    )


def fits(first: int, last: int, config: GlinerConfig) -> bool:
    """Return whether a checkpoint scores a span of these words, ends included.

    Where tokens are scored, spans of any width are proposed.
    """
    return config.tokens or last - first < config.max_width


def pair_fits(pair: Pair, config: GlinerConfig) -> bool:
    """Return whether a checkpoint scores both ends of a pair."""
    _, first, last, tail_first, tail_last = pair
    return fits(first, last, config) and fits(tail_first, tail_last, config)


def _span_grid(asked: Sequence[Asked], real: Bools, words: Int64s, shape: tuple[int, int]) -> Grid:
    """Return (batch, labels, words, width)."""
    most, width = shape
    end = np.arange(most)[:, None] + np.arange(width)  # (words, width) last word of each span
    inside = end < words[:, None, None]  # (batch, words, width)
    counted = real[:, :, None, None] & inside[:, None]
    gold = np.zeros_like(counted)
    for row, one in enumerate(asked):
        for label, first, last in one.unsure:
            counted[row, label, first, last - first] = False
        for label, first, last in one.gold:
            gold[row, label, first, last - first] = True
    return Grid(gold, counted | gold)


def _token_grid(asked: Sequence[Asked], real: Bools, words: Int64s, most: int) -> Grid:
    """Return (batch, labels, words, 3): start, end and inside."""
    inside = np.arange(most) < words[:, None]  # (batch, words)
    counted = np.repeat((real[:, :, None] & inside[:, None])[..., None], 3, axis=3)
    gold = np.zeros_like(counted)
    for row, one in enumerate(asked):
        for cells, value, answers in ((counted, False, one.unsure), (gold, True, one.gold)):
            for label, first, last in answers:
                cells[row, label, first, 0] = value
                cells[row, label, last, 1] = value
                cells[row, label, first : last + 1, 2] = value
    return Grid(gold, counted | gold)


def _right(one: Asked) -> list[tuple[int, int]]:
    """Return the different spans of a pass that hold, those of relations included."""
    spans = {(first, last) for _, first, last in one.gold}
    for _, *ends in one.pairs:
        spans |= {(ends[0], ends[1]), (ends[2], ends[3])}
    return sorted(spans)


def _wrong(one: Asked, ratio: float, config: GlinerConfig) -> list[tuple[int, int]]:
    """Return spans that do not hold, about half of them close to one that does.

    They are the same whenever the same is asked of a text.
    """
    words, right = len(one.reading.lengths), set(_right(one))
    rng = random.Random(f"{one.question.text}/{'/'.join(one.names)}")
    near, found = sorted(right), set[tuple[int, int]]()
    wanted = round(ratio * len(right))
    for _ in range(8 * wanted):  # a short text has no more
        if len(found) == wanted:
            break
        if rng.random() < 0.5:
            first, last = (end + rng.randint(-_NEAR, _NEAR) for end in rng.choice(near))
        else:
            first = rng.randrange(words)
            last = first + rng.randrange(config.max_width)
        inside = 0 <= first <= last < words and fits(first, last, config)
        if inside and (first, last) not in right:
            found.add((first, last))
    return sorted(found)


def _span_list(
    asked: Sequence[Asked], real: Bools, places: Sequence[Sequence[tuple[int, int]]]
) -> SpanList:
    """Return the spans of each row and which labels hold for them."""
    counts = np.array([len(own) for own in places], dtype=np.int64)
    most = max(1, int(counts.max()))
    padded = np.zeros((len(asked), most, 2), dtype=np.int64)
    counted = real[:, :, None] & (np.arange(most) < counts[:, None])[:, None]
    gold = np.zeros_like(counted)
    for row, (one, own) in enumerate(zip(asked, places, strict=True)):
        padded[row, : len(own)] = np.array(own, dtype=np.int64).reshape(-1, 2)
        column = {span: i for i, span in enumerate(own)}
        for label, first, last in one.unsure:
            if (first, last) in column:
                counted[row, label, column[first, last]] = False
        for label, first, last in one.gold:
            gold[row, label, column[first, last]] = True
    return SpanList(padded, counts, Grid(gold, counted | gold))


def _pair_list(asked: Sequence[Asked], places: Sequence[Sequence[tuple[int, int]]]) -> PairList:
    """Return the pairs that are related, and others; a span is never related to itself."""
    most = max(1, *map(len, places))
    real = np.arange(most) < np.array([len(own) for own in places])[:, None]  # (batch, spans)
    types = np.array([len(one.reading.prompt.types) for one in asked])
    real &= (types > 0)[:, None]  # where nothing is asked of pairs, nothing is known of them
    counted = real[:, :, None] & real[:, None] & ~np.eye(most, dtype=bool)
    near = np.zeros_like(counted)
    chosen = [
        (row, *pair)
        for row, (one, own) in enumerate(zip(asked, places, strict=True))
        for pair in _pairs(one, own)
    ]
    gold = np.zeros((len(chosen), int(types.max())), dtype=bool)
    for line, (row, head, tail, kinds) in enumerate(chosen):
        if kinds:
            near[row, head, tail] = near[row, tail, head] = True
        gold[line, list(kinds)] = True
    rows, heads, tails = np.array([one[:3] for one in chosen], dtype=np.int64).reshape(-1, 3).T
    of_pairs = np.arange(gold.shape[1]) < types[rows][:, None]  # (pairs, types)
    return PairList(Grid(near, counted), rows, heads, tails, Grid(gold, of_pairs))


def _pairs(
    one: Asked, places: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, frozenset[int]]]:
    """Yield pairs of spans with their relation types, none for those that nothing relates."""
    if not one.reading.prompt.types:
        return
    column = {span: i for i, span in enumerate(places)}
    related: dict[tuple[int, int], set[int]] = {}
    for kind, *ends in one.pairs:
        pair = column[ends[0], ends[1]], column[ends[2], ends[3]]
        if pair[0] != pair[1]:
            related.setdefault(pair, set()).add(kind)
    every = range(len(places))
    others = [(i, j) for i in every for j in every if i != j and (i, j) not in related]
    step = max(1, -(-len(others) // _MOST_PAIRS))
    for pair in [*related, *others[::step]]:
        yield (*pair, frozenset(related.get(pair, ())))
