"""The kind of a checkpoint, from its configuration; and its weights, from safetensors only."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import Checkpoint

GLINER = {"model_name": "microsoft/deberta-v3-base", "max_width": 12, "span_mode": "markerV0"}
GLICLASS = {"model_type": "GLiClass", "architectures": ["GLiClassModel"]}


def make(directory: Path, **files: dict[str, Any]) -> Checkpoint:
    for name, content in files.items():
        (directory / f"{name}.json").write_text(json.dumps(content))
    return Checkpoint(directory, "mine", None)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "extractor"}, "gliner2"),
        ({"model_type": "extractor", "architecture": "boundary"}, "gliner2-boundary"),
        ({"counting_layer": "count_lstm_v2"}, "gliner2"),
        ({"model_name": "microsoft/deberta-v3-base", "max_width": 8}, "gliner2"),
        (GLICLASS, "gliclass"),
        ({"model_type": "GLiClass"}, "gliclass"),
        ({"architectures": ["GLiClassModel"]}, "gliclass"),
    ],
)
def test_kind_from_config_json(tmp_path: Path, config: dict[str, Any], kind: str):
    checkpoint = make(tmp_path, config=config)
    assert checkpoint.kind == kind
    assert checkpoint.config == config


@pytest.mark.parametrize("beside", [None, GLINER, {"model_type": "deberta-v2"}])
def test_gliner_has_a_configuration_file_of_its_own(tmp_path: Path, beside: dict[str, Any] | None):
    if beside is not None:
        make(tmp_path, config=beside)
    checkpoint = make(tmp_path, gliner_config=GLINER)
    assert checkpoint.kind == "gliner"
    assert checkpoint.config == GLINER


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"model_type": "bert", "architectures": ["BertModel"]}, "'bert' and architectures"),
        ({"model_name": "x"}, "no model_type"),
        ({"architectures": "GLiClassModel"}, "architectures 'GLiClassModel'"),
        ({}, "no model_type"),
    ],
)
def test_an_unknown_kind_names_what_was_found_and_what_is_known(
    tmp_path: Path, config: dict[str, Any], found: str
):
    with pytest.raises(CheckpointError, match="is of no known kind") as caught:
        _ = make(tmp_path, config=config).kind
    for part in ("mine", found, "gliner2", "gliner_config.json", "GLiClass"):
        assert part in str(caught.value)


def test_no_configuration(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"neither config\.json nor gliner_config\.json"):
        _ = Checkpoint(tmp_path, "mine", None).kind


def test_the_configuration_is_read_once(tmp_path: Path):
    checkpoint = make(tmp_path, config=GLICLASS)
    assert checkpoint.config is checkpoint.config
    (tmp_path / "config.json").unlink()
    assert checkpoint.kind == "gliclass"


def test_a_checkpoint_goes_to_another_process(tmp_path: Path):
    checkpoint = make(tmp_path, config=GLICLASS)
    assert checkpoint.kind == "gliclass"
    assert pickle.loads(pickle.dumps(checkpoint)) == checkpoint


def test_weights(tmp_path: Path):
    checkpoint = make(tmp_path, config=GLICLASS)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert checkpoint.weights == tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["pytorch_model.bin", "optimizer.pt"],
            r"only optimizer\.pt, pytorch_model\.bin, which can",
        ),
        ([], "never downloaded or read"),
    ],
)
def test_no_safe_weights(tmp_path: Path, files: list[str], message: str):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    checkpoint = Checkpoint(tmp_path, "mine", None if files else "c0ffee")
    assert not checkpoint.has_weights
    with pytest.raises(CheckpointError, match=message) as caught:
        _ = checkpoint.weights
    assert "run  onepass export --safetensors mine -o DIR  and open DIR." in str(caught.value)
    with pytest.raises(CheckpointError, match=message):
        _ = checkpoint.weight_files


def split(directory: Path, index: str, *files: str) -> Checkpoint:
    """Write an index of files that need not be there."""
    names = {f"weight {i}": file for i, file in enumerate(files)}
    (directory / index).write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return Checkpoint(directory, "mine", None)


def test_no_weights_in_a_directory(tmp_path: Path):
    with pytest.raises(CheckpointError) as caught:
        _ = Checkpoint(tmp_path, "mine", None).weights
    assert str(caught.value) == (
        "The checkpoint mine has no model.safetensors; copy the file there, or download the "
        "checkpoint again."
    )


def test_weights_of_several_files(tmp_path: Path):
    one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    for name in (one, two):
        (tmp_path / name).touch()
    checkpoint = split(tmp_path, "model.safetensors.index.json", two, one, two)
    assert checkpoint.has_weights
    assert checkpoint.weights == tmp_path / "model.safetensors.index.json"
    assert checkpoint.weight_files == (tmp_path / one, tmp_path / two)
    (tmp_path / "model.safetensors").touch()  # whole weights go first
    assert checkpoint.weight_files == (checkpoint.weights,) == (tmp_path / "model.safetensors",)


@pytest.mark.parametrize("name", ["model-1.safetensors", "../model.safetensors", "sub/a", "", "."])
def test_an_index_names_files_beside_it(tmp_path: Path, name: str):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").touch()
    checkpoint = split(tmp_path, "model.safetensors.index.json", name)
    with pytest.raises(CheckpointError, match=f"names the file {name!r}, which is not beside it"):
        _ = checkpoint.weight_files


@pytest.mark.parametrize("content", ["{}", '{"weight_map": []}', '{"weight_map": {}}'])
def test_an_index_without_files(tmp_path: Path, content: str):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(CheckpointError, match="names no files in its weight_map"):
        _ = Checkpoint(tmp_path, "mine", None).weight_files


def test_pickles(tmp_path: Path):
    assert Checkpoint(tmp_path, "mine", None).pickles == ()
    (tmp_path / "pytorch_model-1.bin").touch()
    checkpoint = split(tmp_path, "pytorch_model.bin.index.json", "pytorch_model-1.bin")
    assert checkpoint.pickles == (tmp_path / "pytorch_model-1.bin",)
    assert not checkpoint.has_weights
    (tmp_path / "pytorch_model.bin").touch()
    assert checkpoint.pickles == (tmp_path / "pytorch_model.bin",)
