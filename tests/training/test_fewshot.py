"""A few examples of each label: which are chosen, and what a run says that they brought."""

from __future__ import annotations

import random

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.errors import InputError
from onepass.training.fewshot import choose
from onepass.training.run import TrainConfig, train_from_config

LABELS = ("good", "bad", "dull")


def tone(text: str, *true: str, several: bool = False) -> Example:
    return Example(text, classifications=(GoldTask("tone", LABELS, true, several),))


def test_each_label_gets_as_many_as_asked_or_all_that_there_are():
    rng = random.Random(1)
    examples = [tone(str(i), rng.choice(("good", "bad"))) for i in range(50)]
    examples += [tone("x", "dull"), tone("y")]
    chosen = [examples[i].classifications[0].true for i in choose(examples, 4, seed=0)]
    assert sorted(chosen) == [(), *[("bad",)] * 4, ("dull",), *[("good",)] * 4]


def test_the_choice_depends_on_the_seed_alone():
    examples = [tone(str(i), LABELS[i % 3]) for i in range(60)]
    assert choose(examples, 2, seed=5) == choose(examples, 2, seed=5)
    assert choose(examples, 2, seed=5) != choose(examples, 2, seed=6)


def test_labels_of_entities_count_too():
    bo = Example("Bo", (Mention(0, 2, "dog"),))
    assert choose([bo, Example("It", asked=("dog",)), bo], 2, seed=0) == [0, 2]


def test_a_run_reports_the_gain_on_what_it_did_not_see(tmp_path, write):
    start = make_tiny_checkpoint(tmp_path / "start", counting_layer="count_lstm", dropout=0.0)
    words = {"good": "red", "bad": "Rome"}
    rows = [
        {
            "text": f"{word} {word}",
            "classifications": [{"name": "tone", "labels": [*words], "true": [label]}],
        }
        for label, word in words.items()
        for _ in range(8)
    ]
    data = write("data.jsonl", *rows)
    lines: list[str] = []
    config = {
        "model": str(start), "data": str(data), "output": str(tmp_path / "run"), "few_shot": 2,
        "steps": 250, "precision": "fp32", "device": "cpu", "encoder_rate": 3e-3,
        "head_rate": 3e-3, "score_every": 0, "sampling": {"restyle": 0.0},
    }  # fmt: skip
    result = train_from_config(TrainConfig.from_dict(config), report=lines.append)
    assert "4 of 16 examples chosen, 2 of each label" in lines
    told = result["few_shot"]
    assert told["texts"] == 12
    assert told["after"]["classifications"]["accuracy"] == 1.0
    assert told["before"]["classifications"]["accuracy"] == 0.5
    assert told["gain"]["classifications"]["accuracy"] == 0.5
    assert result["scores"] == {}


def test_data_without_labels_or_without_anything_to_test_on_is_refused(tmp_path, checkpoint, write):
    def run(*rows):
        config = {
            "model": str(checkpoint), "data": str(write("data.jsonl", *rows)),
            "output": str(tmp_path / "run"), "few_shot": 2, "steps": 1,
        }  # fmt: skip
        train_from_config(TrainConfig.from_dict(config))

    with pytest.raises(InputError, match="No label occurs in the data"):
        run({"text": "Tim", "entities": [], "asked": ["person"]})
    row = {"text": "Tim", "entities": [{"start": 0, "end": 3, "label": "person"}]}
    with pytest.raises(InputError, match="none is left to test on; the model is in"):
        run(row)
