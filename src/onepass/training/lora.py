"""What a run is told about LoRA. It needs neither torch nor peft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from onepass.errors import InputError
from onepass.schema.numbers import is_whole
from onepass.schema.shown import shown
from onepass.training.checks import check, either, is_above, is_from_0

HEAD_MODES = ("full", "adapt", "frozen")


@dataclass(frozen=True, slots=True)
class LoraOptions:
    """What is adapted, and how finely.

    Attributes:
        rank: of the changes.
        alpha: the changes count ``alpha / rank`` times.
        dropout: on their input, while training.
        targets: last parts of module names, published or ours ("query_proj", "dense", "Wqkv",
            "mlp.0"), with * and ?; none means every linear layer of the encoders.
        heads: "full" trains everything outside the encoders whole, "adapt" only those of its
            layers that are targets, "frozen" nothing of it.

    Raises:
        InputError: for a wrong value.

    >>> LoraOptions.from_dict({"rank": 8, "targets": ["query_proj", "dense"]}).alpha
    32.0
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()
    heads: str = "full"

    def __post_init__(self) -> None:
        check("lora.rank", self.rank, is_whole(self.rank, 1), "a whole number from 1")
        check("lora.alpha", self.alpha, is_above(self.alpha), "a number above 0")
        below = is_from_0(self.dropout) and self.dropout < 1
        check("lora.dropout", self.dropout, below, "a number from 0 to below 1")
        check("lora.heads", self.heads, self.heads in HEAD_MODES, either(HEAD_MODES))
        listed = isinstance(self.targets, tuple)
        named = listed and all(isinstance(n, str) and n.strip() for n in self.targets)
        check("lora.targets", self.targets, named, "a list of names of layers")

    @classmethod
    def from_dict(cls, given: object) -> LoraOptions:
        """Read the JSON form.

        Raises:
            InputError: for an unknown key or a wrong value.
        """
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise InputError(f"'lora' must be an object, but {shown(given)} was given.")
        names = [f.name for f in fields(cls)]
        for key in given:
            if key not in names:
                raise InputError(f"'lora' has no key {key!r}; its keys are {', '.join(names)}.")
        values = dict(given)
        if isinstance(values.get("targets"), str):
            values["targets"] = (values["targets"],)
        if isinstance(values.get("targets"), list):
            values["targets"] = tuple(values["targets"])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {"targets": list(self.targets)}
