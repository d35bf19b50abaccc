"""The GLiClass network in torch: what all architectures have in common, and the uni-encoder.

The same functions are exported to ONNX, so these modules hold all the mathematics and no decisions.
Which architecture a checkpoint is, `build` decides.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.network.head import ClassHead, Head
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, Rename, expand, with_prefix
from onepass.nn.layer_fuser import LayerFuser
from onepass.nn.network import Network
from onepass.nn.pooling import first_places
from onepass.nn.published import published_weights

ROOT = "model."  # under which everything is published


@dataclass(frozen=True, slots=True)
class Encoders:
    """What a network is built of beside its configuration.

    Attributes:
        text: transformers configuration of the text encoder, or of the encoder-decoder.
        labels: likewise, of the label encoder; None without one.
        pooler: whether the weights hold a BERT pooler of the text encoder.
        label_pooler: likewise, of the label encoder.
        mixed: how many layers are mixed, where layers are mixed; None for those of the encoder.
            With one more, the embeddings are mixed too.
    """

    text: Mapping[str, Any]
    labels: Mapping[str, Any] | None = None
    pooler: bool = True
    label_pooler: bool = True
    mixed: int | None = None


class GliclassNetwork(Network):
    """A network of one architecture.

    Args:
        config: of the checkpoint.
        encoders: that it is built of.

    Attributes:
        head: from states to logits.
        reads_first: whether nothing but the first pieces of the text and of each label reach it.
    """

    head: Head
    reads_first: bool = False

    def __init__(self, config: GliclassConfig, encoders: Encoders) -> None:
        super().__init__()
        self.config, self.encoders = config, encoders

    @abc.abstractmethod
    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        """Return the functions that `onepass.models.gliclass.graphs.graphs` describes."""

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours, layers of encoders spelled out."""

    def published(self) -> dict[str, torch.Tensor]:
        """Return the weights as they are written, by their published names."""
        return published_weights(self)

    def head_keys(self) -> tuple[Entry, ...]:
        """Return the part of the table that is about the head."""
        entries = with_prefix(self.head.keys(), ROOT, "head.")
        if self.head.calibrator is None:
            return entries
        own = with_prefix(self.head.calibrator.keys(), "calibrator.", "head.calibrator.")
        return (*entries, *own)


class UniEncoder(GliclassNetwork):
    """Labels and text in one sequence, read by one encoder.

    Args:
        config: of the checkpoint.
        encoders: that it is built of.

    Raises:
        CheckpointError: for a part that is not supported.
    """

    head: ClassHead

    def __init__(self, config: GliclassConfig, encoders: Encoders) -> None:
        super().__init__(config, encoders)
        self.backbone = build_backbone(encoders.text, pooler=encoders.pooler)
        hidden, layers = self.backbone.hidden, self.backbone.layer_count
        self.layer = _layer(config, layers)
        mixed = layers if encoders.mixed is None else encoders.mixed
        self.embedded = mixed > layers
        self.fuser: LayerFuser | None = None
        if config.squeeze_layers and self.layer is None:
            if mixed not in (layers, layers + 1):
                raise CheckpointError(
                    f"The weights of this GLiClass checkpoint mix {mixed} layers, but its encoder "
                    f"has {layers}; check that the configuration and the weights belong together."
                )
            self.fuser = LayerFuser(mixed, hidden)
        self.segments = nn.Embedding(3, hidden) if config.segment_embeddings else None
        self.head = ClassHead(
            config, hidden, pooling=config.pooling, lstm=config.lstm, scaled=config.normalize
        )
        self.reads_first = (
            self.fuser is None
            and self.layer is None
            and config.pooling == "first"
            and config.class_pooling != "average"
            and not config.lstm
        )

    @property
    def hidden(self) -> int:
        return self.backbone.hidden

    def states(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        segments: torch.Tensor | None = None,
        kept: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden), or (batch, kept, hidden): what the head reads.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            segments: (batch, pieces) 0 at labels, 1 at text, 2 at examples; where there are vectors
                for them.
            kept: (batch, kept) places of the pieces that are read; None for all. Only where the
                head reads the encoder's own states.
        """
        words = None
        if self.segments is not None:
            assert segments is not None
            words = self.backbone.word_vectors(ids) + self.segments(segments)
        if self.fuser is not None:
            layers = self.backbone.each_layer(ids, mask, words, embedded=self.embedded)
            return self.fuser(layers, mask)
        if self.layer is not None:
            return _nth(self.backbone.each_layer(ids, mask, words, embedded=True), self.layer)
        return self.backbone(ids, mask, words, kept=kept)

    def classify(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        text_mask: torch.Tensor,
        labels: torch.Tensor,
        label_mask: torch.Tensor,
        segments: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            text_mask: (batch, pieces), 1 at the pieces of the text, which stand side by side.
            labels: (batch, labels, 2) half-open ranges of the pieces of each.
            label_mask: (batch, labels), 1 at real labels.
            segments: (batch, pieces) of `states`.
        """
        head = self.head
        if self.reads_first:
            kept = torch.cat((first_places(text_mask)[:, None], labels[..., 0]), 1)
            states = self.states(ids, mask, segments, kept)  # (batch, 1 + labels, hidden)
            classes = head.class_vectors(states[:, 1:])
            return head.logits(head(states[:, :1], mask[:, :1]), classes, label_mask)
        states = self.states(ids, mask, segments)
        classes = head.class_vectors(head.pooled_classes(states, labels))
        return head.logits(head(states, text_mask), classes, label_mask)

    def _classify_segments(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        segments: torch.Tensor,
        text_mask: torch.Tensor,
        labels: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        return self.classify(ids, mask, text_mask, labels, label_mask, segments)

    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        return {"classify": self.classify if self.segments is None else self._classify_segments}

    def keys(self) -> tuple[Entry, ...]:
        entries = [*encoder_keys(self.backbone, "encoder_model.", "backbone."), *self.head_keys()]
        if self.fuser is not None:
            entries += with_prefix(self.fuser.keys(), f"{ROOT}layer_wise_attention.", "fuser.")
        if self.segments is not None:
            entries.append(Rename(f"{ROOT}segment_embeddings.weight", "segments.weight"))
        return tuple(entries)


def encoder_keys(backbone: Backbone, theirs: str, ours: str) -> tuple[Entry, ...]:
    """Return the table of an encoder, layers spelled out.

    Args:
        backbone: the encoder.
        theirs: published prefix below `ROOT`.
        ours: prefix of ours.
    """
    return with_prefix(expand(backbone.keys(), backbone.depth), ROOT + theirs, ours)


def _layer(config: GliclassConfig, layers: int) -> int | None:
    """Return which state is read, 0 for the embeddings; None for what the encoder gives."""
    asked = config.encoder_layer
    if asked == -1:
        return None
    found = asked if asked >= 0 else layers + 1 + asked
    if not 0 <= found <= layers:
        raise CheckpointError(
            f"encoder_layer_id {asked} of this GLiClass checkpoint is no layer of its encoder, "
            f"which has {layers}."
        )
    return found


def _nth(layers: Iterator[torch.Tensor], place: int) -> torch.Tensor:
    """Return the states of one layer; none behind it is run."""
    for i, states in enumerate(layers):
        if i == place:
            return states
    raise AssertionError(f"layer {place} of {i + 1}")
