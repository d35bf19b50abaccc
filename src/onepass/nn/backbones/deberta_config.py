"""What a DeBERTa-v2 or -v3 ``config.json`` says about the mathematics, and nothing else of it.

It knows no weights: the network is in `deberta` and `deberta_layer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError
from onepass.nn.backbones.activations import ACTIVATIONS


@dataclass(frozen=True, slots=True)
class DebertaConfig:
    """The part of a DeBERTa-v2 ``config.json`` that changes the mathematics."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    types: int
    embedding: int
    activation: str
    norm_eps: float
    dropout: float
    attention_dropout: float
    absolute_positions: bool
    relative: bool
    buckets: int  # 0: every distance has a vector of its own
    max_distance: int
    position_types: frozenset[str]  # of c2p (query to distance) and p2c (key to distance)
    shared_projections: bool
    normed_distances: bool
    conv_width: int  # 0: no convolution
    conv_groups: int
    conv_activation: str

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> DebertaConfig:
        """Read a published configuration; absent options mean what they mean in transformers.

        Args:
            config: the content of ``config.json``.

        Raises:
            CheckpointError: for an option that this network does not compute.

        >>> DebertaConfig.from_dict({"hidden_size": 768, "pos_att_type": "p2c|c2p"}).hidden
        768
        """
        hidden = config.get("hidden_size", 1536)
        positions = config.get("max_position_embeddings", 512)
        max_distance = config.get("max_relative_positions", -1)
        norms = _words(config.get("norm_rel_ebd") or "none")
        read = cls(
            vocabulary=config.get("vocab_size", 128100),
            hidden=hidden,
            layers=config.get("num_hidden_layers", 24),
            heads=config.get("num_attention_heads", 24),
            intermediate=config.get("intermediate_size", 6144),
            positions=positions,
            types=config.get("type_vocab_size", 0),
            embedding=config.get("embedding_size", hidden),
            activation=config.get("hidden_act", "gelu"),
            norm_eps=config.get("layer_norm_eps", 1e-7),
            dropout=config.get("hidden_dropout_prob", 0.1),
            attention_dropout=config.get("attention_probs_dropout_prob", 0.1),
            absolute_positions=config.get("position_biased_input", True),
            relative=config.get("relative_attention", False),
            buckets=max(config.get("position_buckets", -1), 0),
            max_distance=max_distance if max_distance >= 1 else positions,
            position_types=_words(config.get("pos_att_type") or ()),
            shared_projections=config.get("share_att_key", False),
            normed_distances="layer_norm" in norms,
            conv_width=max(config.get("conv_kernel_size", 0), 0),
            conv_groups=config.get("conv_groups", 1),
            conv_activation=config.get("conv_act", "tanh"),
        )
        _check("norm_rel_ebd", norms, norms <= {"none", "layer_norm"}, "none or layer_norm")
        head = config.get("attention_head_size", hidden // read.heads)
        _check("attention_head_size", head, head * read.heads == hidden, f"{hidden // read.heads}")
        return read

    def __post_init__(self) -> None:
        for option, value in (
            ("vocab_size", self.vocabulary),
            ("hidden_size", self.hidden),
            ("num_hidden_layers", self.layers),
            ("num_attention_heads", self.heads),
            ("intermediate_size", self.intermediate),
            ("max_position_embeddings", self.positions),
        ):
            _check(option, value, isinstance(value, int) and value > 0, "a whole number above 0")
        known, types = ", ".join(ACTIVATIONS), self.position_types
        _check("hidden_act", self.activation, self.activation in ACTIVATIONS, known)
        _check("conv_act", self.conv_activation, self.conv_activation in ACTIVATIONS, known)
        _check("pos_att_type", types, types <= {"c2p", "p2c"}, "any of c2p, p2c")
        whole = self.hidden % self.heads == 0
        _check("hidden_size", self.hidden, whole, f"a multiple of {self.heads} attention heads")
        odd = self.conv_width == 0 or self.conv_width % 2 == 1
        _check("conv_kernel_size", self.conv_width, odd, "an odd width or 0")
        # The published formula of the buckets is undefined or not monotonous outside of this.
        most = 2 * (self.max_distance - 2)
        fits = self.buckets == 0 or (self.buckets % 2 == 0 and self.buckets <= most)
        fits = fits or not self.relative
        _check("position_buckets", self.buckets, fits, f"an even number up to {most}, or 0")

    @property
    def span(self) -> int:
        """Half the number of distance vectors."""
        return self.buckets or self.max_distance

    @property
    def scale(self) -> float:
        """What each of the products of attention is multiplied by."""
        products = 1 + len(self.position_types)
        return float((self.hidden // self.heads * products) ** -0.5)


def _words(value: str | list[str] | tuple[str, ...]) -> frozenset[str]:
    words = value.lower().split("|") if isinstance(value, str) else value
    return frozenset(word.strip() for word in words)


def _check(option: str, value: object, supported: bool, expected: str) -> None:
    if not supported:
        shown = ", ".join(sorted(value)) if isinstance(value, frozenset) else value
        raise CheckpointError(
            f"{option} {shown!r} of this DeBERTa encoder is not supported; expected {expected}."
        )
