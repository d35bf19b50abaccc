"""Tables in bf16: those that products read alone, and the numbers that a product would read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("openvino", reason="the extra openvino is not installed")

from onepass.backends.openvino_runtime import openvino
from onepass.backends.openvino_tables import halve_tables

ops = openvino.opset13
TABLE = np.random.default_rng(0).standard_normal((2, 9, 4)).astype(np.float32)
X = np.random.default_rng(1).standard_normal((2, 3, 4)).astype(np.float32)
ROWS = np.array([8, 0, 0, 5, 3])


def model(*, also_added: bool = False, table: np.ndarray = TABLE) -> openvino.Model:
    """Make one that multiplies ``x`` with rows of a table, as an attention does with distances."""
    x = ops.parameter([2, -1, 4], np.float32)
    rows = ops.parameter([-1], np.int64)
    held = ops.unsqueeze(ops.constant(table), ops.constant(np.array([1])))
    near = ops.gather(held, rows, ops.constant(np.int64(2)))  # (2, 1, rows, 4)
    turned = ops.transpose(near, ops.constant(np.array([0, 1, 3, 2])))
    flat = ops.squeeze(turned, ops.constant(np.array([1])))
    results = [ops.matmul(x, flat, transpose_a=False, transpose_b=False)]
    if also_added:
        results.append(ops.add(near, ops.constant(np.float32(1))))
    return openvino.Model(results, [x, rows])


def run(made: openvino.Model) -> np.ndarray:
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    y, *_ = openvino.Core().compile_model(made, "CPU", config)([X, ROWS]).values()
    return np.asarray(y)


def test_rows_are_rounded_to_the_nearest_and_no_further() -> None:
    made = model()
    np.testing.assert_allclose(run(made), X @ TABLE[:, ROWS].transpose(0, 2, 1), atol=1e-5)
    assert halve_tables(made) == 1
    rounded = torch.from_numpy(TABLE).bfloat16().float().numpy()
    np.testing.assert_allclose(run(made), X @ rounded[:, ROWS].transpose(0, 2, 1), atol=1e-5)
    assert halve_tables(made) == 0


def test_a_table_that_something_else_reads_stays_as_it_is() -> None:
    assert halve_tables(model(also_added=True)) == 0


def test_whole_numbers_stay_as_they_are() -> None:
    x = ops.parameter([-1, 2], np.float32)
    rows = ops.parameter([-1], np.int64)
    table = ops.constant(np.arange(6, dtype=np.int8).reshape(3, 2))
    near = ops.gather(table, rows, ops.constant(np.int64(0)))
    product = ops.matmul(x, ops.convert(near, "f32"), transpose_a=False, transpose_b=True)
    assert halve_tables(openvino.Model([product], [x, rows])) == 0
