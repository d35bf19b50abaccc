"""The list of downloaded checkpoints: of known kinds, with something to run, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onepass.hub.cached import CachedModel, cached_models

SPAN = '{"model_type": "extractor"}'
BERT = '{"model_type": "bert"}'


def add(cache: Path, folder: str, commit: str, files: dict[str, str]) -> Path:
    snapshot = cache / folder / "snapshots" / commit
    for name, content in files.items():
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).write_text(content)
    return snapshot


def test_known_kinds_are_listed_in_order(tmp_path: Path):
    weights = {"model.safetensors": "12345"}
    two = add(tmp_path, "models--b--span", "2" * 40, {"config.json": SPAN} | weights)
    one = add(tmp_path, "models--b--span", "1" * 40, {"config.json": SPAN} | weights)
    gliner = add(tmp_path, "models--a--g", "3" * 40, {"gliner_config.json": "{}"} | weights)
    graphs = add(
        tmp_path, "models--c--x", "4" * 40, {"config.json": SPAN, "onnx/int8/graphs.json": "1"}
    )
    index = {"model.safetensors.index.json": "{}"}
    shards = add(tmp_path, "models--c--y", "0" * 40, {"config.json": SPAN} | index)
    add(tmp_path, "models--d--bert", "5" * 40, {"config.json": BERT} | weights)
    add(tmp_path, "models--d--refused", "6" * 40, {"config.json": SPAN})
    add(tmp_path, "models--d--foreign", "9" * 40, {"config.json": SPAN, "onnx/model.onnx": "1"})
    add(tmp_path, "models--d--broken", "7" * 40, {"config.json": "{"} | weights)
    add(tmp_path, "datasets--d--data", "8" * 40, {"config.json": SPAN} | weights)
    (tmp_path / "models--e--empty").mkdir()
    (tmp_path / "stray.txt").touch()

    size = len(SPAN) + 5
    assert cached_models(tmp_path) == [
        CachedModel("a/g", "3" * 40, 7, gliner, "gliner"),
        CachedModel("b/span", "1" * 40, size, one, "gliner2"),
        CachedModel("b/span", "2" * 40, size, two, "gliner2"),
        CachedModel("c/x", "4" * 40, len(SPAN) + 1, graphs, "gliner2"),
        CachedModel("c/y", "0" * 40, len(SPAN) + 2, shards, "gliner2"),
    ]


def test_a_damaged_revision_hides_no_other(tmp_path: Path):
    files = {"config.json": SPAN, "model.safetensors": "12345"}
    whole = add(tmp_path, "models--b--span", "1" * 40, files)
    add(tmp_path, "models--b--span", "2" * 40, {"config.json": SPAN})
    damaged = tmp_path / "models--b--span" / "snapshots" / ("2" * 40) / "model.safetensors"
    damaged.symlink_to("../../blobs/deleted")
    (tmp_path / "models--b--span" / "refs").mkdir()
    (tmp_path / "models--b--span" / "refs" / "main").write_text("3" * 40)  # nothing came of it
    assert [model.path for model in cached_models(tmp_path)] == [whole]


def test_files_of_several_names_are_counted_once(tmp_path: Path):
    blobs = tmp_path / "models--b--span" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "one").write_text("12345")
    place = add(tmp_path, "models--b--span", "1" * 40, {"config.json": SPAN})
    for name in ("model.safetensors", "copy.safetensors"):
        (place / name).symlink_to("../../blobs/one")
    assert [model.size_bytes for model in cached_models(tmp_path)] == [len(SPAN) + 5]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
@pytest.mark.parametrize("closed", ["", "snapshots", "blobs"])
def test_what_may_not_be_read_hides_nothing_else(tmp_path: Path, closed: str):
    files = {"config.json": SPAN, "model.safetensors": "12345"}
    ours = add(tmp_path, "models--a--ours", "1" * 40, files)
    theirs = tmp_path / "models--b--theirs"
    place = add(tmp_path, theirs.name, "1" * 40, {"config.json": SPAN})
    (theirs / "blobs").mkdir()
    (place / "model.safetensors").symlink_to("../../blobs/one")
    (theirs / closed).chmod(0)
    try:
        assert [model.path for model in cached_models(tmp_path)] == [ours]
    finally:
        (theirs / closed).chmod(0o700)


def test_no_cache(tmp_path: Path):
    assert cached_models(tmp_path / "none") == []
    assert cached_models(str(tmp_path)) == []
    assert cached_models(tmp_path / ("long" * 100)) == []  # as one that may not be looked into
