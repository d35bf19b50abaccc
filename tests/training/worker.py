"""One of several processes that train together: runs configurations one after the other.

Arguments: a directory with ``runs.json``, a list of [name, configuration]. Each process leaves its
weights there, and what the run returned.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import torch

from onepass.training import run
from onepass.training.config import TrainConfig


def main(place: Path, rank: int) -> None:
    whole = run.train
    for name, given in json.loads((place / "runs.json").read_text()):

        def train(task, *args, name=name, **options):
            if name == "failing" and rank == 1:
                fail_at_the_second(task)
            outcome = whole(task, *args, **options)
            torch.save(task.network.state_dict(), place / f"{name}-{rank}.pt")
            return outcome

        run.train = train
        if given.get("resume") and rank == 0:
            shutil.copytree(place / "whole" / "step-3", place / name / "step-3")
        lines: list[str] = []
        result = run.train_from_config(TrainConfig.from_dict(given), report=lines.append)
        (place / f"{name}-{rank}.json").write_text(json.dumps({"result": result, "lines": lines}))


def fail_at_the_second(task) -> None:
    """Let the loss of a task raise at its second call."""
    right, calls = task.loss, iter(range(1, 100))

    def loss(network, batch):
        if next(calls) == 2:
            raise RuntimeError("index 7 is out of bounds")
        return right(network, batch)

    task.loss = loss


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(os.environ["RANK"]))
