"""A checkpoint's network written as ONNX graphs, in fp32 or int8."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.atomic import replacing, staged
from onepass.hub.exports import MANIFEST, configuration_fingerprint, weights_fingerprint
from onepass.models.family import Model
from onepass.schema.shown import shown

if TYPE_CHECKING:
    from onepass.models.reduction import Reduction
    from onepass.nn.network import Network


def export_checkpoint(
    checkpoint: Checkpoint,
    output: Path | None = None,
    *,
    precision: str = "fp32",
    reduction: Reduction | None = None,
    places: bool = False,
) -> Path:
    """Write the graphs of a checkpoint.

    Args:
        checkpoint: a located checkpoint with ``model.safetensors``.
        output: directory that receives a folder named after the precision; ``onnx`` in the
            checkpoint if None.
        precision: "fp32" or "int8".
        reduction: how int8 graphs are made; None for the defaults of
            `onepass.models.reduction.Reduction`.
        places: whether to write where the weights are in the graphs, so that the checkpoint can be
            shipped without them and trained on all the same (`onepass.models.restored_weights`).

    Returns:
        The folder that was written.

    Raises:
        BackendError: for an unknown precision, a checkpoint that runs in torch only, a loss that
            is too large, or weights whose places are not found; nothing is written then.
        CheckpointError: if the directory cannot be written; its cause is what the system said.
        MissingExtra: if torch or onnx is not installed.
    """
    if precision not in ("fp32", "int8"):
        raise BackendError(f"precision {shown(precision)} is not known; fp32 and int8 are.")
    from onepass.models.choosing import TORCH_ONLY
    from onepass.models.registry import load_network, read_model

    model = read_model(checkpoint)
    graphs = model.family.graphs(model.settings)
    if not all(graph.exportable for graph in graphs):
        raise BackendError(TORCH_ONLY.format(name=model.name))
    unused = _unused(model) if places else ()
    network = load_network(model.family, model.directory)
    try:
        from onepass.nn.graphs.export import export_graphs
    except ImportError as error:
        raise MissingExtra("Writing ONNX graphs", "torch") from error
    network.prepare()
    manifest: dict[str, Any] = {"family": model.family.name, "precision": precision}
    target = (output or checkpoint.directory / "onnx") / precision
    with _replacing(target) as new:
        if precision == "fp32":
            export_graphs(
                network, network.graphs(), graphs, new,
                hidden=network.hidden, in_parts=not places,
            )  # fmt: skip
            if places:
                _write_places(network, new, new, unused)
        else:
            with staged(target.with_name("fp32")) as exact:
                export_graphs(network, network.graphs(), graphs, exact, hidden=network.hidden)
                if places:
                    _write_places(network, exact, new, unused)
                manifest |= _reduce(model, exact, new, reduction)
        manifest["weights"] = weights_fingerprint(checkpoint)
        manifest["configuration"] = configuration_fingerprint(checkpoint)
        (new / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return target


def _unused(model: Model) -> Sequence[str]:
    """Return how names of weights begin that no graph of a model uses."""
    if model.family.from_graphs is None:
        raise BackendError(
            f"{model.name} is a {model.family.name} checkpoint, whose weights cannot be read back "
            "from its graphs yet; call export_checkpoint() with places=False."
        )
    names: Sequence[str] = importlib.import_module(model.family.from_graphs).UNUSED
    return names


def _write_places(network: Network, graphs: Path, target: Path, unused: Sequence[str]) -> None:
    from onepass.nn.graphs.graph_weights import write_places

    state = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    write_places(target, graphs, state, unused)


def _reduce(
    model: Model, exact: Path, target: Path, reduction: Reduction | None
) -> Mapping[str, Any]:
    from onepass.models.reduction import Reduction, reduce_graphs

    graphs = model.family.graphs(model.settings)
    return reduce_graphs(model, graphs, exact, target, reduction or Reduction())


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give an empty directory that takes the place of ``target`` when the block ends well.

    Several processes may do so at once, as those of a server that starts. What another one has put
    there in the meantime may be in use already: it stays if its manifest says the same.
    """
    before = _manifest(target)

    def stays(new: Path) -> bool:
        own, there = _manifest(new), _manifest(target)
        if own is None or there is None or there == before:
            return False
        return own.content == there.content

    try:
        with replacing(target, stays=stays) as new:
            yield new
    except OSError as error:
        raise _not_written(target, error) from error


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The manifest of a finished export, and what tells it from one that was put there later."""

    content: bytes
    file: tuple[int, int]


def _manifest(directory: Path) -> _Manifest | None:
    """Return the manifest of a directory; None if there is no finished export in it."""
    try:
        content, state = (directory / MANIFEST).read_bytes(), (directory / MANIFEST).stat()
    except OSError:
        return None
    return _Manifest(content, (state.st_ino, state.st_mtime_ns))


def _not_written(target: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"Graphs cannot be written to {target} ({error.strerror or error}); choose another "
        "directory."
    )
