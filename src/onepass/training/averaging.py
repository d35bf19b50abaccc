"""A running mean of the weights of a network, which is often better than the last ones.

It knows neither the model nor the loop. Source: Polyak averaging, with exponential decay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


class Average:
    """The mean of the trained weights over the steps so far, newer ones weighing more.

    Early on, the decay is lower, ``(1 + step) / (10 + step)``: the start is soon forgotten.
    What normalizations have seen is not averaged: it is a mean already.

    Args:
        network: in fp32, with the weights to start from; frozen ones are not averaged.
        decay: share of the mean that stays at each step.

    >>> network = torch.nn.Linear(1, 1, bias=False)
    >>> average = Average(network, 0.5)
    >>> with torch.no_grad():
    ...     _ = network.weight.fill_(1.0)
    >>> average.step()
    >>> average.steps
    1
    """

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        self.steps = 0
        self._decay = decay
        self._live = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._mean = {name: weight.detach().clone() for name, weight in self._live.items()}

    def step(self) -> None:
        """Take in the weights after an optimizer step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            means = list(self._mean.values())
            weights: list[torch.Tensor] = list(self._live.values())
            torch._foreach_lerp_(means, weights, 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the mean into the network for a while."""
        kept = [weight.detach().clone() for weight in self._live.values()]
        with torch.no_grad():
            torch._foreach_copy_(list(self._live.values()), list(self._mean.values()))
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(list(self._live.values()), kept)

    def state_dict(self) -> dict[str, Any]:
        """Return the mean and how many steps are in it."""
        return {"steps": self.steps, "mean": self._mean}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a `state_dict` was taken."""
        self.steps = int(state["steps"])
        with torch.no_grad():
            for name, mean in self._mean.items():
                mean.copy_(state["mean"][name])
