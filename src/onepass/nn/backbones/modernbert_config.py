"""What a ModernBERT ``config.json`` says about the mathematics, and nothing else of it.

It knows no weights: the network is in `modernbert` and `modernbert_layer`. Both layouts are read:
the published one (``global_attn_every_n_layers``, two thetas) and that of transformers 5
(``layer_types``, ``rope_parameters``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, ROWS, SIZE, Options
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
            CheckpointError: for a wrong value, or an option that this network does not compute.

        >>> ModernBertConfig.from_dict({"num_hidden_layers": 4}).local_layers
        (False, True, True, False)
        """
        options = Options(config, "this ModernBERT encoder")
        return cls(
            vocabulary=options.whole("vocab_size", 50368, least=1, most=ROWS),
            hidden=options.whole("hidden_size", 768, least=1, most=SIZE),
            heads=options.whole("num_attention_heads", 12, least=1, most=SIZE),
            intermediate=options.whole("intermediate_size", 1152, least=1, most=SIZE),
            positions=options.whole("max_position_embeddings", 8192, least=1, most=ROWS),
            local_layers=_local_layers(options),
            reach=options.whole("local_attention", 128, least=1) // 2,
            global_theta=_theta(options, _GLOBAL),
            local_theta=_theta(options, _LOCAL),
            activation=options.one_of("hidden_activation", ACTIVATIONS, "gelu"),
            norm_eps=options.number("norm_eps", 1e-5, least=0),
            norm_bias=options.flag("norm_bias", False),
            attention_bias=options.flag("attention_bias", False),
            mlp_bias=options.flag("mlp_bias", False),
            embedding_dropout=options.share("embedding_dropout", 0.0),
            attention_dropout=options.share("attention_dropout", 0.0),
            mlp_dropout=options.share("mlp_dropout", 0.0),
        )

    def __post_init__(self) -> None:
        even = self.hidden % (2 * self.heads) == 0
        _check("hidden_size", self.hidden, even, f"a multiple of twice {self.heads} heads")

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.local_layers)


def _local_layers(options: Options) -> tuple[bool, ...]:
    layers = options.whole("num_hidden_layers", 22, least=1, most=LAYERS)
    types = options.config.get("layer_types")
    if types is None:
        every = options.whole("global_attn_every_n_layers", 3, least=1)
        return tuple(i % every != 0 for i in range(layers))
    known = isinstance(types, list | tuple) and all(kind in (_GLOBAL, _LOCAL) for kind in types)
    _check("layer_types", types, known and len(types) == layers, f"{layers} of {_GLOBAL}, {_LOCAL}")
    return tuple(kind == _LOCAL for kind in types)


def _theta(options: Options, kind: str) -> float:
    """Return the base of the wavelengths of a kind of layer."""
    old, default = _THETAS[kind]
    parameters = Options(options.mapping("rope_parameters") or {}, "the rope_parameters")
    own = Options(parameters.mapping(kind) or {}, f"the {kind} of this ModernBERT encoder")
    scaling = (options.mapping("rope_scaling") or {}).get("rope_type")
    scaling = own.config.get("rope_type", scaling)
    _check("rope_type", scaling, scaling in (None, "default"), "default")
    at, key = (own, "rope_theta") if "rope_theta" in own.config else (options, old)
    if at.config.get(key, default) is None and kind == _LOCAL:  # as published: the global one
        return _theta(options, _GLOBAL)
    theta = at.number(key, default)
    _check(key, theta, theta > 0, "a number above 0")
    return theta


def _check(option: str, value: object, supported: bool, expected: str) -> None:
    if not supported:
        raise CheckpointError(
            f"{option} {value!r:.80} of this ModernBERT encoder is not supported; "
            f"expected {expected}."
        )
