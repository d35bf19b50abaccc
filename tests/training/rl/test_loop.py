import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.rl.bag import weights

from onepass.errors import InputError
from onepass.training.loop import LoopOptions, Outcome
from onepass.training.rl.rewards import Rewards


@pytest.fixture
def run(task):
    """Train a tiny policy; what is not of the loop is of reinforcement."""

    def train(directory: Path, *, resume=False, report=lambda line: None, rewards=None, **given):
        own = {"scores", "dropout", "value", "save_every", "kl", "iterations"}
        made, rl = task(**{name: given.pop(name) for name in own & set(given)})
        if rewards is not None:
            rl.judges = replace(rl.judges, rewards=Rewards({"own": (1.0, rewards)}))
        options = {"steps": 8, "warmup": 2, "precision": "fp32", "score_every": 4, "log_every": 2}
        loop = LoopOptions(**options | given)
        return rl.train(made, loop, directory, decay=0.01, resume=resume, report=report)

    return train


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def equal(a: Path, b: Path) -> bool:
    one, two = weights(a), weights(b)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "given", [{}, {"precision": "bf16"}, {"value": "policy"}, {"kl": 0.1, "dropout": 0.2}], ids=str
)
def test_a_resumed_run_gives_the_same_numbers(tmp_path, run, given):
    whole, half = tmp_path / "whole", tmp_path / "half"
    run(whole, **given)
    half.mkdir()
    shutil.copytree(whole / "step-4", half / "step-4")
    lines: list[str] = []
    outcome = run(half, resume=True, report=lines.append, **given)
    assert lines[0] == "resumed at step 4"
    assert (outcome.steps, outcome.examples) == (8, 32)
    assert equal(whole / "final", half / "final")
    assert not equal(whole / "final", whole / "step-4")


def test_a_score_that_failed_is_made_when_the_run_goes_on(tmp_path, run):
    with pytest.raises(IndexError):
        run(tmp_path, scores=[])
    assert "step-4" in names(tmp_path)
    outcome = run(tmp_path, scores=[0.7, 0.5], resume=True)  # of step 4, and of the last
    assert (outcome.best, outcome.best_at) == (0.7, (4, 16))


def test_a_run_that_is_stopped_says_where_it_goes_on(tmp_path, run):
    def stopped(line):
        lines.append(line)
        if line.startswith("step 6"):
            raise KeyboardInterrupt

    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, report=stopped)
    assert lines[-1] == "stopped at step 6; --resume goes on from step 4"


def test_the_reference_of_a_resumed_run_is_the_start(tmp_path, run, task):
    """Not what the run had come to: otherwise it could drift away in many small runs."""
    run(tmp_path, kl=0.1)
    shutil.rmtree(tmp_path / "final")
    made, rl = task(kl=0.1)
    start = {name: one.clone() for name, one in rl.policy.network.state_dict().items()}
    rl.train(
        made, LoopOptions(steps=5, precision="fp32"), tmp_path, decay=0, resume=True, report=print
    )
    held = rl.judges.reference.network.state_dict()
    assert all(torch.equal(start[name], held[name]) for name in start)


def test_checkpoints_after_batches_with_the_newest_kept(tmp_path, run):
    place = tmp_path / "run"
    run(place, scores=[0.5, 0.4], save_every=1, keep=3)
    assert names(place) == ["best", "final", "log.jsonl", "step-5", "step-6", "step-7"]
    assert not equal(place / "best", place / "final")


def test_a_run_between_scores_can_be_resumed(tmp_path, run):
    run(tmp_path / "whole", save_every=1, keep=9)
    (tmp_path / "part").mkdir()
    shutil.copytree(tmp_path / "whole" / "step-3", tmp_path / "part" / "step-3")
    run(tmp_path / "part", save_every=1, keep=9, resume=True)
    assert equal(tmp_path / "whole" / "final", tmp_path / "part" / "final")


def test_what_is_logged(tmp_path, run):
    lines: list[str] = []
    outcome = run(tmp_path, scores=[0.1, 0.3], kl=0.2, report=lines.append)
    assert (outcome.best, dict(outcome.scores)) == (0.3, {"score": 0.3})
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log if "loss" in row] == [2, 4, 6, 8]
    assert set(log[0]["loss"]) == {
        "total", "policy", "kl", "value", "clipped", "reward", "reward_f1", "advantage",
    }  # fmt: skip
    terms = log[0]["loss"]
    assert terms["total"] == pytest.approx(terms["policy"] + terms["kl"] + terms["value"])
    assert "reward_f1" in lines[0]


def fails_twice(calls: list[int]):
    """Return a reward that cannot judge the third and fifth batch."""

    def judge(episode):
        calls.append(1)
        if len(calls) in (3, 5):
            raise KeyError("no judge")
        return [1.0] * len(episode.texts)

    return judge


def test_a_batch_that_fails_stops_the_run_with_its_rows(tmp_path, run):
    message = r"The batch of four.jsonl:1, .*four.jsonl:4 failed at step 3: KeyError: 'no judge'"
    with pytest.raises(InputError, match=message):
        run(tmp_path, rewards=fails_twice([]))


def test_a_counted_few_may_fail(tmp_path, run):
    lines: list[str] = []
    given = {"skip_bad_batches": 2, "report": lines.append}
    outcome: Outcome = run(tmp_path, rewards=fails_twice([]), **given)
    assert (outcome.steps, outcome.bad_batches) == (8, 2)
    assert sum(line.startswith("skipped the batch of four.jsonl:1") for line in lines) == 2


def test_an_earlier_run_is_not_overwritten(tmp_path, run):
    run(tmp_path, steps=1)
    with pytest.raises(InputError, match="holds a finished run, which has no step"):
        run(tmp_path, steps=1)
    with pytest.raises(InputError, match="There is no checkpoint to resume"):
        run(tmp_path / "other", resume=True)
