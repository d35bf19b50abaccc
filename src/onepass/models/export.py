"""A checkpoint's network written as ONNX graphs, in fp32 or with int8 weights."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.exports import MANIFEST, weights_fingerprint


def export_checkpoint(
    checkpoint: Checkpoint, output: Path | None = None, *, precision: str = "fp32"
) -> Path:
    """Write the graphs of a checkpoint.

    Args:
        checkpoint: a located checkpoint with ``model.safetensors``.
        output: directory that receives a folder named after the precision; ``onnx`` in the
            checkpoint if None.
        precision: "fp32", or "int8" for weights in eight bits.

    Returns:
        The folder that was written.

    Raises:
        BackendError: for an unknown precision, or a checkpoint that runs in torch only.
        MissingExtra: if torch or onnx is not installed.
    """
    if precision not in ("fp32", "int8"):
        raise BackendError(f"precision {precision!r} is not known; fp32 and int8 are.")
    from onepass.models.registry import TORCH_ONLY, load_network, open_model

    model = open_model(checkpoint)
    graphs = model.family.graphs(model.settings)
    if not all(graph.exportable for graph in graphs):
        raise BackendError(TORCH_ONLY.format(name=model.name))
    network = load_network(model.family, model.directory)
    try:
        from onepass.nn.export import export_graphs
        from onepass.nn.quantize import quantize_file
    except ImportError as error:
        raise MissingExtra("Writing ONNX graphs", "torch") from error
    network.prepare()
    target = (output or checkpoint.directory / "onnx") / precision
    with _replacing(target) as staged:
        export_graphs(network, network.graphs(), graphs, staged, hidden=network.hidden)
        if precision == "int8":
            for graph in graphs:
                quantize_file(staged / f"{graph.name}.onnx", staged / f"{graph.name}.onnx")
        manifest = {
            "family": model.family.name,
            "precision": precision,
            "weights": weights_fingerprint(checkpoint),
        }
        (staged / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return target


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give an empty directory that takes the place of ``target`` when the block ends well.

    Several processes may do so at once, as those of a server that starts; the last one stays.
    """
    staged = target.with_name(f".{target.name}-{uuid4().hex}")
    try:
        staged.mkdir(parents=True)
    except OSError as error:
        raise CheckpointError(
            f"Graphs cannot be written to {target} ({error.strerror}); choose another directory."
        ) from error
    try:
        yield staged
        shutil.rmtree(target, ignore_errors=True)
        try:
            os.replace(staged, target)
        except OSError:
            if not (target / MANIFEST).is_file():  # else another process was a moment faster
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
