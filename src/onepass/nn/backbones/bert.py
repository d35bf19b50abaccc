"""BERT-type encoders (BERT, MiniLM): absolute positions, post-norm layers, fused QKV.

The network is exact against transformers' ``BertModel`` in fp32. It knows nothing about prompts or
heads. The pooler is carried for the sake of the published layout and never run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from onepass.errors import CheckpointError
from onepass.nn.backbones.base import Backbone
from onepass.nn.keymap import Entry, Rename, Stack, linear

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "silu": functional.silu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
}


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The part of a BERT ``config.json`` that changes the mathematics."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    types: int
    activation: str
    norm_eps: float
    dropout: float
    attention_dropout: float

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> BertConfig:
        """Read a published configuration.

        Raises:
            CheckpointError: for an option that this network does not compute.
        """
        kind = config.get("position_embedding_type", "absolute")
        if kind not in (None, "absolute"):
            raise CheckpointError(
                f"position_embedding_type {kind!r} of this BERT encoder is not supported; "
                "'absolute' is."
            )
        activation = config.get("hidden_act", "gelu")
        if activation not in _ACTIVATIONS:
            raise CheckpointError(
                f"hidden_act {activation!r} of this BERT encoder is not supported; "
                f"{', '.join(_ACTIVATIONS)} are."
            )
        return cls(
            vocabulary=config.get("vocab_size", 30522),
            hidden=config.get("hidden_size", 768),
            layers=config.get("num_hidden_layers", 12),
            heads=config.get("num_attention_heads", 12),
            intermediate=config.get("intermediate_size", 3072),
            positions=config.get("max_position_embeddings", 512),
            types=config.get("type_vocab_size", 2),
            activation=activation,
            norm_eps=config.get("layer_norm_eps", 1e-12),
            dropout=config.get("hidden_dropout_prob", 0.1),
            attention_dropout=config.get("attention_probs_dropout_prob", 0.1),
        )


class BertLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual and a normalization after it."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.hidden, 3 * config.hidden)
        self.attention_out = nn.Linear(config.hidden, config.hidden)
        self.attention_norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.up = nn.Linear(config.hidden, config.intermediate)
        self.down = nn.Linear(config.intermediate, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.activation = _ACTIVATIONS[config.activation]
        self.dropout = config.dropout
        self.attention_dropout = config.attention_dropout

    def forward(self, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        batch, pieces, hidden = x.shape
        qkv = self.qkv(x).view(batch, pieces, 3, self.heads, hidden // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # 3 of (batch, heads, pieces, size)
        if self.training:  # plain products: the fused kernel's backward pass is slow on CPUs
            weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias).softmax(-1)
            mixed = functional.dropout(weights, self.attention_dropout) @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        mixed = mixed.transpose(1, 2).reshape(batch, pieces, hidden)
        x = self.attention_norm(x + self._drop(self.attention_out(mixed)))
        inner = self.down(self.activation(self.up(x)))
        return self.norm(x + self._drop(inner))  # (batch, pieces, hidden)

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class BertBackbone(Backbone):
    """A BERT encoder.

    Args:
        config: what `BertConfig.from_dict` read.
        pooler: carry the pooler's weights, which some published checkpoints hold.

    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2}
    >>> layers = {"num_hidden_layers": 1, "intermediate_size": 16}
    >>> backbone = BertBackbone(BertConfig.from_dict(sizes | layers))
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: BertConfig, *, pooler: bool = True) -> None:
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocabulary, config.hidden)
        self.position_embeddings = nn.Embedding(config.positions, config.hidden)
        self.type_embeddings = nn.Embedding(config.types, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.layers))
        self.pooler = nn.Linear(config.hidden, config.hidden) if pooler else None

    @property
    def hidden(self) -> int:
        """Size of the output vectors."""
        return self.config.hidden

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over."""
        return len(self.layers)

    @property
    def layer_count(self) -> int:
        """Number of layers whose states `each_layer` yields."""
        return len(self.layers)

    @property
    def heads(self) -> int:
        """Number of heads of its attention."""
        return self.config.heads

    @property
    def max_pieces(self) -> int | None:
        """Longest sequence that can be encoded, None where there is no limit."""
        return self.config.positions

    def prepare(self) -> None:
        """Make ready for inference: nothing depends on the weights alone here."""
        self.eval()

    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, hidden) of the table alone."""
        return self.word_embeddings(ids)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, words: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Encode piece ids.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
            words: (batch, pieces, hidden) in place of the `word_vectors` of the ids.

        Returns:
            (batch, pieces, hidden) vectors; those at padding mean nothing.
        """
        for states in self.each_layer(ids, mask, words):
            last = states
        return last

    def each_layer(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        *,
        embedded: bool = False,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.word_vectors(ids) if words is None else words
        x = x + self.position_embeddings(positions)
        x = self.norm(x + self.type_embeddings.weight[0])
        if self.config.dropout:
            x = functional.dropout(x, self.config.dropout, self.training)
        if embedded:
            yield x
        lowest = torch.finfo(x.dtype).min
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * lowest  # (batch, 1, 1, pieces)
        for layer in self.layers:
            x = layer(x, bias)
            yield x

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours; ``{i}`` is the layer."""
        theirs, ours = "encoder.layer.{i}.", "layers.{i}."
        attention = theirs + "attention.self."
        projections = ("query", "key", "value")
        entries: list[Entry] = [
            Rename("embeddings.word_embeddings.weight", "word_embeddings.weight"),
            Rename("embeddings.position_embeddings.weight", "position_embeddings.weight"),
            Rename("embeddings.token_type_embeddings.weight", "type_embeddings.weight"),
            *linear("embeddings.LayerNorm", "norm"),
        ]
        entries += [
            Stack(tuple(f"{attention}{p}.{kind}" for p in projections), f"{ours}qkv.{kind}")
            for kind in ("weight", "bias")
        ]
        for published, own in (
            ("attention.output.dense", "attention_out"),
            ("attention.output.LayerNorm", "attention_norm"),
            ("intermediate.dense", "up"),
            ("output.dense", "down"),
            ("output.LayerNorm", "norm"),
        ):
            entries += linear(theirs + published, ours + own)
        if self.pooler is not None:
            entries += linear("pooler.dense", "pooler")
        return tuple(entries)
