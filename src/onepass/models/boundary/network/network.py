"""The GLiNER2 boundary network in torch: a backbone and its heads, as named graphs.

The same graphs are exported to ONNX, so this module holds all the mathematics and no decisions:
which spans are scored is decided between two graphs (`onepass.models.boundary.proposals`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from onepass.models.boundary.config import BoundaryConfig
from onepass.models.boundary.network.heads import RecordHead, RelationHead
from onepass.models.boundary.network.places import PlaceEncoder, PlaceScorer
from onepass.models.boundary.network.shared import SharedScorer
from onepass.models.boundary.network.spans import QueryEnds, QueryScorer
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, linear, with_prefix
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.network import Network
from onepass.nn.places import read_pieces


class BoundaryNetwork(Network):
    """Backbone, classifier, and the heads of spans, records and relations of one checkpoint.

    Args:
        config: the checkpoint's ``config.json``.
        encoder_config: its ``encoder_config/config.json``.
        pooler: whether its weights hold a BERT pooler.
    """

    def __init__(
        self, config: BoundaryConfig, encoder_config: Mapping[str, Any], *, pooler: bool = True
    ) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(encoder_config, pooler=pooler)
        hidden, head = self.backbone.hidden, config.head
        self.classifier = Mlp(hidden, 2 * hidden, 1)
        self.places = PlaceEncoder(hidden, head)
        self.place_scorer = PlaceScorer(hidden, head.size)
        self.query_ends = QueryEnds(hidden, head)
        self.query_scorer = QueryScorer(hidden, head)
        self.pool_start = nn.Linear(head.size, head.size)
        self.pool_end = nn.Linear(head.size, head.size)
        self.shared_scorer = SharedScorer(hidden, head)
        self.nothing = nn.Linear(hidden, 1) if head.abstains else None
        self.count = nn.Linear(hidden, 1) if head.counts else None  # nothing reads it
        self.record_head = RecordHead(hidden, head.size, config.records) if config.records else None
        self.relation_head = RelationHead(hidden, config.relations) if config.relations else None

    @property
    def hidden(self) -> int:
        """Size of the vectors that pass between graphs."""
        return self.backbone.hidden

    def encode(
        self, ids: torch.Tensor, mask: torch.Tensor, words: torch.Tensor, markers: torch.Tensor
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

        def encode(kept: torch.Tensor | None) -> torch.Tensor:
            states: torch.Tensor = self.backbone(ids, mask, kept=kept)
            return states

        word_states, marker_states = read_pieces(encode, words, [markers], self.config.pooling)
        return word_states, marker_states

    def classify(self, labels: torch.Tensor) -> torch.Tensor:
        """Return logits (...,) of label markers (..., hidden)."""
        return self.classifier(labels)[..., 0] / self.config.temperatures.classes

    def boundaries(
        self, word_states: torch.Tensor, lengths: torch.Tensor, queries: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return what is known of places, see `onepass.models.boundary.graphs`."""
        places = self.places(word_states, lengths)
        starts, ends, inside = self.place_scorer(places, word_states, queries)
        if self.config.proposals.pool == "shared":
            own = (self.pool_start(places), self.pool_end(places))
        else:
            own = self.query_ends(places, queries)
        nothing = () if self.nothing is None else (self.nothing(queries)[..., 0],)
        return (places, starts, ends, inside, *own, *nothing)

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that `onepass.models.boundary.graphs.graphs` describes."""
        shared = self.config.proposals.pool == "shared"
        found: dict[str, Callable[..., Any]] = {
            "encode": self.encode,
            "classify": self.classify,
            "boundaries": self.boundaries,
            "spans": self.shared_scorer if shared else self.query_scorer,
        }
        if self.record_head is not None:
            found["assign"] = self.record_head
        if self.relation_head is not None:
            found["relate"] = self.relation_head
        return found

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours; ``{i}`` is the encoder layer."""
        head, last = self.config.head, 3 if self.config.dropout > 0 else 2
        entries: list[Entry] = [
            *with_prefix(self.backbone.keys(), "encoder.", "backbone."),
            *mlp_keys("classifier", "classifier", last),
            *with_prefix(self.places.keys(head), "boundary_head.boundary_encoder.", "places."),
            *with_prefix(
                self.place_scorer.keys(), "boundary_head.boundary_query_head.", "place_scorer."
            ),
            *with_prefix(
                QueryEnds.keys(), "boundary_head.boundary_proposer.", "query_ends."
            ),
            *with_prefix(self.query_scorer.keys(), "boundary_head.pair_scorer.", "query_scorer."),
            *linear("boundary_head.shared_pool_builder.start_projection", "pool_start"),
            *linear("boundary_head.shared_pool_builder.end_projection", "pool_end"),
            *with_prefix(
                self.shared_scorer.keys(head), "boundary_head.shared_pool_scorer.",
                "shared_scorer.",
            ),
        ]  # fmt: skip
        if self.nothing is not None:
            entries += linear("boundary_head.null_projection", "nothing")
        if self.count is not None:
            entries += linear("boundary_head.count_head", "count")
        if self.record_head is not None:
            entries += linear("boundary_head.candidate_encoder", "record_head.span")
            entries += with_prefix(RecordHead.keys(), "record_decoder.", "record_head.")
        if self.relation_head is not None:
            own = self.relation_head.keys()
            entries += with_prefix(own, "relation_scorer.", "relation_head.")
        return tuple(entries)
