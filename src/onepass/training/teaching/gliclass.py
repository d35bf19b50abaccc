"""What a GLiClass student learns of a teacher."""

from __future__ import annotations

from collections import Counter

import torch

from onepass.models.gliclass.network.loss import run_network
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.training.teaching.lesson import Lesson
from onepass.training.teaching.soft import soft_binary, soft_choice


def gliclass_term(
    logits: torch.Tensor, teacher: GliclassNetwork, batch: Lesson, heat: float
) -> torch.Tensor:
    """Return the mean soft term of the passes that are taught anything.

    Where labels are one choice for either of the two, it is a choice among those that both ask.

    Args:
        logits: (batch, labels) of the student.
        teacher: is run.
        batch: of both.
        heat: the temperature.
    """
    with torch.no_grad():
        shown = run_network(teacher, batch.shown).float()
    own = logits.float()
    total = own.new_zeros(())
    single = [bool(batch.own.single[p.row] or batch.shown.single[p.line]) for p in batch.shared]
    sizes: Counter[int] = Counter()  # what the mean of each row divides by
    for part, choice in zip(batch.shared, single, strict=True):
        sizes[part.row] += 1 if choice else len(part.labels)
    for part, choice in zip(batch.shared, single, strict=True):
        term = soft_choice if choice else soft_binary
        cells = own[part.row, list(part.labels)], shown[part.line, list(part.shown_labels)]
        total = total + term(*cells, heat) / sizes[part.row]
    return total / len(sizes)
