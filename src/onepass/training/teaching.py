"""A checkpoint that learns the scores of a teacher beside the gold answers.

It stands in for the trainee that it wraps. Source: Hinton et al., 2015, section 2: cross-entropy
with the teacher's probabilities at a temperature T, times T squared. Student and teacher may have
different tokenizers, windows and widths: what only one of them can score is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from onepass.corpus.question import Question
from onepass.errors import InputError
from onepass.models.gliclass.network.loss import run_network as run_gliclass
from onepass.models.gliclass.targets import Asked as GliclassAsked
from onepass.models.gliner2.network.outputs import Outputs
from onepass.models.gliner2.network.outputs import run_network as run_gliner2
from onepass.models.gliner2.targets import SpanGroup
from onepass.models.gliner2.targets import Targets as Gliner2Targets
from onepass.training.distilling import DistillOptions
from onepass.training.gliclass import GliclassTrainee
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.tally import Tally
from onepass.training.trainee import Trainee

# Of the student's logits, the teacher, the batch and T.
_Term = Callable[[Any, Any, "Lesson", float], torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One pass as the student reads it, and as the teacher does; None where it cannot be asked."""

    own: Any
    shown: Any

    @property
    def reading(self) -> Any:
        """Return what the student reads."""
        return self.own.reading


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A batch of the student, that of the teacher, and the student's row of each of its rows."""

    pairs: Sequence[Pair]
    own: Any
    shown: Any
    rows: tuple[int, ...]


class Taught:
    """A trainee with a teacher; see `onepass.training.trainee.Trainee`.

    Args:
        student: what is trained.
        teacher: of the same family; is not trained.
        options: how much its scores count.

    Raises:
        InputError: if the two are not of the same family, or of one without distillation, or read
            other words.
    """

    def __init__(self, student: Trainee, teacher: Trainee, options: DistillOptions) -> None:
        if type(student) is not type(teacher):
            raise InputError(
                f"distill.teacher {options.teacher} is of another family than the model; give one "
                "of the same family."
            )
        if not isinstance(student, Gliner2Trainee | GliclassTrainee):
            raise InputError(
                "'distill' is for GLiNER2 span and GLiClass checkpoints, which the model is not; "
                "leave it out."
            )
        if isinstance(teacher, Gliner2Trainee) and student.splitter != teacher.splitter:
            raise InputError(
                f"distill.teacher {options.teacher} reads other words than the model; give a "
                "teacher with the same word_splitter, or 'word_splitter' for both."
            )
        self._student, self._teacher, self._options = student, teacher, options
        self._term: _Term = _gliner2 if isinstance(student, Gliner2Trainee) else _gliclass
        teacher.network.eval().requires_grad_(False)

    @property
    def network(self) -> torch.nn.Module:
        """Return the student."""
        return self._student.network

    @property
    def longest(self) -> int | None:
        """Return the most pieces that the student reads at once."""
        return self._student.longest

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the parts of the student."""
        return self._student.parts

    def ask(self, question: Question, max_pieces: int) -> Sequence[Pair]:
        """Return the passes of the student, each with the teacher's that asks the same."""
        own = self._student.ask(question, max_pieces)
        longest = self._teacher.longest
        limit = max_pieces if longest is None else min(max_pieces, longest)
        shown = {_asks(one): one for one in self._teacher.ask(question, limit)} if own else {}
        return [Pair(one, shown.get(_asks(one))) for one in own]

    def build(self, asked: Sequence[Pair]) -> Lesson:
        """Return the batches of student and teacher."""
        own = self._student.build([pair.own for pair in asked])
        rows = tuple(row for row, pair in enumerate(asked) if pair.shown is not None)
        shown = self._teacher.build([asked[row].shown for row in rows]) if rows else None
        return Lesson(asked, own, shown, rows)

    def loss(self, network: Any, batch: Lesson) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of the gold answers plus the soft term ``distill``, of the same pass."""
        loss, terms, own = self._student.answer(network, batch.own)
        if not batch.rows:
            return loss, terms
        heat = self._options.temperature
        soft = self._term(own, self._teacher.network, batch, heat) * heat**2
        return loss + self._options.weight * soft, {**terms, "distill": float(soft.detach())}

    def tally(self, network: Any, asked: Sequence[Pair], tally: Tally) -> None:
        """Count what the student answers."""
        self._student.tally(network, [pair.own for pair in asked], tally)

    def save(self, directory: Path) -> None:
        """Write the student."""
        self._student.save(directory)


def _asks(one: Any) -> Any:
    """Return what a pass asks, alike for student and teacher."""
    if isinstance(one, GliclassAsked):
        return one.reading.prompt.task, tuple(one.reading.prompt.items)
    return None  # GLiNER2 asks everything in one pass


def soft_binary(own: torch.Tensor, shown: torch.Tensor, heat: float) -> torch.Tensor:
    """Return the summed binary cross-entropy of logits of any shape with a teacher's."""
    target = torch.sigmoid(shown / heat)
    return functional.binary_cross_entropy_with_logits(own / heat, target, reduction="sum")


def soft_choice(own: torch.Tensor, shown: torch.Tensor, heat: float) -> torch.Tensor:
    """Return the cross-entropy of (labels,) logits with a teacher's, as one choice."""
    return functional.cross_entropy(own / heat, torch.softmax(shown / heat, dim=-1))


def _gliclass(logits: torch.Tensor, teacher: Any, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the mean soft term of the passes that both read; logits are (batch, labels)."""
    with torch.no_grad():
        shown = run_gliclass(teacher, batch.shown).float()
    own = logits.float()
    total = own.new_zeros(())
    for line, row in enumerate(batch.rows):
        one = batch.pairs[row].own
        labels = len(one.true)
        term = soft_choice if one.single else soft_binary
        size = 1 if one.single else labels
        total = total + term(own[row, :labels], shown[line, :labels], heat) / size
    return total / len(batch.rows)


def _gliner2(own: Outputs, teacher: Any, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the soft terms of spans (mean over queries) and classes (mean over tasks)."""
    with torch.no_grad():
        shown = run_gliner2(teacher, batch.shown)
    total = torch.zeros(())  # a number, which goes with tensors of any device
    if own.spans is not None and shown.spans is not None:
        total = total + _spans(own.spans, shown.spans, batch, heat)
    if own.classes is not None and shown.classes is not None:
        taught = set(batch.rows)
        lines = [i for i, group in enumerate(batch.own.classes) if group.row in taught]
        for other, line in enumerate(lines):
            group = batch.own.classes[line]
            logits = own.classes[line, : group.items], shown.classes[other, : group.items]
            term = soft_binary if group.multi_label else soft_choice
            total = total + term(*logits, heat) / len(lines)
    return total


def _spans(own: torch.Tensor, shown: torch.Tensor, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the soft term of the cells that both score; logits are (batch, queries, words, width).

    Of each group the instances that both see count: one of them may be trained on a spare one.
    """
    words, width = (min(own.shape[axis], shown.shape[axis]) for axis in (2, 3))
    mine = {row: groups for row, groups in _by_row(batch.own).items() if row in set(batch.rows)}
    theirs = _by_row(batch.shown)
    total, queries = own.new_zeros(()), 0
    counted, taught = batch.own.weight, batch.shown.weight  # both are made when asked for
    for line, row in enumerate(batch.rows):
        for (first, a), (other, b) in zip(mine.get(row, ()), theirs.get(line, ()), strict=True):
            count = min(a.instances, b.instances) * a.items
            at = (row, slice(first, first + count), slice(words), slice(width))
            there = (line, slice(other, other + count), slice(words), slice(width))
            both = torch.from_numpy(counted[at] & taught[there]).to(own.device)
            total = total + soft_binary(own[at][both], shown[there][both], heat)
            queries += count
    return total / max(queries, 1)


def _by_row(targets: Gliner2Targets) -> dict[int, list[tuple[int, SpanGroup]]]:
    """Return the groups of each row with the numbers of their first queries."""
    found: dict[int, list[tuple[int, SpanGroup]]] = {}
    used: dict[int, int] = {}
    for group in targets.spans:
        first = used.get(group.row, 0)
        used[group.row] = first + group.instances * group.items
        found.setdefault(group.row, []).append((first, group))
    return found
