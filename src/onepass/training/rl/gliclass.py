"""How GLiClass networks decide: each label by its score against the text."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from onepass.corpus.question import Question
from onepass.models.gliclass.network.loss import run_network, seen_states
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.models.gliclass.targets import Asked, Targets
from onepass.nn.pooling import pool


class GliclassDecides:
    """See `onepass.training.rl.policy.Decides`."""

    def hidden(self, network: GliclassNetwork) -> int:
        """Return the size of the encoder's vectors."""
        return network.hidden

    def items(self, question: Question, asked: Asked) -> Sequence[int]:
        """Return the places of the labels of the pass, which may be a part of those of the task."""
        return asked.reading.prompt.items

    def logits(self, network: GliclassNetwork, batch: Targets) -> torch.Tensor:
        """Return (passes, labels) logits."""
        return run_network(network, batch)

    def vectors(self, network: GliclassNetwork, batch: Targets) -> torch.Tensor:
        """Return (passes, hidden): the text in one vector, pooled as the network pools it.

        It is the mean where the network reads every piece by itself, or adds them up.
        """
        with seen_states(network) as seen:
            run_network(network, batch)
        states, text_mask = seen.states[0]
        pooling = network.head.pooling
        return pool(states, text_mask, "avg" if pooling in ("pass", "sum") else pooling)
