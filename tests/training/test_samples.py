"""What a network says of held-out texts while it learns."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.gliclass_checkpoints import write_checkpoint
from tests.gliner_checkpoints import BI
from tests.training.gliner_data import make_learner

from onepass import Extractor
from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.jsonl import write_examples
from onepass.training.config import TrainConfig
from onepass.training.families import answered, open_trainee
from onepass.training.holdout import whole_question
from onepass.training.run import train_from_config
from onepass.training.sample_texts import open_samples
from onepass.training.samples import Sample, _gold, _predicted, choose

TEXT = "Tim Cook runs Apple in Paris."
WHOLE = Example(
    TEXT,
    (Mention(0, 8, "person"), Mention(14, 19, "company"), Mention(23, 28, "company")),
    asked=("color",),
    classifications=(GoldTask("tone", ("calm", "angry"), ("calm",)),),
    structures=(
        GoldStructure(
            "job",
            (GoldField("who"), GoldField("how", choices=("good", "bad")), GoldField("when")),
            (
                {"who": (GoldValue(0, 8),), "how": (GoldValue(choice="good"),)},
                {"when": (GoldValue(text="today"),)},
            ),
        ),
    ),
    relations=(GoldRelation("runs", (0, 8), (14, 19)),),
)


def test_gold_answers_are_said_by_label():
    assert _gold(WHOLE) == (
        "person: Tim Cook",
        "company: Apple, Paris",
        "tone: calm",
        "job: {who=Tim Cook, how=good}, {when=today}",
        "runs: Tim Cook > Apple",
    )


def test_lines_are_two_and_short():
    sample = Sample("A text", ("person: " + "x" * 300,), ())
    first, second = sample.lines()
    assert first == "  A text"
    assert second.endswith("x…  predicted  nothing")
    assert len(second) < 150
    assert Sample("A", ("a: x", "b: y"), ("b: y", "a: x")).lines()[1] == "    right  a: x; b: y"


def test_each_kind_is_shown_before_any_twice():
    short = Example("Bo", (Mention(0, 2, "person"),))
    long = Example("Bo " * 200, (Mention(0, 2, "person"),))
    none = Example("Hm", asked=("person",))
    task = Example("Hm", classifications=(GoldTask("tone", ("calm",), ("calm",)),))
    assert choose([none, long, short, task], 3) == [short, task, none]
    assert choose([none], 5) == [none]
    assert choose([WHOLE], 0) == []


@pytest.fixture(scope="module")
def starts(checkpoint, tmp_path_factory) -> dict[str, Path]:
    """A tiny checkpoint of each family; the one of GLiNER encodes labels by themselves."""
    place = tmp_path_factory.mktemp("starts")
    gliclass = place / "gliclass"
    gliclass.mkdir()
    write_checkpoint(
        gliclass, encoder="bert", pieces="wordpiece", calm=True, pooling_strategy="avg"
    )
    gliner = make_learner(place / "gliner", **BI)
    return {"gliner2": checkpoint, "gliner": gliner, "gliclass": gliclass}


def answers(model: Path) -> tuple[str, ...]:
    """Return what a checkpoint says of the text when it is opened as a user opens it."""
    schema = whole_question(answered(model)(WHOLE)).schema
    return _predicted(Extractor.from_pretrained(model, backend="torch").extract(TEXT, schema))


@pytest.mark.parametrize("family", ["gliner2", "gliner", "gliclass"])
def test_the_network_is_asked_as_it_is_now(starts, tmp_path, family):
    """What is shown of the trained network is what the saved one says to its users."""
    start = starts[family]
    torch.manual_seed(1)
    trainee = open_trainee(start)
    samples = open_samples([WHOLE], 1, str(start), trainee.network.eval())
    found = []
    for turn in range(3):
        with torch.no_grad():
            for parameter in trainee.network.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
        trainee.save(tmp_path / str(turn))
        (sample,) = samples()
        assert sample.text == TEXT
        assert sample.predicted == answers(tmp_path / str(turn))
        found.append(sample.predicted)
    assert len(set(found)) > 1


def run(tmp_path: Path, model: Path, **given: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Train a little and return what was told, and the rows of the log that have scores."""
    tmp_path.mkdir(exist_ok=True)
    data = tmp_path / "data.jsonl"
    write_examples(data, [WHOLE, Example("Hm", asked=("person",))])
    least = {"model": str(model), "data": str(data), "dev": str(data), "steps": 4, "warmup": 1}
    least |= {"output": str(tmp_path / "run"), "precision": "fp32", "device": "cpu"}
    lines: list[str] = []
    config = TrainConfig.from_dict(least | {"score_every": 2} | given)
    train_from_config(config, report=lines.append)
    log = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return lines, [row for row in map(json.loads, log) if "scores" in row]


def test_a_run_shows_them_at_each_score(tmp_path, checkpoint):
    lines, rows = run(tmp_path, checkpoint)
    assert lines.count(f"  {TEXT}") == 2
    at = lines.index(f"  {TEXT}")
    assert lines[at - 1].startswith("step 2  held out:")
    assert lines[at + 1].startswith(
        "    gold  person: Tim Cook; company: Apple, Paris; tone: calm;"
    )
    assert [len(row["samples"]) for row in rows] == [2, 2]
    assert rows[0]["samples"][0]["gold"] == list(_gold(WHOLE))


def test_none_are_shown_if_none_are_asked_for(tmp_path, checkpoint):
    lines, rows = run(tmp_path, checkpoint, samples=0)
    assert f"  {TEXT}" not in lines
    assert all("samples" not in row for row in rows)


def test_they_change_nothing(tmp_path, checkpoint):
    for count in (0, 2):
        run(tmp_path / str(count), checkpoint, samples=count, lora={"rank": 2})
    first, second = (
        (tmp_path / str(count) / "run" / "final" / "model.safetensors").read_bytes()
        for count in (0, 2)
    )
    assert first == second


def test_a_run_with_rewards_shows_classes(tmp_path, checkpoint):
    lines, rows = run(tmp_path, checkpoint, rl={"rewards": {"f1": 1.0}})
    assert rows[0]["samples"][0]["gold"] == ["tone: calm"]
    assert f"  {TEXT}" in lines
