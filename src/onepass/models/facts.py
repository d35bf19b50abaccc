"""What a family says of one of its checkpoints before any weight of it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a checkpoint from its configuration.

    Attributes:
        architecture: variant within the family.
        parts: prefix of published weight names to the part that they belong to; the first that
            fits decides.
        expected: parts that must have weights.
        encoders: part to base model, empty if it has none, and transformers configuration, which
            may be empty.
        tokenizers: files of its tokenizers, of which the first has the tokens.
        tokens: special tokens of its prompts.
        token_ids: those that the configuration gives, by token.
        pieces: of the longest sequence; None if the configuration does not say.
        words: of one window; None where only pieces count.
        width: words of the longest span; None if there is no limit.
        graphs: names of what it runs.
        lacks: files and settings that it leaves to a base model, each with where they are taken
            from.
        problems: why it cannot be run although each value is known, one sentence each.
    """

    architecture: str
    parts: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    encoders: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    tokenizers: tuple[str, ...] = ("tokenizer.json",)
    tokens: tuple[str, ...] = ()
    token_ids: Mapping[str, int] = field(default_factory=dict)
    pieces: int | None = None
    words: int | None = None
    width: int | None = None
    graphs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def part_of(self, weight: str) -> str:
        """Return the part that a weight belongs to; one of no known part is named by its start.

        >>> Facts("span", {"encoder.": "encoder"}).part_of("encoder.layer.0.weight")
        'encoder'
        """
        known = next((part for start, part in self.parts.items() if weight.startswith(start)), None)
        return known or weight.split(".")[0]


def absent(directory: Path, *names: str) -> tuple[str, ...]:
    """Return one sentence for each file that a checkpoint needs and nobody else has.

    Args:
        directory: of the checkpoint.
        names: of the files, relative to it.

    >>> absent(Path("mine"), "tokenizer.json")
    ('The checkpoint mine has no tokenizer.json; copy the file there, or download it again.',)
    """
    return tuple(
        f"The checkpoint {directory} has no {name}; copy the file there, or download it again."
        for name in names
        if not (directory / name).is_file()
    )
