"""Checkpoints that cannot be opened are refused in one sentence, whatever runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from onepass import Extractor
from onepass.builtin import builtin_checkpoint
from onepass.errors import BackendError, CheckpointError, InputError, OnepassError
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.export import export_checkpoint
from tests.tiny import make_tiny_checkpoint


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with its graphs beside it."""
    made = make_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "model")
    export_checkpoint(locate(made))
    return made


def refused(call: Callable[[], object], kind: type[OnepassError] = InputError) -> str:
    """Check that a call is refused in one sentence, and return it."""
    with pytest.raises(kind) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert 20 < len(said) < 700
    return said


def break_weights(directory: Path) -> None:
    path = directory / "model.safetensors"
    state = load_file(path)
    del state["classifier.0.weight"]
    save_file(state, path)


def cut_weights(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1_000])


def pickle_weights(directory: Path) -> None:
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")


def edit(name: str, **values: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / name
        path.write_text(json.dumps(read_json(path) | values))

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def write(name: str, content: str) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        (directory / name).write_text(content)

    return change


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no tokenizer": (remove("tokenizer.json"), "The checkpoint has no tokenizer.json"),
    "no config": (remove("config.json"), "has neither config.json nor gliner_config.json"),
    "no encoder config": (remove("encoder_config/config.json"), "has no config.json"),
    "no weights": (remove("model.safetensors"), "has no model.safetensors"),
    "broken tokenizer": (write("tokenizer.json", "{"), "is not a readable tokenizer file"),
    "broken config": (write("config.json", "{"), "is not readable JSON (line 1, column 2"),
    "config of another kind": (write("config.json", "[]"), "must hold a JSON object, not a list"),
    "missing tensor": (break_weights, "missing: classifier.0.weight"),
    "truncated weights": (cut_weights, "is not a readable safetensors file"),
    "pickled weights": (pickle_weights, "only pytorch_model.bin, which can run code"),
    "architecture": (edit("config.json", architecture="new"), "the architecture 'new'"),
    "other heads": (edit("config.json", counting_layer="count_lstm"), "missing: count_embed"),
    "other family": (write("config.json", '{"model_type": "bert"}'), "is of no known kind"),
    "other sizes": (edit("encoder_config/config.json", hidden_size=64), "another shape than the"),
    "unknown encoder": (edit("encoder_config/config.json", model_type="x9"), "model_type 'x9'"),
    "own code": (
        edit("encoder_config/config.json", model_type="x9", auto_map={"AutoModel": "a.B"}),
        "brings its own code (auto_map in its config.json), which is never run",
    ),
    "broken calibration": (write("onepass.json", '{"thresholds": 3}'), "onepass.json must hold"),
}


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_checkpoint(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, backend: str
) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    ignore = shutil.ignore_patterns("onnx")
    broken = Path(shutil.copytree(directory, tmp_path / "model", ignore=ignore))
    damage, expected = BROKEN[name]
    damage(broken)
    said = refused(lambda: Extractor.from_pretrained(broken, backend=backend), CheckpointError)
    assert expected in said
    assert not list(tmp_path.rglob("*.onnx"))  # nothing half-made is left


@pytest.mark.parametrize("precision", ["auto", "fp32", "int8"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (edit("config.json", max_width=-1), "was exported from another configuration than that"),
        (remove("onnx/int8/graphs.json"), "int8 holds no finished export"),
        (lambda directory: shutil.rmtree(directory / "onnx" / "int8"), "its folder onnx is empty"),
    ],
)
def test_graphs_without_weights_that_cannot_be_used(
    tmp_path: Path, precision: str, change: Callable[[Path], None], reason: str
) -> None:
    changed = Path(shutil.copytree(builtin_checkpoint().directory, tmp_path / "model"))
    change(changed)
    said = refused(lambda: Extractor.from_pretrained(changed, precision=precision), CheckpointError)
    assert "has no weights, and no graphs that can be used: " in said
    assert reason in said
    assert said.endswith("; copy it again as it was published.")


def test_a_checkpoint_that_is_nowhere(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    said = refused(lambda: Extractor.from_pretrained(absent), CheckpointError)
    assert said.startswith(f"'{absent}' is neither an existing directory nor a hub id")
    refused(lambda: Extractor.from_pretrained(tmp_path), CheckpointError)  # an empty directory
    refused(lambda: Extractor.from_pretrained(""), InputError)
    refused(lambda: Extractor.from_pretrained("fastino/gliner2.5-base-v1"), CheckpointError)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backend": "jax"}, "backend 'jax' is not known; auto, onnx, openvino, torch are."),
        ({"precision": "fp8"}, "precision 'fp8' is not known; auto, fp32, bf16, fp16, int8 are."),
        ({"threads": 0}, "threads must be a whole number from 1 up, but 0 was given."),
        ({"precision": "int8"}, "has no int8 graphs"),
    ],
)
def test_wrong_backends(directory: Path, options: dict[str, Any], said: str) -> None:
    assert said in refused(lambda: Extractor.from_pretrained(directory, **options), BackendError)


def test_wrong_options_of_the_model_that_ships() -> None:
    assert "backend 'jax'" in refused(lambda: Extractor(backend="jax"), BackendError)
