"""A checkpoint's network written as ONNX graphs, in fp32 or int8."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.exports import MANIFEST, configuration_fingerprint, weights_fingerprint
from onepass.models.family import Model
from onepass.schema.shown import shown

if TYPE_CHECKING:
    from onepass.models.reduction import Reduction


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
    from onepass.models.registry import load_network, open_model

    model = open_model(checkpoint)
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
    with _replacing(target) as staged:
        if precision == "fp32":
            export_graphs(
                network, network.graphs(), graphs, staged,
                hidden=network.hidden, in_parts=not places,
            )  # fmt: skip
            if places:
                _write_places(network, staged, staged, unused)
        else:
            with TemporaryDirectory(prefix=".fp32-", dir=staged.parent) as exact:
                export_graphs(network, network.graphs(), graphs, Path(exact), hidden=network.hidden)
                if places:
                    _write_places(network, Path(exact), staged, unused)
                manifest |= _reduce(model, Path(exact), staged, reduction)
        manifest["weights"] = weights_fingerprint(checkpoint)
        manifest["configuration"] = configuration_fingerprint(checkpoint)
        (staged / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
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


def _write_places(network: Any, graphs: Path, target: Path, unused: Sequence[str]) -> None:
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
    staged = _beside(target)
    try:
        staged.mkdir(parents=True)
        yield staged
        _put(staged, target, before)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


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


def _put(staged: Path, target: Path, before: _Manifest | None) -> None:
    """Rename a directory to ``target``, and remove what was there ``before``.

    A directory cannot be renamed to one that holds something. That one is renamed first, not
    emptied: at any moment there is a whole one there, or for the time of a call none. If the new
    one cannot take its place, it comes back.
    """
    own = _manifest(staged)
    old: list[Path] = []
    try:
        while True:
            try:
                staged.rename(target)
                return
            except OSError:
                if not target.is_dir():
                    raise
            there = _manifest(target)
            if there is not None and there != before and own and there.content == own.content:
                return  # another process was faster
            old.append(_beside(target))
            with suppress(FileNotFoundError):  # another process has moved it
                target.rename(old[-1])
    finally:
        _remove(old, target)


def _remove(old: Sequence[Path], target: Path) -> None:
    """Remove directories that stood at ``target``; if there is none now, the last goes back."""
    for one in reversed(old):
        if target.exists():
            shutil.rmtree(one, ignore_errors=True)
        else:
            with suppress(OSError):  # another process has moved it, or it is held: then it stays
                one.rename(target)


def _beside(target: Path) -> Path:
    """Return a new hidden name in the same directory."""
    return target.with_name(f".{target.name}-{uuid4().hex}")


def _not_written(target: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"Graphs cannot be written to {target} ({error.strerror or error}); choose another "
        "directory."
    )
