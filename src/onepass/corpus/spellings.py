"""Names that are written in two ways: labels, types, tasks, structures and fields.

A model takes two spellings for two names. It knows examples, and nothing about files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from onepass.corpus.example import Example
from onepass.schema.shown import shown

_Named = tuple[str, str, str]  # what it is, the task or structure that it is of, the name
_BLANKS = str.maketrans("_-", "  ")


class Spellings:
    """How names were written first.

    >>> spellings = Spellings()
    >>> list(spellings.differing(Example("Bo", asked=("big dog",)), "line 1"))
    []
    >>> list(spellings.differing(Example("Al", asked=("Big_Dog",)), "line 2"))
    ["The entity label 'Big_Dog' is written 'big dog' in line 1."]
    """

    def __init__(self) -> None:
        self._first: dict[_Named, tuple[str, str]] = {}  # with folded names: name, place
        self._known: set[_Named] = set()

    def differing(self, example: Example, place: str) -> Iterator[str]:
        """Yield a sentence for each name that is not written as before, the first time it is not.

        Args:
            example: the next row.
            place: where it stands.
        """
        for named in _names(example):
            if named in self._known:
                continue
            self._known.add(named)
            what, owner, name = named
            first, where = self._first.setdefault((what, owner, _folded(name)), (name, place))
            if first != name:
                of = f" of {shown(owner)}" if owner else ""
                yield f"The {what} {shown(name)}{of} is written {shown(first)} in {where}."


def _names(example: Example) -> Iterator[_Named]:
    for label in example.asked:
        yield "entity label", "", label
    for kind in example.asked_relations:
        yield "relation type", "", kind
    for task in example.classifications:
        yield "task", "", task.name
        for label in task.labels:
            yield "label", task.name, label
    for structure in example.structures:
        yield "structure", "", structure.name
        for field in structure.fields:
            yield "field", structure.name, field.name


def _folded(name: str) -> str:
    """Return a name without what does not change its meaning."""
    return " ".join(unicodedata.normalize("NFKC", name).translate(_BLANKS).casefold().split())
