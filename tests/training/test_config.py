import json
import re
from pathlib import Path

import pytest

from onepass.errors import InputError
from onepass.training.asking.means import SamplingOptions
from onepass.training.config import TrainConfig, read_config
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions

LEAST = {"model": "start", "data": "data.jsonl", "output": "run"}
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def test_the_defaults_are_those_of_the_paper():
    config = TrainConfig.from_dict(LEAST)
    assert (config.weight_decay, config.clip) == (0.01, 1.0)
    assert config.warmup is None  # 1000, but at most a tenth of the run
    # These depend on the checkpoint and the data, which are not open yet: see test_pace.py.
    assert (config.encoder_rate, config.head_rate, config.epochs) == (None, None, None)
    assert config.data == ("data.jsonl",)


def test_two_ends_may_be_given():
    both = TrainConfig.from_dict(LEAST | {"steps": 10, "epochs": 1})
    assert (both.steps, both.epochs) == (10, 1)


def test_a_configuration_survives_json():
    config = TrainConfig.from_dict(
        LEAST
        | {
            "data": ["a.jsonl", "b"],
            "betas": [0.9, 0.999],
            "sampling": {"max_labels": 3, "describe": 0.5},
            "loss": {"rank": 0},
        }
    )
    assert config.sampling == SamplingOptions(max_labels=3, describe=0.5)
    assert config.loss == {"rank": 0}
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_flags_count_instead_of_the_file(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(LEAST | {"steps": 5, "seed": 3}))
    config = read_config(path, {"steps": 9, "seed": None, "output": "other"})
    assert (config.steps, config.seed, config.output) == (9, 3, "other")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 1}, "has no key 'rate'; its keys are model, data, output, dev"),
        ({"ema": 1}, "'ema' must be a number above 0 and below 1, or null, but 1 was given"),
        ({"revision": 5}, "'revision' must be a string or null, but 5 was given"),
        ({"sampling": []}, "'sampling' must be an object, but [] was given"),
        ({"sampling": {"lables": 3}}, "'sampling' has no key 'lables'; its keys are max_labels"),
        ({"sampling": {"compete": 2}}, "'compete' must be a probability"),
        ({"rl": {"rewards": {"f1": 1}, "x": 1, "a": 1}}, "'rl' has the unknown key 'x'"),
        ({"distill": {"weight": 1}}, "'distill' needs 'teacher'"),
        ({"distill": {"teacher": "big", "heat": 1}}, "'heat'"),
        ({"distill": {"teacher": "big", "temperature": 0}}, "'distill.temperature' must be"),
    ],
)
def test_wrong_values_get_one_sentence(tmp_path, given, message):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(LEAST | given))
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        read_config(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["model", "data", "output"])
def test_what_is_needed_must_be_there(key):
    given = {name: value for name, value in LEAST.items() if name != key}
    with pytest.raises(InputError, match=f"needs {key!r}"):
        TrainConfig.from_dict(given)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "must be JSON"),
        (b"[]", "must be a JSON object, not a list; examples to learn from are named by"),
        (b"{}\n{}\n", "Extra data at line 2, column 1; examples to learn from are named by"),
        (b"\xff", "not UTF-8"),
        (b'{"data": ' + b"[" * 100_000, "must not be nested so deeply"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "must be JSON: Exceeds the limit"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, message):
    path = tmp_path / "train.json"
    with pytest.raises(InputError, match="There is no file"):
        read_config(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_config(path)


YAML = """
model: start   # a comment
data: [data.jsonl]
output: run
encoder_rate: 1e-4
head_rate: 2.5e-4
sampling:
  describe: 0.5
"""


@pytest.mark.parametrize("name", ["train.yaml", "train.YML"])
def test_yaml_says_the_same_as_json(tmp_path, name):
    path, other = tmp_path / name, tmp_path / "train.json"
    path.write_text(YAML)
    given = {"encoder_rate": 1e-4, "head_rate": 2.5e-4, "sampling": {"describe": 0.5}}
    other.write_text(json.dumps(LEAST | given))
    assert read_config(path, {"steps": 3}) == read_config(other, {"steps": 3})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model: [", "must be YAML: expected the node content"),
        ("- model", "must be a YAML mapping, not a list"),
        ("", "must be a YAML mapping, not NoneType"),
        ("model: \0", "must be YAML: unacceptable character"),
        ("model: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("3: 4", "has no key 3; its keys are model"),
        ("data: " + "[" * 100_000, "must not be nested so deeply"),
        ("license: 2024-13-45", "must be YAML: month must be in 1..12"),
    ],
)
def test_yaml_that_is_no_configuration_is_refused(tmp_path, content, message):
    path = tmp_path / "train.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_teacher_alone_is_distillation():
    config = TrainConfig.from_dict(LEAST | {"distill": "big", "license": "mit", "ema": 0.99})
    assert (config.distill.teacher, config.distill.weight) == ("big", 1.0)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*/train.json")), ids=lambda p: p.parent.name)
def test_recipes_are_configurations(path):
    read_config(path)


def test_overrides_within_an_object_leave_its_other_keys(tmp_path):
    own = {"lora": {"rank": 8, "dropout": 0.1}, "distill": "large", "sampling": {"restyle": 0.5}}
    given = {"lora": {"rank": 4}, "distill": {"teacher": "base"}}
    path = tmp_path / "train.json"
    path.write_text(json.dumps(LEAST | own))
    config = read_config(path, given)
    assert config.lora == LoraOptions(rank=4, dropout=0.1)
    assert config.distill == DistillOptions("base")
    assert config.sampling == SamplingOptions(restyle=0.5)


def test_keys_of_yaml_that_are_no_strings_are_named(tmp_path):
    path = tmp_path / "train.yaml"
    path.write_text("model: a\ndata: b\noutput: c\nself_train: {texts: t, on: a, x: b}\n")
    with pytest.raises(InputError, match="'self_train' has the unknown key True; the keys are"):
        read_config(path)
