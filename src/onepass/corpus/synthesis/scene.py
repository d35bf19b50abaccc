"""What a scene is: a kind of record with its slots, and sentences that say one record."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onepass.corpus.synthesis.values import KINDS
from onepass.errors import InputError

_SLOT = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a scene's records.

    Attributes:
        key: as the sentences call it.
        kind: of its values, one of `onepass.corpus.synthesis.values.KINDS`; "" for choices.
        names: how the field may be called.
        choices: the values, if there are few.
        several: whether a record may have more than one value.

    >>> Slot.read("buyer", "person: buyer, customer").names
    ('buyer', 'customer')
    """

    key: str
    kind: str
    names: tuple[str, ...]
    choices: tuple[str, ...] = ()
    several: bool = False

    @staticmethod
    def read(key: str, line: str) -> Slot:
        """Return a slot from "kind: name, name"; "kind*" has several, "a|b|c" are choices.

        Raises:
            InputError: for an unknown kind.
        """
        kind, _, names = (part.strip() for part in line.partition(":"))
        named = tuple(name.strip() for name in names.split(",")) if names else (key,)
        if "|" in kind:
            return Slot(key, "", named, tuple(choice.strip() for choice in kind.split("|")))
        several, kind = kind.endswith("*"), kind.removesuffix("*")
        if kind not in KINDS:
            raise InputError(f"{kind!r} is not a kind of value; {', '.join(sorted(KINDS))} are.")
        return Slot(key, kind, named, (), several)


@dataclass(frozen=True, slots=True)
class Scene:
    """A kind of record and how people write it down.

    Attributes:
        names: of the record type.
        slots: its fields; the first is the one that a record is about.
        sentences: that say one record, with {key} where a value stands.
        intros: what may stand before the records.
        outros: what may stand behind them.
        relations: (type, key of the head, key of the tail), said by any sentence with both.

    Raises:
        InputError: if a sentence or relation names a slot that is not there.
    """

    names: tuple[str, ...]
    slots: tuple[Slot, ...]
    sentences: tuple[str, ...]
    intros: tuple[str, ...] = ("",)
    outros: tuple[str, ...] = ("",)
    relations: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        known = {slot.key for slot in self.slots}
        named = {key for line in self.sentences for key in _SLOT.findall(line)}
        named |= {key for _, *ends in self.relations for key in ends}
        if stray := sorted(named - known):
            raise InputError(f"The scene {self.names[0]!r} has no slot {stray[0]!r}.")

    def slot(self, key: str) -> Slot:
        """Return the slot of a key."""
        return next(slot for slot in self.slots if slot.key == key)


def scene(
    names: str,
    slots: dict[str, str],
    sentences: str,
    *,
    intros: str = "",
    outros: str = "",
    relations: str = "",
) -> Scene:
    """Return a scene from its short form: names by commas, everything else by lines.

    Args:
        names: of the record type.
        slots: key to what `Slot.read` reads.
        sentences: one a line.
        intros: one a line; none is always possible.
        outros: likewise.
        relations: lines "type: head tail".

    >>> scene("sale", {"item": "item", "price": "money"}, "{item} went for {price}.").names
    ('sale',)
    """
    pairs = []
    for line in _lines(relations):
        kind, _, ends = line.partition(":")
        head, tail = ends.split()
        pairs.append((kind.strip(), head, tail))
    return Scene(
        tuple(name.strip() for name in names.split(",")),
        tuple(Slot.read(key, line) for key, line in slots.items()),
        tuple(_lines(sentences)),
        ("", *_lines(intros)),
        ("", *_lines(outros)),
        tuple(pairs),
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
