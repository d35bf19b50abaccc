"""The relation part of a checkpoint: which spans may be related, and by what.

It takes vectors of spans and relation types and knows neither texts nor thresholds.
"""

from __future__ import annotations

import torch
from torch import nn

from onepass.models.gliner.config import RelationConfig
from onepass.nn.adjacency import Adjacency
from onepass.nn.keymap import Entry, with_prefix
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.triples import build_triples


class RelationHead(nn.Module):
    """Adjacency layer and pair scorer.

    Args:
        config: which of each.
        hidden: size of span and type vectors.
        dropout: probability, used while training.

    Raises:
        CheckpointError: for a size that a layer cannot have.

    >>> head = RelationHead(RelationConfig("none"), 8)
    >>> head.pairs(torch.zeros(5, 8), torch.zeros(5, 8), torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3])
    """

    def __init__(self, config: RelationConfig, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        none = config.adjacency == "none"
        self.adjacency = None if none else Adjacency(config.adjacency, hidden)
        self.pair = self.triples = None
        if config.triples is None:
            self.pair = Mlp(2 * hidden, 4 * hidden, hidden, dropout)
        else:
            self.triples = build_triples(config.triples, hidden)

    def pairs(
        self, heads: torch.Tensor, tails: torch.Tensor, relations: torch.Tensor
    ) -> torch.Tensor:
        """Return logits (pairs, labels).

        Args:
            heads: (pairs, hidden) span vectors.
            tails: (pairs, hidden) likewise.
            relations: (pairs, labels, hidden) vectors of the types that a pair is asked for.
        """
        if self.triples is not None:
            return self.triples(heads, relations, tails)
        assert self.pair is not None
        joined = self.pair(torch.cat([heads, tails], dim=-1))  # (pairs, hidden)
        return (relations @ joined[:, :, None])[..., 0]

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries: list[Entry] = []
        if self.adjacency is not None:
            near = "relations_rep_layer.relation_rep_layer.", "adjacency."
            entries += with_prefix(self.adjacency.keys(), *near)
        if self.triples is not None:
            triples = "triples_score_layer.interaction.", "triples."
            entries += with_prefix(self.triples.keys(), *triples)
        if self.pair is not None:
            entries += mlp_keys("pair_rep_layer", "pair", 3)
        return tuple(entries)
