"""The files of a sentence encoder: what they say, in old forms and new, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.nli_checkpoints import edit_json

from onepass import Extractor
from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.models.embedding.config import EmbeddingConfig
from onepass.models.embedding.facts import embedding_facts


@pytest.fixture
def directory(made: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made("dense"), tmp_path / "dense"))


def pooling(directory: Path, content: dict[str, Any]) -> tuple[str, ...]:
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(content))
    return EmbeddingConfig.read(directory).poolings


def test_what_is_read(directory: Path) -> None:
    config = EmbeddingConfig.read(directory)
    assert config.poolings == ("mean",)
    assert [one and (one.inputs, one.outputs, one.activation) for one in config.behind] == [
        (24, 16, "Tanh"),
        None,
    ]
    assert config.size == 16
    assert (config.pieces, config.lower, config.prompt) == (None, False, "")
    assert Checkpoint(directory, "mine", None).kind == "embedding"
    facts = embedding_facts(Checkpoint(directory, "mine", None))
    assert facts.architecture == "pooling mean, dense 16, normalized"
    assert facts.pieces == 128


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"pooling_mode": "lasttoken"}, ("lasttoken",)),
        ({"pooling_mode": ["max", "cls"]}, ("max", "cls")),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ("cls",)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, ("cls", "mean")),
        ({"pooling_mode_mean_tokens": False}, ("mean",)),
        ({}, ("mean",)),
    ],
)
def test_poolings(directory: Path, content: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert pooling(directory, content) == expected


def test_the_word_false_is_no_value(directory: Path) -> None:
    assert pooling(directory, {"pooling_mode_cls_token": None}) == ("mean",)
    with pytest.raises(CheckpointError, match=r"pooling_mode_cls_token of the pooling .* true"):
        pooling(directory, {"pooling_mode_cls_token": "false"})
    (directory / "1_Pooling" / "config.json").write_text("{}")
    edit_json(directory / "sentence_bert_config.json", do_lower_case="false")
    with pytest.raises(CheckpointError, match=r"do_lower_case of the transformer .* true or"):
        EmbeddingConfig.read(directory)


@pytest.mark.parametrize("size", [None, 0, "x", True])
def test_a_size_that_is_none(directory: Path, size: object) -> None:
    edit_json(directory / "config.json", hidden_size=size)
    with pytest.raises(CheckpointError, match="hidden_size of this sentence encoder"):
        _ = EmbeddingConfig.read(directory).pooled


def test_a_pooling_that_is_not_known_is_named(directory: Path) -> None:
    with pytest.raises(CheckpointError, match=r"pooling 'attention' .* mean_sqrt_len_tokens"):
        pooling(directory, {"pooling_mode": "attention"})


def modules(directory: Path, *kinds: tuple[str, str]) -> None:
    content = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]
    (directory / "modules.json").write_text(json.dumps(content))


FIRST = ("Transformer", "")
SECOND = ("Pooling", "1_Pooling")


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ([FIRST, ("CNN", "1_CNN"), SECOND], "are Transformer, CNN, Pooling, but"),
        ([FIRST, SECOND, ("LSTM", "2_LSTM")], "are Transformer, Pooling, LSTM, but"),
        ([("StaticEmbedding", "")], "are StaticEmbedding, but"),
        ([SECOND, FIRST], "are Pooling, Transformer, but"),
        ([("Transformer", "0_Transformer"), SECOND], "lies in 0_Transformer"),
        ([FIRST, ("Pooling", "../1_Pooling")], r"the folder '\.\./1_Pooling'"),
        ([FIRST, SECOND, ("Dense", "9_Dense")], r"no config\.json"),
    ],
)
def test_modules_that_are_refused(
    directory: Path, kinds: list[tuple[str, str]], message: str
) -> None:
    modules(directory, *kinds)
    with pytest.raises(CheckpointError, match=message):
        EmbeddingConfig.read(directory)


@pytest.mark.parametrize("content", ["{", "{}", "[1]", '[{"type": "Transformer"}]', "\xff"])
def test_modules_that_cannot_be_read(directory: Path, content: str) -> None:
    (directory / "modules.json").write_text(content, encoding="latin-1")
    if content == "{}":
        with pytest.raises(CheckpointError, match="modules in"):
            EmbeddingConfig.read(directory)
        return
    with pytest.raises(CheckpointError, match="not a readable list of modules"):
        EmbeddingConfig.read(directory)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation_function": "evil.Code"}, r"'evil\.Code' of 2_Dense"),
        ({"activation_function": "torch.nn.modules.activation.Softmax"}, "Softmax"),
        ({"module_input_name": "token_embeddings"}, "other vectors"),
        ({"use_residual": True}, "use_residual"),
        ({"in_features": 23}, "shape"),
        ({"in_features": None}, "in_features of the dense layer 2_Dense must be a whole number"),
        ({"bias": "false"}, "bias of the dense layer 2_Dense must be true or false"),
    ],
)
def test_dense_layers_that_are_refused(
    directory: Path, change: dict[str, Any], message: str
) -> None:
    edit_json(directory / "2_Dense" / "config.json", **change)
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(directory, backend="torch")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0}, "scale in .* above 0"),
        ({"scale": True}, "scale in"),
        ({"scale": "20"}, "scale in"),
        ({"template": "no gap"}, "template in"),
        ({"text_prompt": 5}, "text_prompt in"),
    ],
)
def test_settings_that_are_refused(directory: Path, change: dict[str, Any], message: str) -> None:
    edit_json(directory / "onepass.json", **change)
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(directory, backend="torch")


def test_lower_case_is_the_tokenizers_to_do(
    directory: Path, made: Callable[[str], Path], tmp_path: Path
) -> None:
    edit_json(directory / "sentence_bert_config.json", do_lower_case=True)
    Extractor.from_pretrained(directory, backend="torch")  # of lower case already
    cased = Path(shutil.copytree(made("mean-sqrt"), tmp_path / "cased"))
    edit_json(cased / "sentence_roberta_config.json", do_lower_case=True)
    (cased / "sentence_bert_config.json").unlink()
    with pytest.raises(CheckpointError, match="do_lower_case"):
        Extractor.from_pretrained(cased, backend="torch")


def test_a_prompt_that_is_not_pooled(directory: Path) -> None:
    (directory / "1_Pooling" / "config.json").write_text('{"include_prompt": false}')
    EmbeddingConfig.read(directory)  # without a prompt it makes no difference
    own = directory / "config_sentence_transformers.json"
    edit_json(own, prompts={"query": "query: "}, default_prompt_name="query")
    with pytest.raises(CheckpointError, match="include_prompt"):
        EmbeddingConfig.read(directory)
    (directory / "1_Pooling" / "config.json").write_text("{}")
    assert EmbeddingConfig.read(directory).prompt == "query: "


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("1_Pooling/config.json", {"pooling_mode": 5}, "pooling 5 in"),
        ("1_Pooling/config.json", {"pooling_mode": []}, r"pooling \[\] in"),
        ("1_Pooling/config.json", {"pooling_mode": [["mean"]]}, r"pooling \['mean'\] in"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls", "mean"]}, "of another shape, 48"),
        ("2_Dense/config.json", {"in_features": "x"}, "in_features of the dense layer 2_Dense"),
        ("2_Dense/config.json", {"out_features": None}, "out_features of the dense layer"),
        ("2_Dense/config.json", {"module_input_name": ["x"]}, "other vectors"),
        ("sentence_bert_config.json", {"max_seq_length": "512"}, "max_seq_length of"),
        ("sentence_bert_config.json", {"max_seq_length": 10.5}, "max_seq_length of"),
    ],
)
def test_values_of_another_kind_are_refused(
    directory: Path, file: str, change: dict[str, Any], message: str
) -> None:
    edit_json(directory / file, **change)
    with pytest.raises(CheckpointError, match=message):
        Extractor.from_pretrained(directory, backend="torch")


def test_a_prompt_name_that_is_no_name_names_none(directory: Path) -> None:
    path = directory / "config_sentence_transformers.json"
    edit_json(path, prompts={"query": "q: "}, default_prompt_name=["query"])
    assert EmbeddingConfig.read(directory).prompt == ""
