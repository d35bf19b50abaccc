"""What predicts the reward of a text before it is answered.

It knows no family: a policy gives the vectors that it reads.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from onepass.training.rl.policy import Policy
from onepass.training.working import Working


class ValueModel(nn.Module):
    """One number for each text, from a copy of the policy's network or from the network itself.

    Args:
        policy: whose network is copied, as it is now.
        own: whether the copy is trained; otherwise only the output is, behind the vectors of the
            network that is trained as a policy, which then get no gradient from here.
    """

    def __init__(self, policy: Policy, *, own: bool) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(policy.network) if own else None
        self.head = nn.Linear(policy.hidden, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.to(next(policy.network.parameters()).device)

    def expect(self, reward: float) -> None:
        """Predict this reward of every text for now, to start where rewards are."""
        nn.init.constant_(self.head.bias, reward)

    def groups(self, rate: float, head_rate: float, decay: float) -> list[dict[str, Any]]:
        """Return optimizer groups with ``params``, ``lr`` and ``weight_decay``.

        Args:
            rate: learning rate of the copy.
            head_rate: learning rate of the output.
            decay: weight decay of the matrices of the copy.
        """
        groups = [{"params": list(self.head.parameters()), "lr": head_rate, "weight_decay": 0.0}]
        if self.encoder is not None:
            parameters = list(self.encoder.parameters())
            for decays in (False, True):
                own = [one for one in parameters if (one.ndim > 1) is decays]
                groups.append({"params": own, "lr": rate, "weight_decay": decay if decays else 0.0})
        return groups


class Predictor:
    """A value model at work, in the precision of the run.

    Args:
        model: what is trained.
        policy: gives the vectors.
        shared: the network that the policy works with, for a model without a copy of its own.
        precision: "bf16" or "fp32" of the copy; the output is in fp32.
    """

    def __init__(
        self, model: ValueModel, policy: Policy, shared: nn.Module, precision: str
    ) -> None:
        self.model, self._policy, self._shared = model, policy, shared
        self._working = None if model.encoder is None else Working(model.encoder, precision)
        if self._working is not None:
            still(self._working.network)

    def values(self, batch: Any) -> torch.Tensor:
        """Return (texts,) predicted rewards of a batch, with the newest weights."""
        self.model.head.zero_grad()
        if self._working is None:
            with torch.no_grad():
                vectors = self._policy.vectors(self._shared, batch)
        else:
            self._working.load()
            vectors = self._policy.vectors(self._working.network, batch)
        predicted: torch.Tensor = self.model.head(vectors.float())
        return predicted[:, 0]

    def hand_over(self) -> None:
        """Give the gradients to the weights that are optimized."""
        if self._working is not None:
            self._working.hand_over()


def still(network: nn.Module) -> None:
    """Let a network answer the same way twice: no dropout, though it can learn.

    The ratio of two probabilities says nothing if a part of the difference is chance.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, nn.RNNBase):  # on GPUs they learn in no other mode
            module.train()
