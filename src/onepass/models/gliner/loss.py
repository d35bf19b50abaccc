"""How a GLiNER network is trained: options of its loss, checked, with the reference's defaults.

It knows nothing about torch; `onepass.models.gliner.network.loss` computes what these say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.models.loss_options import check_loss
from onepass.schema.numbers import is_finite, is_whole

KINDS = ("focal", "dice")
MASKINGS = ("none", "global", "label", "span")
REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True, slots=True)
class GlinerLoss:
    """Options of the loss.

    Attributes:
        kind: "focal" for binary cross-entropy, focal with ``gamma`` above 0; "dice" for the loss of
            spans only.
        alpha: weight of positives, beside ``1 - alpha`` for negatives; negative for none.
        gamma: exponent of how wrong an answer is; 0 weighs easy and hard ones alike.
        margin: what is taken off the probability of negatives; easier ones cost nothing.
        smoothing: how far targets move towards one half; 1 is one half for both.
        relation_alpha: ``alpha`` of pairs and relations; None for the same.
        relation_gamma: ``gamma`` of pairs and relations; None for the same.
        dice_gamma: exponent of the dice loss.
        width_weight: whether gold spans weigh more the wider they are.
        reduction: "sum" over a batch, or "mean" over its spans, words or pairs.
        masking: which negatives may be left out by chance: "global" all; "label" those of labels
            that hold nowhere in their text; "span" those of places where no label holds; "none".
        negatives: share of those negatives that counts.
        in_batch: most labels of other texts of the batch that a text is also asked, for
            checkpoints with a label encoder.
        candidates: wrong spans that are scored for each gold one, where spans are scored by
            themselves (``represent_spans``, relations); None for ``neg_spans_ratio`` of the
            checkpoint.
        token_loss_coef: weight of the loss of words; None for that of the checkpoint, here and
            below.
        span_loss_coef: weight of the loss of spans.
        adjacency_loss_coef: weight of the loss of pairs that are related at all.
        relation_loss_coef: weight of the loss of relations.
        decoder_loss_coef: weight of the loss of generated labels.

    >>> GlinerLoss(reduction="max")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: 'loss.reduction' must be one of sum, mean, but 'max' was given.
    """

    kind: str = "focal"
    alpha: float = -1.0
    gamma: float = 0.0
    margin: float = 0.0
    smoothing: float = 0.0
    relation_alpha: float | None = None
    relation_gamma: float | None = None
    dice_gamma: float = 1.0
    width_weight: bool = False
    reduction: str = "sum"
    masking: str = "global"
    negatives: float = 1.0
    in_batch: int = 100
    candidates: float | None = None
    token_loss_coef: float | None = None
    span_loss_coef: float | None = None
    adjacency_loss_coef: float | None = None
    relation_loss_coef: float | None = None
    decoder_loss_coef: float | None = None

    def __post_init__(self) -> None:
        for name, choice, known in (
            ("kind", self.kind, KINDS),
            ("reduction", self.reduction, REDUCTIONS),
            ("masking", self.masking, MASKINGS),
        ):
            check_loss(name, choice, choice in known, f"one of {', '.join(known)}")
        for name, number in (("alpha", self.alpha), ("relation_alpha", self.relation_alpha)):
            none = number is None and name != "alpha"
            right = none or (is_finite(number) and number <= 1)
            check_loss(name, number, right, "a number up to 1, below 0 for none")
        for name, number in (
            ("gamma", self.gamma),
            ("dice_gamma", self.dice_gamma),
            ("relation_gamma", self.relation_gamma),
            ("candidates", self.candidates),
            ("token_loss_coef", self.token_loss_coef),
            ("span_loss_coef", self.span_loss_coef),
            ("adjacency_loss_coef", self.adjacency_loss_coef),
            ("relation_loss_coef", self.relation_loss_coef),
            ("decoder_loss_coef", self.decoder_loss_coef),
        ):
            none = number is None and name not in ("gamma", "dice_gamma")
            right = none or (is_finite(number) and number >= 0)
            check_loss(name, number, right, "a number from 0")
        for name, share in (
            ("margin", self.margin),
            ("smoothing", self.smoothing),
            ("negatives", self.negatives),
        ):
            check_loss(name, share, is_finite(share) and 0 <= share <= 1, "a number from 0 to 1")
        flag = type(self.width_weight) is bool
        check_loss("width_weight", self.width_weight, flag, "true or false")
        check_loss("in_batch", self.in_batch, is_whole(self.in_batch, 0), "a whole number from 0")

    def weight(self, name: str, config: Mapping[str, Any]) -> float:
        """Return the weight of a term.

        Args:
            name: "token", "span", "adjacency", "relation" or "decoder".
            config: the checkpoint's own configuration, which counts where nothing is given here.

        >>> GlinerLoss().weight("decoder", {}), GlinerLoss().weight("span", {"span_loss_coef": 2})
        (0.5, 2.0)
        """
        given = {
            "token": self.token_loss_coef,
            "span": self.span_loss_coef,
            "adjacency": self.adjacency_loss_coef,
            "relation": self.relation_loss_coef,
            "decoder": self.decoder_loss_coef,
        }[name]
        if given is None:
            given = config.get(f"{name}_loss_coef")
        return float(given if given is not None else 0.5 if name == "decoder" else 1.0)

    def candidate_ratio(self, config: Mapping[str, Any]) -> float:
        """Return how many wrong spans are scored for each gold one."""
        given = config.get("neg_spans_ratio") if self.candidates is None else self.candidates
        return float(1.0 if given is None else given)
