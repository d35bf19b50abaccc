"""What a ModernBERT ``config.json`` says about the mathematics, and nothing else of it.

It knows no weights: the network is in `modernbert` and `modernbert_layer`. Both layouts are read:
the published one (``global_attn_every_n_layers``, two thetas) and that of transformers 5
(``layer_types``, ``rope_parameters``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError
from onepass.nn.backbones.activations import ACTIVATIONS

_GLOBAL, _LOCAL = "full_attention", "sliding_attention"
_THETAS = {_GLOBAL: ("global_rope_theta", 160_000.0), _LOCAL: ("local_rope_theta", 10_000.0)}


@dataclass(frozen=True, slots=True)
class ModernBertConfig:
    """The part of a ModernBERT ``config.json`` that changes the mathematics."""

    vocabulary: int
    hidden: int
    heads: int
    intermediate: int
    positions: int
    local_layers: tuple[bool, ...]  # one a layer: whether it sees near pieces only
    reach: int  # how far a local layer sees to either side, in pieces
    global_theta: float
    local_theta: float
    activation: str
    norm_eps: float
    norm_bias: bool
    attention_bias: bool
    mlp_bias: bool
    embedding_dropout: float
    attention_dropout: float
    mlp_dropout: float

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> ModernBertConfig:
        """Read a published configuration; absent options mean what they mean in transformers.

        Args:
            config: the content of ``config.json``.

        Raises:
            CheckpointError: for an option that this network does not compute.

        >>> ModernBertConfig.from_dict({"num_hidden_layers": 4}).local_layers
        (False, True, True, False)
        """
        return cls(
            vocabulary=config.get("vocab_size", 50368),
            hidden=config.get("hidden_size", 768),
            heads=config.get("num_attention_heads", 12),
            intermediate=config.get("intermediate_size", 1152),
            positions=config.get("max_position_embeddings", 8192),
            local_layers=_local_layers(config),
            reach=_whole(config, "local_attention", 128) // 2,
            global_theta=_theta(config, _GLOBAL),
            local_theta=_theta(config, _LOCAL),
            activation=config.get("hidden_activation", "gelu"),
            norm_eps=config.get("norm_eps", 1e-5),
            norm_bias=config.get("norm_bias", False),
            attention_bias=config.get("attention_bias", False),
            mlp_bias=config.get("mlp_bias", False),
            embedding_dropout=config.get("embedding_dropout", 0.0),
            attention_dropout=config.get("attention_dropout", 0.0),
            mlp_dropout=config.get("mlp_dropout", 0.0),
        )

    def __post_init__(self) -> None:
        for option, value in (
            ("vocab_size", self.vocabulary),
            ("hidden_size", self.hidden),
            ("num_attention_heads", self.heads),
            ("intermediate_size", self.intermediate),
            ("max_position_embeddings", self.positions),
        ):
            _check(option, value, isinstance(value, int) and value > 0, "a whole number above 0")
        _check(
            "hidden_activation", self.activation, self.activation in ACTIVATIONS,
            f"one of {', '.join(ACTIVATIONS)}",
        )  # fmt: skip
        even = self.hidden % (2 * self.heads) == 0
        _check("hidden_size", self.hidden, even, f"a multiple of twice {self.heads} heads")

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.local_layers)


def _local_layers(config: Mapping[str, Any]) -> tuple[bool, ...]:
    layers = _whole(config, "num_hidden_layers", 22)
    types = config.get("layer_types")
    if types is None:
        every = _whole(config, "global_attn_every_n_layers", 3)
        return tuple(i % every != 0 for i in range(layers))
    known = isinstance(types, list | tuple) and set(types) <= {_GLOBAL, _LOCAL}
    _check("layer_types", types, known and len(types) == layers, f"{layers} of {_GLOBAL}, {_LOCAL}")
    return tuple(kind == _LOCAL for kind in types)


def _theta(config: Mapping[str, Any], kind: str) -> float:
    """Return the base of the wavelengths of a kind of layer."""
    old, default = _THETAS[kind]
    options = (config.get("rope_parameters") or {}).get(kind) or {}
    scaling = options.get("rope_type", (config.get("rope_scaling") or {}).get("rope_type"))
    _check("rope_type", scaling, scaling in (None, "default"), "default")
    found = options.get("rope_theta", config.get(old, default))
    if found is None and kind == _LOCAL:  # as published: the global one
        return _theta(config, _GLOBAL)
    positive = isinstance(found, int | float) and found > 0
    _check("rope_theta", found, positive, "a number above 0")
    return float(found)


def _whole(config: Mapping[str, Any], option: str, default: int) -> int:
    value = config.get(option, default)
    _check(option, value, isinstance(value, int) and value > 0, "a whole number above 0")
    return int(value)


def _check(option: str, value: object, supported: bool, expected: str) -> None:
    if not supported:
        raise CheckpointError(
            f"{option} {value!r:.80} of this ModernBERT encoder is not supported; "
            f"expected {expected}."
        )
