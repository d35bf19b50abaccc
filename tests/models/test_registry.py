"""A directory becomes a model, and a model gets what runs it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.every_family import MAKE
from tests.tiny import make_tiny_checkpoint

from onepass.encoding.sequences import encoder_limit
from onepass.errors import BackendError, CheckpointError
from onepass.hub import Checkpoint, locate
from onepass.hub.files import read_json
from onepass.models import export as module
from onepass.models import registry
from onepass.models.export import export_checkpoint
from onepass.models.gliner2.family import GLINER2
from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.kept import Calibration, Kept
from onepass.models.registry import FAMILIES, read_model, read_settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("made"))


@pytest.fixture
def checkpoint(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """A checkpoint that a test may change, without graphs."""
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return locate(shutil.copytree(made, tmp_path / "model"))


def write(path: Path, content: Any) -> None:
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_model_is_everything_but_its_weights(checkpoint: Checkpoint) -> None:
    checkpoint.weights.unlink()
    model = read_model(checkpoint)
    assert model.family is GLINER2
    assert model.name == checkpoint.name
    assert model.settings.config.max_width == 4
    assert (model.limits.pieces, model.kept) == (512, Kept())


@pytest.mark.parametrize(
    ("encoder", "pieces"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "bert", "max_position_embeddings": 8192}, 2048),
        ({"model_type": "deberta-v2", "max_position_embeddings": 512}, 512),
        (
            {"model_type": "deberta-v2", "max_position_embeddings": 512,
             "relative_attention": True, "position_biased_input": False},
            2048,
        ),
        (
            {"model_type": "deberta-v2", "max_position_embeddings": 512,
             "relative_attention": True, "position_biased_input": True},
            512,
        ),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "modernbert", "max_position_embeddings": 8192}, 2048),
        ({"model_type": "bert"}, 512),
        ({"model_type": "deberta-v2"}, 512),
        ({"model_type": "deberta-v2", "relative_attention": True}, 512),
        ({"model_type": "roberta"}, 510),
        ({"model_type": "roberta", "pad_token_id": 0}, 511),
        ({"model_type": "mpnet"}, 510),
        ({"model_type": "electra"}, 512),
        ({"model_type": "modernbert"}, 2048),
        ({"model_type": "t5"}, 2048),
        ({"model_type": "gpt2"}, 1024),
        ({"model_type": ["bert"]}, 2048),
        ({}, 2048),
        ({"model_type": "x", "max_position_embeddings": None}, 2048),
    ],
)  # fmt: skip
def test_the_longest_sequence(encoder: dict[str, Any], pieces: int) -> None:
    assert encoder_limit(encoder) == pieces


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ({"max_position_embeddings": "x"}, "max_position_embeddings of the encoder"),
        ({"max_position_embeddings": 0}, "must be a whole number from 1 up, but 0"),
        ({"model_type": "roberta", "pad_token_id": "x"}, "pad_token_id of the encoder 'roberta'"),
        ({"model_type": "mpnet", "max_position_embeddings": 2}, "no position is left for a piece"),
        ({"model_type": "deberta-v2", "relative_attention": "false"}, "relative_attention of the"),
    ],
)
def test_a_length_that_is_none(encoder: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        encoder_limit(encoder)


# -- calibration ---------------------------------------------------------------------------------


def test_settings_of_a_checkpoint(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Kept()
    content = {
        "thresholds": {"entities": 0.4, "abstain": 0.3},
        "calibration": {"entities": {"scale": 2, "shift": -1}, "single": {"scale": 0.5}},
        "labels": {"person": 0.3},
        "fitted_labels": {"person": "entities"},
        "word_splitter": "char",
    }
    write(tmp_path / "onepass.json", content)
    assert read_settings(tmp_path) == Kept(
        {"entities": 0.4, "abstain": 0.3},
        {"entities": Calibration(2.0, -1.0), "single": Calibration(0.5, 0.0)},
        {"person": 0.3},
        "char",
        fitted_labels={"person": "entities"},
    )


@pytest.mark.parametrize(
    "content",
    [
        "[]", "nonsense", {"thresholds": [0.5]}, {"thresholds": {"entities": "high"}},
        {"thresholds": {"persons": 0.5}}, {"calibration": {"entities": 2}},
        {"calibration": {"entities": {"shift": 1}}}, {"thresholds": {"entities": 5}},
        {"thresholds": {"records": float("nan")}}, {"thresholds": {"records": 10**400}},
        {"calibration": {"single": {"scale": -1}}},
        {"calibration": {"entities": {"scale": float("inf")}}},
        {"calibration": {"entities": {"scale": 1, "shift": float("nan")}}},
        {"calibration": {"entities": {"scale": 1e7}}},
        {"calibration": {"entities": {"scale": 1, "shift": -1e7}}},
        {"calibration": {"entities": {"scale": 1, "shft": 1}}}, {"calibration": [1]},
        {"thresholds": {"entities": "0.3"}}, {"thresholds": {"entities": True}},
        {"calibration": {"entities": {"scale": "2"}}}, {"labels": {"person": "0.3"}},
        {"labels": ["person"]}, {"labels": {"person": 2}},
        {"fitted_labels": {"person": "entities"}},  # of no threshold
        {"labels": {"person": 0.3}, "fitted_labels": {"person": "names"}},
        {"threshold": {"entities": 0.9}},
        {"word_splitter": "moses"},
    ],
)  # fmt: skip
def test_broken_settings(tmp_path: Path, content: Any) -> None:
    write(tmp_path / "onepass.json", content)
    with pytest.raises(CheckpointError, match=r"onepass\.json") as caught:
        read_settings(tmp_path)
    assert "\n" not in str(caught.value)


def test_thresholds_of_labels(checkpoint: Checkpoint) -> None:
    assert read_model(checkpoint).kept.labels == {}
    write(checkpoint.directory / "onepass.json", {"labels": {"person": 0.3}})
    assert read_model(checkpoint).kept.labels == {"person": 0.3}


def test_what_settings_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "onepass.json"
    for family in FAMILIES.values():
        own = dict.fromkeys(family.keys, "x")  # which the family looks at by itself
        write(path, {"labels": {"person": 0.3}, "thresholds": {"choices": 0.5}} | own)
        assert read_settings(tmp_path, family).thresholds == {"choices": 0.5}
    own = {"prompt_style": "v1", "template": "{}", "least_pairs": 1}
    write(path, own)
    assert read_settings(tmp_path) == Kept(of_family=own)


def test_a_new_family_brings_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = replace(FAMILIES["nli"], name="new", keys=("tempo",))
    monkeypatch.setattr(registry, "FAMILIES", {**FAMILIES, "new": family})
    write(tmp_path / "onepass.json", {"tempo": 3})
    assert read_settings(tmp_path, family) == read_settings(tmp_path)
    assert read_settings(tmp_path) == Kept(of_family={"tempo": 3})
    with pytest.raises(CheckpointError, match="is for new checkpoints, but this is a nli checkpoi"):
        read_settings(tmp_path, FAMILIES["nli"])


@pytest.mark.parametrize("family", MAKE)
def test_settings_are_read_once(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MAKE[family](tmp_path)
    write(tmp_path / "onepass.json", {"labels": {"person": 0.3}})
    checkpoint = locate(tmp_path)
    read: list[str] = []
    read_text = Path.read_text

    def noted(path: Path, encoding: str | None = None) -> str:
        read.append(path.name)
        return read_text(path, encoding)

    monkeypatch.setattr(Path, "read_text", noted)
    assert read_model(checkpoint).family is FAMILIES[family]
    assert read.count("onepass.json") == 1


@pytest.mark.parametrize(
    ("family", "key", "said"),
    [
        ("gliner", "threshold", "the key 'threshold', which nothing reads; did you mean 'thresho"),
        (
            "gliner",
            "colour",
            "its keys are calibration, fitted_labels, labels, thresholds, word_",
        ),
        ("gliner", "prompt_style", "is for gliclass checkpoints, but this is a gliner checkpoint"),
        ("gliclass", "template", "which is for nli and embedding checkpoints, but this is a glicl"),
        ("nli", "scale", "which is for embedding checkpoints, but this is a nli checkpoint; leave"),
        (
            None,
            "colour",
            "which nothing reads; its keys are calibration, distinct_values, fitted",
        ),
    ],
)
def test_keys_that_nothing_reads(tmp_path: Path, family: str | None, key: str, said: str) -> None:
    write(tmp_path / "onepass.json", {key: {}})
    with pytest.raises(CheckpointError, match=said):
        read_settings(tmp_path, None if family is None else FAMILIES[family])


def test_opening_a_checkpoint_with_a_misspelled_key(checkpoint: Checkpoint) -> None:
    write(checkpoint.directory / "onepass.json", {"threshold": {"entities": 0.9}})
    with pytest.raises(CheckpointError, match=r"did you mean 'thresholds'\?$"):
        read_model(checkpoint)


def test_opening_a_checkpoint_with_a_key_of_another_family(checkpoint: Checkpoint) -> None:
    write(checkpoint.directory / "onepass.json", {"prompt_style": "v1"})
    with pytest.raises(CheckpointError, match="but this is a gliner2 checkpoint"):
        read_model(checkpoint)


# -- exports -----------------------------------------------------------------------------------


def test_an_export_replaces_the_one_before(checkpoint: Checkpoint) -> None:
    first = export_checkpoint(checkpoint)
    (first / "stray.onnx").touch()
    assert export_checkpoint(checkpoint) == first
    assert not (first / "stray.onnx").exists()
    assert [path.name for path in first.parent.iterdir()] == ["fp32"]  # nothing half-made is left


def test_an_export_elsewhere(checkpoint: Checkpoint, tmp_path: Path) -> None:
    assert export_checkpoint(checkpoint, tmp_path / "out") == tmp_path / "out" / "fp32"
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CheckpointError, match=r"cannot be written to .*choose another directory"):
        export_checkpoint(checkpoint, file)
    with pytest.raises(BackendError, match="precision 'int4' is not known"):
        export_checkpoint(checkpoint, precision="int4")


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_export_to_a_full_disk(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    def refuse(_: object, __: object, ___: object, target: Path, **____: object) -> None:
        assert target.is_relative_to(tmp_path / "out")  # what is made on the way, too
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("onepass.nn.graphs.export.export_graphs", refuse)
    with pytest.raises(
        CheckpointError, match=r"cannot be written to .*\(No space.*; choose another"
    ):
        export_checkpoint(checkpoint, tmp_path / "out", precision=precision)
    assert list((tmp_path / "out").iterdir()) == []


def test_several_processes_may_export_at_once(checkpoint: Checkpoint) -> None:
    script = f"""
from onepass.hub import locate
from onepass.models.opening import open_backend
from onepass.models.registry import read_model
checkpoint = locate({str(checkpoint.directory)!r})
print(open_backend(read_model(checkpoint), checkpoint).name)
"""
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in running] == ["onnx\n"] * 2
    (exports,) = (Path(os.environ["ONEPASS_CACHE"]) / "exports").iterdir()
    assert sorted(path.name for path in exports.iterdir()) == [".lock", "fp32"]


def test_an_export_of_another_process_stays(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a second process has put there meanwhile may be in use: it is not taken away."""
    write, others = module.weights_fingerprint, []

    def slow(given: Checkpoint) -> str | None:
        monkeypatch.setattr(module, "weights_fingerprint", write)
        directory = export_checkpoint(given)  # the other process
        others.append(directory.stat().st_ino)
        return write(given)

    monkeypatch.setattr(module, "weights_fingerprint", slow)
    directory = export_checkpoint(checkpoint)
    assert [directory.stat().st_ino] == others
    assert [path.name for path in directory.parent.iterdir()] == ["fp32"]


def test_other_weights_replace_an_export_of_another_process(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = locate(make_tiny_checkpoint(tmp_path / "other", seed=1))
    write = module.weights_fingerprint

    def slow(given: Checkpoint) -> str | None:
        monkeypatch.setattr(module, "weights_fingerprint", write)
        export_checkpoint(other, tmp_path / "out")
        return write(given)

    monkeypatch.setattr(module, "weights_fingerprint", slow)
    directory = export_checkpoint(checkpoint, tmp_path / "out")
    assert read_json(directory / "graphs.json")["weights"] == write(checkpoint)


def test_an_export_is_whole_until_it_is_replaced(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = export_checkpoint(checkpoint)
    before = target.stat().st_ino
    remove, there = shutil.rmtree, []

    def watched(path: Path, **options: Any) -> None:
        there.append(len(list(target.glob("*"))))
        remove(path, **options)
        there.append(len(list(target.glob("*"))))

    monkeypatch.setattr(shutil, "rmtree", watched)
    export_checkpoint(checkpoint)
    assert set(there) == {len(GRAPHS) + 1}  # with the manifest
    assert target.stat().st_ino != before


def test_a_failed_export_leaves_nothing(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.weights.write_bytes(b"truncated")
    with pytest.raises(CheckpointError, match="is not a readable safetensors file"):
        export_checkpoint(checkpoint, tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_an_architecture_that_is_not_known(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"model_type": "GLiClass", "architecture_type": "oracle"})
    with pytest.raises(CheckpointError, match="architecture_type 'oracle'"):
        read_model(locate(tmp_path))
