"""``config.json`` of a GLiNER2 checkpoint, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError

COUNTING_LAYERS = ("count_lstm", "count_lstm_v2", "count_lstm_moe")


@dataclass(frozen=True, slots=True)
class Gliner2Config:
    """What a span checkpoint says about itself.

    Attributes:
        backbone: name of the model that the encoder came from.
        counting_layer: one of `COUNTING_LAYERS`.
        max_width: longest span, in words.
        pooling: how the pieces of a word become its vector.
        dropout: of the span head, while training.
        shapes: whether the backbone is told the shape of each word of the text, as the type of its
            pieces; a variant of our own (`onepass.text.shapes`).

    >>> Gliner2Config.from_dict({"counting_layer": "count_lstm_v2", "max_width": 12}).max_width
    12
    """

    backbone: str
    counting_layer: str = "count_lstm"
    max_width: int = 8
    pooling: str = "first"
    dropout: float = 0.1
    shapes: bool = False

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Gliner2Config:
        """Read a published configuration.

        Raises:
            CheckpointError: for another architecture or an unknown value.
        """
        architecture = config.get("architecture") or "span"
        if architecture != "span":
            raise CheckpointError(
                f"This GLiNER2 checkpoint has the architecture {architecture!r}, which is not "
                "supported yet; checkpoints of the architecture 'span' are."
            )
        head = config.get("span_head") or {}
        mode = head.get("span_mode", "markerV0")
        if mode != "markerV0":
            raise CheckpointError(f"span_mode {mode!r} is not supported; 'markerV0' is.")
        counting_layer = config.get("counting_layer", "count_lstm")
        if counting_layer not in COUNTING_LAYERS:
            raise CheckpointError(
                f"counting_layer {counting_layer!r} is not known; {', '.join(COUNTING_LAYERS)} are."
            )
        pooling = config.get("token_pooling", "first")
        if pooling not in ("first", "mean", "max"):
            raise CheckpointError(f"token_pooling {pooling!r} is not known; first, mean, max are.")
        return cls(
            backbone=str(config.get("model_name", "bert-base-uncased")),
            counting_layer=counting_layer,
            max_width=int(head.get("max_width", config.get("max_width", 8))),
            pooling=pooling,
            dropout=float(head.get("dropout", 0.1)),
            shapes=bool(config.get("word_shapes", False)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "model_type": "extractor",
            "architecture": "span",
            "config_version": 3,
            "model_name": self.backbone,
            "counting_layer": self.counting_layer,
            "max_width": self.max_width,
            "span_head": {
                "max_width": self.max_width,
                "span_mode": "markerV0",
                "dropout": self.dropout,
            },
            "token_pooling": self.pooling,
            **({"word_shapes": True} if self.shapes else {}),
        }
