"""How a checkpoint reads names that are not written as words: ``PER``, ``unitPrice``.

Results keep the names that were asked for. This module knows neither prompts nor schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onepass.errors import CheckpointError

# In onepass.json.
READ_AS, SPLIT_NAMES = "read_as", "split_names"
NAME_KEYS = (READ_AS, SPLIT_NAMES)
# "unit|Price", "TV|Show"; each part has two letters or more: "iPhone", "pH" and "PhD" are words.
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PART = 2


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in a prompt for the name of an entity label, field, structure, type or task.

    Labels of tasks and choices stay as they are: those are often names of things ("JavaScript").

    Attributes:
        read_as: names, in lower case, to the words that are read in their place.
        split: whether names in camel case are read as words.

    >>> names = Names({"per": "person"}, split=True)
    >>> [names.read(name) for name in ("PER", "birthPlace", "TVShow", "place")]
    ['person', 'birth Place', 'TV Show', 'place']
    """

    read_as: Mapping[str, str] = field(default_factory=dict)
    split: bool = False

    @classmethod
    def from_dict(cls, own: Mapping[str, Any], where: str) -> Names:
        """Read the settings of a checkpoint (``onepass.json``); by default names stay as they are.

        Args:
            own: the settings; others are left alone.
            where: the directory they are in, for an error.

        Raises:
            CheckpointError: if one is not a table of words, or not true or false.
        """
        table, split = own.get(READ_AS, {}), own.get(SPLIT_NAMES, False)
        if not isinstance(table, dict) or not all(
            isinstance(words, str) and words.strip() and name == name.lower()
            for name, words in table.items()
        ):
            raise CheckpointError(
                f"{READ_AS} in {where}/onepass.json must be a table from names in lower case to "
                f"the words that are read in their place, not {table!r:.60}."
            )
        if type(split) is not bool:
            raise CheckpointError(
                f"{SPLIT_NAMES} in {where}/onepass.json must be true or false, not {split!r:.60}."
            )
        return cls(table, split)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that change a name, as ``onepass.json`` has them."""
        every = {READ_AS: dict(self.read_as), SPLIT_NAMES: self.split}
        return {name: value for name, value in every.items() if value}

    def read(self, name: str) -> str:
        """Return the words that are read for a name."""
        words = self.read_as.get(name.lower())
        if words is not None or not (self.split and name.isascii() and name.isalnum()):
            return words or name
        parts = _JOINT.split(name)
        return " ".join(parts) if min(map(len, parts)) >= _PART else name


AS_WRITTEN = Names()
