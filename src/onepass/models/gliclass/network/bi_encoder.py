"""GLiClass networks whose labels have an encoder of their own: the bi-encoder and the fused one.

`encode_labels` runs once for a set of labels, `classify` once for a text.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.network.head import ClassHead, Projection
from onepass.models.gliclass.network.network import (
    ROOT,
    Encoders,
    GliclassNetwork,
    encoder_keys,
)
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, with_prefix
from onepass.nn.places import take
from onepass.nn.pooling import pool


class BiEncoder(GliclassNetwork):
    """Texts and labels read apart; they meet in the scorer.

    Args:
        config: of the checkpoint.
        encoders: that it is built of, that of the labels among them.

    Raises:
        CheckpointError: for a scorer that reads the pieces of the text: labels are pooled likewise.
    """

    head: ClassHead

    def __init__(self, config: GliclassConfig, encoders: Encoders) -> None:
        super().__init__(config, encoders)
        assert encoders.labels is not None
        if config.pooling == "pass":
            raise CheckpointError(
                f"The scorer {config.scorer} of this GLiClass checkpoint reads every piece of a "
                f"text, which a {config.architecture} cannot give; another scorer is needed."
            )
        self.backbone = build_backbone(encoders.text, pooler=encoders.pooler)
        self.label_backbone = build_backbone(encoders.labels, pooler=encoders.label_pooler)
        hidden = self.backbone.hidden
        self.projection = Projection(self.label_backbone.hidden, hidden, config, dropout=0.0)
        self.head = ClassHead(config, hidden, pooling=config.pooling, lstm=False, scaled=True)

    @property
    def hidden(self) -> int:
        return self.backbone.hidden

    def encode_labels(self, label_ids: torch.Tensor, label_mask: torch.Tensor) -> torch.Tensor:
        """Return label vectors (labels, hidden).

        Args:
            label_ids: (labels, pieces) integers of the label encoder.
            label_mask: (labels, pieces), 1 at real pieces.
        """
        states = self.label_backbone(label_ids, label_mask)
        pooled = pool(states, label_mask, self.config.pooling)
        return self.head.class_vectors(self.projection(pooled))

    def classify(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        text_mask: torch.Tensor,
        vectors: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            text_mask: (batch, pieces), 1 at the pieces that the text's vector is of.
            vectors: (batch, labels, hidden) of `encode_labels`.
            label_mask: (batch, labels), 1 at real labels.
        """
        text = self.head(self.backbone(ids, mask), text_mask)
        return self.head.logits(text, vectors, label_mask)

    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        return {"encode_labels": self.encode_labels, "classify": self.classify}

    def keys(self) -> tuple[Entry, ...]:
        projection = self.projection.keys("biencoder_projector", "projection")
        return (
            *encoder_keys(self.backbone, "encoder_model.", "backbone."),
            *encoder_keys(self.label_backbone, "label_encoder.", "label_backbone."),
            *with_prefix(projection, ROOT, ""),
            *self.head_keys(),
        )


class FusedBiEncoder(BiEncoder):
    """Label vectors stand in the text's sequence, one a label, where the text encoder reads them.

    Args:
        config: of the checkpoint.
        encoders: that it is built of, that of the labels among them.
    """

    def classify_fused(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        text_mask: torch.Tensor,
        labels: torch.Tensor,
        vectors: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            text_mask: (batch, pieces), 1 at the pieces that the text's vector is of.
            labels: (batch, labels, 2) half-open ranges; the first piece of each is its marker.
            vectors: (batch, labels, hidden) of `encode_labels`.
            label_mask: (batch, labels), 1 at real labels.
        """
        markers = labels[..., 0]
        words = self.backbone.word_vectors(ids)
        states = self.backbone(ids, mask, replaced(words, markers, vectors, label_mask))
        text = self.head(states, text_mask)
        return self.head.logits(text, take(states, markers), label_mask)

    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        return {"encode_labels": self.encode_labels, "classify": self.classify_fused}


def replaced(
    words: torch.Tensor, places: torch.Tensor, vectors: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return (batch, pieces, hidden): words with vectors put in their places.

    Args:
        words: (batch, pieces, hidden).
        places: (batch, vectors) of each vector.
        vectors: (batch, vectors, hidden).
        mask: (batch, vectors), 1 at vectors that are put.

    >>> words, vectors = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[8.0], [9.0]]])
    >>> replaced(words, torch.tensor([[1, 0]]), vectors, torch.tensor([[1, 0]])).tolist()
    [[[1.0], [8.0]]]
    """
    pieces = torch.arange(words.shape[1], device=words.device)[:, None]
    here = (places[:, None] == pieces) & mask.bool()[:, None]  # (batch, pieces, vectors)
    put = here.to(words.dtype) @ vectors  # sums of one vector and zeros
    return torch.where(here.any(2)[..., None], put, words)
