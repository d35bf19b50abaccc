"""Training data of spaCy as JSON: a list of pairs of a text and its annotations.

```
[[text, {"entities": [[start, end, label]], "cats": {label: share from 0 to 1}}]]
```

Pairs do not say which labels were looked for: those of all entities of the file are, in every text
that has the key ``entities``. Categories of 0.5 and more hold; where each text has one, so has the
task, and several may hold otherwise. Other annotations are not read. This module knows nothing
about other formats, and needs no spaCy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from onepass.corpus.checks import as_list, as_name, as_object, as_text, needed
from onepass.corpus.example import TASK, Example, GoldTask, Mention
from onepass.corpus.rows import PAIR
from onepass.errors import InputError
from onepass.schema.numbers import is_finite
from onepass.schema.shown import shown

_TRUE = 0.5
_TEXT, _NOTES = PAIR

_Row = Mapping[str, Any]


def is_spacy_row(row: _Row) -> bool:
    """Say whether a row is such a pair, as `onepass.corpus.rows` gives it.

    >>> is_spacy_row({"text": "Bo", "annotations": {"entities": []}})
    True
    """
    return row.keys() == set(PAIR) and isinstance(row[_NOTES], Mapping)


@dataclass(slots=True)
class _Asked:
    """What is asked anywhere in a file."""

    labels: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    several: bool = False  # not each text has one class


class Spacy:
    """Reads the pairs of one file.

    Args:
        pairs: gives all of the file, whose labels are asked of every text.
    """

    def __init__(self, pairs: Callable[[], Iterable[_Row]]) -> None:
        self._pairs = pairs

    def example(self, row: _Row) -> Example:
        """Read a pair.

        Raises:
            InputError: if a part of it is not what it should be.
        """
        notes, asked = as_object(needed(row, _NOTES, "a pair"), "the annotations"), self._asked
        tasks: tuple[GoldTask, ...] = ()
        if _is_classed(notes):
            tasks = (GoldTask(TASK, tuple(sorted(asked.classes)), _true(notes), asked.several),)
        return Example(
            as_text(needed(row, _TEXT, "a pair"), "the text"),
            tuple(_mentions(notes)),
            tuple(sorted(asked.labels)) if "entities" in notes else (),
            classifications=tasks,
        )

    @cached_property
    def _asked(self) -> _Asked:
        asked = _Asked()
        for row in self._pairs():
            notes = row.get(_NOTES)
            if not isinstance(notes, Mapping):
                continue
            with suppress(InputError):  # is said where the pair is read
                asked.labels.update(mention.label for mention in _mentions(notes))
                if _is_classed(notes):
                    asked.several |= len(_true(notes)) != 1
                    asked.classes.update(notes["cats"])
        return asked


def _is_classed(notes: _Row) -> bool:
    """Say whether categories were judged; spaCy gives texts an empty object where they were not."""
    return "cats" in notes and notes["cats"] != {}


def _mentions(notes: _Row) -> Iterator[Mention]:
    for entry in as_list(notes.get("entities", ()), "entities"):
        values = as_list(entry, "an item of entities")
        if len(values) != 3:
            raise InputError(
                f"an item of entities must be [start, end, label], but {shown(entry)} was given."
            )
        yield Mention(*values)


def _true(notes: _Row) -> tuple[str, ...]:
    """Return the categories that hold."""
    shares = as_object(notes["cats"], "cats")
    for label, share in shares.items():
        as_name(label, "a label of cats")
        if not isinstance(share, bool) and not (is_finite(share) and 0 <= share <= 1):
            raise InputError(
                f"the share of {shown(label)} in cats must be from 0 to 1, but {shown(share)} was "
                "given."
            )
    return tuple(label for label, share in shares.items() if share >= _TRUE)
