"""Sentence encoders read and written: names, folders, and what sentence-transformers reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from tests.embedding_checkpoints import KINDS

from onepass import Extractor
from onepass.errors import CheckpointError
from onepass.models.embedding.modules import convert_modules
from onepass.models.embedding.network.checkpoint import load_network, save_network

LABELS = ["sports", "red and green", "Paris"]


@pytest.mark.parametrize("kind", KINDS)
def test_saved_again_it_is_the_same_to_everybody(
    kind: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    source, target = made(kind), tmp_path / "again"
    save_network(load_network(source), target, source=source)
    for path in source.rglob("*.safetensors"):
        before, after = load_file(path), load_file(target / path.relative_to(source))
        for name, tensor in before.items():
            assert torch.equal(tensor, after[name]), name
    expected = Extractor.from_pretrained(source, backend="torch").encode_labels(LABELS).vectors
    ours = Extractor.from_pretrained(target, backend="torch").encode_labels(LABELS).vectors
    assert np.array_equal(ours, expected)
    theirs = SentenceTransformer(str(target), device="cpu").encode(LABELS)
    np.testing.assert_allclose(theirs, expected, atol=1e-5, rtol=0)


def changed(directory: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(directory / "model.safetensors")
    result = change(state)
    kept = result if isinstance(result, dict) else state
    save_file(kept, directory / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("kind", ["mean", "max", "last", "weighted"])
def test_weights_below_the_name_of_an_encoder(
    kind: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    """As they are where a checkpoint was saved with the head that it was trained with."""
    expected = Extractor.from_pretrained(made(kind), backend="torch").encode_labels(LABELS).vectors
    directory = Path(shutil.copytree(made(kind), tmp_path / kind))
    extra = {"cls.predictions.bias": torch.zeros(3), "inner.embeddings.position_ids": torch.ones(9)}
    changed(directory, lambda s: {f"inner.{k}": v for k, v in s.items()} | extra)
    found = Extractor.from_pretrained(directory, backend="torch").encode_labels(LABELS).vectors
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("kind", ["mean", "mean-sqrt", "last"])
def test_a_pooler_may_be_missing(kind: str, made: Callable[[str], Path], tmp_path: Path) -> None:
    expected = Extractor.from_pretrained(made(kind), backend="torch").encode_labels(LABELS).vectors
    directory = Path(shutil.copytree(made(kind), tmp_path / kind))
    changed(directory, lambda s: {k: v for k, v in s.items() if not k.startswith("pooler.")})
    found = Extractor.from_pretrained(directory, backend="torch").encode_labels(LABELS).vectors
    assert np.array_equal(found, expected)


def test_a_weight_too_many_or_too_few_is_named(made: Callable[[str], Path], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(made("dense"), tmp_path / "dense"))
    changed(directory, lambda s: s | {"stranger": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="unexpected: stranger"):
        load_network(directory)
    changed(directory, lambda s: s.pop("stranger") is None)
    (directory / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"2_Dense of .* no model\.safetensors"):
        load_network(directory)
    save_file({"linear.weight": torch.zeros(16, 24)}, directory / "2_Dense" / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing: 2_Dense/linear\.bias"):
        load_network(directory)


def test_dense_layers_come_out_of_pickles(made: Callable[[str], Path], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(made("two-dense"), tmp_path / "pickled"))
    weights = directory / "2_Dense" / "model.safetensors"
    state = load_file(weights)
    weights.unlink()
    torch.save(state, directory / "2_Dense" / "pytorch_model.bin")
    target = tmp_path / "converted"
    target.mkdir()
    convert_modules(directory, target)
    for path in sorted(directory.rglob("*/*")):
        if path.is_file() and path.suffix != ".bin":
            assert (target / path.relative_to(directory)).is_file(), path
    found = load_file(target / "2_Dense" / "model.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    assert (target / "modules.json").is_file()
    (directory / "2_Dense" / "pytorch_model.bin").unlink()
    with pytest.raises(CheckpointError, match=r"2_Dense .* has no weights"):
        convert_modules(directory, target)
