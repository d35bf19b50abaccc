"""A few examples of each label: which are chosen, and what a run says that they brought."""

from __future__ import annotations

import random

import pytest
from tests.gliclass_checkpoints import write_checkpoint
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.fewshot import choose, few_of
from onepass.training.material import DATA
from onepass.training.run import train_from_config
from onepass.training.sources import open_sources

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


def test_sources_keep_their_weights_and_those_of_weight_0_are_left_out(tmp_path, write):
    for name in ("a", "b", "c"):
        write(f"mix/{name}.jsonl", *[TIM | {"source": name}] * 9)
    (tmp_path / "mix" / "mix.json").write_text('{"a": 0, "b": 3, "c": 1.5}')
    lines: list[str] = []
    given = {"seed": 0, "into": tmp_path / "into", "report": lines.append}
    few = few_of(open_sources([tmp_path / "mix"], held_out=0, **given), 12, **given)
    assert few.weights == {"b": 3.0, "c": 1.5}
    assert sum(map(len, few.files.values())) == 12
    for name, file in few.files.items():
        assert file.path.stem == name
        assert {file.example(i).source for i in range(len(file))} == {name}
    assert len(few.held_out) == 6
    assert lines == ["12 of 18 examples chosen, 12 of each label"]


def test_a_mix_beside_another_file_weighs_as_what_was_chosen_of_it(tmp_path, write):
    for name in ("a", "b"):
        write(f"mix/{name}.jsonl", *[TIM] * 50)
    (tmp_path / "mix" / "mix.json").write_text('{"a": 3, "b": 1}')
    plain = write("plain.jsonl", *[TIM] * 50)
    given = {"seed": 0, "into": tmp_path / "into", "report": lambda line: None}
    few = few_of(open_sources([tmp_path / "mix", plain], held_out=0, **given), 30, **given)
    chosen = len(few.files["a"]) + len(few.files["b"])
    assert few.weights == pytest.approx({"a": chosen * 3 / 4, "b": chosen / 4})


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
    with pytest.raises(InputError, match="No example is left to test on"):
        run(row)
    assert not (tmp_path / "run" / "train.json").exists()  # told before anything is trained


def gliclass_run(tmp_path, data, **given):
    start = tmp_path / "start"
    write_checkpoint(start, prompt_first=True, pooling_strategy="avg")
    config = {
        "model": str(start), "data": str(data), "output": str(tmp_path / "run"), "few_shot": 1,
        "steps": 1, "precision": "fp32", "device": "cpu", "max_pieces": 64,
    }  # fmt: skip
    return train_from_config(TrainConfig.from_dict(config | given))


RED = {
    "text": "red tim",
    "classifications": [{"name": "tone", "labels": ["red", "news"], "true": ["red"]}],
}
TIM = {"text": "Tim", "entities": [{"start": 0, "end": 3, "label": "person"}]}


def test_what_a_checkpoint_cannot_answer_is_neither_chosen_nor_tested(tmp_path, write):
    long = {"name": "tone", "labels": ["red", "tim " * 600], "true": ["red"]}
    data = write("data.jsonl", *[{**TIM, **RED, "text": "Tim red"}] * 3, *[TIM] * 3)
    dev = write("dev.jsonl", RED, TIM, {"text": "red", "classifications": [long]})
    result = gliclass_run(tmp_path, data, dev=str(dev))
    assert result["skipped"] == 0
    assert (result["few_shot"]["texts"], result["few_shot"]["left_out"]) == (1, 1)
    lines = (tmp_path / "run" / DATA / "few-shot" / "data.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert "person" not in lines[0]


def test_a_missing_dev_file_is_told_before_anything_is_trained(tmp_path, write):
    with pytest.raises(InputError, match="There is no file"):
        gliclass_run(tmp_path, write("data.jsonl", RED, RED), dev=str(tmp_path / "none.jsonl"))
    assert not (tmp_path / "run" / "final").exists()


def test_what_a_model_labeled_itself_is_learned_whole_and_not_tested_on(tmp_path, write):
    texts = write("texts.jsonl", *[RED] * 4)
    result = gliclass_run(
        tmp_path, write("data.jsonl", *[RED] * 3),
        self_train={"texts": str(texts), "threshold": 0.0},
    )  # fmt: skip
    assert result["few_shot"]["texts"] == 2
    lines = (tmp_path / "run" / DATA / "few-shot" / "data.jsonl").read_text().splitlines()
    assert len(lines) == 1
