"""Where graphs are looked for, and when those that are there are not used."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.exports import (
    cache_root,
    configuration_fingerprint,
    export_dir,
    export_problem,
    find_cache_root,
    graphs_fingerprint,
    weights_fingerprint,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def checkpoint(tmp_path: Path, cache: Path) -> Checkpoint:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "config.json").write_text('{"model_type": "extractor"}')
    (directory / "model.safetensors").write_bytes(bytes(range(256)) * 40_000)  # 10 MB
    return Checkpoint(directory, "mine", None)


def export(checkpoint: Checkpoint, root: Path, precision: str = "fp32") -> Path:
    """Write what an export of one precision looks like."""
    directory = root / precision
    directory.mkdir(parents=True)
    (directory / "encode.onnx").write_bytes(b"graph")
    manifest = {
        "precision": precision,
        "weights": weights_fingerprint(checkpoint),
        "configuration": configuration_fingerprint(checkpoint),
    }
    (directory / "graphs.json").write_text(json.dumps(manifest))
    return directory


def change(path: Path, content: bytes) -> None:
    """Rewrite a file with a time that differs, however coarse the clock is."""
    before = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_nothing_exported_yet(checkpoint: Checkpoint, cache: Path):
    directory = export_dir(checkpoint)
    assert directory.parent == cache / "exports"
    assert not directory.exists()
    assert export_dir(checkpoint) == export_dir(checkpoint, precision="int8") == directory
    assert export_problem(directory / "fp32", checkpoint) == (
        f"{directory / 'fp32'} holds no finished export"
    )


def test_an_export_beside_the_checkpoint_goes_first(checkpoint: Checkpoint):
    export(checkpoint, export_dir(checkpoint))
    beside = checkpoint.directory / "onnx"
    directory = export(checkpoint, beside)
    assert export_dir(checkpoint) == beside
    assert export_problem(directory, checkpoint) is None


def test_a_precision_that_is_not_beside_the_checkpoint_comes_from_the_cache(
    checkpoint: Checkpoint, cache: Path
):
    beside = checkpoint.directory / "onnx"
    export(checkpoint, beside, "int8")
    assert export_dir(checkpoint) == export_dir(checkpoint, precision="int8") == beside
    assert export_dir(checkpoint, precision="fp32").parent == cache / "exports"


def test_foreign_or_unfinished_graphs_beside_the_checkpoint_are_not_used(
    checkpoint: Checkpoint, cache: Path
):
    beside = checkpoint.directory / "onnx"
    (beside / "fp32").mkdir(parents=True)
    (beside / "model.onnx").write_bytes(b"foreign")
    (beside / "graphs.json").write_text("{}")
    (beside / "fp32" / "encode.onnx").write_bytes(b"half")
    assert export_dir(checkpoint).parent == cache / "exports"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "encoder_config/config.json"])
def test_a_changed_checkpoint_is_exported_anew(checkpoint: Checkpoint, name: str):
    path = checkpoint.directory / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    before = export_dir(checkpoint)
    change(path, path.read_bytes())
    assert export_dir(checkpoint) != before


def test_two_checkpoints_do_not_share_an_export(checkpoint: Checkpoint, tmp_path: Path):
    shutil.copytree(checkpoint.directory, tmp_path / "copy")
    assert export_dir(Checkpoint(tmp_path / "copy", "mine", None)) != export_dir(checkpoint)


def test_a_link_to_a_checkpoint_shares_its_export(checkpoint: Checkpoint, tmp_path: Path):
    (tmp_path / "link").symlink_to(checkpoint.directory)
    assert export_dir(Checkpoint(tmp_path / "link", "link", None)) == export_dir(checkpoint)


@pytest.mark.parametrize("at", [0, 1_000_000, 5_000_000, 10_000_000])
def test_trained_weights_make_the_graphs_beside_them_stale(
    checkpoint: Checkpoint, cache: Path, at: int
):
    directory = export(checkpoint, checkpoint.directory / "onnx")
    weights = checkpoint.directory / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:at] + bytes(20_000) + content[at + 20_000 :])
    assert export_dir(checkpoint).parent == cache / "exports"
    assert "from other weights than those of mine" in str(export_problem(directory, checkpoint))


@pytest.mark.parametrize(
    ("name", "content", "stale"),
    [
        ("config.json", '{"model_type": "extractor", "max_width": 9}', True),
        ("config.json", '{"model_type": 3}', True),
        ("config.json", "{", True),
        ("config.json", '{\n"transformers_version": "5",  "model_type":"extractor" }', False),
        ("encoder_config/config.json", '{"hidden_act": "relu"}', True),
        ("1_Pooling/config.json", "{}", True),
        ("modules.json", "[]", True),
        ("notes.json", "{}", False),
    ],
)
def test_another_configuration_makes_the_graphs_beside_it_stale(
    checkpoint: Checkpoint, cache: Path, name: str, content: str, stale: bool
):
    directory = export(checkpoint, checkpoint.directory / "onnx")
    path = checkpoint.directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    problem = export_problem(directory, checkpoint)
    assert (problem is not None) == stale
    assert (export_dir(checkpoint).parent == cache / "exports") == stale
    if problem is not None:
        assert problem.endswith("was exported from another configuration than that of mine")


def test_a_copied_checkpoint_keeps_its_graphs(checkpoint: Checkpoint):
    export(checkpoint, checkpoint.directory / "onnx")
    weights = checkpoint.directory / "model.safetensors"
    change(weights, weights.read_bytes())
    assert export_dir(checkpoint) == checkpoint.directory / "onnx"


def test_graphs_without_weights_are_used(checkpoint: Checkpoint):
    export(checkpoint, checkpoint.directory / "onnx")
    (checkpoint.directory / "model.safetensors").unlink()
    assert weights_fingerprint(checkpoint) is None
    assert export_dir(checkpoint) == checkpoint.directory / "onnx"


def test_graphs_say_which_weights_they_were_made_from(checkpoint: Checkpoint):
    assert graphs_fingerprint(checkpoint) is None
    beside = checkpoint.directory / "onnx"
    made_from = weights_fingerprint(checkpoint)
    export(checkpoint, beside)
    other = export(checkpoint, beside, "int8")
    (checkpoint.directory / "model.safetensors").unlink()
    assert graphs_fingerprint(checkpoint) == made_from
    for weights in ("others", [], None):  # which of the two counts is not known
        (other / "graphs.json").write_text(json.dumps({"weights": weights}))
        assert graphs_fingerprint(checkpoint) is None
    (other / "encode.onnx").unlink()  # no export any more
    assert graphs_fingerprint(checkpoint) == made_from
    (checkpoint.directory / "onnx" / "fp32" / "graphs.json").write_text("{}")
    assert graphs_fingerprint(checkpoint) is None


def test_graphs_whose_manifest_does_not_name_the_weights_are_used(checkpoint: Checkpoint):
    directory = export(checkpoint, checkpoint.directory / "onnx")
    (directory / "graphs.json").write_text('{"family": "gliner2"}')
    assert export_dir(checkpoint) == checkpoint.directory / "onnx"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("graphs.json", "{", "is not readable JSON"),
        ("graphs.json", "[]", "must hold a JSON object"),
        ("encode.onnx", None, "holds no graphs"),
        ("graphs.json", None, "holds no finished export"),
    ],
)
def test_a_broken_export_is_a_problem(
    checkpoint: Checkpoint, cache: Path, name: str, content: str | None, problem: str
):
    directory = export(checkpoint, checkpoint.directory / "onnx")
    if content is None:
        (directory / name).unlink()
    else:
        (directory / name).write_text(content)
    assert problem in str(export_problem(directory, checkpoint))
    assert export_dir(checkpoint).parent == cache / "exports"


@pytest.fixture
def sharded(checkpoint: Checkpoint) -> Checkpoint:
    """The same weights in two files."""
    weights = checkpoint.directory / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    (checkpoint.directory / "model-1.safetensors").write_bytes(content[:5_000_000])
    (checkpoint.directory / "model-2.safetensors").write_bytes(content[5_000_000:])
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    index = checkpoint.directory / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    return checkpoint


@pytest.mark.parametrize("name", ["model-1.safetensors", "model-2.safetensors"])
def test_any_of_several_files_makes_exports_stale(sharded: Checkpoint, cache: Path, name: str):
    before = export_dir(sharded)
    directory = export(sharded, sharded.directory / "onnx")
    assert export_problem(directory, sharded) is None
    path = sharded.directory / name
    change(path, b"trained" + path.read_bytes()[7:])
    assert "from other weights than those of mine" in str(export_problem(directory, sharded))
    assert export_dir(sharded) != before
    assert export_dir(sharded).parent == cache / "exports"


def test_several_files_that_are_not_all_there_have_no_exports(sharded: Checkpoint):
    (sharded.directory / "model-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"'model-2\.safetensors', which is not beside it"):
        weights_fingerprint(sharded)
    with pytest.raises(CheckpointError, match=r"'model-2\.safetensors', which is not beside it"):
        export_dir(sharded)


def test_an_empty_weights_file_has_a_fingerprint(checkpoint: Checkpoint):
    (checkpoint.directory / "model.safetensors").write_bytes(b"")
    assert weights_fingerprint(checkpoint)


def test_cache_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ONEPASS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "onepass"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard says: ignore
    assert cache_root() == tmp_path / ".cache" / "onepass"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "onepass"
    monkeypatch.setenv("ONEPASS_CACHE", "~/own")
    assert cache_root() == tmp_path / "own"


def test_no_home_directory(monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("no home")

    for name in ("ONEPASS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert find_cache_root() is None
    with pytest.raises(CheckpointError, match=r"no home directory .*; set ONEPASS_CACHE"):
        cache_root()


def test_a_place_that_cannot_be_looked_into_holds_no_export(checkpoint: Checkpoint, tmp_path: Path):
    closed = tmp_path / ("long" * 100)  # no name of a file, also for root, who enters all others
    assert "no finished export" in str(export_problem(closed, checkpoint))
