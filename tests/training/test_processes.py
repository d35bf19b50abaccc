"""Two processes on the CPU that train a tiny checkpoint together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tiny import make_tiny_checkpoint

from onepass.errors import InputError
from onepass.training.checkpoints import Checkpoints
from onepass.training.config import TrainConfig
from onepass.training.data import LineFile, Mixture
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.loading import Direct
from onepass.training.loop import LoopOptions, train
from onepass.training.processes import ALONE, Processes
from onepass.training.sampling import Sampler
from onepass.training.stream import BatchOptions, QuestionStream
from onepass.training.task import Rates, TrainingTask

TONE = {"name": "tone", "labels": ["calm", "angry"], "true": ["calm"]}
ROWS = [
    {
        "text": f"{who} works for {firm} in Paris.",
        "entities": [{"start": 0, "end": len(who), "label": "person"}],
        "asked": ["person", "place", "color"],
        "classifications": [TONE] if who == "Ann" else [],  # batches without a task, too
    }
    for who in ("Tim Cook", "Ann", "Bo Lee", "Rome")
    for firm in ("Apple", "Blue", "Red and Green")
]
RATE = 1e-3


def start(place: Path) -> None:
    """Run what ``runs.json`` says in two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(place)]
    started = [
        subprocess.Popen(
            command, env=env | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=120)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """The directory of four runs in two processes."""
    place = tmp_path_factory.mktemp("two")
    (place / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    make_tiny_checkpoint(place / "start")
    make_tiny_checkpoint(place / "calm", dropout=0.0)
    least: dict[str, Any] = {
        "model": str(place / "start"), "data": str(place / "data.jsonl"), "steps": 6, "warmup": 2,
        "dev": str(place / "data.jsonl"), "score_every": 3, "log_every": 2, "max_batch": 4,
        "precision": "fp32", "device": "cpu", "encoder_rate": RATE, "head_rate": RATE,
    }  # fmt: skip
    runs = {
        "whole": {},
        "half": {"resume": True},
        "calm": {"model": str(place / "calm"), "ema": 0.9},
        "failing": {"skip_bad_batches": 1},
    }
    named = [[name, least | given | {"output": str(place / name)}] for name, given in runs.items()]
    (place / "runs.json").write_text(json.dumps(named))
    start(place)
    return place


def weights(place: Path, name: str, rank: int) -> dict[str, torch.Tensor]:
    return torch.load(place / f"{name}-{rank}.pt", weights_only=True)


def said(place: Path, name: str, rank: int) -> dict[str, Any]:
    return json.loads((place / f"{name}-{rank}.json").read_text())


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", ["whole", "half", "calm", "failing"])
def test_both_have_the_same_weights(place, name):
    assert equal(weights(place, name, 0), weights(place, name, 1))


def test_a_resumed_run_gives_the_same_numbers(place):
    assert said(place, "half", 0)["lines"].count("resumed at step 3") == 1
    assert equal(weights(place, "whole", 0), weights(place, "half", 0))


def test_only_the_main_one_tells_and_writes(place):
    main, other = (said(place, "whole", rank) for rank in range(2))
    assert (other["lines"], other["result"]) == ([], {})
    assert (main["result"]["steps"], main["result"]["examples"]) == (6, 48)  # 4 a batch, 2 a step
    assert any("(2 processes, 1 thread)" in line for line in main["lines"])
    rows = [json.loads(line) for line in (place / "whole" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 3, 4, 6, 6]
    names = {path.name for path in (place / "whole").iterdir()}
    assert names == {"best", "final", "log.jsonl", "step-3", "train.json"}


def test_they_learn_what_one_learns_from_both_batches(tmp_path, place):
    """One process whose loss is the mean of the losses of the two batches."""
    torch.manual_seed(0)
    trainee = Gliner2Trainee(place / "calm")
    streams = [
        QuestionStream(
            Mixture({"data": LineFile(place / "data.jsonl")}, None, seed=0), Sampler(),
            trainee.ask, BatchOptions(max_batch=4, pool=12), share=(index, 2),
        )
        for index in range(2)
    ]  # fmt: skip
    task = TrainingTask(trainee, Direct(streams[0]), Rates(RATE, RATE))
    batches = [stream.batches() for stream in streams]
    task.batches = lambda: iter(lambda: [next(own) for own in batches], None)

    def loss(network, pair):
        both = [trainee.loss(network, trainee.build(asked))[0] for asked in pair]
        return torch.stack(both).mean(), {}

    task.loss = loss
    options = LoopOptions(steps=6, warmup=2, precision="fp32", score_every=0)
    train(task, options, tmp_path)
    ours, before = weights(place, "calm", 0), Gliner2Trainee(place / "calm").network.state_dict()
    for name, weight in task.network.state_dict().items():
        moved = (weight - before[name]).abs().max().item()
        assert (weight - ours[name]).abs().max().item() <= 0.02 * moved + 1e-7, name


def test_a_batch_that_fails_in_one_is_left_out_in_both(place):
    main = said(place, "failing", 0)
    assert (main["result"]["steps"], main["result"]["bad_batches"]) == (6, 1)
    (line,) = [line for line in main["lines"] if line.startswith("skipped the batch of data")]
    assert line.endswith("failed at step 2: RuntimeError: index 7 is out of bounds")


def test_a_run_is_resumed_by_as_many_as_it_had(place):
    task = TrainingTask(
        Gliner2Trainee(place / "start"),
        Direct(
            QuestionStream(
                Mixture({"data": LineFile(place / "data.jsonl")}, None, seed=0), Sampler(),
                lambda question, most: (), BatchOptions(),
            )
        ),
        Rates(),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(task.groups())
    checkpoints = Checkpoints(place / "whole", keep=1)
    with pytest.raises(InputError, match="has 2 processes, but 1 resume it; start as many"):
        checkpoints.load(task, optimizer)


def test_each_draws_its_own_part(place):
    """What two readers draw together is what one draws."""
    file = LineFile(place / "data.jsonl")

    def drawn(share: tuple[int, int], pools: int) -> list[list[str]]:
        trainee = Gliner2Trainee(place / "calm")
        stream = QuestionStream(
            Mixture({"data": file}, None, seed=0), Sampler(), trainee.ask,
            BatchOptions(max_batch=4, pool=4), share=share,
        )  # fmt: skip
        batches = stream.batches()
        return [stream.places(next(batches)) for _ in range(pools)]

    alone = drawn((0, 1), 6)
    assert drawn((0, 2), 3) == alone[::2]
    assert drawn((1, 2), 3) == alone[1::2]


def test_one_process_shares_nothing():
    network = torch.nn.Linear(1, 1)
    ALONE.average_gradients(network)
    with ALONE.main_first():
        assert (ALONE.from_main(0.5), ALONE.gather(3)) == (0.5, [3])
    lines: list[str] = []
    ALONE.telling(lines.append)("told")
    Processes(index=1, count=2).telling(lines.append)("not told")
    assert lines == ["told"]


def test_rewards_are_for_one_process(place, monkeypatch):
    from onepass.training import run

    monkeypatch.setattr(run, "open_processes", lambda device: Processes(0, 2, device))
    given = {"model": str(place / "start"), "data": "data.jsonl", "output": str(place / "rl")}
    config = TrainConfig.from_dict(given | {"device": "cpu", "rl": {"rewards": {"f1": 1.0}}})
    with pytest.raises(InputError, match="'rl' is one process, but 2 were started; start one"):
        run.train_from_config(config)
