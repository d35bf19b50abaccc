"""Texts with their class and nothing else: one task a row, with the labels of the whole file.

```
{"text": str, "label": str | int | [str]}
```

The task is called `TASK`, since such rows do not name their question. A list says that several
labels may hold, in every row of its file. Numbers are labels as they are written. Other keys are
not used. This module knows nothing about other formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_name, as_text, needed
from onepass.corpus.example import TASK, Example, GoldTask
from onepass.corpus.rows import sound_entries
from onepass.errors import InputError
from onepass.schema.shown import shown

_MANY = 100  # labels of which no table of classes is suspected, however short it is


def is_labeled_row(row: Mapping[str, Any]) -> bool:
    """Say whether a row has a text and a label, or a list of labels.

    >>> is_labeled_row({"text": "Hi", "label": "spam", "id": 3})
    True
    >>> is_labeled_row({"text": "Hi", "label": [[0, 2, "greeting"]]})  # of a part of the text
    False
    """
    label = row.get("label")
    items = label if isinstance(label, list) else [label]
    return "text" in row and all(isinstance(item, str | int) for item in items)


class Labels:
    """The labels of a file, which are looked at before its rows become examples.

    Args:
        cells: the label or the labels of every row; what is wrong is said where the row is read.
    """

    def __init__(self, cells: Iterable[object]) -> None:
        names: set[str] = set()
        self._rows = 0
        self._several = False
        for cell in cells:
            with suppress(InputError):
                names.update(_names(cell))
                self._rows += 1
                self._several |= isinstance(cell, list)
        self._all = tuple(sorted(names))

    def check(self) -> None:
        """Refuse labels if nearly every row has one of its own.

        Raises:
            InputError: if they are such.
        """
        if len(self._all) > _MANY and 2 * len(self._all) > self._rows:
            raise InputError(
                f"the file has {len(self._all):,} labels in {self._rows:,} rows; expected classes "
                "that many texts share, no texts or measured values."
            )

    def example(self, text: object, cell: object) -> Example:
        """Return a row as an example.

        Raises:
            InputError: if its text or its label cannot be one.
        """
        if not as_text(text, "the text").strip():
            raise InputError("the text is empty; give one, or leave the row out.")
        task = GoldTask(TASK, self._all, _names(cell), self._several)
        return Example(as_text(text, "the text"), classifications=(task,))


class Labeled:
    """Reads rows of JSON.

    Args:
        path: of the whole file, whose labels are asked of every text.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def example(self, row: Mapping[str, Any]) -> Example:
        """Read a row.

        Raises:
            InputError: for a wrong row.
        """
        self._labels.check()
        return self._labels.example(needed(row, "text", "the row"), needed(row, "label", "the row"))

    @cached_property
    def _labels(self) -> Labels:
        return Labels(row.get("label") for _, row in sound_entries(self._path))


def _names(cell: object) -> tuple[str, ...]:
    """Return the labels of a cell, without white space around them."""
    if isinstance(cell, list):
        return tuple(dict.fromkeys(name for one in cell for name in _names(one)))
    if cell is None or cell != cell or (isinstance(cell, str) and not cell.strip()):  # or NaN
        raise InputError("the label is empty; give one, or leave the row out.")
    if not isinstance(cell, str | int | float):
        raise InputError(f"the label must be a string or a number, but {shown(cell)} was given.")
    return (as_name(str(cell).strip(), "the label"),)
