"""Which class is entailment, which one it is weighed against, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.nli_checkpoints import FIRST, MIDDLE, THREE, TWO, UPPER, edit_json

from onepass import Extractor, Schema
from onepass.errors import CheckpointError
from onepass.models.nli.config import MODEL_TYPES, NliConfig


def numbered(labels: tuple[str, ...]) -> dict[str, int]:
    return {label: i for i, label in enumerate(labels)}


@pytest.mark.parametrize(
    ("labels", "entailment", "contradiction"),
    [
        (TWO, 0, 1),  # the last class: "not_entailment"
        (THREE, 2, 0),
        (FIRST, 0, 2),
        (MIDDLE, 1, 0),
        (UPPER, 2, 0),
        (("not_entailment", "entailment"), 1, 0),
        (("neutral", "entailed", "contradiction"), 1, 0),  # as the usual pipeline: the first class
    ],
)
def test_the_two_classes(labels: tuple[str, ...], entailment: int, contradiction: int) -> None:
    by_label = NliConfig.from_dict({"model_type": "bert", "label2id": numbered(labels)})
    names = {str(i): label for i, label in enumerate(labels)}
    by_number = NliConfig.from_dict({"model_type": "bert", "id2label": names})
    for config in (by_label, by_number):
        assert (config.entailment, config.contradiction) == (entailment, contradiction)
        assert config.labels == labels


def test_the_order_of_the_file_decides_between_two_entailments() -> None:
    ids = {"entailment_b": 1, "entailment_a": 0}
    assert NliConfig.from_dict({"model_type": "bert", "label2id": ids}).entailment == 1


def test_types_of_pieces() -> None:
    ids = {"label2id": numbered(THREE)}
    assert NliConfig.from_dict({"model_type": "bert"} | ids).types == 2
    assert NliConfig.from_dict({"model_type": "deberta-v2"} | ids).types == 0
    assert NliConfig.from_dict({"model_type": "roberta", "type_vocab_size": 1} | ids).types == 1


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"label2id": {"positive": 1, "negative": 0}},
        {"label2id": {"entailment": 0}},
        {"label2id": {"entailment": 0, "contradiction": 5}},
        {"label2id": {"entailment": "first", "contradiction": 1}},
        {"label2id": {"entailment": float("inf"), "contradiction": 1}},
        {"label2id": {"not_entailment": 0, "neutral": 1}},
    ],
)
def test_labels_that_do_not_say_it(labels: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="one starts with 'entail'"):
        NliConfig.from_dict({"model_type": "bert"} | labels)


def test_architectures_whose_head_is_not_known() -> None:
    for kind in ("gpt2", "xlnet", None):
        with pytest.raises(CheckpointError, match=f"{kind!r} are not supported"):
            NliConfig.from_dict({"model_type": kind, "label2id": numbered(THREE)})
    assert "roberta" in MODEL_TYPES


@pytest.mark.parametrize("types", [None, "two", -1, 2.0])
def test_types_that_are_no_number(types: object) -> None:
    config = {"model_type": "bert", "label2id": numbered(THREE), "type_vocab_size": types}
    with pytest.raises(CheckpointError, match="type_vocab_size of this classifier must be a whole"):
        NliConfig.from_dict(config)


def test_a_tokenizer_without_usable_settings_is_read_as_one_without_any(
    made: Callable[..., Path], tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(made("bert"), tmp_path / "bert"))
    schema = Schema().classification("t", ["sports", "art"])
    before = Extractor.from_pretrained(directory, backend="torch").extract("Hi.", schema)
    edit_json(
        directory / "tokenizer_config.json", model_input_names=None, model_max_length=float("inf")
    )
    after = Extractor.from_pretrained(directory, backend="torch").extract("Hi.", schema)
    assert after == before
