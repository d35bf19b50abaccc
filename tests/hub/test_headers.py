"""Names and shapes of weights, from the headers of one file or several."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.headers import Weight, read_headers


def test_shapes_and_formats(tmp_path: Path):
    weights = {
        "a": np.zeros((2, 3), dtype=np.float32),
        "b": np.zeros(5, dtype=np.float16),
        "c": np.zeros((), dtype=np.int64),
        "d": np.zeros(3, dtype=np.uint8),
    }
    save_file(weights, tmp_path / "model.safetensors")
    found = read_headers(Checkpoint(tmp_path, "mine", None))
    assert found == {
        "a": Weight((2, 3), "F32"), "b": Weight((5,), "F16"), "c": Weight((), "I64"),
        "d": Weight((3,), "U8"),
    }  # fmt: skip
    sizes = {name: (one.parameters, one.size_bytes) for name, one in found.items()}
    assert sizes == {"a": (6, 24), "b": (5, 10), "c": (1, 8), "d": (3, 3)}


def test_half_precision_of_torch_needs_no_torch(tmp_path: Path):
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(8)
    (tmp_path / "model.safetensors").write_bytes(content)
    assert read_headers(Checkpoint(tmp_path, "mine", None))["a"].size_bytes == 8


def test_several_files(tmp_path: Path):
    for i in (1, 2):
        save_file({f"w{i}": np.zeros(i, dtype=np.float32)}, tmp_path / f"model-{i}.safetensors")
    names = {f"w{i}": f"model-{i}.safetensors" for i in (1, 2)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert sorted(read_headers(Checkpoint(tmp_path, "mine", None))) == ["w1", "w2"]


@pytest.mark.parametrize("content", [b"", b"cut", b"\x09\0\0\0\0\0\0\0not JSON"])
def test_a_broken_file(tmp_path: Path, content: bytes):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a readable safetensors file"):
        read_headers(Checkpoint(tmp_path, "mine", None))


def test_folders_of_layers(tmp_path: Path):
    (tmp_path / "2_Dense").mkdir()
    for path in (tmp_path, tmp_path / "2_Dense"):
        save_file({"w": np.zeros(2, dtype=np.float32)}, path / "model.safetensors")
    assert sorted(read_headers(Checkpoint(tmp_path, "mine", None))) == ["2_Dense/w", "w"]
