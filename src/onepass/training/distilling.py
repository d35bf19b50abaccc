"""What a run is told about distillation: whose scores are learned beside the gold answers.

It needs neither torch nor a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from onepass.corpus.checks import known_keys
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.training.checks import check, is_above


@dataclass(frozen=True, slots=True)
class DistillOptions:
    """Scores of a bigger checkpoint of the same family as soft targets (Hinton et al., 2015).

    Attributes:
        teacher: directory or hub id of the checkpoint whose scores are learned, or "builtin".
        weight: of the soft term beside the loss of the gold answers.
        temperature: what the logits of both are divided by; above 1 the differences between wrong
            answers count more. The term is multiplied by its square, so that gradients keep their
            size.

    Raises:
        InputError: for a wrong value.

    >>> DistillOptions.from_dict({"teacher": "large"}).weight
    1.0
    """

    teacher: str
    weight: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        named = isinstance(self.teacher, str) and bool(self.teacher.strip())
        check("distill.teacher", self.teacher, named, "a path or a hub id")
        check("distill.weight", self.weight, is_above(self.weight), "a number above 0")
        right = is_above(self.temperature)
        check("distill.temperature", self.temperature, right, "a number above 0")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `from_dict` reads it back equal."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: object) -> DistillOptions:
        """Read the JSON form; a string is the teacher alone.

        Raises:
            InputError: for an unknown or missing key, or a wrong value.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls(given)
        if not isinstance(given, Mapping):
            raise InputError(f"'distill' must be an object, but {shown(given)} was given.")
        known_keys(given, [f.name for f in fields(cls)], "'distill'")
        if "teacher" not in given:
            raise InputError("'distill' needs 'teacher'; give the checkpoint to learn from.")
        return cls(**given)
