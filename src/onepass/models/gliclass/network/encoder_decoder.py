"""GLiClass networks of an encoder and a decoder: labels in one sequence, the text in the other.

Which of the two the labels are in is the difference between the two architectures.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.network.head import ClassHead
from onepass.models.gliclass.network.network import ROOT, Encoders, GliclassNetwork
from onepass.nn.backbones.t5 import T5Config, T5EncoderDecoder
from onepass.nn.keymap import Entry, with_prefix

_TRANSFORMER = f"{ROOT}encoder_decoder_model."
_DECODER_VECTORS = f"{_TRANSFORMER}decoder.embed_tokens.weight"


class EncoderDecoder(GliclassNetwork):
    """The encoder reads the text; the decoder reads the labels, in both directions.

    Args:
        config: of the checkpoint.
        encoders: that it is built of; its text encoder is the encoder-decoder.

    Raises:
        CheckpointError: for an encoder-decoder that is not of the T5 family.
    """

    head: ClassHead

    def __init__(self, config: GliclassConfig, encoders: Encoders) -> None:
        super().__init__(config, encoders)
        self.transformer = T5EncoderDecoder(T5Config.from_dict(encoders.text))
        self.head = self.build_head()

    def build_head(self) -> ClassHead:
        """Return what stands behind the transformer, with random weights."""
        config = self.config
        return ClassHead(
            config, self.hidden, pooling=config.pooling, lstm=config.lstm, scaled=config.normalize
        )

    @property
    def hidden(self) -> int:
        return self.transformer.hidden

    def states(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        class_ids: torch.Tensor,
        class_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the head reads: (batch, pieces, hidden) and (batch, class_pieces, hidden).

        Args:
            ids: (batch, pieces) integers of the text.
            mask: (batch, pieces), 1 at real pieces.
            class_ids: (batch, class_pieces) integers of the labels.
            class_mask: (batch, class_pieces), 1 at real pieces.
        """
        text = self.transformer.encode(ids, mask)
        classes = self.transformer.decode(class_ids, class_mask, text, mask, causal=False)
        return text, classes

    def classify(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        class_ids: torch.Tensor,
        class_mask: torch.Tensor,
        text_mask: torch.Tensor,
        labels: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            ids: (batch, pieces) integers of the text.
            mask: (batch, pieces), 1 at real pieces.
            class_ids: (batch, class_pieces) integers of the labels.
            class_mask: (batch, class_pieces), 1 at real pieces.
            text_mask: (batch, pieces), 1 at the pieces that the text's vector is of, which stand
                side by side.
            labels: (batch, labels, 2) half-open ranges of the pieces of each in ``class_ids``.
            label_mask: (batch, labels), 1 at real labels.
        """
        text, found = self.states(ids, mask, class_ids, class_mask)
        head = self.head
        classes = head.class_vectors(head.pooled_classes(found, labels))
        return head.logits(head(text, text_mask), classes, label_mask)

    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        return {"classify": self.classify}

    def keys(self) -> tuple[Entry, ...]:
        table = with_prefix(self.transformer.keys(), _TRANSFORMER, "transformer.")
        return (*table, *self.head_keys())

    def published(self) -> dict[str, torch.Tensor]:
        """Return the weights as they are written, by their published names.

        The vectors of the decoder's pieces are written beside those of the encoder, which they are:
        the reference library makes new ones where it does not find them.
        """
        state = super().published()
        state[_DECODER_VECTORS] = state[_DECODER_VECTORS].clone()
        return state


class TextDecoder(EncoderDecoder):
    """The encoder reads the labels; the decoder reads the text, and its last piece stands for it.

    Args:
        config: of the checkpoint.
        encoders: that it is built of; its text encoder is the encoder-decoder.

    Raises:
        CheckpointError: for an encoder-decoder that is not of the T5 family, or a scorer that reads
            the pieces of the text.
    """

    def build_head(self) -> ClassHead:
        """Return what stands behind the transformer, with random weights."""
        config = self.config
        if config.scorer == "cross-attn":
            raise CheckpointError(
                "The scorer cross-attn reads the pieces of a text, of which an "
                f"{config.architecture} checkpoint reads one; another scorer is needed."
            )
        return ClassHead(config, self.hidden, pooling="last", lstm=False, scaled=config.normalize)

    def states(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        class_ids: torch.Tensor,
        class_mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        classes = self.transformer.encode(class_ids, class_mask)
        return self.transformer.decode(ids, mask, classes, class_mask), classes
