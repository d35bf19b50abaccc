"""The only place where the command line makes a model, and where it asks for extras."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from onepass.batch.answering import open_model
from onepass.batch.job import BUILTIN, ModelChoice
from onepass.cli.options import Backend, Device, Precision
from onepass.errors import MissingExtra

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Load = Callable[[], "Extractor"]


def choice(
    name: str | None,
    backend: Backend,
    precision: Precision,
    threads: int | None,
    device: Device = Device.AUTO,
    compiled: bool = False,
    *,
    revision: str | None = None,
) -> ModelChoice:
    """Return which model the options of a command choose, and how it runs.

    Args:
        name: a model of the hub or a directory; None or "builtin" for the built-in model.
        backend: what runs it.
        precision: the numbers that it computes with.
        threads: CPU threads; None for one a core.
        device: where torch runs it.
        compiled: whether torch compiles what it runs.
        revision: branch, tag or commit of a model of the hub.
    """
    return ModelChoice(
        name, backend.value, precision.value, threads, device.value, compiled, revision
    )


def load_model(chosen: ModelChoice = BUILTIN) -> Extractor:
    """Return a model that is ready to run.

    Args:
        chosen: which one, and how it runs.

    Raises:
        OnepassError: if there is no such model, or it cannot be run here.
    """
    return open_model(chosen)


def require(package: str, *, feature: str, extra: str) -> None:
    """Refuse to go on if an optional package is not installed.

    Args:
        package: the package that the feature cannot do without.
        feature: what the user asked for, as the start of a sentence.
        extra: the extra of onepass that installs it.

    Raises:
        MissingExtra: with the command that installs it.

    >>> require("json", feature="Reading", extra="data")
    >>> require("no_such_package", feature="Reading", extra="data")
    Traceback (most recent call last):
    ...
    onepass.errors.MissingExtra: Reading needs the extra 'data': run  pip install 'onepass[data]'
    """
    if find_spec(package) is None:
        raise MissingExtra(feature, extra)
