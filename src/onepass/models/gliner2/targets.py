"""Gold answers as cells of the score grid: what the loss of a GLiNER2 span network compares with.

Queries of one reading are numbered group by group, instance by instance, item by item. This module
is torch-free; the loss reads its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onepass.corpus.question import Question, RecordAnswer, SpanAnswer
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.encode import Batch, Reading, collate
from onepass.models.gliner2.prompt import Group, Kind, all_groups, encode_prompt
from onepass.text.words import Words, split_words

MAX_INSTANCES = 19

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SpanGroup:
    """A group that is answered with spans.

    Attributes:
        row: of the batch.
        marker: column of its parent in the row's markers; its items follow.
        items: how many.
        instances: how many of its instances are trained.
        count: gold number of instances.
        kind: what it asks.
    """

    row: int
    marker: int
    items: int
    instances: int
    count: int
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class ClassGroup:
    """A group that is answered with labels; ``true`` is (items,) of 0 and 1."""

    row: int
    marker: int
    items: int
    multi_label: bool
    true: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Cells:
    """Cells of the grid (row, query, word, width), one entry a list."""

    rows: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def add(self, row: int, query: int, word: int, width: int) -> None:
        self.rows.append(row)
        self.queries.append(query)
        self.words.append(word)
        self.widths.append(width)

    def index(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the cells as an index of four arrays."""
        lists = (self.rows, self.queries, self.words, self.widths)
        return tuple(np.array(part, dtype=np.int64) for part in lists)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """A batch with its gold cells.

    Attributes:
        batch: arrays of the `encode` graph.
        spans: groups that are answered with spans; their queries are numbered in this order.
        classes: groups that are answered with labels.
        queries: largest number of queries of a row.
        weight: (batch, queries, words, width) 1 where a cell counts in the binary loss.
        gold: cells that are right.
        ranked: for each gold entity cell that has competitors, its (row, word, width).
        rivals: (ranked, queries) 1 right, -1 wrong, 0 does not take part.
    """

    batch: Batch
    spans: tuple[SpanGroup, ...]
    classes: tuple[ClassGroup, ...]
    queries: int
    weight: NDArray[np.bool_]
    gold: Cells
    ranked: Ints
    rivals: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question under its prompt, ready to be batched."""

    question: Question
    reading: Reading
    words: Words


def ask(question: Question, tokenizer: PieceTokenizer, *, max_pieces: int) -> Asked:
    """Encode a question; the text is cut where the window ends.

    Args:
        question: what is asked, with its answers.
        tokenizer: of the checkpoint.
        max_pieces: longest sequence, prompt included.
    """
    prompt = encode_prompt(question.schema, all_groups(question.schema), tokenizer)
    text = question.text if question.text.endswith((".", "!", "?")) else question.text + "."
    words = split_words(text)
    ids, lengths = tokenizer.flat([tokenizer.plain(form.lower()) for form in words.forms()])
    room = max(max_pieces - len(prompt.ids), 0)
    kept = int(np.searchsorted(np.cumsum(lengths), room, side="right"))
    words = Words(text, words.starts[:kept], words.ends[:kept])
    return Asked(question, Reading(prompt, ids[: lengths[:kept].sum()], lengths[:kept]), words)


def build_targets(asked: Sequence[Asked], max_width: int) -> Targets:
    """Return the batch of several questions with its gold cells.

    Args:
        asked: one an entry of the batch.
        max_width: longest span, in words; longer answers cannot be scored and are left out.
    """
    batch = collate([one.reading for one in asked])
    spans: list[SpanGroup] = []
    classes: list[ClassGroup] = []
    gold, ignored = Cells(), Cells()
    numbers: list[int] = []
    choice_queries: list[tuple[int, int, Ints]] = []  # row, query, rows of its choices
    unknown: list[tuple[int, int]] = []
    ranked: list[tuple[int, int, int]] = []
    rivals: list[dict[int, int]] = []
    for row, one in enumerate(asked):
        place = _Placer(one, max_width)
        query = marker = 0
        for number, group in enumerate(one.reading.prompt.groups):
            items = len(group.items)
            if group.kind is Kind.CLASSES:
                classes.append(_class_group(one.question, group, row, marker))
            else:
                instances = _instances(one.question, group, place)
                shown = max(1, min(len(instances), MAX_INSTANCES))
                count = 1 if group.kind is Kind.ENTITIES else min(len(instances), MAX_INSTANCES)
                spans.append(SpanGroup(row, marker, items, shown, count, group.kind))
                for slot, record in enumerate(instances[:shown]):
                    first = query + slot * items
                    for item, start, end in record.spans:
                        cell = place.cell(start, end)
                        if cell:
                            gold.add(row, first + item, *cell)
                    for item, choice in record.choices:
                        rows = one.reading.prompt.choices[number, item]
                        gold.add(row, first + item, int(rows[choice]), 0)
                    unknown += [(row, first + item) for item in record.unknown]
                for slot in range(shown):
                    for item in group.items:
                        if (number, item) in one.reading.prompt.choices:
                            rows = one.reading.prompt.choices[number, item]
                            choice_queries.append((row, query + slot * items + item, rows))
                if group.kind is Kind.ENTITIES:
                    _rank(one.question, place, (row, query, items), (ranked, rivals, ignored))
                query += shown * items
            marker += 1 + items
        numbers.append(query)
    queries = max([*numbers, 1])
    weight = _weights(batch, asked, numbers, queries, max_width)
    for row, query, rows in choice_queries:
        weight[row, query] = False
        weight[row, query, rows, 0] = True
    for row, query in unknown:
        weight[row, query] = False
    weight[ignored.index()] = False
    weight[gold.index()] = True
    grid = np.zeros((len(ranked), queries), dtype=np.int8)
    for line, marks in enumerate(rivals):
        grid[line, list(marks)] = list(marks.values())
    places = np.array(ranked, dtype=np.int64).reshape(-1, 3)
    return Targets(batch, tuple(spans), tuple(classes), queries, weight, gold, places, grid)


class _Placer:
    """Turns character spans into (word, width) cells of one reading."""

    def __init__(self, one: Asked, max_width: int) -> None:
        self.prefix = one.reading.prompt.prefix_words
        self.words = one.words
        self.max_width = max_width

    def cell(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the cell that covers a character span, None if there is none."""
        first = int(np.searchsorted(self.words.ends, start, side="right"))
        last = int(np.searchsorted(self.words.starts, end, side="left"))
        width = last - first - 1
        if not 0 <= width < self.max_width or last > len(self.words):
            return None
        if end > self.words.ends[-1]:  # the text was cut inside this span
            return None
        return self.prefix + first, width


def _instances(question: Question, group: Group, place: _Placer) -> list[RecordAnswer]:
    """Return the gold instances of a group, those outside the window left out."""
    if group.kind is Kind.ENTITIES:
        return [RecordAnswer(spans=question.entities)]
    if group.kind is Kind.RELATION:
        records = [
            RecordAnswer(spans=((0, hs, he), (1, ts, te)))
            for hs, he, ts, te in question.pairs[group.task]
            if place.cell(hs, he) and place.cell(ts, te)
        ]
        return records
    return [
        record
        for record in question.records[group.task]
        if record.choices or any(place.cell(s, e) for _, s, e in record.spans)
    ]


def _class_group(question: Question, group: Group, row: int, marker: int) -> ClassGroup:
    true = np.zeros(len(group.items), dtype=np.float32)
    true[list(question.classes[group.task])] = 1.0
    task = question.schema.classification_tasks[group.task]
    return ClassGroup(row, marker, len(group.items), task.multi_label, true)


def _rank(
    question: Question,
    place: _Placer,
    where: tuple[int, int, int],
    out: tuple[list[tuple[int, int, int]], list[dict[int, int]], Cells],
) -> None:
    """Note which labels compete for each gold entity cell, and which cells do not count."""
    row, query, items = where
    ranked, rivals, ignored = out

    def cells(answers: tuple[SpanAnswer, ...]) -> dict[tuple[int, int], set[int]]:
        found: dict[tuple[int, int], set[int]] = {}
        for item, start, end in answers:
            cell = place.cell(start, end)
            if cell:
                found.setdefault(cell, set()).add(item)
        return found

    right, unsure = cells(question.entities), cells(question.ignored)
    for found in (unsure, cells(question.outranked)):
        for (word, width), labels in found.items():
            for item in labels:
                ignored.add(row, query + item, word, width)
    if items < 2:
        return
    for cell, labels in right.items():
        marks = {query + item: -1 for item in range(items)}
        marks.update({query + item: 0 for item in unsure.get(cell, ())})
        marks.update({query + item: 1 for item in labels})
        ranked.append((row, *cell))
        rivals.append(marks)


def _weights(
    batch: Batch, asked: Sequence[Asked], numbers: list[int], queries: int, max_width: int
) -> NDArray[np.bool_]:
    """Return (batch, queries, words, width): real queries, text words, spans inside the text."""
    word = np.arange(batch.words.shape[1])
    width = np.arange(max_width)
    prefix = np.array([one.reading.prompt.prefix_words for one in asked])
    inside = (word[None, :, None] + width < batch.word_counts[:, None, None]) & (
        word[None, :, None] >= prefix[:, None, None]
    )  # (batch, words, width)
    real = np.arange(queries) < np.array(numbers)[:, None]  # (batch, queries)
    return inside[:, None] & real[:, :, None, None]
