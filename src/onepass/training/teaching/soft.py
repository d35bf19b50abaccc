"""Cross-entropy with the probabilities of a teacher.

Source: Hinton et al., 2015, section 2: both at a temperature T; the caller multiplies by T squared.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from onepass.models.gliner2.targets import ClassGroup
from onepass.training.teaching.lesson import Lesson


def soft_binary(own: torch.Tensor, shown: torch.Tensor, heat: float) -> torch.Tensor:
    """Return the summed binary cross-entropy of logits of any shape with a teacher's."""
    target = torch.sigmoid(shown / heat)
    return functional.binary_cross_entropy_with_logits(own / heat, target, reduction="sum")


def soft_choice(own: torch.Tensor, shown: torch.Tensor, heat: float) -> torch.Tensor:
    """Return the cross-entropy of (labels,) logits with a teacher's, as one choice."""
    return functional.cross_entropy(own / heat, torch.softmax(shown / heat, dim=-1))


def soft_tasks(
    own: torch.Tensor | None, shown: torch.Tensor | None, batch: Lesson, heat: float
) -> torch.Tensor:
    """Return the mean soft term of the tasks of both GLiNER2 architectures.

    Args:
        own: (tasks, items) logits of the student; None without tasks.
        shown: (tasks, items) of the teacher, which has those of the rows that it reads.
        batch: of both.
        heat: the temperature.
    """
    total = torch.zeros(())  # a number, which goes with tensors of any device
    if own is None or shown is None:
        return total
    taught = set(batch.rows)
    groups: list[tuple[int, ClassGroup]] = [
        (line, group) for line, group in enumerate(batch.own.classes) if group.row in taught
    ]
    for other, (line, group) in enumerate(groups):
        term = soft_binary if group.multi_label else soft_choice
        logits = own[line, : group.items], shown[other, : group.items]
        total = total + term(*logits, heat) / len(groups)
    return total
