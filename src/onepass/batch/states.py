"""What tells that a job goes on as it was begun: the states of its files, and how its model runs.

The state of a file is its name, size and time of change; what is in it is not looked at.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from onepass.batch.answering import open_model
from onepass.batch.folder import folder_of
from onepass.batch.journal import begun_as
from onepass.batch.sources import Source
from onepass.builtin import NAME
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.batch.job import ModelChoice
    from onepass.extractor import Extractor
    from onepass.models.choosing import BackendName, Precision

_LOOK = 5.0  # seconds between two looks at the state of the input
_SHARE = 50  # of the time of a job, at most one in so many goes into looks at many files

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


class InputStates:
    """Whether the files of an input are as they were when the job began; streams have no state.

    Args:
        sources: the input.
        advice: what to do once it changed, before the words "begin again".
    """

    def __init__(self, sources: Sequence[Source], advice: str = "") -> None:
        self._sources = () if any(source.is_stream for source in sources) else sources
        self._advice = advice
        self.begun = _digest_of(self._sources)
        self._due = time.monotonic() + _LOOK

    def check_if_due(self) -> None:
        """Check from time to time, so that a change is told soon, and not for each chunk."""
        if time.monotonic() >= self._due:
            self.check()

    def check(self) -> None:
        """Refuse an input that was written to, or removed, while it was read."""
        start = time.monotonic()
        try:
            now = _digest_of(self._sources)
        except OSError:
            now = ""
        if now != self.begun:
            raise InputError(
                "The input changed while it was read, so that rows may be missing, cut or there "
                f"twice; {self._advice}begin again, with an input that nobody writes to."
            )
        end = time.monotonic()
        self._due = end + max(_LOOK, (end - start) * _SHARE)


def _digest_of(sources: Sequence[Source]) -> str:
    """Return a digest of names, sizes and times of change."""

    def states() -> Iterator[str]:
        for source in sources:
            yield source.kind
            for path in source.paths:
                yield state(path, os.path.realpath(path))
                yield source.file_of(path) or ""  # results hold it

    return digest(states())


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


def settled(choice: ModelChoice) -> ModelChoice:
    """Return a choice in which "auto" is what it comes to here, for all who open the model.

    Each of several processes or machines could find another backend or precision to be the fastest,
    and one output would hold scores of both.

    Args:
        choice: that may say "auto"; the model is opened here to find out, on one thread.

    Raises:
        OnepassError: if the model cannot be opened.

    >>> from onepass.batch.job import ModelChoice
    >>> "auto" in (settled(ModelChoice()).backend, settled(ModelChoice()).precision)
    False
    """
    if "auto" not in (choice.backend, choice.precision):
        return choice
    return as_opened(choice, open_model(choice.of_worker()))


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
