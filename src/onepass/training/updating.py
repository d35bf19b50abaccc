"""Steps of the optimizer: rates, the largest gradient norm, and scaled losses in fp16.

It knows neither the model nor where gradients come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from onepass.training.muon import Muon, matrices


class Updates:
    """An optimizer of groups of parameters, with everything that belongs to a step of it.

    In fp16 small gradients vanish, so losses are scaled up before they are computed and gradients
    down after; a step whose gradients overflowed is left out, and the scale is halved. Source:
    Micikevicius et al., 2018, section 3.2.

    Args:
        network: whose gradients are limited together.
        groups: with ``params``, ``lr`` and ``weight_decay``.
        optimizer: "adamw", or "muon", which leaves all but the matrices of layers to AdamW
            (`onepass.training.muon`).
        betas: of AdamW.
        clip: largest gradient norm.
        precision: that gradients are computed in: "fp32", "bf16" or "fp16".
    """

    def __init__(
        self,
        network: torch.nn.Module,
        groups: list[dict[str, Any]],
        *,
        optimizer: str = "adamw",
        betas: tuple[float, float],
        clip: float,
        precision: str,
    ) -> None:
        self._network, self._clip = network, clip
        chosen = set(matrices(network)) if optimizer == "muon" else set()
        rest, whole = list(_only(groups, chosen, False)), list(_only(groups, chosen, True))
        self._optimizers: dict[str, torch.optim.Optimizer] = {}
        if rest:
            self._optimizers["adamw"] = torch.optim.AdamW(rest, betas=betas, eps=1e-8, fused=True)
        if whole:
            self._optimizers["muon"] = Muon(whole)
        self._rates = [group["lr"] for group in self._groups()]
        device = next(network.parameters()).device.type
        self._scaler = torch.amp.GradScaler(device, enabled=precision == "fp16")

    @property
    def scale(self) -> float:
        """Return what losses are multiplied by; 1 where they are not."""
        return self._scaler.get_scale()

    def scaled(self, loss: torch.Tensor) -> torch.Tensor:
        """Return the loss to compute gradients of."""
        return self._scaler.scale(loss)

    def step(self, factor: float) -> None:
        """Change the weights by their gradients.

        Args:
            factor: on the rates of all groups.
        """
        for group, rate in zip(self._groups(), self._rates, strict=True):
            group["lr"] = rate * factor
        for optimizer in self._optimizers.values():
            self._scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        # The scaler would leave out that optimizer alone whose own gradients overflowed.
        if not self._scaler.is_enabled() or bool(torch.isfinite(norm)):
            for optimizer in self._optimizers.values():
                self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the optimizer, or of several by name, and of the scale if any."""
        states = {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()}
        state = states["adamw"] if list(states) == ["adamw"] else states
        return state | {"scaler": self._scaler.state_dict()} if self._scaler.is_enabled() else state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a `state_dict` was taken."""
        scaler = state_dict.pop("scaler", None)
        states = {"adamw": state_dict} if list(self._optimizers) == ["adamw"] else state_dict
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(states[name])
        if scaler is not None and self._scaler.is_enabled():
            self._scaler.load_state_dict(scaler)

    def _groups(self) -> Iterator[dict[str, Any]]:
        for optimizer in self._optimizers.values():
            yield from optimizer.param_groups


def _only(
    groups: Sequence[Mapping[str, Any]], chosen: set[torch.nn.Parameter], inside: bool
) -> Iterator[dict[str, Any]]:
    """Yield the groups with those parameters alone that are chosen, or are not."""
    for group in groups:
        kept = [i for i, one in enumerate(group["params"]) if (one in chosen) == inside]
        lists = {
            name: [group[name][i] for i in kept] for name in ("params", "names") if name in group
        }
        if kept:
            yield {**group, **lists}
