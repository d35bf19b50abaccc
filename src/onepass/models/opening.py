"""How a model gets what runs its graphs: files, exports, runtimes. The rules are in `choosing`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

from onepass.backends.base import Backend, integer_form
from onepass.backends.cpu import cpu
from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint, export_dir
from onepass.hub.atomic import recover
from onepass.hub.exports import export_problem, find_cache_root, is_checked
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.hub.registry import find_known
from onepass.hub.sealed import is_sealed, seal
from onepass.hub.sharing import one_at_a_time
from onepass.models.choosing import (
    EITHER,
    Precision,
    Wanted,
    choose_backend,
    choose_precision,
)
from onepass.models.family import Model
from onepass.models.lanes import Lanes, lanes_of
from onepass.models.registry import load_network
from onepass.models.restored_weights import graphs_with_weights, with_weights

_DEFAULT = Wanted()
_PRECISIONS = re.compile("fp32|int8")  # directories of graphs in the cache
_EXPORTING = Lock()  # of the threads of a process, one exports, and the others find what it made


@dataclass(frozen=True, slots=True)
class Opening:
    """How a model is opened: all that has to be known to open it anew.

    Attributes:
        name: a directory, a hub id, or "builtin".
        wanted: how it is run.
        hub: how the hub is asked.
        revision: branch, tag or commit on the hub.
        calibrated: whether its scores are calibrated.

    >>> Opening("builtin").checkpoint().name
    'builtin'
    """

    name: str | Path
    wanted: Wanted = _DEFAULT
    hub: HubOptions = DEFAULTS
    revision: str | None = None
    calibrated: bool = True

    def checkpoint(self) -> Checkpoint:
        """Return the files, downloaded if they have to be.

        Raises:
            CheckpointError: if they are not there, or of a kind that cannot be run.
        """
        from onepass.builtin import named

        known = find_known(str(self.name))
        if known is not None and not known.supported:  # say so before its weights are fetched
            raise CheckpointError(
                f"{self.name} is a {known.family} checkpoint of the kind {known.architecture!r}, "
                "which this version cannot run yet; see  onepass models  for those that it can."
            )
        return named(self.name, self.revision, self.hub)

    def without_token(self) -> Opening:
        """Return the same without what is secret."""
        return replace(self, hub=replace(self.hub, token=None))


def open_backend(model: Model, checkpoint: Checkpoint, wanted: Wanted = _DEFAULT) -> Backend:
    """Return what runs a model's graphs.

    Exported graphs beside the checkpoint or in the cache are used; where there are none, they are
    exported once into the cache if torch is installed.

    Args:
        model: an opened checkpoint.
        checkpoint: the same, as files.
        wanted: backend, precision, threads and device.

    Raises:
        BackendError: for what is not to be had here.
        CheckpointError: if it has neither weights nor graphs that can be used.
        MissingExtra: if a package is needed and not installed.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.registry import read_model
    >>> checkpoint = builtin_checkpoint()
    >>> open_backend(read_model(checkpoint), checkpoint, Wanted(backend="onnx")).name
    'onnx'
    """
    graphs = model.family.graphs(model.settings)
    exportable = all(graph.exportable for graph in graphs)
    backend = choose_backend(wanted, model.name, exportable=exportable, installed=_installed)
    if backend == "torch":
        return _open_torch(model, wanted)
    if backend == "openvino" and not _installed("openvino"):
        raise MissingExtra("The OpenVINO backend", "openvino")
    directory = _graphs_of(model, checkpoint, wanted.precision)
    precision = "bf16" if wanted.precision == "bf16" else directory.name
    openers: dict[str, Callable[[], Backend]] = {
        "onnx": lambda: _open_onnx(model, directory, precision, wanted.threads),
        "openvino": lambda: _open_openvino(model, directory, precision, wanted.threads),
    }
    if backend != EITHER:
        return openers[backend]()
    from onepass.models.fastest import open_fastest

    return open_fastest(model, directory, wanted.threads, openers)


def open_lanes(backend: Backend) -> Lanes | None:
    """Return what runs the graphs of a backend side by side; None where that gains nothing.

    Nothing is opened before it runs.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.registry import read_model
    >>> checkpoint = builtin_checkpoint()
    >>> model = read_model(checkpoint)
    >>> lanes = open_lanes(open_backend(model, checkpoint, Wanted(backend="onnx", threads=4)))
    >>> lanes.count, lanes.backend.threads
    (4, 1)
    """
    if backend.name != "onnx":  # OpenVINO would need twice the memory and more; torch has threads
        return None  # of the whole process, and a GPU its own
    from onepass.backends.onnx import OnnxBackend

    if not isinstance(backend, OnnxBackend) or backend.threads < 2:
        return None
    count, threads = lanes_of(backend.threads)
    return Lanes(count, backend.with_threads(threads))


def device_of(backend: Backend, wanted: Wanted = _DEFAULT) -> str:
    """Return where a backend runs that was opened as wanted: "cpu" or "cuda".

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.registry import read_model
    >>> checkpoint = builtin_checkpoint()
    >>> device_of(open_backend(read_model(checkpoint), checkpoint))
    'cpu'
    """
    if backend.name != "torch":
        return "cpu"
    from onepass.backends.torch import resolve_device

    return resolve_device(wanted.device, backend.precision)


def _graphs_of(model: Model, checkpoint: Checkpoint, precision: Precision) -> Path:
    """Return the directory of the graphs to run, which are exported if they are not there yet."""
    fp32, int8 = (_find(checkpoint, name) for name in ("fp32", "int8"))
    # Graphs that came without their weights are all there is.
    shipped = not checkpoint.has_weights and (checkpoint.directory / "onnx").is_dir()
    chosen = choose_precision(
        precision,
        fp32=fp32 is not None or not shipped,
        int8=int8 is not None,
        checked=int8 is not None and is_checked(int8),
        products=int8 is not None and _multiplies(int8),
    )
    found = int8 if chosen == "int8" else fp32
    if found is not None:
        return found
    if shipped and fp32 is None and int8 is None:
        beside = sorted(path for path in (checkpoint.directory / "onnx").iterdir() if path.is_dir())
        problems = [export_problem(path, checkpoint) for path in beside]
        raise CheckpointError(
            f"{model.name} has no weights, and no graphs that can be used: "
            f"{next(filter(None, problems), 'its folder onnx is empty')}; copy it again as it was "
            "published."
        )
    if chosen == "int8":
        where = "" if checkpoint.revision is None else f" --revision {checkpoint.revision}"
        raise BackendError(
            f"{model.name} has no int8 graphs; make them with  onepass export {model.name} "
            f"--precision int8{where}  (--check FILE measures what they lose)."
        )
    if shipped:
        in_torch = graphs_with_weights(checkpoint) is not None
        advice = "ask for backend='torch', or " if in_torch else ""
        raise BackendError(
            f"{model.name} comes as int8 graphs, which cannot compute in {precision}; {advice}"
            "leave precision at 'auto'."
        )
    return _export(model, checkpoint, others=int8 is not None)


def _multiplies(graphs: Path) -> bool:
    """Say whether products of int8 graphs are of integers on this CPU."""
    form = integer_form(cpu()[1])
    return form is not None and any(graphs.glob(f"*{form}"))


def _find(checkpoint: Checkpoint, precision: str) -> Path | None:
    """Return the directory of finished graphs of a precision."""
    beside = checkpoint.directory / "onnx"
    root = beside if find_cache_root() is None else export_dir(checkpoint, precision=precision)
    directory = root / precision
    if export_problem(directory, checkpoint) is not None:
        return None
    return directory if root == beside or is_sealed(directory) else None


def _export(model: Model, checkpoint: Checkpoint, *, others: bool) -> Path:
    from onepass.models.export import export_checkpoint

    place = export_dir(checkpoint, precision="fp32")
    try:
        with _EXPORTING, _alone(place):
            made = _find(checkpoint, "fp32")
            return made or _sealed(export_checkpoint(checkpoint, place))
    except CheckpointError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        raise CheckpointError(
            f"{model.name} has no ONNX graphs yet, which are made once and kept in {place}, but "
            f"that cannot be written ({error.__cause__.strerror or error.__cause__}); set "
            "ONEPASS_CACHE to a directory with room, or make them yourself with  onepass export."
        ) from error
    except MissingExtra:
        there = "only int8 graphs (precision='int8' runs them)" if others else "no ONNX graphs yet"
        raise MissingExtra(f"Running {model.name}, which has {there},", "torch") from None


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Let one process at a time export into a directory of the cache; what dead ones left goes."""
    with suppress(OSError):  # who exports says it
        place.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(place / ".lock") as is_alone:
        for other in place.parent.glob("*"):
            with suppress(OSError):  # others may do the same
                recover(other, _PRECISIONS, alone=is_alone and other == place)
        yield


def _sealed(directory: Path) -> Path:
    try:
        seal(directory)
    except OSError as error:
        raise CheckpointError(f"Graphs cannot be written to {directory}.") from error
    return directory


def _installed(package: str) -> bool:
    return find_spec(package) is not None


def _open_onnx(model: Model, directory: Path, precision: str, threads: int | None) -> Backend:
    # Imported here: a process that only reads a schema does not pay for the runtime.
    from onepass.backends.onnx import OnnxBackend

    graphs = model.family.graphs(model.settings)
    cache = _cache("onnx")
    return OnnxBackend(directory, graphs, precision=precision, threads=threads, cache=cache)


def _open_openvino(model: Model, directory: Path, precision: str, threads: int | None) -> Backend:
    try:
        from onepass.backends.openvino import OpenvinoBackend
    except ImportError as error:
        raise MissingExtra("The OpenVINO backend", "openvino") from error

    graphs = model.family.graphs(model.settings)
    cache = _cache("openvino")
    return OpenvinoBackend(directory, graphs, precision=precision, threads=threads, cache=cache)


def _cache(runtime: str) -> Path | None:
    """Return where a runtime keeps what it made of graphs; None if there is no place for it."""
    root = find_cache_root()
    return None if root is None else root / runtime


def _open_torch(model: Model, wanted: Wanted) -> Backend:
    try:
        from onepass.backends.torch import DTYPES, TorchBackend, resolve_device
    except ImportError as error:
        raise MissingExtra("The torch backend", "torch") from error

    precision = "fp32" if wanted.precision == "auto" else wanted.precision
    device = resolve_device(wanted.device, precision)  # before anything is read
    whole = with_weights(Checkpoint(model.directory, model.name, None))
    network = load_network(model.family, whole.directory)
    network.to(device=device, dtype=DTYPES[precision])
    network.prepare()
    return TorchBackend(
        network.graphs(),
        model.family.graphs(model.settings),
        precision=precision,
        device=device,
        threads=wanted.threads,
        compiled=wanted.compiled,
    )
