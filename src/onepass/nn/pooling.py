"""The vectors of a padded sequence made one vector, nine ways. Padding never counts.

It knows neither texts nor labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from onepass.nn.places import take


def pool(states: torch.Tensor, mask: torch.Tensor, how: str) -> torch.Tensor:
    """Return (batch, hidden), or the states as they are with "pass".

    Args:
        states: (batch, pieces, hidden).
        mask: (batch, pieces), 1 at the pieces that count, wherever they stand. A row without any
            gives a vector that means nothing.
        how: one of `POOLS`.

    >>> states = torch.tensor([[[1.0], [-3.0], [9.0]]])
    >>> mask = torch.tensor([[1, 1, 0]])
    >>> {how: pool(states, mask, how).item() for how in ("last", "avg", "abs_max")}
    {'last': -3.0, 'avg': -1.0, 'abs_max': 3.0}
    """
    return POOLS[how](states, mask)


def average_ranges(states: torch.Tensor, ranges: torch.Tensor) -> torch.Tensor:
    """Return (batch, ranges, hidden): the mean over each range, 0 for an empty one.

    Args:
        states: (batch, pieces, hidden).
        ranges: (batch, ranges, 2) half-open.

    >>> average_ranges(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[[0, 2], [0, 0]]]))
    tensor([[[2.],
             [0.]]])
    """
    places = torch.arange(states.shape[1], device=states.device)
    first, end = ranges[..., :1], ranges[..., 1:]  # (batch, ranges, 1)
    inside = ((places >= first) & (places < end)).to(states.dtype)  # (batch, ranges, pieces)
    return inside @ states / inside.sum(-1, keepdim=True).clamp(min=1)


def first_places(mask: torch.Tensor) -> torch.Tensor:
    """Return (batch,) the first place that counts in each row of a mask (batch, pieces).

    >>> first_places(torch.tensor([[0, 1, 1], [1, 0, 0]]))
    tensor([1, 0])
    """
    places = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask.bool(), places, mask.shape[1] - 1).amin(1)


def _first(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return take(states, first_places(mask)[:, None])[:, 0]  # (batch, hidden)


def _last(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    places = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask.bool(), places, 0).amax(1)  # (batch,)
    return take(states, last[:, None])[:, 0]


def _sum(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (mask[:, None].to(states.dtype) @ states)[:, 0]  # a product: no masked copy is made


def _avg(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _sum(states, mask) / mask.sum(1, keepdim=True).clamp(min=1)


def _max(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    lowest = torch.finfo(states.dtype).min
    return states.masked_fill(~mask.bool()[..., None], lowest).amax(1)


POOLS: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "first": _first,
    "last": _last,
    "avg": _avg,
    "sum": _sum,
    "max": _max,
    "rms": lambda states, mask: _avg(states.pow(2), mask).sqrt(),
    "abs_max": lambda states, mask: _max(states.abs(), mask),
    "abs_avg": lambda states, mask: _avg(states.abs(), mask),
    "pass": lambda states, _: states,
}
