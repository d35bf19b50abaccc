import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.training.rl.bag import bag_policy

from onepass.corpus.example import Example, GoldTask
from onepass.training.asking.means import SamplingOptions
from onepass.training.data import LineFile, Mixture
from onepass.training.loading import Direct
from onepass.training.loop import LoopOptions
from onepass.training.rl.config import RlOptions
from onepass.training.rl.learner import Learner
from onepass.training.rl.policy import AskedTask, Policy
from onepass.training.rl.questions import task_questions
from onepass.training.rl.rewards import Rewards
from onepass.training.rl.run import Reinforcement
from onepass.training.stream import BatchOptions, QuestionStream
from onepass.training.task import Rates, TrainingTask


def example(text: str, *labels: str) -> Example:
    """Return a text that is asked for labels, of which those that are words of it are true."""
    true = tuple(label for label in labels if label in text.split())
    return Example(text, classifications=(GoldTask("class", labels, true, multi_label=True),))


EXAMPLES = (
    example("tim runs red", "red", "news", "sports"),
    example("paris news calm", "red", "news"),
    example("great sports in red", "sports", "red", "news", "calm"),
    example("apple runs", "news"),
)


@pytest.fixture
def asked() -> Callable[[Policy], list[AskedTask]]:
    """Return the passes that ask the four examples, of different numbers of labels."""

    def ask(policy: Policy) -> list[AskedTask]:
        questions = [question for one in EXAMPLES for question in task_questions(one)]
        return [one for question in questions for one in policy.ask(question, 99)]

    return ask


@pytest.fixture
def learner() -> Callable[..., Learner]:
    """Make a learner of a tiny policy."""

    def make(
        policy: Policy | None = None,
        *,
        rate: float = 1e-2,
        reward: Callable[[Any], Any] | None = None,
        **given: Any,
    ) -> Learner:
        torch.manual_seed(0)
        policy = policy or bag_policy()
        options = RlOptions(**{"value_head_rate": 1e-2, "value_rate": 1e-2} | given)
        loop = LoopOptions(steps=1, precision="fp32")
        groups = [{"params": list(policy.network.parameters()), "lr": rate, "weight_decay": 0.0}]
        judges = Reinforcement(policy, options).judges
        if reward is not None:
            judges = replace(judges, rewards=Rewards({"own": (1.0, reward)}))
        return Learner(policy, groups, judges, options, loop, decay=0.0)

    return make


@pytest.fixture
def task(tmp_path) -> Callable[..., tuple[TrainingTask, Reinforcement]]:
    """Make a run of a tiny policy on the four examples."""
    path = tmp_path / "four.jsonl"
    rows = [
        {
            "text": one.text,
            "classifications": [
                {"name": t.name, "labels": t.labels, "true": t.true, "multi_label": True}
                for t in one.classifications
            ],
        }
        for one in EXAMPLES
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def make(
        scores: list[float] | None = None, dropout: float = 0.0, **given: Any
    ) -> tuple[TrainingTask, Reinforcement]:
        torch.manual_seed(0)
        rl = Reinforcement(bag_policy(dropout=dropout), RlOptions(**given))
        mixture = Mixture({"four": LineFile(path)}, None, seed=0)
        batches = BatchOptions(max_batch=4, pool=8)
        stream = QuestionStream(mixture, rl.sampler(SamplingOptions()), rl.policy.ask, batches)
        scorer = None if scores is None else lambda network: {"score": scores.pop(0)}
        return TrainingTask(rl.policy, Direct(stream), Rates(1e-2, 1e-2), scorer=scorer), rl

    return make
