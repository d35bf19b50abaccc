"""Training reads the words that the checkpoint reads, and the new checkpoint names the splitter."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.gliclass_checkpoints import write_checkpoint
from tests.gliner_checkpoints import KINDS, make_reference
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.question import Question
from onepass.errors import InputError
from onepass.schema import Schema
from onepass.training.config import TrainConfig
from onepass.training.distilling import DistillOptions
from onepass.training.families import open_trainee
from onepass.training.run import train_from_config
from onepass.training.teaching.taught import Taught

TEXT = "\u6768tim\u5e93\u514bcook runs."
MAKE = {
    "gliner2": make_tiny_checkpoint,
    "gliner": lambda path: make_reference(path, **KINDS["span"]),
    "gliclass": lambda path: write_checkpoint(path, pooling_strategy="avg"),
}


@pytest.fixture(params=MAKE)
def start(request, tmp_path) -> Path:
    MAKE[request.param](tmp_path / "start")
    return tmp_path / "start"


def own(directory: Path) -> dict:
    path = directory / "onepass.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def test_the_splitter_of_the_checkpoint_is_carried_on(start, tmp_path):
    open_trainee(start).save(tmp_path / "plain")
    assert own(tmp_path / "plain") == {}
    (start / "onepass.json").write_text('{"word_splitter": "script", "thresholds": {}}')
    open_trainee(start).save(tmp_path / "same")
    assert own(tmp_path / "same") == {"word_splitter": "script"}
    open_trainee(start, splitter="char").save(tmp_path / "other")
    assert own(tmp_path / "other") == {"word_splitter": "char"}


@pytest.mark.parametrize("family", ["gliner2", "gliner"])
def test_questions_are_read_in_its_words(family, tmp_path):
    MAKE[family](tmp_path)
    question = Question(TEXT, Schema().entities(["person"]), entities=((0, 4, 6),))
    first = {}
    for splitter in (None, "script", "char"):
        (one,) = open_trainee(tmp_path, splitter=splitter).ask(question, 100)
        first[splitter] = one.words.forms()[:3]
    split = ["\u6768", "tim", "\u5e93"]
    whole = ["\u6768tim\u5e93\u514bcook", "runs", "."]
    assert first == {None: whole, "script": split, "char": split}


def test_a_checkpoint_that_classifies_cuts_in_its_words(tmp_path):
    MAKE["gliclass"](tmp_path)
    schema = Schema().classification("topic", ["news", "art"])
    question = Question("\u5e93 " * 9 + "\u5e93\u514b" * 100, schema, classes=((0,),))
    pieces = {}
    for splitter in (None, "script"):
        (one,) = open_trainee(tmp_path, splitter=splitter).ask(question, 40)
        pieces[splitter] = one.reading.pieces
    assert pieces[None] < pieces["script"] == 40  # a long word goes in or stays out whole


def test_an_answer_inside_a_run_is_its_own_cells(tmp_path):
    trainee = open_trainee(make_tiny_checkpoint(tmp_path), splitter="script")
    question = Question(TEXT, Schema().entities(["person"]), entities=((0, 4, 6),))
    targets = trainee.build(trainee.ask(question, 100))
    assert np.array(targets.gold.index()).T.tolist() == [[0, 0, 2, 1]]  # words 2 and 3


def test_a_run_sets_it(tmp_path, write):
    start = make_tiny_checkpoint(tmp_path / "start")
    row = {"text": TEXT, "entities": [{"label": "person", "start": 4, "end": 6}]}
    data = write("data.jsonl", row, row)
    config = TrainConfig.from_dict(
        {
            "model": str(start), "data": str(data), "dev": str(data), "steps": 1,
            "output": str(tmp_path / "run"), "precision": "fp32", "device": "cpu",
            "word_splitter": "script",
        }
    )  # fmt: skip
    final = Path(train_from_config(config)["final"])
    assert own(final) == {"word_splitter": "script"}


def test_a_run_learns_values_without_places(tmp_path, write):
    output = {"entities": {"person": ["\u5e93\u514b"]}}
    data = write("gliner2.jsonl", *[{"input": "\u5e93\u514b\u8dd1\u3002", "output": output}] * 2)
    config = TrainConfig.from_dict(
        {
            "model": str(make_tiny_checkpoint(tmp_path / "start")), "data": str(data),
            "dev": str(data), "steps": 1, "output": str(tmp_path / "run"), "precision": "fp32",
            "device": "cpu", "word_splitter": "char",
        }
    )  # fmt: skip
    told: list[str] = []
    assert train_from_config(config, report=told.append)["skipped"] == 0
    assert not [line for line in told if "does not stand" in line]


def test_a_teacher_of_other_words_is_refused(tmp_path):
    start = make_tiny_checkpoint(tmp_path)
    student, teacher = open_trainee(start, splitter="script"), open_trainee(start)
    with pytest.raises(InputError, match="reads other words than the model; give a teacher with"):
        Taught(student, teacher, DistillOptions("big"))
    Taught(student, open_trainee(start, splitter="script"), DistillOptions("big"))
