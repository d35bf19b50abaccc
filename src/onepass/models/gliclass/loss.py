"""How a GLiClass network is trained: options of its loss, checked.

It knows nothing about torch; `onepass.models.gliclass.network.loss` computes what these say.
"""

from __future__ import annotations

from dataclasses import dataclass

from onepass.models.loss_options import check_loss
from onepass.schema.numbers import is_finite

PROBLEMS = ("as asked", "single", "multi")


@dataclass(frozen=True, slots=True)
class GliclassLoss:
    """Options of the loss.

    Attributes:
        problem: "as asked" trains a single-label task with a softmax over its labels and a
            multi-label task label by label; "multi" trains every task label by label, as gliclass
            does; "single" every task that has exactly one true label with a softmax.
        alpha: weight of labels that hold, beside ``1 - alpha`` for the others; negative for none.
            It weighs labels one by one, where a task is learned label by label (``problem`` "multi"
            or a multi-label task); under a softmax it has no effect.
        gamma: exponent of how wrong an answer is; 0 weighs easy and hard ones alike.
        smoothing: how far targets move towards one half, or, under a softmax, towards all labels.
        contrastive: weight of the token-level contrastive loss (equation 8 of the paper) over all
            pieces of a sequence; 0 for none.

    >>> GliclassLoss(problem="double")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: 'loss.problem' must be one of as asked, single, multi, but 'double' \
was given.
    """

    problem: str = "as asked"
    alpha: float = -1.0
    gamma: float = 0.0
    smoothing: float = 0.0
    contrastive: float = 0.0

    def __post_init__(self) -> None:
        known = f"one of {', '.join(PROBLEMS)}"
        check_loss("problem", self.problem, self.problem in PROBLEMS, known)
        check_loss(
            "alpha", self.alpha, is_finite(self.alpha) and self.alpha <= 1,
            "a number up to 1, below 0 for none",
        )  # fmt: skip
        for name, value in (("gamma", self.gamma), ("contrastive", self.contrastive)):
            check_loss(name, value, is_finite(value) and value >= 0, "a number from 0")
        smooth = is_finite(self.smoothing) and 0 <= self.smoothing < 1
        check_loss("smoothing", self.smoothing, smooth, "a number from 0 to below 1")
