"""DeBERTa-v2 and -v3 encoders: relative distances in every layer, fused QKV.

The network is exact against transformers' ``DebertaV2Model`` in fp32. It knows nothing about
prompts or heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.deberta_config import DebertaConfig
from onepass.nn.backbones.deberta_layer import DebertaLayer, Frame, distance_rows
from onepass.nn.backbones.disentangled import BLOCKS, TableRows, block_distances
from onepass.nn.backbones.fused import Fused, can_fuse, lengths_of
from onepass.nn.keymap import Entry, Rename, Stack, expand, linear, with_prefix
from onepass.nn.places import take

__all__ = ["DebertaBackbone", "DebertaConfig", "DebertaEncoder"]


class DebertaConvolution(nn.Module):
    """The convolution that DeBERTa-v2-xlarge adds to its first layer."""

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        width, groups = config.conv_width, config.conv_groups
        self.conv = nn.Conv1d(
            config.hidden, config.hidden, width, padding=width // 2, groups=groups
        )
        self.norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.activation = ACTIVATIONS[config.conv_activation]
        self.dropout = config.dropout

    def forward(self, x: torch.Tensor, layer: torch.Tensor) -> torch.Tensor:
        """Add the convolution of the embeddings ``x`` to the first layer's output.

        Args:
            x: (batch, pieces, hidden), zero at padding.
            layer: (batch, pieces, hidden).

        Returns:
            (batch, pieces, hidden).
        """
        near = self.conv(x.transpose(1, 2)).transpose(1, 2)  # (batch, pieces, hidden)
        near = self.activation(functional.dropout(near, self.dropout, self.training))
        return self.norm(layer + near)


class DebertaEncoder(nn.Module):
    """The layers of DeBERTa and what they share: the vectors of the distances.

    Args:
        config: what `DebertaConfig.from_dict` read.
    """

    rows: torch.Tensor

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(DebertaLayer(config) for _ in range(config.layers))
        vectors = 2 * config.span
        self.distances = nn.Embedding(vectors, config.hidden) if config.relative else None
        self.distance_norm = (
            nn.LayerNorm(config.hidden, eps=config.norm_eps) if config.normed_distances else None
        )
        self.convolution = DebertaConvolution(config) if config.conv_width else None
        rows = distance_rows(config.span, config.buckets, config.max_distance)
        self.register_buffer("rows", rows, persistent=False)  # (2 * max_distance + 1)
        self.fuses = False  # whether one kernel attends; `prepare` finds out

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Run the layers.

        Args:
            x: (batch, pieces, hidden) embeddings, zero at padding.
            mask: (batch, pieces), 1 at real pieces, 0 at padding.
            kept: (batch, kept) places of the pieces that are read; None for all.

        Returns:
            (batch, pieces or kept, hidden) vectors; those at padding mean nothing.
        """
        with _one_kind_of_numbers(next(self.parameters())):
            for states in self.each_layer(x, mask, kept):
                last = states
        return last

    def each_layer(
        self, x: torch.Tensor, mask: torch.Tensor, kept: torch.Tensor | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer, kept ones of the last."""
        pieces = mask.shape[1]
        more = (pieces + BLOCKS - 1) // BLOCKS * BLOCKS - pieces
        x = functional.pad(x, (0, 0, 0, more))
        frame = self._frame(functional.pad(mask, (0, more)), x.dtype)
        embeddings = x
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            chosen = kept if i == last else None
            if i == 0 and self.convolution is not None:  # it reads the neighbors of each piece
                x = self.convolution(embeddings, layer(x, frame))
                x = x if chosen is None else take(x, chosen)
            else:
                x = layer(x, frame, chosen)
            yield x[:, :pieces] if chosen is None else x

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        self.eval()
        # Inference tensors could not be exported, whatever the caller's mode is.
        with torch.inference_mode(False), torch.no_grad():
            vectors = self._vectors()
            for layer in self.layers:
                assert isinstance(layer, DebertaLayer)
                layer.prepare(vectors)
        first = self.layers[0]
        assert isinstance(first, DebertaLayer)
        table = first.key_table if first.key_table is not None else first.query_table
        self.fuses = table is not None and can_fuse(table)

    def _vectors(self) -> torch.Tensor | None:
        if self.distances is None:
            return None
        vectors = self.distances.weight  # (2 * span, hidden)
        return vectors if self.distance_norm is None else self.distance_norm(vectors)

    def _frame(self, mask: torch.Tensor, dtype: torch.dtype) -> Frame:
        lowest = torch.finfo(dtype).min / 2  # half: scores added to it must not overflow
        bias = (1.0 - mask[:, None, :].to(dtype)) * lowest
        prepared = all(layer.scaled_weight is not None for layer in self.layers)
        vectors = None if prepared else self._vectors()
        if prepared and self._may_fuse(mask):
            return Frame(bias, vectors, None, Fused(self.rows, lengths_of(mask)))
        farthest = self.config.max_distance
        distances = block_distances(mask.shape[1], mask.device)
        by_query = self.rows[(-distances).clamp(-farthest, farthest) + farthest]
        by_key = self.rows[distances.clamp(-farthest, farthest) + farthest]
        return Frame(bias, vectors, TableRows(by_query, by_key))

    def _may_fuse(self, mask: torch.Tensor) -> bool:
        """Return whether one kernel may attend: it has no backward pass, and is not exported."""
        if not self.fuses or not mask.is_cuda:
            return False
        return not torch.is_grad_enabled() and not torch.onnx.is_in_onnx_export()

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours, layers spelled out."""
        config = self.config
        entries: list[Entry] = []
        if config.relative:
            entries.append(Rename("rel_embeddings.weight", "distances.weight"))
        if config.normed_distances:
            entries += linear("LayerNorm", "distance_norm")
        if config.conv_width:
            entries += linear("conv.conv", "convolution.conv")
            entries += linear("conv.LayerNorm", "convolution.norm")
        return (*entries, *expand(_layer_keys(config), config.layers))


class DebertaBackbone(Backbone):
    """A DeBERTa-v2 or -v3 encoder.

    Args:
        config: what `DebertaConfig.from_dict` read.

    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2}
    >>> layers = {"num_hidden_layers": 1, "intermediate_size": 16}
    >>> backbone = DebertaBackbone(DebertaConfig.from_dict(sizes | layers))
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.config = config
        size = config.embedding
        self.word_embeddings = nn.Embedding(config.vocabulary, size)
        self.position_embeddings = (
            nn.Embedding(config.positions, size) if config.absolute_positions else None
        )
        self.type_embeddings = nn.Embedding(config.types, size) if config.types else None
        self.widen = nn.Linear(size, config.hidden, bias=False) if size != config.hidden else None
        self.norm = nn.LayerNorm(config.hidden, eps=config.norm_eps)
        self.encoder = DebertaEncoder(config)

    @property
    def hidden(self) -> int:
        """Size of the output vectors."""
        return self.config.hidden

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over."""
        return self.config.layers

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
        """Longest sequence that can be encoded, None where there is no limit."""
        return self.config.positions if self.config.absolute_positions else None

    @property
    def types(self) -> int:
        """Number of types that pieces can be told apart by."""
        return self.config.types

    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, size) of the table alone."""
        return self.word_embeddings(ids)

    def forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Encode piece ids, see `Backbone.forward`."""
        with _one_kind_of_numbers(self.norm.weight):
            return super().forward(ids, mask, words, kept, types)

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
        x = self._embed(ids, mask, words, types)
        if embedded:
            yield x
        yield from self.encoder.each_layer(x, mask, kept)

    def _embed(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None,
        types: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden), 0 at padding."""
        x = self.word_vectors(ids) if words is None else words.to(self.norm.weight.dtype)
        if self.position_embeddings is not None:
            x = x + self.position_embeddings(torch.arange(ids.shape[1], device=ids.device))
        if self.type_embeddings is not None:
            table = self.type_embeddings
            x = x + (table.weight[0] if types is None else table(types))
        if self.widen is not None:
            x = self.widen(x)  # (batch, pieces, hidden)
        x = self.norm(x) * mask[:, :, None].to(x.dtype)
        return functional.dropout(x, self.config.dropout, self.training)

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once.

        The distance tables of each layer are projected and the scale goes into the weights of the
        queries. Outputs stay the same. `train` and `load_state_dict` drop the result; a change of
        the weights by other means needs another call. Call it before an export to ONNX.

        Raises:
            TypeError: where an adapter wraps a layer that has to be read.
        """
        self.eval()
        self.encoder.prepare()

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours, layers spelled out."""
        config = self.config
        entries: list[Entry] = [
            Rename("embeddings.word_embeddings.weight", "word_embeddings.weight"),
            *linear("embeddings.LayerNorm", "norm"),
        ]
        for there, name, own in (
            (config.absolute_positions, "embeddings.position_embeddings", "position_embeddings"),
            (config.types > 0, "embeddings.token_type_embeddings", "type_embeddings"),
            (self.widen is not None, "embeddings.embed_proj", "widen"),
        ):
            if there:
                entries.append(Rename(f"{name}.weight", f"{own}.weight"))
        return (*entries, *with_prefix(self.encoder.keys(), "encoder.", "encoder."))


def _one_kind_of_numbers(weight: torch.Tensor) -> AbstractContextManager[Any]:
    """Compute in the numbers of half weights on a GPU, whatever autocast would widen there.

    It normalizes in fp32, and everything between two products would pass through memory at twice
    the size. Nothing in this encoder needs it: all its constants are made in the numbers at hand.
    """
    if weight.is_cuda and weight.dtype is not torch.float32:
        return torch.autocast("cuda", enabled=False)
    return nullcontext()


def _layer_keys(config: DebertaConfig) -> list[Entry]:
    theirs, ours = "layer.{i}.", "layers.{i}."
    attention = theirs + "attention.self."
    projections = ("query_proj", "key_proj", "value_proj")
    entries: list[Entry] = [
        Stack(tuple(f"{attention}{p}.{kind}" for p in projections), f"{ours}qkv.{kind}")
        for kind in ("weight", "bias")
    ]
    own = config.relative and not config.shared_projections
    if own and "c2p" in config.position_types:
        entries += linear(attention + "pos_key_proj", ours + "distance_key")
    if own and "p2c" in config.position_types:
        entries += linear(attention + "pos_query_proj", ours + "distance_query")
    for published, name in (
        ("attention.output.dense", "attention_out"),
        ("attention.output.LayerNorm", "attention_norm"),
        ("intermediate.dense", "up"),
        ("output.dense", "down"),
        ("output.LayerNorm", "norm"),
    ):
        entries += linear(theirs + published, ours + name)
    return entries
