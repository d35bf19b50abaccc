"""The checkpoints of a run, opened as its configuration says."""

from pathlib import Path

import pytest

from onepass.errors import CheckpointError, InputError
from onepass.training.config import TrainConfig
from onepass.training.opening import open_learner, with_teacher
from onepass.training.sources import Sources
from onepass.training.teaching import Taught
from onepass.training.trainee import Trainee

LEAST = {"data": "data.jsonl", "output": "run"}


def opened(checkpoint: Path, **given) -> tuple[TrainConfig, Trainee]:
    config = TrainConfig.from_dict(LEAST | {"model": str(checkpoint)} | given)
    trainee, rl = open_learner(config, Sources({}, {}, ()), device="cpu", report=print)
    assert rl is None
    return config, trainee


def test_texts_longer_than_the_checkpoint_reads_are_refused(checkpoint: Path) -> None:
    assert opened(checkpoint, max_pieces=512)[1].longest == 512
    with pytest.raises(InputError, match="513, but this checkpoint reads at most 512 pieces"):
        opened(checkpoint, max_pieces=513)


def test_a_run_without_a_teacher_learns_alone(checkpoint: Path) -> None:
    config, trainee = opened(checkpoint)
    assert with_teacher(trainee, config, device="cpu") is trainee


def test_the_teacher_of_a_run_is_opened(checkpoint: Path) -> None:
    config, trainee = opened(checkpoint, distill=str(checkpoint))
    taught = with_teacher(trainee, config, device="cpu")
    assert isinstance(taught, Taught)
    assert taught.network is trainee.network
    config, trainee = opened(checkpoint, distill="nowhere")
    with pytest.raises(CheckpointError, match="nowhere"):
        with_teacher(trainee, config, device="cpu")
