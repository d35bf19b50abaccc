"""Classifiers read and written: names, shapes, what is left over, and what transformers reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.nli_checkpoints import KINDS, edit_json
from transformers import AutoModelForSequenceClassification

from onepass import Extractor, Schema
from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.models.nli.facts import nli_facts
from onepass.models.nli.network.checkpoint import load_network, save_network

SCHEMA = Schema().classification("t", ["sports", "art"], multi_label=True)
TEXT = "Tim Cook runs Apple in Paris."


@pytest.mark.parametrize("kind", KINDS)
def test_saved_again_it_is_the_same_to_everybody(
    kind: str, made: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = made(kind), tmp_path / "again"
    edit_json(source / "config.json", something_new=[1, 2])  # is kept
    save_network(load_network(source), target, tokenizer_from=source)
    before, after = load_file(source / "model.safetensors"), load_file(target / "model.safetensors")
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name
    assert json.loads((target / "config.json").read_text())["something_new"] == [1, 2]
    first, second = (
        Extractor.from_pretrained(path, backend="torch").extract(TEXT, SCHEMA)
        for path in (source, target)
    )
    assert first.classifications == second.classifications
    theirs = AutoModelForSequenceClassification.from_pretrained(target)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, before.get(name, tensor)), name


@pytest.fixture
def copied(made: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    def copy(kind: str) -> Path:
        return Path(shutil.copytree(made(kind), tmp_path / kind))

    return copy


def test_what_old_versions_left_behind_is_passed_over(copied: Callable[[str], Path]) -> None:
    left = {
        "roberta": {"roberta.pooler.dense.weight": 24, "roberta.embeddings.position_ids": 9},
        "deberta-v3": {"lm_predictions.lm_head.bias": 3, "mask_predictions.dense.bias": 3},
    }
    for kind, extra in left.items():
        directory = copied(kind)
        expected = Extractor.from_pretrained(directory, backend="torch").extract(TEXT, SCHEMA)
        state = load_file(directory / "model.safetensors")
        state |= {name: torch.zeros(size) for name, size in extra.items()}
        save_file(state, directory / "model.safetensors", metadata={"format": "pt"})
        found = Extractor.from_pretrained(directory, backend="torch").extract(TEXT, SCHEMA)
        assert found == expected


def test_a_weight_too_many_or_too_few_is_named(copied: Callable[[str], Path]) -> None:
    directory = copied("deberta-v3")
    state = load_file(directory / "model.safetensors")
    save_file(state | {"stranger": torch.zeros(1)}, directory / "model.safetensors")
    with pytest.raises(CheckpointError, match="unexpected: stranger"):
        load_network(directory)
    del state["classifier.bias"]
    save_file(state, directory / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing: classifier\.bias"):
        load_network(directory)


def test_labels_that_do_not_fit_the_weights(copied: Callable[[str], Path]) -> None:
    directory = copied("distilbert")
    labels = {"label2id": {"entailment": 0, "not_entailment": 1}}
    labels["id2label"] = {str(i): name for name, i in labels["label2id"].items()}
    edit_json(directory / "config.json", **labels)
    with pytest.raises(CheckpointError, match=r"classifier\..* expected \(2"):
        load_network(directory)


def test_code_of_a_checkpoint_is_never_run(copied: Callable[[str], Path]) -> None:
    directory = copied("roberta")
    edit_json(directory / "config.json", auto_map={"AutoModel": "evil.Model"})
    with pytest.raises(CheckpointError, match="auto_map"):
        load_network(directory)


@pytest.mark.parametrize(("name", "value"), [("pooler_hidden_act", "mish"), ("hidden_act", "mish")])
def test_an_activation_that_is_not_known(
    name: str, value: str, copied: Callable[[str], Path]
) -> None:
    directory = copied("deberta-v3")
    edit_json(directory / "config.json", **{name: value})
    with pytest.raises(CheckpointError, match="'mish'"):
        load_network(directory)


@pytest.mark.parametrize("name", ["classifier_bias", "norm_eps", "norm_bias"])
def test_options_of_a_head_are_read_strictly(name: str, copied: Callable[[str], Path]) -> None:
    directory = copied("modernbert")
    edit_json(directory / "config.json", **{name: "false"})
    with pytest.raises(CheckpointError, match=f"{name} of this .* 'false'"):
        load_network(directory)


@pytest.mark.parametrize(
    ("config", "known"),
    [
        ({"architectures": ["BertForSequenceClassification"], "label2id": {"ENTAILED": 0}}, True),
        ({"architectures": ["XForSequenceClassification"], "id2label": {"0": "entailment"}}, True),
        ({"architectures": ["BertForSequenceClassification"], "label2id": {"good": 0}}, False),
        ({"architectures": ["BertForSequenceClassification"]}, False),
        ({"architectures": ["BertModel"], "label2id": {"entailment": 0}}, False),
        ({"model_type": "GLiClass", "label2id": {"entailment": 0}}, False),
    ],
)
def test_which_checkpoints_are_of_this_kind(
    config: dict[str, object], known: bool, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    checkpoint = Checkpoint(tmp_path, "mine", None)
    if known or "model_type" in config:
        assert (checkpoint.kind == "nli") is known
        return
    with pytest.raises(CheckpointError, match="no known kind"):
        _ = checkpoint.kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_is_of_a_known_part(kind: str, made: Callable[..., Path]) -> None:
    checkpoint = Checkpoint(made(kind), "mine", None)
    assert checkpoint.kind == "nli"
    facts = nli_facts(checkpoint)
    found = {facts.part_of(name) for name in load_file(made(kind) / "model.safetensors")}
    assert found == {"encoder", "head"}
    assert facts.architecture.endswith(", 3 classes")
    assert facts.pieces == 128
    assert facts.lacks == ()
