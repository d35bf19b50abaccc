"""What a checkpoint leaves to its base models, and how that is written, as its family says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onepass.hub.options import HubOptions


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a checkpoint leaves to a base model.

    Attributes:
        part: a file, or a key of its configuration.
        base: name of the model that it is taken from.
    """

    part: str
    base: str

    @property
    def clause(self) -> str:
        """Both in words.

        >>> Lack("tokenizer.json", "bert-base-uncased").clause
        'tokenizer.json, taken from bert-base-uncased'
        """
        return f"{self.part}, taken from {self.base}"


@dataclass(frozen=True, slots=True, eq=False)
class Missing:
    """All that a checkpoint leaves to its base models.

    Attributes:
        lacks: what that is.
        form: names the form in which it is written; another one where directories in the cache can
            no longer be read by this version.
        states: files that what is written depends on; when one of them changes, it is made again.
        linked: files and folders of the checkpoint that its whole form has as well, unless they are
            written.
        write: (directory, how the hub is asked) -> None; writes what the checkpoint lacks. Weights
            that are in the directory already count as those of the checkpoint.
    """

    lacks: tuple[Lack, ...]
    form: str
    states: tuple[Path, ...]
    linked: tuple[Path, ...]
    write: Callable[[Path, HubOptions], None]

    @property
    def bases(self) -> list[str]:
        """Names of the base models, in order."""
        return sorted({lack.base for lack in self.lacks})
