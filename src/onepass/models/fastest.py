"""Whether OpenVINO or ONNX Runtime is faster for a checkpoint on this machine.

Both read the same texts for about a second, and the result is written into the cache of onepass,
so that it is measured once a checkpoint, precision, number of threads, CPU and version of the two.
Where nothing can be written, nothing is measured: ONNX Runtime it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean
from uuid import uuid4

from onepass.backends.base import Backend
from onepass.backends.cpu import available_cores, cpu
from onepass.errors import CheckpointError, OnepassError
from onepass.hub.exports import MANIFEST, cache_root, find_cache_root
from onepass.hub.files import read_json
from onepass.hub.sharing import one_at_a_time
from onepass.models.choosing import FASTER
from onepass.models.family import Model
from onepass.models.reader import Reader
from onepass.results.types import Extraction

FORMAT = 3  # raise it when results of another version must not be used
SECONDS = 1.0
# Scores that differ by more are not the same computation; in int8 each rounds in its own way.
TOLERANCE = {"fp32": 1e-3, "int8": 0.1}
_ROUNDS = 2  # at least, however long they take
_SCHEMA = {"classifications": {"topic": ["sports", "politics", "business", "science"]}}
_TEXT = (
    "The city council said on Monday that it will build a new bridge over the river, after years "
    "of talks with the company that runs the harbor and two reports about its price."
)
# Words of the texts that are read together: short, long, and several as in a file.
_CASES = ((20,), (200,), (30, 60, 90, 120))


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found out about one checkpoint.

    Attributes:
        checkpoint: its name.
        precision: of the graphs.
        threads: of a run.
        backend: that is used from now on.
        seconds: by backend, for each of the cases; none where it could not read them.
        reason: one clause that says why.
        versions: of the two runtimes.
    """

    checkpoint: str
    precision: str
    threads: int
    backend: str
    seconds: Mapping[str, Sequence[float]]
    reason: str
    versions: Mapping[str, str]


def open_fastest(
    model: Model,
    directory: Path,
    threads: int | None,
    openers: Mapping[str, Callable[[], Backend]],
) -> Backend:
    """Return the faster backend of a model: the one that is remembered, or that wins now.

    Args:
        model: an opened checkpoint.
        directory: of its graphs, named after their precision.
        threads: of a run; None for all cores.
        openers: by the names "onnx" and "openvino".
    """
    try:
        path = _path(directory, threads or available_cores())
        remembered = _load(path)
    except CheckpointError:  # no home directory, so nothing can be kept
        return openers["onnx"]()
    if remembered is not None:
        return openers[remembered.backend]()
    if not _is_writable(path.parent):
        return openers["onnx"]()
    with one_at_a_time(path.parent / ".lock"):  # or several would measure each other
        remembered = _load(path)
        if remembered is not None:
            return openers[remembered.backend]()
        measured, backend = measure(model, directory.name, threads or available_cores(), openers)
        if _write(path, measured):
            return backend
    return openers["onnx"]()  # the next process would measure again, and might take the other one


def remembered_choices() -> list[Measured]:
    """Return what was measured with the versions that are installed now, ordered by name."""
    root = find_cache_root()
    if root is None or not os.path.isdir(root / "fastest"):  # nor in a place that is closed
        return []
    paths = (root / "fastest").glob("*.json")
    found = [one for path in paths if (one := _load(path)) is not None]
    found = [one for one in found if one.versions == _versions()]
    return sorted(found, key=lambda one: (one.checkpoint, one.precision, one.threads))


def measure(
    model: Model, precision: str, threads: int, openers: Mapping[str, Callable[[], Backend]]
) -> tuple[Measured, Backend]:
    """Let both backends read the same texts, and return the result and the one that won."""
    onnx = openers["onnx"]()
    seconds: dict[str, Sequence[float]] = {"onnx": (), "openvino": ()}

    def result(backend: str, reason: str) -> Measured:
        return Measured(
            model.name, precision, threads, backend, seconds, reason, versions=_versions()
        )

    try:
        openvino = openers["openvino"]()
        readers = {"onnx": Reader(model, onnx), "openvino": Reader(model, openvino)}
        texts = [_text(words) for lengths in _CASES for words in lengths]
        answers = [_read(reader, texts) for reader in readers.values()]  # opens what it needs
    except OnepassError as error:
        return result("onnx", f"OpenVINO cannot run it: {error}"), onnx
    difference = _difference(*answers)
    seconds |= _race(readers)
    if difference > TOLERANCE[precision]:
        return result("onnx", f"scores of OpenVINO differ by {difference:.4f}"), onnx
    pairs = zip(seconds["onnx"], seconds["openvino"], strict=True)
    ratio = geometric_mean(ours / theirs for ours, theirs in pairs)  # every case counts alike
    reason = f"OpenVINO is {ratio:.2f} times as fast as ONNX Runtime"
    if ratio >= FASTER:
        return result("openvino", reason), openvino
    return result("onnx", reason), onnx


def _race(readers: Mapping[str, Reader]) -> dict[str, list[float]]:
    """Return the shortest time of each for every case, taken in turns.

    Every round has other lengths, as real texts have: a runtime that makes ready for each new one
    pays for it here, too.
    """
    best = {name: [float("inf")] * len(_CASES) for name in readers}
    start, number = time.perf_counter(), 0
    while number < _ROUNDS or time.perf_counter() - start < SECONDS:
        number += 1
        for name, reader in readers.items():
            for place, lengths in enumerate(_CASES):
                began = time.perf_counter()
                _read(reader, [_text(words + number) for words in lengths])
                best[name][place] = min(best[name][place], time.perf_counter() - began)
    return {name: [round(one, 5) for one in own] for name, own in best.items()}


def _text(count: int) -> str:
    """Return a text of so many words."""
    words = _TEXT.split()
    return " ".join((words * (count // len(words) + 1))[:count])


def _read(reader: Reader, texts: Sequence[str]) -> list[Extraction]:
    asked = reader.ask(_SCHEMA)
    return reader.read(texts, asked)


def _difference(one: Sequence[Extraction], other: Sequence[Extraction]) -> float:
    """Return the largest difference of a score."""
    return max(
        abs(score - theirs.classifications["topic"].scores[label])
        for ours, theirs in zip(one, other, strict=True)
        for label, score in ours.classifications["topic"].scores.items()
    )


def _path(directory: Path, threads: int) -> Path:
    """Return the file of a result; its name changes with everything that the result depends on."""
    sizes = [(path.name, path.stat().st_size) for path in sorted(directory.iterdir())]
    parts = (
        FORMAT, str(directory.resolve()), read_json(directory / MANIFEST), sizes, threads, cpu(),
        _versions(),
    )  # fmt: skip
    return (
        cache_root() / "fastest" / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}.json"
    )


def _versions() -> dict[str, str]:
    """Return the versions of those runtimes that are installed."""
    found = {}
    for package in ("onnxruntime", "openvino"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _load(path: Path) -> Measured | None:
    """Return a result; None if there is none, or one that is not understood."""
    if not os.path.isfile(path):  # nor in a place that may not be entered
        return None
    try:
        measured = Measured(**read_json(path))
    except (CheckpointError, TypeError):
        return None
    return measured if measured.backend in ("onnx", "openvino") else None


def _write(path: Path, measured: Measured) -> bool:
    """Write a result in one step and say whether it is kept; the disk may be full by now."""
    staged = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        staged.write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")
        staged.replace(path)
    except OSError:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        return False
    return True


def _is_writable(directory: Path) -> bool:
    """Make a directory and say whether files can be made in it."""
    probe = directory / f".{uuid4().hex}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
