"""A module traced to ONNX with dynamic axes, and run again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from onepass.nn.graphs.export import OPSET

Axes = Mapping[str, tuple[str, ...]]  # input name to axes; "hidden" stays as it is
Runner = Callable[..., torch.Tensor]


def traced(module: nn.Module, inputs: Mapping[str, torch.Tensor], axes: Axes, path: Path) -> Runner:
    """Write a module of one output and return what runs the file.

    Args:
        module: in inference mode.
        inputs: of the size that is traced.
        axes: of the inputs and of "out".
        path: of the file.
    """
    dynamic = {
        name: {i: axis for i, axis in enumerate(names) if axis != "hidden"}
        for name, names in axes.items()
    }
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, tuple(inputs.values()), str(path), input_names=list(inputs),
            output_names=["out"], dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    session = onnxruntime.InferenceSession(path)
    taken = {one.name for one in session.get_inputs()}

    def run(*arrays: torch.Tensor) -> torch.Tensor:
        feed = {
            name: array.numpy() for name, array in zip(inputs, arrays, strict=True) if name in taken
        }
        return torch.from_numpy(np.asarray(session.run(None, feed)[0]))

    return run
