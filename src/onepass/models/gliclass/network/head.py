"""What stands behind the encoders of every GLiClass network: projections, a pool and a scorer.

It reads vectors of pieces and of labels. It knows neither encoders nor graphs.
"""

from __future__ import annotations

import abc

import torch
from torch import nn
from torch.nn import functional

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.class_calibrator import ClassCalibrator
from onepass.nn.class_scorers import (
    ClassScorer,
    CrossAttentionScorer,
    DotScorer,
    HopfieldScorer,
    MlpScorer,
    WeightedDotScorer,
)
from onepass.nn.keymap import Entry, Rename, linear, with_prefix
from onepass.nn.places import take, within
from onepass.nn.pooling import average_ranges, first_places, pool
from onepass.nn.word_lstm import WordLstm

_LEAST = 1e-8  # length of a vector that is normalized


class Projection(nn.Module):
    """``last(dropout(activation(first(x))))``.

    Args:
        inputs: size of what it reads.
        outputs: size of what it gives.
        config: has the size between and the activation.
        dropout: probability, used while training.
    """

    def __init__(
        self, inputs: int, outputs: int, config: GliclassConfig, *, dropout: float
    ) -> None:
        super().__init__()
        name = config.activation
        if name not in ACTIVATIONS:
            raise CheckpointError(
                f"projector_hidden_act {name!r} of this GLiClass checkpoint is not supported; "
                f"{', '.join(ACTIVATIONS)} are."
            )
        self.first = nn.Linear(inputs, config.hidden)
        self.last = nn.Linear(config.hidden, outputs)
        self.activation = ACTIVATIONS[name]
        self.dropout = dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.activation(self.first(x))
        return self.last(functional.dropout(inner, self.dropout, self.training))

    def keys(self, theirs: str, ours: str) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return (
            *linear(f"{theirs}.linear_1", f"{ours}.first"),
            *linear(f"{theirs}.linear_2", f"{ours}.last"),
        )


class Head(nn.Module, abc.ABC):
    """What stands behind the encoders of a network.

    Attributes:
        pooling: how the pieces of a text become its vector, one of `onepass.nn.pooling.POOLS`.
        scorer: what makes the logits.
        calibrator: what scales them; None without one.
    """

    pooling: str
    scorer: nn.Module
    calibrator: ClassCalibrator | None

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours, without that of the calibrator."""


class ClassHead(Head):
    """Vectors of pieces and labels to logits.

    Args:
        config: which parts it has.
        hidden: size of the encoder's vectors.
        pooling: how the pieces of a text become its vector, one of `onepass.nn.pooling.POOLS`.
        lstm: whether an LSTM reads the pieces before.
        scaled: whether logits are multiplied by the scale that was learned.

    Raises:
        CheckpointError: for a scorer whose size is not that of the vectors.
    """

    scorer: ClassScorer

    def __init__(
        self, config: GliclassConfig, hidden: int, *, pooling: str, lstm: bool, scaled: bool
    ) -> None:
        super().__init__()
        if config.hidden != hidden and (lstm or config.scorer != "simple"):
            raise CheckpointError(
                f"The scorer of this GLiClass checkpoint reads vectors of {config.hidden} numbers "
                f"(hidden_size), but its encoder gives {hidden}; they have to be the same."
            )
        self.config, self.pooling, self.scaled = config, pooling, scaled
        self.text = Projection(hidden, hidden, config, dropout=config.dropout)
        self.classes = Projection(hidden, hidden, config, dropout=config.dropout)
        self.lstm = WordLstm(hidden) if lstm else None
        self.scorer = build_scorer(config, hidden)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale))
        self.calibrator = build_calibrator(config, hidden)

    def forward(
        self, states: torch.Tensor, text_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what `logits` reads of the texts: vectors, and the mask of their pieces.

        Args:
            states: (batch, pieces, hidden).
            text_mask: (batch, pieces), 1 at the pieces of the text, which stand side by side.

        Returns:
            (batch, hidden), or (batch, pieces, hidden) where the scorer reads pieces, and
            (batch, pieces).
        """
        if self.lstm is not None:
            states, text_mask = self._shifted(states, text_mask)
            states = self.lstm(states, text_mask.sum(1))
        pooled = self.text(pool(states, text_mask, self.pooling))
        pooled = functional.dropout(pooled, self.config.dropout, self.training)
        return self._normalized(pooled), text_mask

    def _shifted(
        self, states: torch.Tensor, text_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return states and mask with the pieces of the text at the start."""
        pieces = text_mask.shape[1]
        order = torch.arange(pieces, device=text_mask.device)
        places = (first_places(text_mask)[:, None] + order).clamp(max=pieces - 1)
        mask = within(text_mask.sum(1), pieces).to(text_mask.dtype)
        return take(states, places), mask

    def pooled_classes(self, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return (batch, labels, hidden): what the encoder says of each label.

        Args:
            states: (batch, pieces, hidden).
            labels: (batch, labels, 2) half-open ranges of the pieces of each.
        """
        if self.config.class_pooling == "average":
            return average_ranges(states, labels)
        return take(states, labels[..., 0])

    def class_vectors(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return (..., hidden): vectors of labels (..., hidden) as `logits` reads them."""
        return self._normalized(self.classes(pooled))

    def _normalized(self, x: torch.Tensor) -> torch.Tensor:
        return functional.normalize(x, dim=-1, eps=_LEAST) if self.config.normalize else x

    def logits(
        self,
        text: tuple[torch.Tensor, torch.Tensor],
        classes: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return (batch, labels), 0 at padding.

        Args:
            text: of `forward`.
            classes: (batch, labels, hidden).
            label_mask: (batch, labels), 1 at real labels.
        """
        vectors, text_mask = text
        found = self.scorer(vectors, classes, text_mask, label_mask)
        if self.scaled:
            found = found * self.logit_scale
        if self.calibrator is not None:
            found = self.calibrator(vectors, classes, found, label_mask)
        return found.masked_fill(~label_mask.bool(), 0.0)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries = [
            Rename("logit_scale", "logit_scale"),
            *self.text.keys("text_projector", "text"),
            *self.classes.keys("classes_projector", "classes"),
            *with_prefix(self.scorer.keys(), "scorer.", "scorer."),
        ]
        if self.lstm is not None:
            entries += with_prefix(self.lstm.keys(), "lstm.lstm.", "lstm.")
        return tuple(entries)


def build_calibrator(config: GliclassConfig, hidden: int) -> ClassCalibrator | None:
    """Return the calibrator of a checkpoint with random weights, None if it has none.

    Raises:
        CheckpointError: where the scorer reads the pieces of a text, which have no one vector.
    """
    own = config.calibrator
    if own is None:
        return None
    if config.scorer == "cross-attn":
        raise CheckpointError(
            "This GLiClass checkpoint has a calibrator (use_calibrator) beside the scorer "
            "cross-attn, which is not supported: the calibrator reads one vector of a text."
        )
    return ClassCalibrator(hidden, own.inner, own.most, own.dropout, biased=own.biased)


def build_scorer(config: GliclassConfig, hidden: int) -> ClassScorer:
    """Return the scorer of a checkpoint, with random weights.

    Args:
        config: names it.
        hidden: size of the vectors.
    """
    match config.scorer:
        case "simple":
            return DotScorer()
        case "weighted-dot":
            return WeightedDotScorer(hidden)
        case "mlp":
            return MlpScorer(hidden)
        case "hopfield":
            return HopfieldScorer(hidden)
    heads, width = config.scorer_heads, config.scorer_width
    if hidden % heads:
        raise CheckpointError(
            f"The scorer of this GLiClass checkpoint has {heads} heads (scorer_num_heads), which "
            f"do not divide its vectors of {hidden} numbers."
        )
    return CrossAttentionScorer(hidden, heads, width, config.scorer_dropout)
