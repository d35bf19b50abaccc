"""Early stopping, and the running mean of the weights, in whole runs of a toy task."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from onepass.errors import InputError
from onepass.training.loop import LoopOptions, train
from onepass.training.samples import Sample


class Toy:
    """A linear network that follows random targets; its scores come from a list or its weights."""

    def __init__(self, scores: list[float] | None = None) -> None:
        torch.manual_seed(0)
        self.network = torch.nn.Linear(3, 1)
        self.seen, self._scores = 0, scores

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.network.parameters()), "lr": 0.1, "weight_decay": 0.0}]

    def batches(self) -> Iterator[torch.Tensor]:
        while True:
            self.seen += 4
            yield torch.randn(4, 3, generator=torch.Generator().manual_seed(self.seen))

    def loss(self, network, batch):
        loss = (network(batch) - batch.sum(1, keepdim=True).sign()).square().mean()
        return loss, {"loss": float(loss.detach())}

    def places(self, batch) -> list[str]:
        return []

    def score(self) -> dict[str, float]:
        weight = float(self.network.weight.detach().sum())
        return {"score": weight if self._scores is None else self._scores.pop(0)}

    def samples(self) -> list[Sample]:
        return []

    def save(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        torch.save(self.network.state_dict(), directory / "weights.pt")

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def restore(self, state) -> None:
        self.seen = state["seen"]


def options(**given) -> LoopOptions:
    fixed = {"steps": 20, "warmup": 1, "precision": "fp32", "score_every": 2}
    return LoopOptions(**fixed | given)


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return torch.load(directory / "weights.pt", weights_only=True)


def equal(a: Path, b: Path) -> bool:
    ours, theirs = weights(a), weights(b)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_stops_when_scores_no_longer_improve_and_the_best_stays(tmp_path):
    lines: list[str] = []
    scores = [0.1, 0.5, 0.4, 0.5, 0.3, 0.9]  # the same again is no better
    outcome = train(Toy(scores), options(patience=3, keep=9), tmp_path, report=lines.append)
    assert (outcome.steps, outcome.best, scores) == (10, 0.5, [0.9])
    assert lines[-1] == "step 10  stopped: 3 scores in a row without a better one than 0.5000"
    assert equal(tmp_path / "best", tmp_path / "step-4")
    assert equal(tmp_path / "final", tmp_path / "step-10")


def test_a_better_score_starts_the_count_anew(tmp_path):
    scores = [0.1, 0.0, 0.2, 0.1, 0.3, 0.2, 0.4, 0.3, 0.5, 0.4]
    assert train(Toy(scores), options(patience=2), tmp_path).steps == 20


def test_the_count_survives_a_resume(tmp_path):
    train(Toy([0.5, 0.4, 0.3]), options(steps=6), tmp_path)  # step-2 and step-4 are kept
    shutil.rmtree(tmp_path / "final")
    outcome = train(Toy([0.2, 0.1]), options(patience=2), tmp_path, resume=True)
    assert (outcome.steps, outcome.best) == (6, 0.5)


def test_a_run_that_patience_ended_is_not_scored_again(tmp_path):
    ended = train(Toy([0.5, 0.4, 0.3]), options(patience=2), tmp_path)
    log = (tmp_path / "log.jsonl").read_text()
    again = train(Toy([]), options(patience=2), tmp_path, resume=True)
    assert (again.steps, again.best, again.scores) == (6, 0.5, {"score": 0.3})
    assert (ended.steps, ended.best, ended.scores) == (6, 0.5, {"score": 0.3})
    assert (tmp_path / "log.jsonl").read_text() == log


def test_the_mean_is_that_of_the_weights_so_far(tmp_path):
    task = Toy()
    mean, live = task.network.weight.detach().clone(), []
    whole = task.loss

    def loss(network, batch):
        live.append(network.weight.detach().clone())
        return whole(network, batch)

    task.loss = loss
    outcome = train(task, options(ema=0.9, steps=6, score_every=0), tmp_path)
    after = [*live[1:], task.network.weight.detach()]
    for step, weight in enumerate(after, 1):
        decay = min(0.9, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * weight
    saved = weights(tmp_path / "final")["weight"]
    assert torch.allclose(saved, mean, atol=1e-6)
    assert not torch.allclose(saved, after[-1], atol=1e-3)
    assert outcome.scores["score"] == pytest.approx(float(saved.sum()))


def test_the_mean_does_not_change_what_is_learned(tmp_path):
    plain, averaged = Toy(), Toy()
    train(plain, options(), tmp_path / "plain")
    train(averaged, options(ema=0.99), tmp_path / "averaged")
    assert torch.equal(plain.network.weight, averaged.network.weight)


def test_a_resumed_mean_is_the_same(tmp_path):
    train(Toy(), options(ema=0.9, keep=9), tmp_path / "whole")
    shutil.copytree(tmp_path / "whole" / "step-8", tmp_path / "half" / "step-8")
    train(Toy(), options(ema=0.9), tmp_path / "half", resume=True)
    assert equal(tmp_path / "whole" / "final", tmp_path / "half" / "final")


def test_a_resumed_run_decays_as_it_is_told_now(tmp_path, monkeypatch):
    made = []

    class Kept(torch.optim.AdamW):
        def __init__(self, *args, **given) -> None:
            super().__init__(*args, **given)
            made.append(self)

    monkeypatch.setattr(torch.optim, "AdamW", Kept)
    train(Toy(), options(), tmp_path)
    shutil.rmtree(tmp_path / "final")
    task = Toy()
    (group,) = task.groups()
    task.groups = lambda: [group | {"weight_decay": 0.3}]
    train(task, options(betas=(0.5, 0.6)), tmp_path, resume=True)
    (group,) = made[1].param_groups
    assert (group["weight_decay"], group["betas"]) == (0.3, (0.5, 0.6))
    assert made[1].state[task.network.weight]["step"] == 20


def test_a_mean_cannot_begin_in_the_middle(tmp_path):
    train(Toy(), options(), tmp_path)
    with pytest.raises(InputError, match="kept no mean of its weights; resume it without ema"):
        train(Toy(), options(ema=0.9), tmp_path, resume=True)
    state = json.loads((tmp_path / "step-18" / "state.json").read_text())
    assert state["waited"] >= 0
