"""Trees of values: read from linked records, given to validation, mended after it.

A branch holds the read values of one record. What did not validate is taken away, and with it what
cannot be without it; paths of errors count what was found, those of evidence what was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onepass.results.types import Value
from onepass.results.values import values_in
from onepass.schema.shape import Child, Leaf, Shape
from onepass.typed.link import Node
from onepass.typed.result import FieldError
from onepass.typed.unreadable import UnreadableError
from onepass.typed.values import read_value, text_to_read

Location = tuple[str | int, ...]
MISSING = "Nothing was found for this field, which is required."
TOO_FEW = "Fewer values were found for this field than are required."


@dataclass(frozen=True, slots=True)
class Problem:
    """What validation refuses: where, in its own keys; whether something lacks; the sentence."""

    location: Location
    missing: bool
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One value of a field."""

    path: str
    evidence: Value
    value: Any


@dataclass(slots=True, eq=False)
class Branch:
    """The values of one record, and the branches below it."""

    shape: Shape
    path: str
    values: dict[str, list[Held]] = field(default_factory=dict)
    below: dict[str, list[Branch]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # paths that have an error already

    def data(self) -> dict[str, Any]:
        """Return what validation gets."""
        given: dict[str, Any] = {}
        for leaf in self.shape.leaves:
            held = [one.value for one in self.values.get(leaf.name, [])]
            _put(given, leaf, held)
        for child in self.shape.children:
            _put(given, child, [branch.data() for branch in self.below.get(child.name, [])])
        return given

    def evidence(self, path: str) -> Iterator[tuple[str, Value]]:
        """Yield the path of each value that was kept, with its place."""
        for leaf in self.shape.leaves:
            for place, held in enumerate(self.values.get(leaf.name, [])):
                yield _joined(path, leaf.name, place if leaf.many else None), held.evidence
        for child in self.shape.children:
            for place, branch in enumerate(self.below.get(child.name, [])):
                below = _joined(path, child.name, place if child.many else None)
                yield from branch.evidence(below)


def _put(given: dict[str, Any], part: Leaf | Child, held: list[Any]) -> None:
    """Add what a field holds; what was not found is left to the default, if there is one."""
    if part.many:
        if held or (part.required and not part.nullable):
            given[part.key] = held
            return
    elif held:
        given[part.key] = held[0]
        return
    if part.required and part.nullable:
        given[part.key] = part.nothing if isinstance(part, Leaf) else None


def grow(node: Node, path: str, text: str, errors: list[FieldError]) -> Branch:
    """Return the branch of a node; what cannot be read is left out and said.

    Args:
        node: a linked record.
        path: of the record; empty for the first.
        text: the document: the minus of a number may stand outside its span.
        errors: to which is added what could not be read.
    """
    branch = Branch(node.shape, path)
    for leaf in node.shape.leaves:
        branch.values[leaf.name] = []
        for place, value in enumerate(values_in(node.record.get(leaf.name))):
            own = _joined(path, leaf.name, place if leaf.many else None)
            try:
                read = _read(leaf, value, text)
            except UnreadableError as error:
                errors.append(FieldError(own, value.text, str(error)))
                branch.lost.add(_joined(path, leaf.name, None))
                continue
            branch.values[leaf.name].append(Held(own, value, read))
    for child in node.shape.children:
        branch.below[child.name] = [
            grow(one, _joined(path, child.name, place if child.many else None), text, errors)
            for place, one in enumerate(node.below.get(child.name, []))
        ]
        for one in node.spare.get(child.name, []):
            texts = "; ".join(value.text for value in one.values())
            errors.append(
                FieldError(
                    _joined(path, child.name, None),
                    texts,
                    "More than one was found for a field that holds one; the nearest was kept.",
                )
            )
    return branch


def _read(leaf: Leaf, value: Value, text: str) -> Any:
    if leaf.field.choices:
        return leaf.meanings[leaf.field.choices.index(value.text)]
    own = value.text
    if value.place is not None:
        own = text_to_read(text, *value.place, leaf.field.rules)
    return read_value(own, leaf.field.rules)


def _joined(path: str, name: str, place: int | None) -> str:
    own = f"{path}.{name}" if path else name
    return own if place is None else f"{own}[{place}]"


def mend(root: Branch, problems: Sequence[Problem], errors: list[FieldError]) -> bool:
    """Take away what does not validate.

    Args:
        root: a record.
        problems: what validation said of it.
        errors: to which is added what is said of each.

    Returns:
        Whether what is left may validate.
    """
    mending = _Mending(root, errors)
    mendable = True
    for problem in problems:
        mendable &= mending.take(problem)
    for held, one in mending.doomed:
        if one in held:
            held.remove(one)
    return mendable and bool(mending.doomed)


class _Doomed(NamedTuple):
    """What has to go, and the list that holds it."""

    held: list[Any]
    one: Any


@dataclass(slots=True, eq=False)
class _Mending:
    """Says the problems of a record, and marks what has to go for them.

    Attributes:
        root: the record.
        errors: to which is added what is said.
        doomed: what has to go.
    """

    root: Branch
    errors: list[FieldError]
    doomed: list[_Doomed] = field(default_factory=list)

    def take(self, problem: Problem) -> bool:
        """Take one problem in; return whether anything can go for it."""
        branch = self.root
        above: _Doomed | None = None  # what goes if the branch cannot be
        rest = list(problem.location)
        while rest:
            part = _part(branch.shape, rest.pop(0))
            if part is None:
                break
            many = part.many and bool(rest) and isinstance(rest[0], int)
            place = int(rest.pop(0)) if many else 0
            if isinstance(part, Child):
                nodes = branch.below.get(part.name, [])
                if place < len(nodes) and (many or not part.many):
                    above = _Doomed(nodes, nodes[place])
                    branch = nodes[place]
                    continue
            held = branch.values.get(part.name, [])
            if isinstance(part, Leaf) and place < len(held) and (many or not part.many):
                one = held[place]
                self.errors.append(FieldError(one.path, one.evidence.text, problem.message))
                branch.lost.add(_joined(branch.path, part.name, None))
                return self._marks(_Doomed(held, one))
            return self._lacks(branch, part, problem) or self._marks(above)
        self.errors.append(FieldError(branch.path, None, problem.message))
        return self._marks(above)

    def _lacks(self, branch: Branch, part: Leaf | Child, problem: Problem) -> bool:
        """Say that a field is missing, or wrong as a whole; return whether its default will do."""
        values, below = branch.values.get(part.name, []), branch.below.get(part.name, [])
        path = _joined(branch.path, part.name, None)
        if path not in branch.lost:
            found = [one.evidence for one in values]
            found += [value for one in below for _, value in one.evidence("")]
            text = "; ".join(value.text for value in found) or None
            message = problem.message
            if problem.missing:
                message = TOO_FEW if found else MISSING
            self.errors.append(FieldError(path, text, message))
            branch.lost.add(path)
        if part.required and not part.nullable:
            return False
        self.doomed += [_Doomed(values, one) for one in values]
        self.doomed += [_Doomed(below, one) for one in below]
        return bool(values or below)

    def _marks(self, doomed: _Doomed | None) -> bool:
        """Mark what has to go, if there is anything."""
        if doomed is not None:
            self.doomed.append(doomed)
        return doomed is not None


def _part(shape: Shape, key: str | int) -> Leaf | Child | None:
    """Return the field that validation calls so."""
    parts: tuple[Leaf | Child, ...] = (*shape.leaves, *shape.children)
    called = [part for part in parts if part.key == key]  # one's key may be the name of another
    called += [part for part in parts if part.name == key]
    return called[0] if called else None
