import json
import re
from pathlib import Path

import pytest

from onepass.errors import InputError
from onepass.models.gliner2.targets import LossWeights
from onepass.training.config import TrainConfig, read_config
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions
from onepass.training.sampling import SamplingOptions

LEAST = {"model": "start", "data": "data.jsonl", "output": "run"}
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def test_the_defaults_are_those_of_the_paper():
    config = TrainConfig.from_dict(LEAST)
    assert (config.encoder_rate, config.head_rate, config.weight_decay) == (1e-5, 2e-5, 0.01)
    assert (config.clip, config.epochs) == (1.0, 5.0)
    assert config.warmup is None  # 1000, but at most a tenth of the run
    assert config.data == ("data.jsonl",)


def test_an_end_that_is_given_replaces_the_epochs():
    assert TrainConfig.from_dict(LEAST | {"steps": 10}).epochs is None
    assert TrainConfig.from_dict(LEAST | {"minutes": 0.5}).epochs is None
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
    assert config.loss == LossWeights(rank=0)
    assert TrainConfig.from_json(json.dumps(config.to_dict())) == config


def test_flags_count_instead_of_the_file(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(LEAST | {"steps": 5, "seed": 3}))
    config = read_config(path, {"steps": 9, "seed": None, "output": "other"})
    assert (config.steps, config.seed, config.output) == (9, 3, "other")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 1}, "has no key 'rate'; its keys are model, data, output, dev"),
        ({"model": ""}, "'model' must be a path or a hub id, but '' was given"),
        ({"data": []}, "'data' must be a path or a list of paths, but () was given"),
        ({"data": [3]}, "'data' must be a path or a list of paths"),
        ({"dev": 3}, "'dev' must be a path or null, but 3 was given"),
        ({"steps": 0}, "'steps' must be a whole number from 1, or null, but 0 was given"),
        ({"steps": 1.5}, "'steps' must be a whole number"),
        ({"steps": True}, "'steps' must be a whole number"),
        ({"minutes": -1}, "'minutes' must be a number above 0, or null, but -1 was given"),
        ({"epochs": "5"}, "'epochs' must be a number above 0"),
        ({"head_rate": -1e-5}, "'head_rate' must be a number from 0"),
        ({"clip": 0}, "'clip' must be a number above 0"),
        ({"held_out": 1}, "'held_out' must be a share from 0 to below 1"),
        ({"betas": [0.9]}, "'betas' must be two numbers"),
        ({"betas": [0.9, 1.0]}, "'betas' must be two numbers"),
        ({"precision": "int8"}, "'precision' must be one of auto, bf16, fp16, fp32, but 'int8'"),
        ({"samples": -1}, "'samples' must be a whole number from 0"),
        ({"device": "gpu"}, "'device' must be one of auto, cpu, cuda, but 'gpu'"),
        ({"freeze": [["a"]]}, "'freeze' must be a list of text_encoder"),
        ({"threads": 0}, "'threads' must be a whole number from 1, or null, but 0"),
        ({"seed": 10**23}, "'seed' must be a whole number from 0 to 9223372036854775807, but 1000"),
        ({"seed": 2**63}, "'seed' must be a whole number from 0 to 9223372036854775807"),
        ({"resume": 1}, "'resume' must be true or false"),
        ({"keep": 0}, "'keep' must be a whole number from 1"),
        ({"sampling": []}, "'sampling' must be an object, but [] was given"),
        ({"sampling": {"lables": 3}}, "'sampling' has no key 'lables'; its keys are max_labels"),
        ({"sampling": {"compete": 2}}, "'compete' must be a probability"),
        ({"loss": {"spans": -1}}, "'loss.spans' must be a number from 0, but -1 was given"),
        ({"loss": {"span": 1}}, "'loss' has no key 'span'; its keys are spans, rank"),
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
        (b"[]", "must be a JSON object, not list"),
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
        ("- model", "must be a YAML mapping, not list"),
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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ema": 1}, "'ema' must be a number above 0 and below 1, or null, but 1 was given"),
        ({"patience": 0}, "'patience' must be a whole number from 1, or null"),
        ({"patience": 2, "score_every": 0}, "'score_every' is 0, which scores only at the end"),
        ({"license": ""}, "'license' must be a name such as 'apache-2.0'"),
        ({"word_splitter": "jieba"}, "'word_splitter' must be one of char, script, or null"),
        ({"word_splitter": ["char"]}, "'word_splitter' must be one of char, script, or null"),
        ({"distill": {"weight": 1}}, "'distill' needs 'teacher'"),
        ({"distill": {"teacher": "big", "heat": 1}}, "'heat'"),
        ({"distill": {"teacher": "big", "temperature": 0}}, "'distill.temperature' must be"),
        ({"distill": "big", "rl": {"rewards": {"f1": 1}}}, "'distill' is of supervised training"),
        ({"ema": 0.9, "rl": {"rewards": {"f1": 1}}}, "'ema' is of supervised training"),
    ],
)
def test_newer_keys_are_checked_too(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        TrainConfig.from_dict(LEAST | given)


def test_a_teacher_alone_is_distillation():
    config = TrainConfig.from_dict(LEAST | {"distill": "big", "license": "mit", "ema": 0.99})
    assert (config.distill.teacher, config.distill.weight) == ("big", 1.0)
    assert TrainConfig.from_json(json.dumps(config.to_dict())) == config


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*/train.json")), ids=lambda p: p.parent.name)
def test_recipes_are_configurations(path):
    read_config(path)


def test_overrides_within_an_object_leave_its_other_keys():
    own = {"lora": {"rank": 8, "dropout": 0.1}, "distill": "large", "sampling": {"restyle": 0.5}}
    given = {"lora": {"rank": 4}, "distill": {"teacher": "base"}}
    config = TrainConfig.from_json(json.dumps(LEAST | own), given)
    assert config.lora == LoraOptions(rank=4, dropout=0.1)
    assert config.distill == DistillOptions("base")
    assert config.sampling == SamplingOptions(restyle=0.5)


def test_rounded_weights_are_not_changed_by_adapters():
    given = LEAST | {"quantize": True, "lora": {"rank": 4}}
    with pytest.raises(InputError, match="'quantize' rounds whole weights, which 'lora' does not"):
        TrainConfig.from_dict(given)
