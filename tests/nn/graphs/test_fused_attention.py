"""Attention as one operation gives what it did step by step, with padding and without."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.nn.tracing import traced
from tests.tiny import make_tiny_checkpoint
from torch import nn

from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.nn.backbones.attention import closed, join_heads, split_heads
from onepass.nn.graphs.export import export_graphs
from onepass.nn.graphs.fused_attention import fuse_attention

HIDDEN, HEADS = 16, 4
AXES: Mapping[str, tuple[str, ...]] = {
    "x": ("batch", "pieces", "hidden"),
    "mask": ("batch", "pieces"),
    "out": ("batch", "pieces", "hidden"),
}


class Masked(nn.Module):
    """Attention to the pieces of a text."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.q, self.k, self.v = (nn.Linear(HIDDEN, HIDDEN) for _ in range(3))

    def forward(self, x: Any, mask: Any) -> Any:
        q, k, v = (split_heads(part(x), HEADS) for part in (self.q, self.k, self.v))
        scores = q @ k.transpose(2, 3) + self.bias(q, k, mask)
        return join_heads(scores.softmax(-1) @ v)

    def bias(self, q: Any, k: Any, mask: Any) -> Any:
        return closed(mask.bool()[:, None, None], q.dtype)


class Biased(Masked):
    """The same with something added that is no mask."""

    def bias(self, q: Any, k: Any, mask: Any) -> Any:
        return super().bias(q, k, mask) + k.mean((1, 3))[:, None, None]


class Ordered(Masked):
    """The same with a mask of pairs: no piece sees those behind it."""

    def bias(self, q: Any, k: Any, mask: Any) -> Any:
        places = torch.arange(mask.shape[1])
        return closed((places[:, None] >= places)[None, None], q.dtype)


def fused(module: nn.Module, path: Path) -> tuple[Any, onnxruntime.InferenceSession, int]:
    """Return what runs a module as it is, a session of the other form, and how many were found."""
    inputs = {"x": torch.randn(2, 5, HIDDEN), "mask": torch.ones(2, 5, dtype=torch.int64)}
    plain = traced(module.eval(), inputs, AXES, path)
    model = onnx.load(path)
    count = fuse_attention(model)
    return plain, onnxruntime.InferenceSession(model.SerializeToString()), count


@pytest.mark.parametrize("lengths", [(7, 7, 7), (7, 1, 4)], ids=["whole", "padded"])
def test_equal_with_and_without_padding(lengths: tuple[int, ...], tmp_path: Path) -> None:
    plain, session, count = fused(Masked(), tmp_path / "g.onnx")
    x = torch.randn(3, 7, HIDDEN, generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(7) < torch.tensor(lengths)[:, None]).long()
    [out] = session.run(None, {"x": x.numpy(), "mask": mask.numpy()})
    assert count == 1
    np.testing.assert_allclose(out, plain(x, mask).numpy(), atol=1e-6)


def test_no_text_changes_the_numbers_of_another(tmp_path: Path) -> None:
    _, session, _ = fused(Masked(), tmp_path / "g.onnx")
    x = torch.randn(2, 40, HIDDEN, generator=torch.Generator().manual_seed(1)).numpy()
    mask = (np.arange(40) < np.array([[40], [23]])).astype(np.int64)
    [alone] = session.run(None, {"x": x[1:, :23], "mask": mask[1:, :23]})
    [together] = session.run(None, {"x": x, "mask": mask})
    np.testing.assert_array_equal(together[1, :23], alone[0])


@pytest.mark.parametrize("module", [Biased, Ordered])
def test_others_are_left_alone(module: type[Masked], tmp_path: Path) -> None:
    assert fused(module(), tmp_path / "g.onnx")[2] == 0


@pytest.mark.parametrize(("backbone", "found"), [("bert", True), ("deberta-v2", False)])
def test_exported_backbones(backbone: str, found: bool, tmp_path: Path) -> None:
    make_tiny_checkpoint(tmp_path, backbone=backbone)
    network = load_network(tmp_path)
    network.backbone.prepare()
    export_graphs(network, network.graphs(), GRAPHS[:1], tmp_path, hidden=32)
    model = onnx.load(tmp_path / "encode.onnx")
    before = len(model.graph.node)
    count = fuse_attention(model)
    assert (count > 0, len(model.graph.node) < before) == (found, found)
    whole = onnxruntime.InferenceSession(tmp_path / "encode.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    generator = np.random.default_rng(0)
    for real in (11, 6):
        ids = generator.integers(5, 60, (2, 11))
        given = {
            "ids": ids, "mask": (np.arange(11) < np.array([[11], [real]])).astype(np.int64),
            "types": np.zeros_like(ids), "words": generator.integers(3, 6, (2, 6, 1)),
            "markers": np.array([[1, 2], [1, 2]]),
        }  # fmt: skip
        taken = {one.name: given[one.name] for one in session.get_inputs()}
        for one, other in zip(whole.run(None, taken), session.run(None, taken), strict=True):
            np.testing.assert_allclose(other, one, atol=1e-5)
