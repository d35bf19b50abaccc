"""What a run is told about LoRA. It needs neither torch nor peft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from onepass.errors import InputError
from onepass.schema.types import shown

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
        if type(self.rank) is not int or self.rank < 1:
            raise InputError(f"lora.rank must be a whole number from 1, not {shown(self.rank)}.")
        if not isinstance(self.alpha, int | float) or not 0 < self.alpha < float("inf"):
            raise InputError(f"lora.alpha must be a number above 0, not {shown(self.alpha)}.")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise InputError(f"lora.dropout must be from 0 to below 1, not {shown(self.dropout)}.")
        if self.heads not in HEAD_MODES:
            raise InputError(
                f"lora.heads must be one of {', '.join(HEAD_MODES)}, not {shown(self.heads)}."
            )
        listed = isinstance(self.targets, tuple)
        if not listed or not all(isinstance(n, str) and n.strip() for n in self.targets):
            raise InputError(
                f"lora.targets must be a list of names of layers, not {shown(self.targets)}."
            )

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
