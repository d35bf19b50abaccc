"""Reinforcement by its configuration: everything together, and errors told in one sentence."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint
from tests.training.rl.problem import LABELS, make_checkpoint, rows

from onepass import Extractor, Schema
from onepass.errors import CheckpointError, InputError
from onepass.training.config import TrainConfig, read_config
from onepass.training.rl.config import RlOptions
from onepass.training.run import train_from_config


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("start"))


@pytest.fixture
def config(tmp_path, start, write):
    """Return a configuration of a few quick batches, with changes."""
    data = write("data.jsonl", *rows())

    def make(**given) -> TrainConfig:
        least = {
            "model": str(start), "data": str(data), "output": str(tmp_path / "run"), "steps": 4,
            "precision": "fp32", "device": "cpu", "log_every": 2, "score_every": 2, "held_out": 0.2,
            "max_pieces": 64, "encoder_rate": 1e-3, "head_rate": 1e-3, "max_batch": 8, "rl": {},
        }  # fmt: skip
        return TrainConfig.from_dict(least | given)

    return make


def log(directory: Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]


def test_a_run_says_what_it_did(tmp_path, config):
    lines: list[str] = []
    rewards = {"f1": 1.0, "recall": 0.5}
    result = train_from_config(config(rl={"rewards": rewards}), report=lines.append)
    run = tmp_path / "run"
    assert (result["final"], result["best"]) == (str(run / "final"), str(run / "best"))
    assert (result["steps"], result["bad_batches"]) == (4, 0)
    scores = result["scores"]
    assert set(scores) == {"f1", "recall", "score"}
    assert scores["score"] == pytest.approx(scores["f1"] + 0.5 * scores["recall"])
    assert lines[0].startswith("4 of 4 held-out examples are scored; so few say little")
    assert {"reward_f1", "reward_recall", "policy", "value"} <= set(log(run)[0]["loss"])
    again = read_config(run / "train.json")
    assert again.rl is not None
    assert again.rl.rewards == rewards
    doc = Extractor.from_pretrained(run / "final", backend="torch").classify("tim red", LABELS)
    assert set(doc.scores) == set(LABELS)


def test_a_run_is_resumed_by_its_configuration(tmp_path, config):
    rl = {"kl": 0.1, "save_every": 3}
    train_from_config(config(steps=5, output=str(tmp_path / "whole"), score_every=0, rl=rl))
    (tmp_path / "part").mkdir()
    (tmp_path / "whole" / "step-3").rename(tmp_path / "part" / "step-3")
    part = config(steps=5, output=str(tmp_path / "part"), score_every=0, rl=rl, resume=True)
    with pytest.raises(InputError, match=r"was begun with another model, lora or rl.value"):
        train_from_config(replace(part, rl=RlOptions.from_dict(rl | {"value": "policy"})))
    assert not (tmp_path / "part" / "train.json").exists()
    assert train_from_config(part)["steps"] == 5
    written = read_config(tmp_path / "part" / "train.json")
    assert written == replace(part, resume=False)
    whole, resumed = (
        load_file(tmp_path / name / "final" / "model.safetensors") for name in ("whole", "part")
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_judged_answers_are_a_reward(tmp_path, config, write):
    """What was approved is said more often, what was rejected less often."""
    schema = Schema().classification("class", LABELS, multi_label=True)

    def red(model: str) -> float:
        docs = Extractor.from_pretrained(model, backend="torch").extract(texts, schema)
        return sum(doc.classifications["class"].scores["red"] for doc in docs) / len(docs)

    texts = [row["text"] for row in rows()]
    scores = {0.0: red(config().model)}
    for reward in (1.0, -1.0):
        judged = [{"text": text, "action": {"red": True}, "reward": reward} for text in texts[:15]]
        path = write("judged.jsonl", *judged, {"text": "elsewhere", "labels": [], "reward": 1})
        rl = {
            "rewards": {"feedback": 1.0}, "feedback": str(path), "value": "policy",
            "value_head_rate": 1e-2,
        }  # fmt: skip
        run = tmp_path / f"run {reward}"
        given = config(
            rl=rl, output=str(run), steps=30, held_out=0, max_batch=16, log_every=10, score_every=0
        )
        lines: list[str] = []
        scores[reward] = red(train_from_config(given, report=lines.append)["final"])
        assert lines[0] == f"{path}: 15 of 16 judged answers are about texts of the data"
        rewards = [row["loss"]["reward_feedback"] for row in log(run)]
        assert rewards[-1] > rewards[0]
    assert scores[-1.0] + 0.1 < scores[0.0] < scores[1.0] - 0.1


def test_another_model_can_be_the_reference(tmp_path, config, start):
    train_from_config(config(rl={"kl": 0.5, "reference": str(start)}))
    assert log(tmp_path / "run")[0]["loss"]["kl"] > 0


def test_gliner2_checkpoints_are_reinforced_too(tmp_path, config):
    model = make_tiny_checkpoint(tmp_path / "tiny")
    result = train_from_config(config(model=str(model)))
    before, after = (
        load_file(Path(place) / "model.safetensors") for place in (model, result["final"])
    )
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_low_rank_changes_and_frozen_parts_go_with_it(start, config):
    pytest.importorskip("peft")
    result = train_from_config(config(lora={"rank": 2, "heads": "frozen"}))
    before, after = (
        load_file(Path(place) / "model.safetensors") for place in (start, result["final"])
    )
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("encoder_model" in name for name in changed)


def test_a_few_examples_are_enough_to_be_told_what_they_brought(config):
    result = train_from_config(config(few_shot=2, score_every=0))
    assert set(result["few_shot"]) == {"texts", "left_out", "before", "after", "gain"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"model": "nowhere"}, CheckpointError, "nowhere"),
        ({"rl": {"rewards": {"nowhere:f": 1}}}, InputError, "The reward 'nowhere:f' cannot be"),
        (
            {"rl": {"rewards": {"feedback": 1}, "feedback": "nowhere.jsonl"}},
            InputError,
            "There is no file nowhere.jsonl",
        ),
        ({"rl": {"kl": 1, "reference": "nowhere"}}, CheckpointError, "nowhere"),
        ({"dev": "nowhere.jsonl"}, InputError, "There is no file nowhere.jsonl"),
        ({"resume": True}, InputError, "There is no checkpoint to resume"),
        ({"max_pieces": 8}, InputError, "None of the 4 held-out examples could be asked"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    tmp_path, monkeypatch, config, given, error, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(message)):
        train_from_config(config(**given))
    assert not (tmp_path / "run" / "final").exists()


def test_data_without_tasks_are_refused(config, write):
    path = write("spans.jsonl", {"text": "Tim", "asked": ["person"]})
    with pytest.raises(InputError, match="no example of the data has one; give examples with"):
        train_from_config(config(data=str(path), held_out=0))
