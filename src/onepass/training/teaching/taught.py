"""A checkpoint that learns the scores of a teacher beside the gold answers.

It stands in for the trainee that it wraps. Source: Hinton et al., 2015, section 2: cross-entropy
with the teacher's probabilities at a temperature T, times T squared. Student and teacher may have
different tokenizers, windows and widths, and split labels over passes each in its own way: what
only one of them can score is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from onepass.corpus.question import Question
from onepass.errors import InputError
from onepass.training.boundary import BoundaryTrainee
from onepass.training.distilling import DistillOptions
from onepass.training.gliclass import GliclassTrainee
from onepass.training.gliner import GlinerTrainee
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.tally import Tally
from onepass.training.teaching.boundary import BoundaryTerm
from onepass.training.teaching.gliclass import gliclass_term
from onepass.training.teaching.gliner import GlinerTerm
from onepass.training.teaching.gliner2 import gliner2_term
from onepass.training.teaching.lesson import Lesson, Pair, Term
from onepass.training.teaching.matching import matching, shared_of
from onepass.training.trainee import Reach, Trainee


class Taught:
    """A trainee with a teacher; see `onepass.training.trainee.Trainee`.

    Args:
        student: what is trained.
        teacher: of the same family; is not trained.
        options: how much its scores count.

    Raises:
        InputError: if the two are not of the same family, or of one without distillation, or
            answer at other places.
    """

    def __init__(self, student: Trainee, teacher: Trainee, options: DistillOptions) -> None:
        if type(student) is not type(teacher):
            raise InputError(
                f"distill.teacher {options.teacher} is of another family than the model; give one "
                "of the same family."
            )
        _check_places(student, teacher, options)
        self._student: Any = student
        self._teacher, self._options = teacher, options
        self._term = _term_of(student)
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
        """Return the passes of the student, each with the teacher's that share a label."""
        own = self._student.ask(question, max_pieces)
        longest = self._teacher.longest
        limit = max_pieces if longest is None else min(max_pieces, longest)
        shown = self._teacher.ask(question, limit) if own else ()
        return [Pair(one, matching(one, shown)) for one in own]

    def reach(self, asked: Pair) -> Iterable[Reach]:
        """Return how many gold answers of a pass the student can learn."""
        reach: Iterable[Reach] = self._student.reach(asked.own)
        return reach

    def build(self, asked: Sequence[Pair]) -> Lesson:
        """Return the batches of student and teacher."""
        own = self._student.build([pair.own for pair in asked])
        passes = list(dict.fromkeys(one for pair in asked for one in pair.shown))  # each once
        shown = self._teacher.build(passes) if passes else None
        lines = {one: line for line, one in enumerate(passes)}
        return Lesson(asked, own, shown, tuple(shared_of(asked, lines)))

    def loss(self, network: Any, batch: Lesson) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of the gold answers plus the soft term ``distill``, of the same pass.

        Among the terms is ``taught``, which is none: the share of the passes that the teacher
        shares a label with.
        """
        loss, terms, own = self._student.answer(network, batch.own)
        terms = {**terms, "taught": len(batch.rows) / len(batch.pairs)}
        if not batch.shared:
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


def _term_of(student: Trainee) -> Term:
    """Return how the scores of a teacher are learned."""
    if isinstance(student, Gliner2Trainee):
        return gliner2_term
    if isinstance(student, BoundaryTrainee):
        return BoundaryTerm(student.weights)
    if isinstance(student, GlinerTrainee):
        return GlinerTerm(student.network.config, student.options)
    if isinstance(student, GliclassTrainee):
        return gliclass_term
    raise InputError("'distill' is not for checkpoints of this family; leave it out.")


def _check_places(student: Trainee, teacher: Trainee, options: DistillOptions) -> None:
    """Refuse a teacher whose answers are at other places than those of the model."""
    spans = Gliner2Trainee | BoundaryTrainee | GlinerTrainee
    if not isinstance(student, spans) or not isinstance(teacher, spans):
        return
    if student.splitter != teacher.splitter:
        raise InputError(
            f"distill.teacher {options.teacher} reads other words than the model; give a "
            "teacher with the same word_splitter, or 'word_splitter' for both."
        )
    if isinstance(student, GlinerTrainee) and isinstance(teacher, GlinerTrainee):
        tokens = student.network.config.tokens
        if tokens != teacher.network.config.tokens:
            ours, theirs = ("words", "spans") if tokens else ("spans", "words")
            raise InputError(
                f"distill.teacher {options.teacher} scores {theirs}, but the model {ours}; give a "
                f"teacher that scores {ours}."
            )
