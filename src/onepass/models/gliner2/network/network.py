"""The GLiNER2 span network in torch: a backbone and its heads, as named graphs.

`encode` runs once per text and prompt; the heads run on what it returns. The same graphs are
exported to ONNX, so this module holds all the mathematics and no decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.heads import MAX_COUNT, PROJECTORS, Occurrences, SpanHead
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, with_prefix
from onepass.nn.mlp import Mlp, mlp_keys


class Gliner2Network(nn.Module):
    """Backbone, span head, count head, occurrence layer and classifier of one checkpoint.

    Args:
        config: the checkpoint's ``config.json``.
        encoder_config: its ``encoder_config/config.json``.
        pooler: whether its weights hold a BERT pooler.
    """

    def __init__(
        self, config: Gliner2Config, encoder_config: Mapping[str, Any], *, pooler: bool = True
    ) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(encoder_config, pooler=pooler)
        hidden = self.backbone.hidden
        self.span_head = SpanHead(hidden, config.max_width, config.dropout)
        self.count_head = Mlp(hidden, 2 * hidden, MAX_COUNT)
        self.occurrences = Occurrences(hidden, PROJECTORS[config.counting_layer](hidden))
        self.classifier = Mlp(hidden, 2 * hidden, 1)

    def encode(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor,
        markers: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode texts with their prompts and pick the vectors that the heads read.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            words: (batch, words, depth) positions of each word's pieces, -1 where there are none.
            markers: (batch, markers) position of each marker.

        Returns:
            (batch, words, hidden) and (batch, markers, hidden).
        """
        states = self.backbone(ids, mask)
        return self._pooled(states, words), take(states, markers)

    def _pooled(self, states: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Return (batch, words, hidden): the first piece of each word, or their mean or maximum."""
        if self.config.pooling == "first":
            return take(states, words[:, :, 0])
        batch, count, depth = words.shape
        real = (words >= 0)[..., None]  # (batch, words, depth, 1)
        picked = take(states, words.clamp(min=0).reshape(batch, count * depth))
        picked = picked.reshape(batch, count, depth, states.shape[2])
        if self.config.pooling == "max":
            return picked.masked_fill(~real, torch.finfo(states.dtype).min).amax(2)
        weight = real.to(states.dtype)
        return (picked * weight).sum(2) / weight.sum(2)

    def count(self, markers: torch.Tensor) -> torch.Tensor:
        """Return logits (groups, 20) over the number of instances, from (groups, hidden)."""
        return self.count_head(markers)

    def classify(self, markers: torch.Tensor) -> torch.Tensor:
        """Return logits (...,) of label markers (..., hidden)."""
        return self.classifier(markers)[..., 0]

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that `onepass.models.gliner2.graphs.GRAPHS` describes."""
        return {
            "encode": self.encode,
            "count": self.count,
            "queries": self.occurrences,
            "spans": self.span_head,
            "classify": self.classify,
        }

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours; ``{i}`` is the encoder layer."""
        return (
            *with_prefix(self.backbone.keys(), "encoder.", "backbone."),
            *with_prefix(self.span_head.keys(), "span_rep.span_rep_layer.", "span_head."),
            *mlp_keys("count_pred", "count_head"),
            *with_prefix(self.occurrences.keys(), "count_embed.", "occurrences."),
            *mlp_keys("classifier", "classifier"),
        )


def take(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return (batch, places, hidden): the states (batch, pieces, hidden) at (batch, places).

    >>> states = torch.arange(6.0).reshape(1, 3, 2)
    >>> take(states, torch.tensor([[2, 0]])).tolist()
    [[[4.0, 5.0], [0.0, 1.0]]]
    """
    index = places[:, :, None].expand(-1, -1, states.shape[2])
    return states.gather(1, index)
