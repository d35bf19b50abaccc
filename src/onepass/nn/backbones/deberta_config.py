"""What a DeBERTa-v2 or -v3 ``config.json`` says about the mathematics, and nothing else of it.

It knows no weights: the network is in `deberta` and `deberta_layer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, ROWS, SIZE, Options
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
            CheckpointError: for a wrong value, or an option that this network does not compute.

        >>> DebertaConfig.from_dict({"hidden_size": 768, "pos_att_type": "p2c|c2p"}).hidden
        768
        """
        options = Options(config, "this DeBERTa encoder")
        hidden = options.whole("hidden_size", 1536, least=1, most=SIZE)
        positions = options.whole("max_position_embeddings", 512, least=1, most=ROWS)
        max_distance = options.whole("max_relative_positions", -1, most=ROWS)
        norms = _words(options, "norm_rel_ebd") or {"none"}
        read = cls(
            vocabulary=options.whole("vocab_size", 128100, least=1, most=ROWS),
            hidden=hidden,
            layers=options.whole("num_hidden_layers", 24, least=1, most=LAYERS),
            heads=options.whole("num_attention_heads", 24, least=1, most=SIZE),
            intermediate=options.whole("intermediate_size", 6144, least=1, most=SIZE),
            positions=positions,
            types=options.whole("type_vocab_size", 0, least=0, most=ROWS),
            embedding=options.whole("embedding_size", hidden, least=1, most=SIZE),
            activation=options.one_of("hidden_act", ACTIVATIONS, "gelu"),
            norm_eps=options.number("layer_norm_eps", 1e-7, least=0),
            dropout=options.share("hidden_dropout_prob", 0.1),
            attention_dropout=options.share("attention_probs_dropout_prob", 0.1),
            absolute_positions=options.flag("position_biased_input", True),
            relative=options.flag("relative_attention", False),
            buckets=max(options.whole("position_buckets", -1, most=ROWS), 0),
            max_distance=max_distance if max_distance >= 1 else positions,
            position_types=_words(options, "pos_att_type"),
            shared_projections=options.flag("share_att_key", False, null=False),
            normed_distances="layer_norm" in norms,
            conv_width=max(options.whole("conv_kernel_size", 0, null=0, most=SIZE), 0),
            conv_groups=options.whole("conv_groups", 1, least=1, most=SIZE),
            conv_activation=options.one_of("conv_act", ACTIVATIONS, "tanh"),
        )
        _check("norm_rel_ebd", norms, norms <= {"none", "layer_norm"}, "none or layer_norm")
        head = config.get("attention_head_size", hidden // read.heads)
        _check("attention_head_size", head, head == hidden // read.heads, f"{hidden // read.heads}")
        return read

    def __post_init__(self) -> None:
        types = self.position_types
        _check("pos_att_type", types, types <= {"c2p", "p2c"}, "any of c2p, p2c")
        whole = self.hidden % self.heads == 0
        _check("hidden_size", self.hidden, whole, f"a multiple of {self.heads} attention heads")
        odd = self.conv_width == 0 or self.conv_width % 2 == 1
        _check("conv_kernel_size", self.conv_width, odd, "an odd width or 0")
        parts = self.conv_width == 0 or self.hidden % self.conv_groups == 0
        _check("conv_groups", self.conv_groups, parts, f"a divisor of {self.hidden}")
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


def _words(options: Options, key: str) -> frozenset[str]:
    """Return words that stand in a list, or in a string with "|" between them."""
    found = options.config.get(key)
    words = found.lower().split("|") if isinstance(found, str) and found else found or ()
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise options.wrong(key, "a list of strings", found)
    return frozenset(word.strip() for word in words)


def _check(option: str, value: object, supported: bool, expected: str) -> None:
    if not supported:
        shown = ", ".join(sorted(value)) if isinstance(value, set | frozenset) else value
        raise CheckpointError(
            f"{option} {shown!r} of this DeBERTa encoder is not supported; expected {expected}."
        )
