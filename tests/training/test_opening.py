"""The checkpoints of a run, opened as its configuration says."""

from pathlib import Path

import pytest

from onepass.errors import CheckpointError, InputError
from onepass.training.config import TrainConfig
from onepass.training.data import LineFile
from onepass.training.opening import open_learner, with_teacher
from onepass.training.sources import Sources
from onepass.training.teaching.taught import Taught
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


def test_values_inside_words_of_the_checkpoint_are_told(checkpoint: Path, write) -> None:
    told: list[str] = []
    row = {"text": "库克在巴黎。 Bo", "entities": [{"label": "p", "start": 0, "end": 2}]}
    data = write("zh.jsonl", row, row | {"entities": [{"label": "p", "start": 7, "end": 9}]})
    sources = Sources({"zh": LineFile(data)}, {}, ())

    def learner(**given) -> None:
        config = TrainConfig.from_dict(LEAST | {"model": str(checkpoint)} | given)
        open_learner(config, sources, device="cpu", report=told.append)

    learner(word_splitter="script")
    assert told == []
    learner()
    (sentence,) = told
    assert sentence.startswith("1 of 2 values that were looked at begin or end inside a word")


def test_values_that_are_off_by_a_letter_are_told(checkpoint: Path, write) -> None:
    told: list[str] = []
    row = {"text": "Tim met Ann.", "entities": [{"label": "p", "start": 9, "end": 12}]}
    data = write("en.jsonl", row, row | {"entities": [{"label": "p", "start": 8, "end": 11}]})
    config = TrainConfig.from_dict(LEAST | {"model": str(checkpoint)})
    open_learner(config, Sources({"en": LineFile(data)}, {}, ()), device="cpu", report=told.append)
    assert told == [
        "1 of 2 values that were looked at begin or end inside a word: the whole word is learned "
        "in their place; onepass data validate names them."
    ]
