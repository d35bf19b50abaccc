"""What GLiClass reads beside a text: labels of one task, its prompt and its examples, as pieces.

One prompt asks one task, or a part of its labels where there are too many for one sequence. Labels
and user text never become markers; positions of labels are kept as numbers, and nothing is searched
for in what was tokenized.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliclass.config import BI, EXAMPLE, FUSED, LABEL, SEP, GliclassConfig
from onepass.models.gliclass.style import Style
from onepass.models.gliclass.text import plain_pieces
from onepass.schema import ClassificationTask, Label
from onepass.schema.shown import shown


def _none() -> Int64s:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One pass over a text.

    Attributes:
        task: index of the classification task.
        items: indices of the labels that are asked in this pass.
        head: (pieces,) in front of the text.
        tail: (pieces,) behind the text.
        classes: (pieces,) of the sequence that the labels have to themselves; none where they stand
            beside the text.
        ranges: (labels, 2) pieces of each label, counted from the start of where they stand.
        joined: what is read right in front of the text, without a marker between them.
        joined_behind: likewise, right behind the text.
        joined_pieces: how many pieces these two take.
        most: pieces that they and the text may have together; 0 without them.
        features: piece of ``<<SEP>>``, counted like ``ranges``; -1 without one.
        examples: piece at which examples begin, counted from the start of the tail; -1 without any.
        labels_behind: whether the labels stand behind the text.
        texts: of the labels, as a label encoder reads them.
        vectors: (labels, hidden) of a label encoder; None where there is none, or not yet.
    """

    task: int
    items: tuple[int, ...]
    head: Int64s = field(default_factory=_none)
    tail: Int64s = field(default_factory=_none)
    classes: Int64s = field(default_factory=_none)
    ranges: Int64s = field(default_factory=_none)
    joined: str = ""
    joined_behind: str = ""
    joined_pieces: int = 0
    most: int = 0
    features: int = -1
    examples: int = -1
    labels_behind: bool = False
    texts: tuple[str, ...] = ()
    vectors: Float32s | None = None
    words: ClassVar[int] = 0  # no limit counts words

    @property
    def pieces(self) -> int:
        """Return how many pieces it takes from the text, or needs itself."""
        return max(len(self.head) + self.joined_pieces + len(self.tail), len(self.classes))

    @property
    def behind_marker(self) -> bool:
        """Whether what is read of the text follows a marker."""
        return len(self.head) > 0

    def with_vectors(self, vectors: Float32s) -> Prompt:
        """Return this prompt with the vectors of its labels."""
        return replace(self, vectors=vectors)


def label_text(label: Label, style: Style) -> str:
    """Return what is read of a label: its name, or "name: description" where it has one.

    >>> from onepass.models.gliclass.style import NEWEST
    >>> label_text(Label("sports", "football and the like"), NEWEST)
    'sports: football and the like'
    """
    text = f"{label.name}: {label.description}" if label.description else label.name
    return text.lower() if style.lower else text


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes prompts for one checkpoint.

    Attributes:
        config: which parts it has.
        style: in which order things stand.
        tokenizer: of texts.
        budget: pieces that a prompt may have.
    """

    config: GliclassConfig
    style: Style
    tokenizer: PieceTokenizer
    budget: int

    def write(self, number: int, task: ClassificationTask) -> Iterator[Prompt]:
        """Yield the prompts of a task.

        Args:
            number: index of the task.
            task: what is asked.

        Raises:
            SchemaError: for a prompt, examples or a label that this checkpoint cannot read.
        """
        self._check(task)
        texts = tuple(label_text(label, self.style) for label in task.labels)
        extra = "" if task.prompt is None else self.tokenizer.plain(task.prompt)
        if self.config.architecture == BI:
            yield self._alone(number, task, texts, f"{extra} " if extra else "")
            return
        examples = self._examples(task)
        write = self._beside if self.config.decoder is None else self._behind
        for items in self._parts(task, texts, self._count(extra) + sum(map(len, examples))):
            own = tuple(texts[i] for i in items)
            yield write(number, items, own, extra, examples)

    def readable(self, task: ClassificationTask) -> ClassificationTask:
        """Return a task without the prompt and the examples that this checkpoint cannot read."""
        extras = self.style.extras
        shows = extras and self.config.architecture != BI and self.tokenizer.knows(EXAMPLE)
        return replace(
            task, prompt=task.prompt if extras else None, examples=task.examples if shows else ()
        )

    def _alone(
        self, number: int, task: ClassificationTask, texts: tuple[str, ...], joined: str
    ) -> Prompt:
        """Return a prompt whose labels are read by an encoder of their own, and only there."""
        pieces = self._count(joined)
        if pieces > self.budget:
            raise SchemaError(
                f"The prompt of task {shown(task.name)} takes {pieces} pieces, but this checkpoint "
                f"has room for {self.budget} beside a text; shorten it."
            )
        return Prompt(
            number, tuple(range(len(texts))), joined=joined, joined_pieces=pieces,
            most=self._room(), texts=texts,
        )  # fmt: skip

    def _room(self, *beside: Int64s) -> int:
        """Return how many pieces a sequence has for others than these."""
        frame = sum(map(len, self.tokenizer.frame))
        return encoder_limit(self.config.encoder) - frame - sum(map(len, beside))

    def _count(self, text: str) -> int:
        """Return how many pieces a text takes at most, wherever it stands."""
        if not text:
            return 0
        return len(plain_pieces(text, self.tokenizer, behind_marker=False)) + 1

    def _check(self, task: ClassificationTask) -> None:
        """Refuse what this checkpoint does not read."""
        named = f"task {shown(task.name)}"
        if not self.style.extras and (task.prompt or task.examples):
            raise SchemaError(
                f"This checkpoint is read with prompts of the style {self.style.name!r}, which has "
                f"neither a prompt nor examples, but {named} has; leave them out."
            )
        if task.examples and self.config.architecture == BI:
            raise SchemaError(
                f"A bi-encoder reads no examples, but {named} has some; leave them out."
            )
        if task.examples and not self.tokenizer.knows(EXAMPLE):
            raise SchemaError(
                f"This checkpoint has no marker for examples ({EXAMPLE}), but {named} has some; "
                "leave them out."
            )

    def _examples(self, task: ClassificationTask) -> list[Int64s]:
        """Return the pieces of the examples, in parts."""
        plain = self.tokenizer.plain
        shown_ones = [
            (plain(text), tuple(plain(label) for label in labels)) for text, labels in task.examples
        ]
        return self._pieces(self.style.examples(shown_ones))

    def _pieces(self, parts: Sequence[str]) -> list[Int64s]:
        """Return the pieces of texts that each begin with a marker."""
        return [np.array(own, dtype=np.int64) for own in self.tokenizer.pieces(parts)]

    def _label_pieces(self, texts: Sequence[str]) -> list[Int64s]:
        """Return the pieces of labels with their markers."""
        if self.config.architecture == FUSED:
            return self._pieces([LABEL] * len(texts))
        return self._pieces([LABEL + self.tokenizer.plain(text) for text in texts])

    def _parts(
        self, task: ClassificationTask, texts: Sequence[str], extra: int
    ) -> Iterator[tuple[int, ...]]:
        """Yield the labels of each pass: as many as fit, the passes about equally long.

        Args:
            task: for messages.
            texts: of its labels.
            extra: pieces of what every pass reads besides.

        Raises:
            SchemaError: if nothing is left for a label.
        """
        lengths = np.array([len(own) for own in self._label_pieces(texts)])
        ends = 1 if self.config.decoder is None else 2  # markers around the labels
        room = self.budget - extra - ends
        longest = int(lengths.argmax())
        if lengths[longest] > room:
            raise SchemaError(
                f"The label {shown(task.labels[longest].name)} of task {shown(task.name)} takes "
                f"{lengths[longest]} pieces, but {max(room, 0)} are left beside the prompt and the "
                "examples of the task; shorten it or them."
            )
        total = int(lengths.sum())
        share = -(-total // -(-total // room))  # of each pass, if labels could be divided
        yield from _groups(lengths, min(room, share + int(lengths.max())))

    def _beside(
        self,
        task: int,
        items: tuple[int, ...],
        texts: tuple[str, ...],
        extra: str,
        examples: Sequence[Int64s],
    ) -> Prompt:
        """Return a prompt whose labels are read with the text."""
        config, style = self.config, self.style
        labels = self._label_pieces(texts)
        block, ranges, sep = self._block(labels)
        if config.two_sequences:
            before, after = self.tokenizer.frame
            end = plain_pieces(extra, self.tokenizer, behind_marker=True)
            classes = np.concatenate([before, block, end, after])
            tail = _joined(examples)
            return Prompt(
                task, items, tail=tail, classes=classes, ranges=ranges + len(before),
                examples=0 if len(tail) else -1,
            )  # fmt: skip
        leads = style.prompt_leads or self._fused
        own = f"{extra} " if leads and extra else ""
        between = examples if style.prompt_leads else ()
        last = _joined(examples) if style.examples_last else _none()
        if not style.examples_last and not style.prompt_leads:
            block = np.concatenate([block, *examples])
        texts = texts if self._fused else ()
        if config.prompt_first:
            before = plain_pieces(own, self.tokenizer, behind_marker=False)
            leading = np.concatenate([before, *between])
            head, joined = np.concatenate([leading, block]), "" if leads else extra
            return Prompt(
                task, items, head=head, tail=last, ranges=ranges + len(leading), joined=joined,
                joined_pieces=self._count(joined), most=self._room(head, last),
                features=sep + len(leading), examples=0 if len(last) else -1, texts=texts,
            )  # fmt: skip
        leading = _joined(between)
        end = plain_pieces("" if leads else extra, self.tokenizer, behind_marker=True)
        block = np.concatenate([leading, block, end])
        tail = np.concatenate([block, last])
        return Prompt(
            task, items, tail=tail, ranges=ranges + len(leading), joined_behind=own,
            joined_pieces=self._count(own), most=self._room(tail), features=sep + len(leading),
            examples=len(block) if len(last) else -1, labels_behind=True, texts=texts,
        )  # fmt: skip

    def _behind(
        self,
        task: int,
        items: tuple[int, ...],
        texts: tuple[str, ...],
        extra: str,
        examples: Sequence[Int64s],
    ) -> Prompt:
        """Return a prompt for a decoder: labels behind the text, each in front of its marker."""
        sep = self._pieces([SEP])[0]
        labels = [np.roll(own, -1) for own in self._label_pieces(texts)]
        ends = np.cumsum([len(own) for own in labels])  # behind the marker that leads them all
        tail = np.concatenate([sep, *labels, sep])
        ranges = np.stack([ends, ends + 1], axis=1)
        if not examples:
            return Prompt(
                task, items, tail=tail, ranges=ranges, joined=extra,
                joined_pieces=self._count(extra), most=self._room(tail), labels_behind=True,
            )  # fmt: skip
        before = plain_pieces(extra, self.tokenizer, behind_marker=False)
        head = np.concatenate([before, *examples])
        return Prompt(task, items, head=head, tail=tail, ranges=ranges, labels_behind=True)

    @property
    def _fused(self) -> bool:
        return self.config.architecture == FUSED

    def _block(self, labels: Sequence[Int64s]) -> tuple[Int64s, Int64s, int]:
        """Return labels with the marker behind them, their ranges, and where that marker is."""
        ends = np.cumsum([len(own) for own in labels])
        first = 0 if self.config.embed_class_token or self._fused else 1  # without the marker
        starts = np.concatenate([[0], ends[:-1]]) + first
        block = np.concatenate([*labels, self._pieces([SEP])[0]])
        return block, np.stack([starts, ends], axis=1), int(ends[-1])


def _joined(parts: Sequence[Int64s]) -> Int64s:
    return np.concatenate(parts) if len(parts) else _none()


def _groups(lengths: Int64s, most: int) -> list[tuple[int, ...]]:
    """Return neighbors in groups of at most so many pieces.

    >>> _groups(np.array([2, 2, 3, 1]), 4)
    [(0, 1), (2, 3)]
    """
    groups: list[tuple[int, ...]] = []
    first, held = 0, 0
    for i, length in enumerate(lengths.tolist()):
        if held + length > most and i > first:
            groups.append(tuple(range(first, i)))
            first, held = i, 0
        held += length
    return [*groups, tuple(range(first, len(lengths)))]
