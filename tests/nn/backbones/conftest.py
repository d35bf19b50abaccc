from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from onepass.nn.graphs.branches import add_branches

Run = Callable[[torch.Tensor, torch.Tensor], np.ndarray]


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[nn.Module], Run]:
    """Export a backbone with dynamic batch and pieces; return what runs the file."""

    def export(backbone: nn.Module) -> Run:
        axes = {0: "batch", 1: "pieces"}
        example = torch.ones(2, 9, dtype=torch.long)
        options: dict[str, Any] = {"dynamo": False, "opset_version": 17}
        torch.onnx.export(
            backbone,
            (example, example),
            tmp_path / "graph.onnx",
            input_names=["ids", "mask"],
            output_names=["vectors"],
            dynamic_axes={"ids": axes, "mask": axes, "vectors": axes},
            **options,
        )
        model = onnx.load(tmp_path / "graph.onnx")
        add_branches(model)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return lambda ids, mask: session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0]

    return export
