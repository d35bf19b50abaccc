"""One head after the other gives what all heads at once give."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper

from onepass.nn.backbones.disentangled import BLOCKS, TableRows, Tables, attend, block_distances
from onepass.nn.graphs.by_head import Nodes, attend_by_head, share

SIZE, SPAN = 5, 40
INPUTS = ("qkv", "bias", "key_table", "query_table", "by_query", "by_key")


def session(heads: int) -> onnxruntime.InferenceSession:
    nodes = Nodes("n")
    shared = share(nodes, "by_query", "by_key", heads=heads, distances=2 * SPAN)
    mixed = attend_by_head(nodes, shared, INPUTS[:4], heads=heads, size=SIZE)
    kinds = [onnx.TensorProto.FLOAT] * 4 + [onnx.TensorProto.INT64] * 2
    ranks = (3, 3, 3, 3, 2, 2)
    graph = helper.make_graph(
        nodes.made,
        "attention",
        [
            helper.make_tensor_value_info(name, kind, [None] * rank)
            for name, kind, rank in zip(INPUTS, kinds, ranks, strict=True)
        ],
        [helper.make_tensor_value_info(mixed, onnx.TensorProto.FLOAT, [None] * 3)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString())


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("pieces", [BLOCKS, 3 * BLOCKS, 9 * BLOCKS])
def test_it_is_the_attention_of_all_heads(heads: int, batch: int, pieces: int) -> None:
    torch.manual_seed(pieces)
    qkv = torch.randn(batch, pieces, 3 * heads * SIZE)
    bias = torch.zeros(batch, 1, pieces)
    bias[-1, :, pieces // 2 :] = -1e9
    tables = Tables(torch.randn(heads, 2 * SPAN, SIZE), torch.randn(heads, 2 * SPAN, SIZE))
    distances = block_distances(pieces, torch.device("cpu"))
    rows = TableRows(*((SPAN + way).clamp(0, 2 * SPAN - 1) for way in (-distances, distances)))
    expected = attend(qkv, bias, tables, rows, heads)
    inputs = (qkv, bias, *tables, *rows)
    given = {name: value.numpy() for name, value in zip(INPUTS, inputs, strict=True)}
    (mixed,) = session(heads).run(None, given)
    np.testing.assert_allclose(mixed, expected.numpy(), atol=2e-5)
