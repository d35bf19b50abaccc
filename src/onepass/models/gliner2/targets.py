"""Gold answers as cells of the score grid: what the loss of a GLiNER2 span network compares with.

Queries of one reading are numbered group by group, instance by instance, item by item. This module
is torch-free; the loss reads its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Bools, Float32s, Int8s, Int64s
from onepass.corpus.question import Question, RecordAnswer, SpanAnswer
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.cells import Cells, Counted
from onepass.models.gliner2.encode import Batch, Reading, collate
from onepass.models.gliner2.names import AS_WRITTEN, Names
from onepass.models.gliner2.placing import instances_of
from onepass.models.gliner2.prompt import Group, Kind, all_groups, encode_prompt
from onepass.models.gliner2.text import read_text, read_window
from onepass.text.placing import Placer
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words

MAX_INSTANCES = 19


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term of the loss counts.

    Attributes:
        spans: binary, over the cells of the span grid.
        zlpr: ranks the cells of a query: the right ones above 0, and 0 above all others.
        rank: softmax over the labels of a gold span.
        slots: softmax over the instances of a structure or relation type at each gold span; with
            it one instance more than there are is trained, to find nothing. 0 trains neither.
        count: cross-entropy over the number of instances.
        classes: softmax over the labels of single-label tasks.
        binary_classes: binary, over the labels of all tasks.
    """

    spans: float = 1.0
    rank: float = 0.5
    count: float = 0.3
    classes: float = 1.0
    binary_classes: float = 0.3
    slots: float = 0.0
    zlpr: float = 0.0


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
    true: Float32s


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """A batch with its gold cells.

    Attributes:
        batch: arrays of the `encode` graph.
        spans: groups that are answered with spans; their queries are numbered in this order.
        classes: groups that are answered with labels.
        queries: largest number of queries of a row.
        counted: which cells count in the binary loss.
        gold: cells that are right.
        ranked: for each gold entity cell that has competitors, its (row, word, width).
        rivals: (ranked, queries) 1 right, -1 wrong, 0 does not take part.
        slotted: like ``ranked``, for each gold cell of a record or pair whose instances compete.
        slot_rivals: likewise.
    """

    batch: Batch
    spans: tuple[SpanGroup, ...]
    classes: tuple[ClassGroup, ...]
    queries: int
    counted: Counted
    gold: Cells
    ranked: Int64s
    rivals: Int8s
    slotted: Int64s
    slot_rivals: Int8s

    @property
    def weight(self) -> Bools:
        """Return (batch, queries, words, width), true where a cell counts in the binary loss."""
        return self.counted.grid()


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question under its prompt, ready to be batched."""

    question: Question
    reading: Reading
    words: Words


def ask(
    question: Question,
    tokenizer: PieceTokenizer,
    *,
    max_pieces: int,
    splitter: Splitter | None = None,
    names: Names = AS_WRITTEN,
) -> Asked:
    """Encode a question; the text is cut where the window ends.

    Args:
        question: what is asked, with its answers.
        tokenizer: of the checkpoint.
        max_pieces: longest sequence, prompt included; a prompt that is longer alone leaves no word.
        splitter: that the checkpoint names; None for the words of the family.
        names: how the checkpoint reads labels and fields.
    """
    prompt = encode_prompt(question.schema, all_groups(question.schema), tokenizer, names)
    room = max(max_pieces - len(prompt.ids) - 1, 0)  # without the full stop that may be added
    most = max(room, 1)
    text = read_text(question.text, tokenizer, max_word_pieces=most, splitter=splitter)
    kept = int(np.searchsorted(np.cumsum(text.lengths), room, side="right"))
    words = Words(text.words.text, text.words.starts[:kept], text.words.ends[:kept])
    return Asked(question, read_window(prompt, text, Window(0, kept)), words)


def ask_if_it_fits(
    question: Question,
    tokenizer: PieceTokenizer,
    max_pieces: int,
    splitter: Splitter | None,
    names: Names = AS_WRITTEN,
) -> tuple[Asked, ...]:
    """Return the one pass that asks a question, if it asks something and a word fits in.

    The arguments are those of `ask`.
    """
    if question.schema.is_empty:
        return ()
    asked = ask(question, tokenizer, max_pieces=max_pieces, splitter=splitter, names=names)
    read = len(asked.words) or not question.text.strip()  # then its full stop is read
    return (asked,) if read and asked.reading.pieces <= max_pieces else ()


def build_targets(
    asked: Sequence[Asked],
    max_width: int,
    *,
    pooling: str = "first",
    shapes: bool = False,
    slots: bool = False,
) -> Targets:
    """Return the batch of several questions with its gold cells.

    Args:
        asked: one an entry of the batch.
        max_width: longest span, in words; longer answers cannot be scored and are left out.
        pooling: of the checkpoint, how a word's vector is made of its pieces.
        shapes: of the checkpoint, whether its backbone is told the shapes of words.
        slots: whether instances compete, and one more of each group is trained than there are.
    """
    batch = collate([one.reading for one in asked], pooling=pooling, shapes=shapes)
    builder = _Builder(slots)
    numbers = [builder.add(row, one, max_width) for row, one in enumerate(asked)]
    queries = max([*numbers, 1])
    inside, real = _inside(batch, asked, max_width), np.arange(queries) < np.array(numbers)[:, None]
    return Targets(
        batch=batch,
        spans=tuple(builder.spans),
        classes=tuple(builder.classes),
        queries=queries,
        counted=builder.counted(inside, real),
        gold=builder.gold,
        ranked=np.array(builder.ranked, dtype=np.int64).reshape(-1, 3),
        rivals=_marked(builder.rivals, queries),
        slotted=np.array(builder.slotted, dtype=np.int64).reshape(-1, 3),
        slot_rivals=_marked(builder.slot_rivals, queries),
    )


def _marked(rivals: Sequence[dict[int, int]], queries: int) -> Int8s:
    """Return (ranked, queries) marks."""
    grid = np.zeros((len(rivals), queries), dtype=np.int8)
    for line, marks in enumerate(rivals):
        grid[line, list(marks)] = list(marks.values())
    return grid


class _Builder:
    """Collects the groups and cells of a batch, row by row."""

    def __init__(self, slots: bool) -> None:
        self.slots = slots
        self.spans: list[SpanGroup] = []
        self.classes: list[ClassGroup] = []
        self.gold, self.ignored = Cells(), Cells()
        self.ranked: list[tuple[int, int, int]] = []
        self.rivals: list[dict[int, int]] = []
        self.slotted: list[tuple[int, int, int]] = []
        self.slot_rivals: list[dict[int, int]] = []
        self._choices: list[tuple[int, int, Int64s]] = []  # row, query, rows of its choice words
        self._unknown: list[tuple[int, int]] = []  # (row, query) whose place is not known

    def add(self, row: int, one: Asked, max_width: int) -> int:
        """Collect one row and return how many queries it has."""
        prompt = one.reading.prompt
        place = Placer(one.reading.document, prompt.prefix_words, max_width, kept=len(one.words))
        query = marker = 0
        for number, group in enumerate(prompt.groups):
            if group.kind is Kind.CLASSES:
                self.classes.append(class_group(one.question, group, row, marker))
            else:
                instances = instances_of(one.question, group, place)
                entities = group.kind is Kind.ENTITIES
                spare = int(self.slots and not entities)
                shown = max(1, min(len(instances) + spare, MAX_INSTANCES))
                count = 1 if entities else min(len(instances), MAX_INSTANCES)
                items = len(group.items)
                self.spans.append(SpanGroup(row, marker, items, shown, count, group.kind))
                choices = {item: rows for (g, item), rows in prompt.choices.items() if g == number}
                for slot in range(shown):
                    first = query + slot * items
                    self._choices += [(row, first + i, rows) for i, rows in choices.items()]
                    if slot < len(instances):
                        self._answer((row, first), instances[slot], choices, place)
                if entities:
                    self._compete(one.question, place, (row, query, items))
                elif self.slots:
                    self._compete_slots(instances[:shown], place, (row, query, items, shown))
                query += shown * items
            marker += 1 + len(group.items)
        return query

    def _answer(
        self, at: tuple[int, int], record: RecordAnswer, choices: dict[int, Int64s], place: Placer
    ) -> None:
        """Note the gold cells of one instance, whose queries start ``at`` (row, query)."""
        row, first = at
        for item, start, end in record.spans:
            cell = place.cell(start, end)
            if cell:
                self.gold.add(row, first + item, *cell)
        for item, choice in record.choices:
            self.gold.add(row, first + item, int(choices[item][choice]), 0)
        self._unknown += [(row, first + item) for item in record.unknown]

    def _compete(self, question: Question, place: Placer, where: tuple[int, int, int]) -> None:
        """Note which labels compete for each gold entity cell, and which cells do not count."""
        row, query, items = where
        right, unsure = _by_cell(question.entities, place), _by_cell(question.ignored, place)
        for found in (unsure, _by_cell(question.outranked, place)):
            for (word, width), labels in found.items():
                for item in labels:
                    self.ignored.add(row, query + item, word, width)
        if items < 2:
            return
        for cell, labels in right.items():
            marks = {query + item: -1 for item in range(items)}
            marks.update({query + item: 0 for item in unsure.get(cell, ())})
            marks.update({query + item: 1 for item in labels})
            self.ranked.append((row, *cell))
            self.rivals.append(marks)

    def _compete_slots(
        self, instances: Sequence[RecordAnswer], place: Placer, where: tuple[int, int, int, int]
    ) -> None:
        """Note, for each gold cell of an item, in which instances it is right.

        An instance of which not all places of the item are known is right or takes no part.
        """
        row, query, items, shown = where
        right: dict[tuple[int, int, int], set[int]] = {}
        for slot, record in enumerate(instances):
            for item, start, end in record.spans:
                cell = place.cell(start, end)
                if cell:
                    right.setdefault((item, *cell), set()).add(slot)
        unsure = {(slot, item) for slot, one in enumerate(instances) for item in one.unknown}
        for (item, word, width), slots in right.items():
            self.slotted.append((row, word, width))
            self.slot_rivals.append(
                {
                    query + slot * items + item: 1 if slot in slots else -1
                    for slot in range(shown)
                    if slot in slots or (slot, item) not in unsure
                }
            )

    def counted(self, inside: Bools, real: Bools) -> Counted:
        """Return which cells count; of a query with choices those alone, of an unknown one none.

        Args:
            inside: (batch, words, width) spans inside the text.
            real: (batch, queries).
        """
        also = Cells()
        unknown = set(self._unknown)
        for row, query, rows in self._choices:
            real[row, query] = False
            if (row, query) not in unknown:
                for word in rows.tolist():
                    also.add(row, query, word, 0)
        for row, query in unknown:
            real[row, query] = False
        also.extend(self.gold)
        return Counted(inside, real, self.ignored, also)


def _by_cell(answers: tuple[SpanAnswer, ...], place: Placer) -> dict[tuple[int, int], set[int]]:
    """Return the items that hold at each cell."""
    found: dict[tuple[int, int], set[int]] = {}
    for item, start, end in answers:
        cell = place.cell(start, end)
        if cell:
            found.setdefault(cell, set()).add(item)
    return found


def class_group(question: Question, group: Group, row: int, marker: int) -> ClassGroup:
    """Return a group that is answered with labels, with those that hold."""
    true = np.zeros(len(group.items), dtype=np.float32)
    true[list(question.classes[group.task])] = 1.0
    task = question.schema.classification_tasks[group.task]
    return ClassGroup(row, marker, len(group.items), task.multi_label, true)


def _inside(batch: Batch, asked: Sequence[Asked], max_width: int) -> Bools:
    """Return (batch, words, width): spans of words of the text."""
    word = np.arange(batch.words.shape[1])
    width = np.arange(max_width)
    prefix = np.array([one.reading.prompt.prefix_words for one in asked])
    ends = word[None, :, None] + width < batch.word_counts[:, None, None]
    inside: Bools = ends & (word[None, :, None] >= prefix[:, None, None])
    return inside
