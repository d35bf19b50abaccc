"""Every error that onepass raises on purpose.

OnepassError
├── SchemaError         a schema that cannot be asked (also a ValueError)
├── InputError          a text, file, row or argument that cannot be read (also a ValueError)
│   ├── TextTooLong     a text longer than the window while ``on_long="error"``
│   └── TooMuchFound    more in one text than the service sends
├── CheckpointError     a model directory that is missing, incomplete or of an unknown kind
├── BackendError        a graph that cannot be run here
│   └── RunFailed       a graph that opened, and failed on what it was given
├── ServiceError        a service that refused a request or did not answer
└── MissingExtra        a feature whose optional dependency is not installed (also an ImportError)

Each message says what was given, what was expected and what to do, in one sentence. All of them go
through a pickle, and so from one process to another.
"""

from functools import partial
from pathlib import Path
from typing import Any, Self

_POINTER = b"version https://git-lfs.github.com/spec/"


class OnepassError(Exception):
    """Base of all errors that onepass raises on purpose; each message is one sentence.

    >>> from onepass import Schema
    >>> try:
    ...     Schema().entities([""])
    ... except OnepassError as error:
    ...     print(error)
    A label must not be empty, but '' was given.
    """


class SchemaError(OnepassError, ValueError):
    """A schema that cannot be asked: an empty or repeated label, an unknown type, a wrong value."""


class InputError(OnepassError, ValueError):
    """A text, file, row or argument that cannot be read as what it should be."""


class TextTooLong(InputError):
    """A text longer than the model's window while ``on_long="error"`` was asked.

    Attributes:
        number: the position of the text among those that were given, from 1 on; None if it was the
            only one.

    >>> from onepass import Extractor
    >>> try:
    ...     Extractor().extract(["a", "b " * 9999], {"entities": ["city"]}, on_long="error")
    ... except TextTooLong as error:
    ...     print(error.number)
    2
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class TooMuchFound(InputError):
    """More was found in one text than may be; the service bounds it, nothing else does."""


class CheckpointError(OnepassError):
    """A model directory that is missing, incomplete, or of a kind that onepass does not know."""

    @classmethod
    def damaged(cls, path: Path, problem: str) -> Self:
        """Return the error for a file that is not what it should be, with how to get it again.

        >>> print(CheckpointError.damaged(Path("mine/config.json"), "is empty"))
        mine/config.json is empty; download it again.
        """
        if _is_pointer(path):
            return cls(
                f"{path} is a pointer of Git LFS in place of the file; run  git lfs pull  in "
                f"{path.parent}."
            )
        if "snapshots" in path.parts and any("models--" in part for part in path.parts):
            # the hub keeps copies
            again = f"delete {path.resolve()}, so that it is downloaded again"
        else:
            again = "correct it" if path.name == "onepass.json" else "download it again"
        return cls(f"{path} {problem}; {again}.")


def _is_pointer(path: Path) -> bool:
    """Return whether a file is what `git clone` leaves where Git LFS is not installed."""
    try:
        with path.open("rb") as file:
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False


class BackendError(OnepassError):
    """A graph that cannot be run here: no such backend, or none that fits the checkpoint."""


class RunFailed(BackendError):
    """A graph that was opened, and failed on what it was given: other texts can still be read."""


class ServiceError(OnepassError):
    """A service that refused a request or did not answer.

    Attributes:
        status: the status of HTTP; None if there was no answer.
        code: a word for the reason, such as "busy".

    >>> ServiceError("The service is busy; try again later.", status=429, code="busy").code
    'busy'
    """

    def __init__(self, message: str, *, status: int | None, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), status=self.status, code=self.code), self.args


class MissingExtra(OnepassError, ImportError):
    """A feature whose optional dependency is not installed; the message holds the exact command.

    Attributes:
        feature: the feature that was asked for.
        extra: the name of the extra.

    >>> print(MissingExtra("The client", "client"))
    The client needs the extra 'client': run  pip install 'onepass[client]'
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra {extra!r}: run  pip install 'onepass[{extra}]'"
        )
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.feature, self.extra)
