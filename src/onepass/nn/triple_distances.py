"""Triple scorers that measure a distance, and what all triple scorers have in common.

The shorter what is left of head, relation and tail, the better the relation holds.
"""

from __future__ import annotations

import abc

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, linear

_LOWEST = -10.0  # no distance counts more than this


class TripleScorer(nn.Module, abc.ABC):
    """Scores pairs of spans against relations.

    Args:
        hidden: size of all vectors.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden

    @abc.abstractmethod
    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        """Return logits (pairs, labels).

        Args:
            heads: (pairs, hidden).
            relations: (pairs, labels, hidden).
            tails: (pairs, hidden).
        """

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the names below ``interaction.`` and ours."""
        names = [name for name in self.state_dict() if name.endswith(".weight")]
        return tuple(entry for name in names for entry in linear(name[:-7], name[:-7]))


class Distance(TripleScorer):
    """Minus the length of a residual, not below -10: a logit that is never above zero."""

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        residual = self.residual(heads[:, None], relations, tails[:, None])
        return (-self.length(residual)).clamp(min=_LOWEST)

    @abc.abstractmethod
    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Return (pairs, labels, hidden) from (pairs, 1 or labels, hidden)."""

    def length(self, residual: torch.Tensor) -> torch.Tensor:
        """Return (pairs, labels)."""
        return torch.linalg.vector_norm(residual, dim=-1)


class Unstructured(Distance):
    """UM: ``h - t``; the relation does not matter."""

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return (h - t).expand(-1, r.shape[1], -1)


class StructureEmbedding(Distance):
    """SE: ``r * h - r * t``."""

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return r * (h - t)


class TransE(Distance):
    """``h + r - t``, with the sum of absolute values as its length."""

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return h + r - t

    def length(self, residual: torch.Tensor) -> torch.Tensor:
        return residual.abs().sum(-1)


class TransH(Distance):
    """``h + move(r) - t``, head and tail projected on a plane that belongs to the relation."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.r_to_rtr = nn.Linear(hidden, hidden)
        self.r_to_w = nn.Linear(hidden, hidden)

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        normal = functional.normalize(self.r_to_w(r), dim=-1)
        across = h - t
        return across - (across * normal).sum(-1, keepdim=True) * normal + self.r_to_rtr(r)


class TransF(Distance):
    """``a(r) * h + move(r) - b(r) * t``; starts as `TransE`."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.r_to_rvec = nn.Linear(hidden, hidden)
        self.r_to_alpha = nn.Linear(hidden, hidden)
        self.r_to_beta = nn.Linear(hidden, hidden)
        nn.init.eye_(self.r_to_rvec.weight)
        nn.init.zeros_(self.r_to_rvec.bias)
        for scale in (self.r_to_alpha, self.r_to_beta):
            nn.init.zeros_(scale.weight)
            nn.init.ones_(scale.bias)

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.r_to_alpha(r) * h + self.r_to_rvec(r) - self.r_to_beta(r) * t


class PairRE(Distance):
    """``a(r) * h - b(r) * t``."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.r_to_alpha = nn.Linear(hidden, hidden)
        self.r_to_beta = nn.Linear(hidden, hidden)

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.r_to_alpha(r) * h - self.r_to_beta(r) * t


class TripleRE(Distance):
    """``a(r) * h + move(r) - b(r) * t``, times a number that may turn the sign."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.r_to_alpha = nn.Linear(hidden, hidden)
        self.r_to_beta = nn.Linear(hidden, hidden)
        self.r_to_delta = nn.Linear(hidden, hidden)
        self.r_to_gamma = nn.Linear(hidden, 1)

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        return self.r_to_gamma(relations)[..., 0] * super().forward(heads, relations, tails)

    def residual(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.r_to_alpha(r) * h + self.r_to_delta(r) - self.r_to_beta(r) * t
