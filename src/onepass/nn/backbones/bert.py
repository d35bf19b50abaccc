"""BERT-type encoders (BERT, MiniLM, RoBERTa, XLM-R): absolute positions, post-norm, fused QKV.

The network is exact against transformers' ``BertModel`` and ``RobertaModel`` in fp32. It knows
nothing about prompts or heads. The pooler is carried for the sake of the published layout and never
run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from onepass.encoding.options import LAYERS, ROWS, SIZE, Options
from onepass.errors import CheckpointError
from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.attention import AttentionBackbone, AttentionLayer, closed, split_heads
from onepass.nn.keymap import Entry, Rename, Stack, linear
from onepass.nn.places import take

# What an absent vocab_size means in transformers.
_VOCABULARIES = {"bert": 30522, "camembert": 30522, "roberta": 50265, "xlm-roberta": 30522}
KINDS = tuple(_VOCABULARIES)


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The part of a BERT or RoBERTa ``config.json`` that changes the mathematics."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int  # rows of their table
    first_position: int  # row of the first piece: RoBERTa counts from behind the padding id
    types: int
    activation: str
    norm_eps: float
    dropout: float
    attention_dropout: float

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> BertConfig:
        """Read a published configuration; without a ``model_type`` it is one of BERT.

        Raises:
            CheckpointError: for a wrong value, or an option that this network does not compute.

        >>> config = BertConfig.from_dict({"model_type": "xlm-roberta", "pad_token_id": 1})
        >>> config.first_position, config.longest
        (2, 510)
        """
        model_type = config.get("model_type", "bert")
        options = Options(config, "this BERT encoder")
        if options.flag("is_decoder", False, null=False):
            raise CheckpointError(
                f"This {model_type} network is a decoder (is_decoder in its config.json), which "
                "reads from left to right; expected an encoder."
            )
        kind = config.get("position_embedding_type", "absolute")
        if kind not in (None, "absolute"):
            raise CheckpointError(
                f"position_embedding_type {kind!r} of this BERT encoder is not supported; "
                "'absolute' is."
            )
        hidden = options.whole("hidden_size", 768, least=1, most=SIZE)
        heads = options.whole("num_attention_heads", 12, least=1, most=SIZE)
        if hidden % heads:
            raise options.wrong("hidden_size", f"a multiple of its {heads} attention heads", hidden)
        padding = -1 if model_type == "bert" else config.get("pad_token_id", 1)
        if model_type != "bert" and (type(padding) is not int or padding < 0):
            raise CheckpointError(
                f"pad_token_id {padding!r} of this {model_type} encoder is not supported; its "
                "positions are counted from behind that id, so expected a number from 0 up."
            )
        return cls(
            vocabulary=options.whole("vocab_size", _VOCABULARIES[model_type], least=1, most=ROWS),
            hidden=hidden,
            layers=options.whole("num_hidden_layers", 12, least=1, most=LAYERS),
            heads=heads,
            intermediate=options.whole("intermediate_size", 3072, least=1, most=SIZE),
            positions=options.whole("max_position_embeddings", 512, least=padding + 2, most=ROWS),
            first_position=padding + 1,
            types=options.whole("type_vocab_size", 2, least=1, most=ROWS),
            activation=options.one_of("hidden_act", ACTIVATIONS, "gelu"),
            norm_eps=options.number("layer_norm_eps", 1e-12, least=0),
            dropout=options.share("hidden_dropout_prob", 0.1),
            attention_dropout=options.share("attention_probs_dropout_prob", 0.1),
        )

    @property
    def longest(self) -> int:
        """Number of pieces that have a position."""
        return self.positions - self.first_position


class BertLayer(AttentionLayer):
    """Self-attention and feed-forward, each with a residual and a normalization after it."""

    def __init__(self, config: BertConfig) -> None:
        hidden, eps = config.hidden, config.norm_eps
        super().__init__(hidden, config.heads, bias=True, dropout=config.attention_dropout)
        self.attention_norm = nn.LayerNorm(hidden, eps=eps)
        self.up = nn.Linear(hidden, config.intermediate)
        self.down = nn.Linear(config.intermediate, hidden)
        self.norm = nn.LayerNorm(hidden, eps=eps)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = config.dropout

    def forward(
        self, x: torch.Tensor, bias: torch.Tensor, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        q, k, v = (split_heads(part, self.heads) for part in self.project(x))
        mixed = self.attend(q, k, v, bias)  # (batch, pieces, hidden)
        if kept is not None:
            mixed, x = take(mixed, kept), take(x, kept)
        x = self.attention_norm(x + self._drop(self.attention_out(mixed)))
        inner = self.down(self.activation(self.up(x)))
        return self.norm(x + self._drop(inner))  # (batch, pieces, hidden)

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class BertBackbone(AttentionBackbone):
    """An encoder of BERT or RoBERTa.

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
        return self.config.longest

    @property
    def types(self) -> int:
        """Number of types that pieces can be told apart by."""
        return self.config.types

    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, hidden) of the table alone."""
        return self.word_embeddings(ids)

    def each_layer(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        *,
        embedded: bool = False,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer, kept ones of the last."""
        x = self.word_vectors(ids) if words is None else words
        x = x + self.position_embeddings(self._positions(ids, counted=words is None))
        table = self.type_embeddings
        x = self.norm(x + (table.weight[0] if types is None else table(types)))
        if self.config.dropout:
            x = functional.dropout(x, self.config.dropout, self.training)
        if embedded:
            yield x
        bias = closed(mask.bool()[:, None, None, :], x.dtype)  # (batch, 1, 1, pieces)
        for layer in self.layers:
            x = layer(x, bias, kept if layer is self.layers[-1] else None)
            yield x

    def _positions(self, ids: torch.Tensor, *, counted: bool) -> torch.Tensor:
        """Return (pieces) or (batch, pieces) rows of the table of positions.

        RoBERTa passes over a piece that is the padding id, which a text can spell; as published,
        it does so where it sees ids.
        """
        first = self.config.first_position
        if not (counted and first):
            return torch.arange(ids.shape[1], device=ids.device) + first
        real = (ids != first - 1).long()
        return real.cumsum(1) * real + (first - 1)

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
