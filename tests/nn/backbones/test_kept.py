"""Pieces that are read, among many: their vectors are those of a run over all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from tests.nn.backbones.test_bert import TINY as BERT
from tests.nn.backbones.test_deberta import TINY as DEBERTA
from tests.nn.backbones.test_foreign import ELECTRA
from tests.nn.backbones.test_modernbert import TINY as MODERNBERT
from tests.nn.backbones.test_t5 import TINY as T5

from onepass.nn.backbones.build import build_backbone
from onepass.nn.graphs.branches import add_branches

CONVOLVED = {"conv_kernel_size": 3, "conv_act": "gelu"}
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": BERT | {"model_type": "bert"},
    "roberta": BERT | {"model_type": "roberta", "pad_token_id": 1},
    "deberta": DEBERTA | {"model_type": "deberta-v2"},
    "convolved": DEBERTA | CONVOLVED | {"model_type": "deberta-v2"},
    "convolved-once": DEBERTA | CONVOLVED | {"model_type": "deberta-v2", "num_hidden_layers": 1},
    "modernbert": MODERNBERT | {"model_type": "modernbert"},
    "modernbert-local": MODERNBERT | {"model_type": "modernbert", "num_hidden_layers": 2},
    "t5": T5 | {"model_type": "t5"},
    "electra": ELECTRA,
}


def batch(pieces: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids and mask of two texts, one of them padded, and places in any order, one twice."""
    torch.manual_seed(1)
    mask = (torch.arange(pieces)[None] < torch.tensor([[pieces], [5]])).long()
    ids = torch.where(mask.bool(), torch.randint(3, 40, (2, pieces)), 0)
    return ids, mask, torch.tensor([[pieces - 1, 0, 3], [4, 2, 2]])


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_vectors(encoder: str, prepared: bool) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(ENCODERS[encoder]).eval()
    if prepared:
        backbone.prepare()
    ids, mask, kept = batch(30)
    with torch.no_grad():
        every, some = backbone(ids, mask), backbone(ids, mask, kept=kept)
    expected = torch.stack([every[row, places] for row, places in enumerate(kept)])
    torch.testing.assert_close(some, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name != "electra"])
def test_the_last_layer_reads_no_others(encoder: str) -> None:
    """What its feed-forward is given are the pieces that are read."""
    backbone = build_backbone(ENCODERS[encoder]).eval()
    seen: list[int] = []
    norms = [module for name, module in backbone.named_modules() if name.endswith(".down")]
    norms[-1].register_forward_hook(lambda _, given, __: seen.append(given[0].shape[1]))
    ids, mask, kept = batch(30)
    with torch.no_grad():
        backbone(ids, mask, kept=kept)
    if encoder == "convolved-once":  # its convolution reads the neighbors of each piece
        assert seen[0] >= 30
    else:
        assert seen == [3]


@pytest.mark.parametrize("encoder", ["bert", "deberta", "modernbert", "t5"])
def test_onnx(encoder: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(ENCODERS[encoder]).eval().requires_grad_(False)

    class Kept(torch.nn.Module):
        def forward(
            self, ids: torch.Tensor, mask: torch.Tensor, kept: torch.Tensor
        ) -> torch.Tensor:
            vectors: torch.Tensor = backbone(ids, mask, kept=kept)
            return vectors

    axes = {0: "batch", 1: "pieces"}
    names = ["ids", "mask", "kept"]
    dynamic = {"ids": axes, "mask": axes, "kept": {0: "batch", 1: "places"}}
    path = tmp_path / "graph.onnx"
    torch.onnx.export(
        Kept(), batch(12), path, input_names=names, dynamic_axes=dynamic,
        opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load(path)
    add_branches(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for pieces in (8, 30):
        given = batch(pieces)
        with torch.no_grad():
            expected = backbone(given[0], given[1], kept=given[2])
        feed = {name: array.numpy() for name, array in zip(names, given, strict=True)}
        (got,) = session.run(None, feed)
        torch.testing.assert_close(torch.from_numpy(got), expected, atol=1e-5, rtol=1e-5)
