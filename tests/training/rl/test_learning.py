"""Rewards alone teach a checkpoint what it is asked, as annotated answers do and chance does not.

The texts carry no answers: a function says how good an answer is. The same run with rewards that
are drawn at random is one control, supervised training on annotated texts is the other.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.training.rl.problem import LABELS, make_checkpoint, rows

from onepass import Extractor, Schema
from onepass.training.config import TrainConfig
from onepass.training.run import train_from_config

STEPS = 110
JUDGE = """
import random

RANDOM = random.Random(5)

def judge(episode):
    '''F1 of the chosen labels and those that stand in the text.'''
    answers = zip(episode.texts, episode.chosen())
    return [share(set(chosen), text.split()) for text, chosen in answers]

def share(chosen, words):
    true = {word for word in words if word in ("red", "news", "sports")}
    return 2 * len(chosen & true) / (len(chosen) + len(true))

def chance(episode):
    return [RANDOM.random() for _ in episode.texts]
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("start"))


@pytest.fixture
def run(start, tmp_path, monkeypatch):
    """Train on eighty texts and return the model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "judges", raising=False)  # that of a page of the docs
    Path("judges.py").write_text(JUDGE)

    def train(*, told: bool, **given: Any) -> Extractor:
        path = Path("data.jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows(80, told=told)))
        config = {
            "model": str(start), "data": str(path), "output": "run", "steps": STEPS, "warmup": 1,
            "encoder_rate": 2e-3, "head_rate": 2e-3, "weight_decay": 0.0, "held_out": 0,
            "pool": 80, "max_batch": 80, "max_pieces": 64, "precision": "fp32", "device": "cpu",
            "score_every": 0,
        }  # fmt: skip
        result = train_from_config(TrainConfig.from_dict(config | given))
        return Extractor.from_pretrained(result["final"], backend="torch")

    yield train
    sys.modules.pop("judges", None)


def score(model: Extractor, **given: Any) -> float:
    """Return micro F1 on texts of the problem."""
    data = rows(**given)
    schema = Schema().classification("class", LABELS, multi_label=True)
    right = total = 0
    for row, doc in zip(data, model.extract([row["text"] for row in data], schema), strict=True):
        chosen = {one.label for one in doc.classifications["class"].labels}
        true = set(row["classifications"][0]["true"])
        right += len(chosen & true)
        total += len(chosen) + len(true)
    return 2 * right / total


def options(reward: str) -> dict[str, Any]:
    return {"rewards": {reward: 1.0}, "entropy": 0.1, "value": "policy", "value_head_rate": 1e-2}


def test_rewards_alone_teach_as_answers_do(start, run):
    assert score(Extractor.from_pretrained(start, backend="torch")) < 0.65
    model = run(told=False, rl=options("judges:judge"))
    assert score(model) > 0.95
    assert score(model, seed=11, count=60) > 0.95  # texts that it has never seen


def test_rewards_by_chance_teach_nothing(run):
    assert score(run(told=False, rl=options("judges:chance"))) < 0.75


def test_answers_teach(run):
    model = run(told=True)
    assert score(model) > 0.95
    assert score(model, seed=11, count=60) > 0.95
