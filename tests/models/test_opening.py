"""A model gets what runs it: graphs that are there, graphs that are made, or a clear refusal."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor
from onepass.backends.base import Backend, integer_form
from onepass.backends.cpu import cpu
from onepass.builtin import builtin_checkpoint
from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint, locate
from onepass.hub.files import read_json
from onepass.models.choosing import Wanted
from onepass.models.export import export_checkpoint
from onepass.models.fastest import remembered_choices
from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.inspect import inspect_checkpoint
from onepass.models.opening import device_of, open_backend
from onepass.models.registry import read_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("made"))


@pytest.fixture
def checkpoint(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """A checkpoint that a test may change, without graphs."""
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return locate(shutil.copytree(made, tmp_path / "model"))


def opened(checkpoint: Checkpoint, **wanted: Any) -> Backend:
    return open_backend(read_model(checkpoint), checkpoint, Wanted(**wanted))


def test_graphs_are_made_once_and_found_again(checkpoint: Checkpoint, tmp_path: Path) -> None:
    backend = opened(checkpoint)
    assert (backend.name, backend.precision) == ("onnx", "fp32")
    exports = tmp_path / "cache" / "exports"
    graphs = {path: path.stat().st_mtime_ns for path in exports.rglob("*.onnx")}
    assert {path.stem for path in graphs} == {graph.name for graph in GRAPHS}
    opened(checkpoint, backend="onnx", precision="fp32", threads=1)
    assert graphs == {path: path.stat().st_mtime_ns for path in exports.rglob("*.onnx")}
    assert not (checkpoint.directory / "onnx").exists()  # a directory of others stays as it is


@pytest.mark.parametrize("place", ["closed", "nowhere"])
def test_the_model_that_ships_needs_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if place == "closed":  # no name of a file: root, who enters every other one, is kept out, too
        monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / ("long" * 100)))
    else:
        monkeypatch.delenv("ONEPASS_CACHE", raising=False)
        monkeypatch.setattr(Path, "home", homeless)
    found = Extractor(threads=1).extract("Tim Cook is here.", {"entities": ["person"]})
    assert [one.text for one in found.entities] == ["Tim Cook"]
    assert [one.precision for one in inspect_checkpoint(builtin_checkpoint()).graphs] == ["int8"]
    assert remembered_choices() == []


def test_a_cache_that_is_full_is_named(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("onepass.nn.graphs.export.export_graphs", refuse)
    with pytest.raises(CheckpointError, match=r"kept in .*\(No space.*; set ONEPASS_CACHE to"):
        opened(checkpoint)


def test_threads_open_several_checkpoints_without_graphs_at_once(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    other = locate(shutil.copytree(checkpoint.directory, tmp_path / "other"))
    with ThreadPoolExecutor(4) as pool:
        backends = list(pool.map(opened, [checkpoint, other, checkpoint, other]))
    assert {(backend.name, backend.precision) for backend in backends} == {("onnx", "fp32")}


def test_of_threads_that_open_a_checkpoint_one_exports(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Checkpoint] = []

    def export(one: Checkpoint, *arguments: Any) -> Path:
        written.append(one)
        return export_checkpoint(one, *arguments)

    monkeypatch.setattr("onepass.models.export.export_checkpoint", export)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(opened, [checkpoint] * 3))
    assert written == [checkpoint]


def test_what_a_killed_export_left_in_the_cache_goes(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    opened(checkpoint)
    exports = tmp_path / "cache" / "exports"
    (place,) = exports.iterdir()
    shutil.rmtree(place / "fp32")
    here, elsewhere, young = place, exports / "elsewhere", exports / "young"
    left = [one / f".onepass-fp32-{'a1' * 16}" for one in (here, elsewhere, young)]
    for one in left:
        one.mkdir(parents=True)
        (one / "encode.onnx").touch()
    for one in (left[1], left[1] / "encode.onnx"):
        os.utime(one, (0, 0))
    opened(checkpoint)
    assert [one.exists() for one in left] == [False, False, True]


@pytest.mark.parametrize("damage", ["cut", "zeros", "missing", "unsealed"])
def test_graphs_in_the_cache_that_are_damaged_are_made_anew(
    checkpoint: Checkpoint, tmp_path: Path, damage: str
) -> None:
    reader = Extractor.from_pretrained(checkpoint.directory)
    before = reader.extract("tim in rome", {"entities": ["person"]})
    (graph,) = (tmp_path / "cache" / "exports").glob("*/fp32/encode.onnx")
    whole = graph.read_bytes()
    if damage == "cut":
        graph.write_bytes(whole[:1000])
    elif damage == "zeros":
        graph.write_bytes(bytes(len(whole)))
    else:
        graph.with_name("encode.onnx" if damage == "missing" else "sealed.json").unlink()
    reader = Extractor.from_pretrained(checkpoint.directory)
    assert reader.extract("tim in rome", {"entities": ["person"]}) == before
    assert len(graph.read_bytes()) == len(whole)


def test_graphs_beside_the_checkpoint_are_used(checkpoint: Checkpoint, tmp_path: Path) -> None:
    written = export_checkpoint(checkpoint)
    assert written == checkpoint.directory / "onnx" / "fp32"
    assert read_json(written / "graphs.json")["family"] == "gliner2"
    opened(checkpoint)
    assert not (tmp_path / "cache").exists()


def test_int8_graphs_are_used_where_they_are_all_there_is(checkpoint: Checkpoint) -> None:
    export_checkpoint(checkpoint, precision="int8")
    checkpoint.weights.unlink()
    assert opened(checkpoint).precision == "int8"
    assert opened(checkpoint, precision="int8").precision == "int8"
    with pytest.raises(BackendError, match="which cannot compute in fp32; leave precision"):
        opened(checkpoint, precision="fp32")


def test_fp32_graphs_go_first_unless_the_loss_of_int8_was_measured(checkpoint: Checkpoint) -> None:
    directory = export_checkpoint(checkpoint, precision="int8")
    assert opened(checkpoint).precision == "fp32"
    manifest = directory / "graphs.json"
    manifest.write_text(json.dumps(read_json(manifest) | {"checked": True}))
    expected = "fp32" if integer_form(cpu()[1]) is None else "int8"
    assert opened(checkpoint).precision == expected
    assert opened(checkpoint, precision="fp32").precision == "fp32"


def test_there_are_no_int8_graphs(checkpoint: Checkpoint) -> None:
    command = f"onepass export {checkpoint.name} --precision int8"
    for revision, where in ((None, ""), ("0a1b2c", " --revision 0a1b2c")):
        with pytest.raises(BackendError) as refused:
            opened(replace(checkpoint, revision=revision), precision="int8")
        assert str(refused.value) == (
            f"{checkpoint.name} has no int8 graphs; make them with  {command}{where}  "
            "(--check FILE measures what they lose)."
        )


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_torch(checkpoint: Checkpoint, precision: str) -> None:
    backend = opened(checkpoint, backend="torch", precision=precision, device="cpu")
    assert (backend.name, backend.precision) == ("torch", precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"device": "cuda"}, "Torch finds no CUDA device here; leave device at 'auto'"),
        ({"precision": "fp16"}, "fp16 runs on a GPU only, and this is a CPU; ask for"),
    ],
)
def test_without_a_gpu(checkpoint: Checkpoint, wanted: dict[str, Any], said: str) -> None:
    checkpoint.weights.write_bytes(b"broken")  # which nobody finds out: it is said at once
    with pytest.raises(BackendError, match=said):
        opened(checkpoint, **wanted)


def in_a_process_without(*packages: str) -> Callable[[Checkpoint, str], str]:
    """Return what says how a checkpoint is refused where packages are not installed."""

    def said(checkpoint: Checkpoint, options: str) -> str:
        script = f"""
from importlib.machinery import PathFinder
found = PathFinder.find_spec

def find_spec(name, *arguments):
    return None if name.partition(".")[0] in {packages!r} else found(name, *arguments)

PathFinder.find_spec = find_spec
from onepass.errors import MissingExtra
from onepass import Extractor
try:
    Extractor.from_pretrained({str(checkpoint.directory)!r}, {options})
except MissingExtra as error:
    print(error)
"""
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        return done.stdout

    return said


@pytest.mark.parametrize(
    ("options", "extra"),
    [("", "torch"), ("backend='torch'", "torch"), ("backend='openvino'", "openvino")],
)
def test_the_extra_that_is_missing_is_named(
    checkpoint: Checkpoint, options: str, extra: str
) -> None:
    said = in_a_process_without("torch", "openvino")(checkpoint, options)
    assert f"pip install 'onepass[{extra}]'" in said
    assert said.count("\n") == 1
    assert issubclass(MissingExtra, ImportError)


def test_where_it_runs_is_known(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = opened(checkpoint, backend="torch", device="cpu")
    assert device_of(backend, Wanted(device="cpu")) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of(backend, Wanted(device="auto")) == "cuda"
    assert device_of(opened(checkpoint, backend="onnx"), Wanted(device="auto")) == "cpu"
