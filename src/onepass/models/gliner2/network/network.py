"""The GLiNER2 span network in torch: a backbone and its heads, as named graphs.

`encode` runs once per text and prompt; the heads run on what it returns. The same graphs are
exported to ONNX, so this module holds all the mathematics and no decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from onepass.errors import CheckpointError
from onepass.models.gliner2.config import Gliner2Config, types_problem
from onepass.models.gliner2.network.heads import MAX_COUNT, PROJECTORS, Occurrences
from onepass.models.gliner2.network.reranker import Reranker
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, with_prefix
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.network import Network
from onepass.nn.places import read_pieces
from onepass.nn.span_head import SpanHead
from onepass.nn.weights import OURS


class Gliner2Network(Network):
    """Backbone, span head, count head, occurrence layer and classifier of one checkpoint.

    Some of our own have a reranker, too.

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
        if config.shapes:
            _check_types(self.backbone)
        hidden = self.backbone.hidden
        self.span_head = SpanHead(hidden, config.max_width, config.dropout)
        self.count_head = Mlp(hidden, 2 * hidden, MAX_COUNT)
        self.occurrences = Occurrences(hidden, PROJECTORS[config.counting_layer](hidden))
        self.classifier = Mlp(hidden, 2 * hidden, 1)
        self.reranker = Reranker() if config.reranker else None

    @property
    def hidden(self) -> int:
        """Size of the vectors that pass between graphs."""
        return self.backbone.hidden

    def encode(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor,
        markers: torch.Tensor,
        types: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode texts with their prompts and pick the vectors that the heads read.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            words: (batch, words, depth) positions of each word's pieces, -1 where there are none.
            markers: (batch, markers) position of each marker.
            types: (batch, pieces) types of the pieces, where the backbone is told any.

        Returns:
            (batch, words, hidden) and (batch, markers, hidden).
        """
        told = {} if types is None else {"types": types}

        def encode(kept: torch.Tensor | None) -> torch.Tensor:
            states: torch.Tensor = self.backbone(ids, mask, kept=kept, **told)
            return states

        word_states, marker_states = read_pieces(encode, words, [markers], self.config.pooling)
        return word_states, marker_states

    def count(self, markers: torch.Tensor) -> torch.Tensor:
        """Return logits (groups, 20) over the number of instances, from (groups, hidden)."""
        return self.count_head(markers)

    def classify(self, markers: torch.Tensor) -> torch.Tensor:
        """Return logits (...,) of label markers (..., hidden)."""
        return self.classifier(markers)[..., 0]

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that `onepass.models.gliner2.graphs.graphs` describes."""
        rerank = {} if self.reranker is None else {"rerank": self.reranker}
        return {
            "encode": self.encode,
            "count": self.count,
            "queries": self.occurrences,
            "spans": self.span_head,
            "classify": self.classify,
            **rerank,
        }

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours; ``{i}`` is the encoder layer."""
        reranker = () if self.reranker is None else self.reranker.keys()
        return (
            *with_prefix(self.backbone.keys(), "encoder.", "backbone."),
            *with_prefix(self.span_head.keys(), "span_rep.span_rep_layer.", "span_head."),
            *mlp_keys("count_pred", "count_head"),
            *with_prefix(self.occurrences.keys(), "count_embed.", "occurrences."),
            *mlp_keys("classifier", "classifier"),
            *with_prefix(reranker, f"{OURS}reranker.", "reranker."),
        )


def _check_types(backbone: Backbone) -> None:
    """Refuse a backbone that cannot be told the shapes of words."""
    problem = types_problem(backbone.types)
    if problem is not None:
        raise CheckpointError(problem)
