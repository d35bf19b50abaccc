"""Steps of the optimizer: rates, the largest gradient norm, and scaled losses in fp16.

It knows neither the model nor where gradients come from.
"""

from __future__ import annotations

from typing import Any

import torch


class Updates:
    """AdamW on groups of parameters, with everything that belongs to a step of it.

    In fp16 small gradients vanish, so losses are scaled up before they are computed and gradients
    down after; a step whose gradients overflowed is left out, and the scale is halved. Source:
    Micikevicius et al., 2018, section 3.2.

    Args:
        network: whose gradients are limited together.
        groups: with ``params``, ``lr`` and ``weight_decay``.
        betas: of AdamW.
        clip: largest gradient norm.
        precision: that gradients are computed in: "fp32", "bf16" or "fp16".
    """

    def __init__(
        self,
        network: torch.nn.Module,
        groups: list[dict[str, Any]],
        *,
        betas: tuple[float, float],
        clip: float,
        precision: str,
    ) -> None:
        self._network, self._clip = network, clip
        self._optimizer = torch.optim.AdamW(groups, betas=betas, eps=1e-8, fused=True)
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
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
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the optimizer, and of the scale where there is one."""
        state = self._optimizer.state_dict()
        return state | {"scaler": self._scaler.state_dict()} if self._scaler.is_enabled() else state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a `state_dict` was taken."""
        scaler = state_dict.pop("scaler", None)
        self._optimizer.load_state_dict(state_dict)
        if scaler is not None and self._scaler.is_enabled():
            self._scaler.load_state_dict(scaler)
