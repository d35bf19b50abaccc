"""``config.json`` of a GLiNER2 checkpoint, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import WIDTH, Options
from onepass.errors import CheckpointError
from onepass.text.shapes import SHAPES

COUNTING_LAYERS = ("count_lstm", "count_lstm_v2", "count_lstm_moe")
POOLINGS = ("first", "mean", "max")
_BACKBONE = "bert-base-uncased"


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
        reranker: whether candidates for values of records are scored once more, in view of each
            other; a variant of our own (`onepass.models.gliner2.rivals`).

    >>> Gliner2Config.from_dict({"counting_layer": "count_lstm_v2", "max_width": 12}).max_width
    12
    """

    backbone: str
    counting_layer: str = "count_lstm"
    max_width: int = 8
    pooling: str = "first"
    dropout: float = 0.1
    shapes: bool = False
    reranker: bool = False

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Gliner2Config:
        """Read a published configuration.

        Raises:
            CheckpointError: for another architecture, or a wrong or unknown value.
        """
        architecture = config.get("architecture") or "span"
        if architecture != "span":
            raise CheckpointError(
                f"This GLiNER2 checkpoint has the architecture {architecture!r}, which is not "
                "supported yet; checkpoints of the architectures 'span' and 'boundary' are."
            )
        options = Options(config, "this GLiNER2 checkpoint")
        head = Options(
            options.mapping("span_head") or {}, "the span_head of this GLiNER2 checkpoint"
        )
        mode = head.config.get("span_mode") or "markerV0"
        if mode != "markerV0":
            raise CheckpointError(f"span_mode {mode!r} is not supported; 'markerV0' is.")
        widths = head if "max_width" in head.config else options
        return cls(
            backbone=options.text("model_name", _BACKBONE, null=_BACKBONE),
            counting_layer=options.one_of("counting_layer", COUNTING_LAYERS, "count_lstm"),
            max_width=widths.whole("max_width", 8, least=1, most=WIDTH),
            pooling=options.one_of("token_pooling", POOLINGS, "first", null="first"),
            dropout=head.share("dropout", 0.1),
            shapes=options.flag("word_shapes", False),
            reranker=options.flag("reranker", False),
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
            **({"reranker": True} if self.reranker else {}),
        }


def types_problem(types: int) -> str | None:
    """Say why an encoder cannot be told the shapes of words; None if it can.

    Args:
        types: of pieces that it tells apart; 0 for one that knows none.

    >>> types_problem(SHAPES + 1)
    """
    if types == SHAPES + 1:
        return None
    return (
        f"word_shapes in config.json need an encoder of BERT or DeBERTa with a type_vocab_size "
        f"of {SHAPES + 1} in encoder_config/config.json; this one tells {types} types apart."
    )
