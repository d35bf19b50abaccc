"""ModernBERT encoders, and Ettin's: rotary positions, near and global layers, gated feed-forward.

The network is exact against transformers' ``ModernBertModel`` in fp32. It knows nothing about
prompts or heads.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.attention import AttentionBackbone, closed
from onepass.nn.backbones.modernbert_config import ModernBertConfig
from onepass.nn.backbones.modernbert_layer import Blocks, ModernBertLayer, View, rotation
from onepass.nn.keymap import Entry, Rename

__all__ = ["ModernBertBackbone", "ModernBertConfig"]


class ModernBertBackbone(AttentionBackbone):
    """A ModernBERT encoder.

    Args:
        config: what `ModernBertConfig.from_dict` read.

    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2}
    >>> layers = {"num_hidden_layers": 2, "intermediate_size": 16}
    >>> backbone = ModernBertBackbone(ModernBertConfig.from_dict(sizes | layers))
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.config = config
        hidden, eps, bias = config.hidden, config.norm_eps, config.norm_bias
        self.word_embeddings = nn.Embedding(config.vocabulary, hidden)
        self.norm = nn.LayerNorm(hidden, eps=eps, bias=bias)
        self.layers = nn.ModuleList(ModernBertLayer(config, i) for i in range(config.layers))
        self.final_norm = nn.LayerNorm(hidden, eps=eps, bias=bias)

    @property
    def hidden(self) -> int:
        """Size of the output vectors."""
        return self.config.hidden

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over: they are spelled out."""
        return 0

    @property
    def layer_count(self) -> int:
        """Number of layers whose states `each_layer` yields."""
        return self.config.layers

    @property
    def heads(self) -> int:
        """Number of heads of its attention."""
        return self.config.heads

    @property
    def max_pieces(self) -> int | None:
        """Longest sequence that it was made for."""
        return self.config.positions

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
        """Yield the (batch, pieces, hidden) vectors behind each layer.

        Those of the last are normalized, and only the kept ones where some are given.
        """
        pieces = ids.shape[1]
        x = self.norm(self.word_vectors(ids) if words is None else words)
        if self.config.embedding_dropout:
            x = functional.dropout(x, self.config.embedding_dropout, self.training)
        if embedded:
            yield x
        blocks = Blocks.of(pieces, self.config.reach) if any(self.config.local_layers) else None
        if blocks is not None:  # a block has as many pieces as any other
            more = blocks.count * blocks.queries - pieces
            x = functional.pad(x, (0, 0, 0, more))
            mask = functional.pad(mask, (0, more))
        views = self._views(x, mask, blocks)
        last = self.config.layers - 1
        for i, (layer, local) in enumerate(zip(self.layers, self.config.local_layers, strict=True)):
            if i < last or kept is None:
                x = layer(x, views[local])
                yield self.final_norm(x[:, :pieces]) if i == last else x[:, :pieces]
            else:
                yield self.final_norm(layer(x, views[local], kept))

    def _views(
        self, x: torch.Tensor, mask: torch.Tensor, blocks: Blocks | None
    ) -> dict[bool, View]:
        """Return what the global and the local layers share, by whether they are local."""
        pieces, size = x.shape[1], self.config.hidden // self.config.heads
        seen = mask.bool()
        views = {
            False: View(
                *rotation(pieces, size, self.config.global_theta, x),
                bias=closed(seen[:, None, None, :], x.dtype),
            )
        }
        if blocks is None:
            return views
        queries = torch.arange(pieces, device=x.device).view(blocks.count, -1)
        places = blocks.places(self.config.reach, x.device)
        near = (queries[:, :, None] - places[:, None, :]).abs() <= self.config.reach
        open_ = near & seen[:, places][:, :, None, :]  # (batch, blocks, queries, keys)
        one = isinstance(blocks.count, int) and blocks.count == 1  # not while traced
        views[True] = View(
            *rotation(pieces, size, self.config.local_theta, x),
            bias=closed(open_.flatten(0, 1)[:, None], x.dtype),
            places=None if one else places,
        )
        return views

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours, layers spelled out."""
        config = self.config
        entries: list[Entry] = [
            Rename("embeddings.tok_embeddings.weight", "word_embeddings.weight"),
            *_linear("embeddings.norm", "norm", bias=config.norm_bias),
            *_linear("final_norm", "final_norm", bias=config.norm_bias),
        ]
        for i in range(config.layers):
            for theirs, ours, bias in (
                ("attn_norm", "attention_norm", config.norm_bias),
                ("attn.Wqkv", "qkv", config.attention_bias),
                ("attn.Wo", "attention_out", config.attention_bias),
                ("mlp_norm", "norm", config.norm_bias),
                ("mlp.Wi", "up", config.mlp_bias),
                ("mlp.Wo", "down", config.mlp_bias),
            ):
                if i or ours != "attention_norm":
                    entries += _linear(f"layers.{i}.{theirs}", f"layers.{i}.{ours}", bias=bias)
        return tuple(entries)


def _linear(theirs: str, ours: str, *, bias: bool) -> list[Entry]:
    kinds = ("weight", "bias") if bias else ("weight",)
    return [Rename(f"{theirs}.{kind}", f"{ours}.{kind}") for kind in kinds]
