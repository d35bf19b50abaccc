"""Several ONNX graphs that read their large tensors from one file.

It knows files, not what the tensors are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx.external_data_helper import set_external_data

_SMALLEST = 1024  # bytes of a tensor that goes there
_PAGE = 4096  # bytes; tensors start at multiples, so that they can be mapped into memory


def save_sharing(models: Mapping[Path, onnx.ModelProto], weights: Path) -> None:
    """Write graphs, and once each large tensor that any of them has.

    Args:
        models: path to graph; they are changed to refer to the file.
        weights: the file, in the same directory.
    """
    places: dict[bytes, int] = {}
    with weights.open("wb") as file:
        for model in models.values():
            for tensor in model.graph.initializer:
                data = tensor.raw_data
                if len(data) < _SMALLEST:
                    continue
                if data not in places:
                    file.write(bytes(-file.tell() % _PAGE))
                    places[data] = file.tell()
                    file.write(data)
                set_external_data(tensor, weights.name, offset=places[data], length=len(data))
                tensor.ClearField("raw_data")
    for path, model in models.items():
        path.write_bytes(model.SerializeToString())
