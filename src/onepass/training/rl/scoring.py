"""Held-out rewards: what the likeliest answers of a policy are worth on texts that it did not see.

It knows no family.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from onepass.corpus.example import Example
from onepass.training.rl.episode import Episode
from onepass.training.rl.equations import take_actions
from onepass.training.rl.policy import Policy
from onepass.training.rl.questions import task_questions
from onepass.training.rl.rewards import Rewards, per_text
from onepass.training.stream import BatchOptions, split_by_length


class HeldOutRewards:
    """Questions that a policy is scored on.

    Args:
        examples: each of their tasks is asked.
        policy: the checkpoint.
        rewards: of its answers.
        options: how large batches are; the part of a text behind ``max_pieces`` is not read.

    Attributes:
        asked: how many examples are asked; those without a task, or without room for their text,
            are not.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        policy: Policy,
        rewards: Rewards,
        options: BatchOptions,
    ) -> None:
        self._policy, self._rewards = policy, rewards
        passes = [
            [one for question in task_questions(example) for one in policy.ask(question, most)]
            for most in (options.max_pieces,)
            for example in examples
        ]
        self.asked = sum(map(bool, passes))
        self._batches = split_by_length([one for own in passes for one in own], options)

    def score(self, network: Any) -> dict[str, float]:
        """Return the rewards of a network in evaluation mode, in fp32.

        Every label above one half is chosen.

        Returns:
            The mean of each reward over the texts, unweighted, and ``score``, that of their
            weighted sum.
        """
        sums: dict[str, float] = {}
        texts = 0
        with torch.no_grad():
            for asked in self._batches:
                what = self._policy.decisions(asked)
                logits = self._policy.logits(network, self._policy.build(asked), what.mask)
                actions = take_actions(logits, stochastic=False) * what.mask
                episode = Episode(what, actions, torch.sigmoid(logits) * what.mask)
                rewards, means = self._rewards(episode)
                means["score"] = float(per_text(rewards, what.mask).mean())
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0.0) + mean * len(asked)
                texts += len(asked)
        return {name: total / texts for name, total in sums.items()}
