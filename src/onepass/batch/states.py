"""What tells that a job goes on as it was begun: the states of its files, and how its model runs.

The state of a file is its name, size and time of change; what is in it is not looked at.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from onepass.batch.folder import folder_of
from onepass.batch.journal import begun_as
from onepass.builtin import NAME

if TYPE_CHECKING:
    from onepass.batch.job import ModelChoice
    from onepass.extractor import Extractor
    from onepass.models.choosing import BackendName, Precision

# Where the files of a checkpoint are: beside its own, those of its parts and of its graphs.
_LAYOUT = ("*", "*/*", "onnx/*/*")
_READ = {".json", ".safetensors", ".onnx", ".weights", ".data", ".model", ".txt"}


def digest(words: Iterable[str]) -> str:
    """Return a digest of words, in their order."""
    whole = hashlib.sha256()
    for word in words:
        whole.update(f"{word}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def state(path: Path, name: str) -> str:
    """Return what changes when a file does, under a name for it."""
    found = path.stat()
    return f"{name}\0{found.st_size}\0{found.st_mtime_ns}"


def model_identity(model: ModelChoice) -> dict[str, Any]:
    """Return what a job that goes on must have as it was begun, of how a model is opened."""
    identity = asdict(model) | {"files": model_digest(model.name)}
    identity.pop("threads")  # they change no result
    if model.revision is None:  # as in the jobs that were begun before there were any
        identity.pop("revision")
    return identity


def as_opened(choice: ModelChoice, model: Extractor) -> ModelChoice:
    """Return a choice that names what "auto" came to when its model was opened."""
    return replace(
        choice,
        backend=cast("BackendName", model.backend),
        precision=cast("Precision", model.precision),
    )


def as_begun(model: ModelChoice, output: Path) -> ModelChoice:
    """Return a choice for a job that goes on: "auto" is what it was when the job was begun.

    Args:
        model: that is chosen now.
        output: of the job; if none was begun, the choice stays as it is.
    """
    kept = begun_as(folder_of(output)).get("model")
    if not isinstance(kept, Mapping):
        return model
    return replace(
        model,
        backend=kept.get("backend", "auto") if model.backend == "auto" else model.backend,
        precision=kept.get("precision", "auto") if model.precision == "auto" else model.precision,
    )


def model_digest(name: str | Path | None) -> str | None:
    """Return a digest of the files of a model that is a directory.

    Args:
        name: as in `ModelChoice`.

    Returns:
        Hexadecimal digits; None for the built-in model, which the version of onepass tells, and
        for a model of the hub, which its name tells.

    >>> model_digest("builtin"), model_digest("owner/name")
    (None, None)
    """
    if name is None or name == NAME:
        return None
    directory = Path(os.path.expanduser(name))
    return digest(_states(directory)) if directory.is_dir() else None


def _states(directory: Path) -> Iterator[str]:
    """Yield the states of what is read of a checkpoint, whatever else is beside it."""
    files = {path for pattern in _LAYOUT for path in directory.glob(pattern)}
    for path in sorted(files):
        if path.suffix in _READ and path.is_file():
            yield state(path, path.relative_to(directory).as_posix())
