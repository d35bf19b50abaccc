"""Proximal policy optimization of one batch: answers are drawn, stored, judged and learned from.

The policy and the model that predicts rewards have an optimizer each. Dropout is off, so that the
probability of an answer changes with the weights alone. It knows neither data nor checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from onepass.errors import InputError
from onepass.training.loop import LoopOptions
from onepass.training.rl import equations
from onepass.training.rl.config import RlOptions
from onepass.training.rl.episode import Decisions, Episode
from onepass.training.rl.policy import AskedTask, Policy
from onepass.training.rl.reference import Reference
from onepass.training.rl.rewards import Rewards, per_text
from onepass.training.rl.value import Predictor, ValueModel, still
from onepass.training.working import Working


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """Everything that says how good answers are.

    Attributes:
        rewards: of answers.
        value: predicts rewards.
        reference: what the policy should stay near to, if anything.
    """

    rewards: Rewards
    value: ValueModel
    reference: Reference | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """The answers to one batch, with all that stays the same while it is learned from.

    Attributes:
        decisions: what was asked.
        actions: (texts, labels), smoothed.
        old: (texts, labels) their log-probabilities under the policy that took them.
        rewards: (texts, 1) or (texts, labels).
        advantages: likewise, how much better than predicted they are.
        weights: (texts, labels) of equation 30.
        reference: (texts, labels) logits of the reference, if there is one.
    """

    decisions: Decisions
    actions: torch.Tensor
    old: torch.Tensor
    rewards: torch.Tensor
    advantages: torch.Tensor
    weights: torch.Tensor
    reference: torch.Tensor | None


def policy_terms(
    logits: torch.Tensor, stored: Stored, options: RlOptions
) -> dict[str, torch.Tensor]:
    """Return the terms of equation 25 that are about the policy; their sum is its loss.

    Args:
        logits: (texts, labels) of the policy as it is now.
        stored: answers of the policy as it was.
        options: coefficients; a term that is off is left out.

    Returns:
        ``policy``, and ``kl`` and ``entropy`` where they are on. The last is below 0, since a large
        entropy is rewarded.
    """
    mask = stored.decisions.mask
    new = equations.log_probabilities(logits, stored.actions)
    objective = equations.surrogate(new, stored.old, stored.advantages, options.clip_range)
    terms = {"policy": -equations.summed(stored.weights * objective, mask)}
    if options.kl >= 0 and stored.reference is not None:
        moved = equations.divergence(stored.reference, logits)
        terms["kl"] = options.kl * equations.summed(moved, mask)
    if options.entropy >= 0:
        terms["entropy"] = -options.entropy * equations.summed(equations.entropy(logits), mask)
    return terms


class Optimizers:
    """That of the policy and that of the value model, saved and loaded together.

    Args:
        policy: groups of the policy.
        value: groups of the value model.
        betas: of both.
    """

    def __init__(
        self,
        policy: list[dict[str, Any]],
        value: list[dict[str, Any]],
        betas: tuple[float, float],
    ) -> None:
        self.policy, self.value = (
            torch.optim.AdamW(groups, betas=betas, eps=1e-8, fused=True)
            for groups in (policy, value)
        )
        self._base = [
            [group["lr"] for group in one.param_groups] for one in (self.policy, self.value)
        ]

    def scale(self, factor: float) -> None:
        """Set all rates to so much of what they were given as."""
        for one, rates in zip((self.policy, self.value), self._base, strict=True):
            for group, rate in zip(one.param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs."""
        return {"policy": self.policy.state_dict(), "value": self.value.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a `state_dict` was taken."""
        self.policy.load_state_dict(state_dict["policy"])
        self.value.load_state_dict(state_dict["value"])


class Learner:
    """A policy that learns from what its answers are worth.

    Args:
        policy: what is trained.
        groups: of its optimizer.
        judges: of its answers.
        options: of reinforcement.
        loop: precision, betas, and the largest gradient norm, of each model by itself.
        decay: weight decay of the value model.

    Attributes:
        policy: what is trained.
        judges: of its answers.
        network: policy and value model.
        optimizers: of both.
    """

    def __init__(
        self,
        policy: Policy,
        groups: list[dict[str, Any]],
        judges: Judges,
        options: RlOptions,
        loop: LoopOptions,
        *,
        decay: float = 0.01,
    ) -> None:
        self.policy, self.judges, self._options = policy, judges, options
        self._clip = loop.clip
        self.network = nn.ModuleDict({"policy": policy.network, "value": judges.value})
        own = judges.value.groups(options.value_rate, options.value_head_rate, decay)
        self.optimizers = Optimizers(groups, own, loop.betas)
        self._working = Working(policy.network, loop.precision)
        self._predictor = Predictor(judges.value, policy, self._working.network, loop.precision)
        for network in (self.network, self._working.network):
            still(network)

    def learn(
        self, asked: Sequence[AskedTask], rate: float, *, first: bool = False
    ) -> dict[str, float]:
        """Answer a batch and learn from it.

        Args:
            asked: passes of the batch.
            rate: factor on all learning rates.
            first: whether it is the first batch of the run.

        Returns:
            The terms of the loss and their sum as ``total``, means over the updates; ``reward`` and
            the mean of each of its parts, unweighted; ``advantage``, its mean; ``clipped``, the
            share of labels whose gradient was stopped in the last update.

        Raises:
            InputError: if a loss is not a number, or a reward is wrong.
        """
        batch = self.policy.build(asked)
        stored, terms = self._answer(asked, batch, first=first)
        self.optimizers.scale(rate)
        rows = [self._update(batch, stored) for _ in range(self._options.iterations)]
        means = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
        return {**means, "clipped": rows[-1]["clipped"], **terms}

    def _logits(self, batch: Any, mask: torch.Tensor) -> torch.Tensor:
        """Return (texts, labels) logits of the policy with its newest weights, 0 at padding."""
        self._working.load()
        logits = self.policy.logits(self._working.network, batch, mask)
        if not torch.isfinite(logits).all():
            raise InputError("The logits of the policy are no numbers; lower the learning rates.")
        return logits

    def _answer(
        self, asked: Sequence[AskedTask], batch: Any, *, first: bool
    ) -> tuple[Stored, dict[str, float]]:
        """Return the answers of the policy to a batch, and what is told of them."""
        options, judges = self._options, self.judges
        what = self.policy.decisions(asked)
        with torch.no_grad():
            logits = self._logits(batch, what.mask)
            actions = equations.take_actions(logits, stochastic=options.actions == "stochastic")
            actions = actions * what.mask
            episode = Episode(what, actions, torch.sigmoid(logits) * what.mask)
            rewards, means = judges.rewards(episode)
            mean = float(per_text(rewards, what.mask).mean())
            if first:
                judges.value.expect(mean)
            advantages = rewards - self._predictor.values(batch)[:, None]
            soft = equations.smoothed(actions, options.smoothing)
            reference = judges.reference
            stored = Stored(
                what,
                soft,
                equations.log_probabilities(logits, soft),
                rewards,
                advantages,
                equations.action_weights(logits, actions, alpha=options.alpha, gamma=options.gamma),
                None if reference is None else reference.logits(batch, asked, what),
            )
        terms = {f"reward_{name}": value for name, value in means.items()}
        advantage = float(per_text(advantages, what.mask).mean())
        return stored, {"reward": mean, "advantage": advantage, **terms}

    def _update(self, batch: Any, stored: Stored) -> dict[str, float]:
        """Take one step of both optimizers."""
        mask = stored.decisions.mask
        logits = self._logits(batch, mask)
        terms = policy_terms(logits, stored, self._options)
        _finite(terms)
        torch.stack(list(terms.values())).sum().backward()
        self._working.hand_over()
        nn.utils.clip_grad_norm_(self.policy.network.parameters(), self._clip)
        self.optimizers.policy.step()

        predictor = self._predictor
        terms["value"] = equations.value_loss(predictor.values(batch), stored.rewards, mask)
        _finite(terms)
        terms["value"].backward()
        predictor.hand_over()
        nn.utils.clip_grad_norm_(predictor.model.parameters(), self._clip)
        self.optimizers.value.step()

        found = {name: float(value.detach()) for name, value in terms.items()}
        return {"total": sum(found.values()), **found, "clipped": self._clipped(logits, stored)}

    def _clipped(self, logits: torch.Tensor, stored: Stored) -> float:
        """Return the share of labels whose gradient is stopped."""
        new = equations.log_probabilities(logits.detach(), stored.actions)
        stopped = equations.is_clipped(new, stored.old, stored.advantages, self._options.clip_range)
        mask = stored.decisions.mask
        return float((stopped & mask).sum() / mask.sum())


def _finite(terms: Mapping[str, torch.Tensor]) -> None:
    for name, value in terms.items():
        if not torch.isfinite(value):
            raise InputError(
                f"The term {name!r} of the loss became {value.item()}; lower the learning rates."
            )
