"""int8 graphs of the checkpoints that are measured."""

from __future__ import annotations

from pathlib import Path

from onepass.hub import locate
from onepass.hub.exports import export_problem
from onepass.models.export import export_checkpoint


def write_int8(directory: Path) -> None:
    """Write the graphs of a checkpoint in eight bits beside it, unless they are there.

    The cache would not do: in it the library runs only what it has sealed itself.

    Args:
        directory: of the checkpoint.
    """
    checkpoint = locate(directory)
    target = directory / "onnx"
    if export_problem(target / "int8", checkpoint) is not None:
        export_checkpoint(checkpoint, target, precision="int8")
