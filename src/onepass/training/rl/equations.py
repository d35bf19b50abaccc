"""The formulas of reinforcement, equations 25 to 32 of the GLiClass paper, on whole batches.

A policy says of every label of a text with which probability it holds, and each label is decided by
itself (Bernoulli). Logits, actions and what is made of them are (texts, labels). It knows neither
networks nor where rewards come from.

Where the paper leaves something open: losses of labels are added up and those of texts averaged, as
equation 26 is written, in all terms; the weight of equation 30 is that of the action, under the
policy that took it; and the entropy is subtracted from the loss, since it is meant as a bonus.
"""

from __future__ import annotations

import torch
from torch.nn.functional import logsigmoid

_FURTHEST = 20.0  # difference of log-probabilities; its exponent still is a number in bf16


def take_actions(logits: torch.Tensor, *, stochastic: bool) -> torch.Tensor:
    """Return which labels are chosen (equation 32), 0 or 1.

    Args:
        logits: (texts, labels).
        stochastic: whether each is drawn with its probability, or those above one half are taken.

    >>> take_actions(torch.tensor([[-1.0, 0.0, 2.0]]), stochastic=False)
    tensor([[0., 0., 1.]])
    """
    if stochastic:
        return torch.bernoulli(torch.sigmoid(logits))
    return (logits > 0).to(logits.dtype)


def smoothed(actions: torch.Tensor, amount: float) -> torch.Tensor:
    """Return actions that are moved towards one half (equation 31).

    Args:
        actions: (texts, labels) 0 or 1.
        amount: 1 is one half for all; below 0 nothing is moved.

    >>> smoothed(torch.tensor([0.0, 1.0]), 0.2)
    tensor([0.1000, 0.9000])
    """
    return actions if amount <= 0 else (1 - amount) * actions + 0.5 * amount


def log_probabilities(logits: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """Return the logarithm of the probability of each action.

    Args:
        logits: (texts, labels).
        actions: (texts, labels) from 0 to 1.

    >>> log_probabilities(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0])).exp()
    tensor([0.5000, 0.5000])
    """
    return actions * logsigmoid(logits) + (1 - actions) * logsigmoid(-logits)


def surrogate(
    new: torch.Tensor, old: torch.Tensor, advantages: torch.Tensor, clip_range: float
) -> torch.Tensor:
    """Return the clipped objective of each label, which is to become large (equation 26).

    Args:
        new: (texts, labels) log-probabilities of the actions.
        old: likewise, under the policy that took them.
        advantages: (texts, labels), or (texts, 1) if the labels of a text share one.
        clip_range: how far the ratio of the two probabilities counts from 1.

    >>> old = torch.tensor([0.1]).log()
    >>> surrogate(torch.tensor([0.3]).log(), old, torch.tensor([2.0]), 0.2)
    tensor([2.4000])
    """
    ratio = (new - old).clamp(-_FURTHEST, _FURTHEST).exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    return torch.minimum(ratio * advantages, clipped * advantages)


def is_clipped(
    new: torch.Tensor, old: torch.Tensor, advantages: torch.Tensor, clip_range: float
) -> torch.Tensor:
    """Return where the objective has no gradient any more: the action moved far enough.

    Args:
        new: as in `surrogate`, like the other arguments.
        old: likewise.
        advantages: likewise.
        clip_range: likewise.

    >>> old, new = torch.tensor([0.1, 0.1]).log(), torch.tensor([0.3, 0.1]).log()
    >>> is_clipped(new, old, torch.tensor([2.0, 2.0]), 0.2)
    tensor([ True, False])
    """
    ratio = (new - old).clamp(-_FURTHEST, _FURTHEST).exp()
    up, down = advantages > 0, advantages < 0
    return ((ratio > 1 + clip_range) & up) | ((ratio < 1 - clip_range) & down)


def action_weights(
    logits: torch.Tensor, actions: torch.Tensor, *, alpha: float, gamma: float
) -> torch.Tensor:
    """Return how much each label counts (equation 30).

    Args:
        logits: (texts, labels) of the policy that took the actions.
        actions: (texts, labels) 0 or 1.
        alpha: weight of chosen labels, beside ``1 - alpha`` of the others; below 0 for none.
        gamma: exponent of the probability of the action; below 0 for none.

    >>> action_weights(torch.zeros(2), torch.tensor([1.0, 0.0]), alpha=0.7, gamma=2.0)
    tensor([0.1750, 0.0750])
    """
    weights = torch.ones_like(logits)
    if gamma > 0:
        weights = torch.exp(gamma * log_probabilities(logits, actions))
    if alpha >= 0:
        weights = weights * (alpha * actions + (1 - alpha) * (1 - actions))
    return weights


def divergence(reference: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Return how far the policy is from a reference at each label (equation 28).

    In closed form: both outcomes of a label weigh as the reference says, none is drawn.

    Args:
        reference: (texts, labels) logits of the reference.
        logits: (texts, labels) of the policy.

    >>> divergence(torch.tensor([0.0]), torch.tensor([0.0]))
    tensor([0.])
    """
    yes, no = torch.sigmoid(reference), torch.sigmoid(-reference)
    gain = yes * (logsigmoid(reference) - logsigmoid(logits))
    return gain + no * (logsigmoid(-reference) - logsigmoid(-logits))


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """Return how unsure the policy is of each label, in nats (equation 29).

    Args:
        logits: (texts, labels).

    >>> entropy(torch.tensor([0.0]))
    tensor([0.6931])
    """
    return -(
        torch.sigmoid(logits) * logsigmoid(logits) + torch.sigmoid(-logits) * logsigmoid(-logits)
    )


def value_loss(values: torch.Tensor, rewards: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the squared error of predicted rewards (equation 27), a mean over the texts.

    Args:
        values: (texts,).
        rewards: (texts, labels), or (texts, 1) if the labels of a text share one.
        mask: (texts, labels), 1 at real labels.

    >>> value_loss(torch.tensor([1.0]), torch.tensor([[0.5]]), torch.tensor([[1, 1, 0]]))
    tensor(0.2500)
    """
    real = mask.to(values.dtype)
    errors = (values[:, None] - rewards) ** 2 * real  # (texts, labels)
    return (errors.sum(1) / real.sum(1).clamp(min=1)).mean()


def summed(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the sum over the labels of a text, averaged over the texts.

    Args:
        x: (texts, labels).
        mask: (texts, labels), 1 at real labels; the others never count, whatever they hold.

    >>> summed(torch.tensor([[1.0, 2.0], [3.0, float("nan")]]), torch.tensor([[1, 1], [1, 0]]))
    tensor(3.)
    """
    return torch.where(mask.bool(), x, 0.0).sum(1).mean()
