"""What a T5, MT5 or UMT5 ``config.json`` says about the mathematics, and nothing else of it.

It knows no weights: the networks are in `t5` and `t5_layer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, ROWS, SIZE, Options
from onepass.errors import CheckpointError
from onepass.nn.backbones.activations import ACTIVATIONS

# What an absent option means in transformers.
_MT5 = {
    "vocab_size": 250112, "d_ff": 1024, "num_layers": 8, "num_heads": 6,
    "feed_forward_proj": "gated-gelu",
}  # fmt: skip
_DEFAULTS: dict[str, Mapping[str, Any]] = {
    "t5": {
        "vocab_size": 32128, "d_ff": 2048, "num_layers": 6, "num_heads": 8,
        "feed_forward_proj": "relu",
    },
    "mt5": _MT5,
    "umt5": _MT5,
}  # fmt: skip
KINDS = tuple(_DEFAULTS)


@dataclass(frozen=True, slots=True)
class T5Config:
    """The part of a T5 ``config.json`` that changes the mathematics."""

    vocabulary: int
    hidden: int
    key: int  # size of a head
    heads: int
    intermediate: int
    layers: int
    decoder_layers: int
    buckets: int
    max_distance: int
    gated: bool
    activation: str
    norm_eps: float
    dropout: float
    distances_each: bool  # each layer has its own distance biases; else the first has those of all

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> T5Config:
        """Read a published configuration; absent options mean what they mean in transformers.

        Args:
            config: the content of ``config.json``.

        Raises:
            CheckpointError: for a wrong value, or an option that these networks do not compute.

        >>> config = T5Config.from_dict({"model_type": "mt5"})
        >>> config.gated, config.activation, config.distances_each
        (True, 'gelu_new', False)
        """
        kind = config.get("model_type")
        if kind not in KINDS:
            raise CheckpointError(
                f"model_type {kind!r} is not of the T5 family; expected {', '.join(KINDS)}."
            )
        options = Options({**_DEFAULTS[kind], **config}, "this T5 network")
        projection = options.text("feed_forward_proj")
        gate, _, activation = projection.rpartition("-")
        _check("feed_forward_proj", projection, gate in ("", "gated"), "gated-NAME or NAME")
        layers = options.whole("num_layers", least=1, most=LAYERS)
        return cls(
            vocabulary=options.whole("vocab_size", least=1, most=ROWS),
            hidden=options.whole("d_model", 512, least=1, most=SIZE),
            key=options.whole("d_kv", 64, least=1, most=SIZE),
            heads=options.whole("num_heads", least=1, most=SIZE),
            intermediate=options.whole("d_ff", least=1, most=SIZE),
            layers=layers,
            decoder_layers=options.whole(
                "num_decoder_layers", layers, null=layers, least=1, most=LAYERS
            ),
            buckets=options.whole("relative_attention_num_buckets", 32, least=1, most=SIZE),
            max_distance=options.whole("relative_attention_max_distance", 128, least=1, most=ROWS),
            gated=gate == "gated",
            # This one name means the approximate function, as the published weights do.
            activation="gelu_new" if projection == "gated-gelu" else activation,
            norm_eps=options.number("layer_norm_epsilon", 1e-6, least=0),
            dropout=options.share("dropout_rate", 0.1),
            distances_each=kind == "umt5",
        )

    def __post_init__(self) -> None:
        known = ", ".join(ACTIVATIONS)
        _check("feed_forward_proj", self.activation, self.activation in ACTIVATIONS, known)
        # The published formula of the buckets is undefined outside of this.
        most = 2 * self.max_distance - 1
        fits = 4 <= self.buckets <= most
        _check("relative_attention_num_buckets", self.buckets, fits, f"a number from 4 to {most}")


def _check(option: str, value: object, supported: bool, expected: str) -> None:
    if not supported:
        raise CheckpointError(
            f"{option} {value!r} of this T5 network is not supported; expected {expected}."
        )
