"""What a class says that is given a checkpoint where it takes options by their names."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from onepass.errors import InputError

F = TypeVar("F", bound=Callable[..., None])


def named_options(init: F) -> F:
    """Let ``Extractor.__init__`` say how a checkpoint is opened; Python would count arguments."""

    @wraps(init)
    def checked(self: Any, *given: object, **options: Any) -> None:
        if given:
            raise InputError(
                "Extractor() is the built-in model and takes options by their names, but "
                f"{given[0]!r:.80} was given; open a checkpoint with "
                f"Extractor.from_pretrained({given[0]!r:.80})."
            )
        init(self, **options)

    return cast(F, checked)
