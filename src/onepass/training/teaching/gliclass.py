"""What a GLiClass student learns of a teacher."""

from __future__ import annotations

import torch

from onepass.models.gliclass.network.loss import run_network
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.training.teaching.lesson import Lesson
from onepass.training.teaching.soft import soft_binary, soft_choice


def gliclass_term(
    logits: torch.Tensor, teacher: GliclassNetwork, batch: Lesson, heat: float
) -> torch.Tensor:
    """Return the mean soft term of the passes that both read; logits are (batch, labels)."""
    with torch.no_grad():
        shown = run_network(teacher, batch.shown).float()
    own = logits.float()
    total = own.new_zeros(())
    for line, row in enumerate(batch.rows):
        one = batch.pairs[row].own
        labels = len(one.true)
        term = soft_choice if one.single else soft_binary
        size = 1 if one.single else labels
        total = total + term(own[row, :labels], shown[line, :labels], heat) / size
    return total / len(batch.rows)
