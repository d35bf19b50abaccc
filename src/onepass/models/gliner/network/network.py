"""The GLiNER network in torch: one or two encoders and the layers that score, as named graphs.

`encode` runs once per text and prompt; the other graphs run on what it returns. The same graphs are
exported to ONNX, so this module holds all the mathematics and no decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from onepass.errors import CheckpointError
from onepass.models.gliner.config import DecoderConfig, GlinerConfig
from onepass.models.gliner.fixed_labels import WEIGHT
from onepass.models.gliner.network.relations import RelationHead
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.build import build_backbone, build_decoder
from onepass.nn.context_encoders import ContextEncoder, build_context_encoder
from onepass.nn.fusion import Fusion
from onepass.nn.keymap import Entry, Rename, expand, linear, with_prefix
from onepass.nn.layer_fuser import LayerFuser
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.network import Network
from onepass.nn.places import read_pieces, take, within
from onepass.nn.span_modes import build_span_layer
from onepass.nn.token_head import TokenHead
from onepass.nn.word_lstm import WordLstm

if TYPE_CHECKING:
    from onepass.models.gliner.network.generate import LabelDecoder


class _Keyed(Protocol):
    """A part that knows the published names of its weights."""

    def keys(self) -> Sequence[Entry]:
        """Return the table between published names and ours."""


class Outward(nn.Module):
    """What turns the layers of an encoder into vectors of the checkpoint's size.

    Args:
        backbone: whose layers they are.
        hidden: size of the vectors.
        fuse_layers: whether all layers are mixed; else the last one counts.
    """

    def __init__(self, backbone: Backbone, hidden: int, *, fuse_layers: bool) -> None:
        super().__init__()
        self.fuser = LayerFuser(backbone.layer_count, backbone.hidden) if fuse_layers else None
        self.projection = nn.Linear(backbone.hidden, hidden) if backbone.hidden != hidden else None

    def forward(
        self,
        backbone: Backbone,
        ids: torch.Tensor,
        mask: torch.Tensor,
        kept: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden), or (batch, kept, hidden).

        Args:
            backbone: that reads them.
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            kept: (batch, kept) places of the pieces that are read; None for all.
        """
        if self.fuser is None:
            states = backbone(ids, mask, kept=kept)
        else:
            states = self.fuser(backbone.each_layer(ids, mask), mask)
            states = states if kept is None else take(states, kept)
        return states if self.projection is None else self.projection(states)

    def keys(self, backbone: Backbone, encoder: str, projection: str) -> tuple[Entry, ...]:
        """Return the table between published names and ours, of the backbone too.

        Args:
            backbone: whose weights are published below ``encoder``.
            encoder: published prefix of the encoder.
            projection: published name of the projection.
        """
        own = expand(backbone.keys(), backbone.depth)
        entries = [*with_prefix(own, f"{encoder}.model.", "backbone.")]
        if self.fuser is not None:
            entries += with_prefix(self.fuser.keys(), f"{encoder}.layers_fuser.", "outward.fuser.")
        if self.projection is not None:
            entries += linear(projection, "outward.projection")
        return tuple(entries)


class GlinerNetwork(Network):
    """Encoders and heads of one checkpoint.

    Args:
        config: which parts it has.
        encoder: transformers configuration of the text encoder.
        label_encoder: likewise, of the label encoder; None without one.
        pooler: whether the weights hold a BERT pooler of the text encoder.
        label_pooler: likewise, of the label encoder.

    Raises:
        CheckpointError: for a part that is not supported.
    """

    def __init__(
        self,
        config: GlinerConfig,
        *,
        encoder: Mapping[str, Any],
        label_encoder: Mapping[str, Any] | None = None,
        pooler: bool = True,
        label_pooler: bool = True,
    ) -> None:
        super().__init__()
        self.config, self.encoder, self.label_encoder = config, encoder, label_encoder
        hidden, fuse_layers = config.hidden, config.fuse_layers
        self.prompt_reader: ContextEncoder | None = None
        if config.streaming is None:
            self.backbone = build_backbone(encoder, pooler=pooler)
        else:
            self.backbone = build_decoder(encoder)
            self.prompt_reader = build_context_encoder(config.streaming.labels, hidden)
        self.outward = Outward(self.backbone, hidden, fuse_layers=fuse_layers)
        self.label_backbone: Backbone | None = None
        self.label_outward: Outward | None = None
        if label_encoder is not None:
            self.label_backbone = build_backbone(label_encoder, pooler=label_pooler)
            self.label_outward = Outward(self.label_backbone, hidden, fuse_layers=fuse_layers)
        self.lstm = WordLstm(hidden, config.rnn_layers) if config.rnn_layers else None
        self.fusion = (
            Fusion(hidden, self.backbone.heads, config.fusion, config.fusion_layers, config.dropout)
            if config.fusion
            else None
        )
        self.label_table = nn.Embedding(len(config.fixed), hidden) if config.fixed else None
        self._build_heads(config)

    def _build_heads(self, config: GlinerConfig) -> None:
        hidden, dropout = config.hidden, config.dropout
        self.relations = (
            RelationHead(config.relations, hidden, dropout) if config.relations else None
        )
        related = self.relations is not None
        self.prompt = (
            Mlp(hidden, 4 * hidden, hidden, dropout) if related or not config.tokens else None
        )
        self.token_head = TokenHead(hidden, dropout) if config.tokens else None
        self.span_layer = (
            build_span_layer(config.span_mode, hidden, config.max_width, dropout)
            if not config.tokens or config.represent_spans or related
            else None
        )
        self.context = build_context_encoder(config.context, hidden) if config.context else None
        self.decoder = _build_decoder(config.decoder, hidden, dropout) if config.decoder else None

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        super().prepare()
        for part in (self.context, self.prompt_reader):
            if part is not None:
                part.prepare()

    @property
    def hidden(self) -> int:
        """Size of the vectors that pass between graphs."""
        return self.config.hidden

    def encode(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor,
        word_counts: torch.Tensor,
        *markers: torch.Tensor,
    ) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Encode texts with their prompts and pick the vectors that the heads read.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            words: (batch, words, depth) positions of each word's pieces, -1 where there are none.
            word_counts: (batch,) words of each row.
            markers: (batch, labels) and, with relations, (batch, types): positions of the pieces
                whose vectors are those of the labels and types; none with a label encoder.

        Returns:
            (batch, words, hidden), 0 past the counts, and (batch, labels, hidden) for each of the
            markers.
        """
        encode = partial(self.outward, self.backbone, ids, mask)
        pooled, *others = read_pieces(encode, words, markers, self.config.pooling)
        if self.lstm is not None:
            pooled = self.lstm(pooled, word_counts)
        else:
            pooled = pooled * within(word_counts, pooled.shape[1])[..., None]
        return (pooled, *others) if markers else pooled

    def encode_labels(self, label_ids: torch.Tensor, label_mask: torch.Tensor) -> torch.Tensor:
        """Return label vectors (labels, hidden): the mean over the pieces of each.

        Args:
            label_ids: (labels, pieces) integers of the label encoder.
            label_mask: (labels, pieces), 1 at real pieces.
        """
        assert self.label_backbone is not None
        assert self.label_outward is not None
        states = self.label_outward(self.label_backbone, label_ids, label_mask)
        real = label_mask[..., None].to(states.dtype)
        return (states * real).sum(1) / real.sum(1).clamp(min=1)

    def read_prompt(
        self, prompt_states: torch.Tensor, piece_counts: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return label vectors (batch, labels, hidden) of a streaming checkpoint.

        Args:
            prompt_states: (batch, pieces, hidden) of all that stands in front of a text.
            piece_counts: (batch,) pieces of each prompt.
            labels: (batch, labels) places of the markers.
        """
        assert self.prompt_reader is not None
        return take(self.prompt_reader(prompt_states, piece_counts), labels)

    def fixed_labels(self, rows: torch.Tensor) -> torch.Tensor:
        """Return label vectors (labels, hidden) of those that are weights.

        Args:
            rows: (labels,) of the table; an export tries some that are not there.
        """
        assert self.label_table is not None
        return self.label_table(rows.clamp(max=self.label_table.num_embeddings - 1))

    def queries(self, label_states: torch.Tensor) -> torch.Tensor:
        """Return (batch, labels, hidden): label vectors as the heads of spans read them."""
        assert self.prompt is not None
        return self.prompt(label_states)

    def spans(
        self, word_states: torch.Tensor, word_counts: torch.Tensor, queries: torch.Tensor
    ) -> torch.Tensor:
        """Return logits (batch, labels, words, width); spans that pass the end are undefined.

        Args:
            word_states: (batch, words, hidden), in their context where there is such a part.
            word_counts: (batch,) words of each row.
            queries: (batch, labels, hidden).
        """
        assert self.span_layer is not None
        return self.span_layer(word_states, queries, word_counts)

    def span_states(
        self, word_states: torch.Tensor, word_counts: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        """Return span vectors (batch, spans, hidden).

        Args:
            word_states: (batch, words, hidden), in their context where there is such a part.
            word_counts: (batch,) words of each row.
            places: (batch, spans, 2) first and last word of each.
        """
        assert self.span_layer is not None
        return self.span_layer.at(word_states, places, word_counts)

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that `onepass.models.gliner.graphs.graphs` describes."""
        config = self.config
        singly = config.represent_spans or config.relations is not None
        parts: tuple[tuple[bool, str, Callable[..., Any] | None], ...] = (
            (True, "encode", self.encode),
            (self.label_backbone is not None, "encode_labels", self.encode_labels),
            (self.label_table is not None, "fixed_labels", self.fixed_labels),
            (self.prompt_reader is not None, "read_prompt", self.read_prompt),
            (True, "fuse", self.fusion),
            (True, "context", self.context),
            (self.prompt is not None, "queries", self.queries),
            (True, "tokens", self.token_head),
            (not config.tokens, "spans", self.spans),
            (singly or config.decoder is not None, "span_states", self.span_states),
        )
        found = {name: part for there, name, part in parts if there and part is not None}
        if self.relations is not None:
            if self.relations.adjacency is not None:
                found["adjacency"] = self.relations.adjacency
            found["pairs"] = self.relations.pairs
        if self.decoder is not None:
            from onepass.models.gliner.network.generate import as_graph  # transformers is slow

            found["generate"] = partial(as_graph, self.decoder)
        return found

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours, layers of encoders spelled out."""
        text = "token_rep_layer.bert_layer", "token_rep_layer.projection"
        if self.config.streaming is not None:
            text = "token_rep_layer.decoder_layer", "token_projection"
        entries = [*self.outward.keys(self.backbone, *text)]
        if self.label_backbone is not None and self.label_outward is not None:
            labels = "token_rep_layer.labels_encoder", "token_rep_layer.labels_projection"
            table = self.label_outward.keys(self.label_backbone, *labels)
            entries += with_prefix(table, "", "label_")
        if self.label_table is not None:
            entries.append(Rename(WEIGHT, "label_table.weight"))
        if self.prompt is not None:
            entries += mlp_keys("prompt_rep_layer", "prompt", 3)
        parts: tuple[tuple[_Keyed | None, str, str], ...] = (
            (self.lstm, "rnn.lstm.", "lstm."),
            (self.fusion, "cross_fuser.", "fusion."),
            (self.token_head, "scorer.", "token_head."),
            (self.span_layer, "span_rep_layer.span_rep_layer.", "span_layer."),
            (self.context, "span_rep_layer.context_encoder.", "context."),
            (self.prompt_reader, "labels_encoder.encoder.", "prompt_reader."),
            (self.relations, "", "relations."),
            (self.decoder, "", "decoder."),
        )
        for part, theirs, ours in parts:
            if part is not None:
                entries += with_prefix(part.keys(), theirs, ours)
        return tuple(entries)


def _build_decoder(config: DecoderConfig, hidden: int, dropout: float) -> LabelDecoder:
    from onepass.models.gliner.network.generate import LabelDecoder  # transformers is slow to load

    if config.encoder is None:
        raise CheckpointError(
            "This GLiNER checkpoint does not say what its decoder is (labels_decoder_config is "
            f"missing in gliner_config.json); put the config.json of {config.name} there."
        )
    return LabelDecoder(config.encoder, hidden, dropout)
