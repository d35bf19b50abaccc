"""Trees of values: read from linked records, given to validation, mended after it.

A branch holds the read values of one record. What did not validate is taken away, and with it what
cannot be without it; paths of errors count what was found, those of evidence what was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from onepass.results.types import Value
from onepass.results.values import values_in
from onepass.schema.shape import Child, Leaf, Shape
from onepass.typed.link import Node, values_of
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
            texts = "; ".join(value.text for value in values_of(one.record))
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
    if value.start is not None and value.end is not None:
        own = text_to_read(text, value.start, value.end, leaf.field.rules)
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
    doomed: list[tuple[list[Any], Any]] = []
    mendable = True
    for problem in problems:
        mendable &= _mend_one(root, problem, errors, doomed)
    for held, one in doomed:
        if one in held:
            held.remove(one)
    return mendable and bool(doomed)


def _mend_one(
    root: Branch,
    problem: Problem,
    errors: list[FieldError],
    doomed: list[tuple[list[Any], Any]],
) -> bool:
    """Say one problem and mark what has to go for it."""
    branch = root
    above: tuple[list[Any], Any] | None = None  # what goes if the branch cannot be
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
                above = (nodes, nodes[place])
                branch = nodes[place]
                continue
        held = branch.values.get(part.name, [])
        path = _joined(branch.path, part.name, None)
        if isinstance(part, Leaf) and place < len(held) and (many or not part.many):
            one = held[place]
            errors.append(FieldError(one.path, one.evidence.text, problem.message))
            branch.lost.add(path)
            doomed.append((held, one))
            return True
        return _lacks(branch, part, problem, errors, (above, doomed))
    errors.append(FieldError(branch.path, None, problem.message))
    if above is not None:
        doomed.append(above)
    return above is not None


def _lacks(
    branch: Branch,
    part: Leaf | Child,
    problem: Problem,
    errors: list[FieldError],
    ends: tuple[tuple[list[Any], Any] | None, list[tuple[list[Any], Any]]],
) -> bool:
    """Say that a field is missing, or wrong as a whole; its record goes if it has no default."""
    above, doomed = ends
    values, below = branch.values.get(part.name, []), branch.below.get(part.name, [])
    replaceable = bool(values or below) and (part.nullable or not part.required)
    path = _joined(branch.path, part.name, None)
    if path not in branch.lost:
        found = [one.evidence for one in values]
        found += [value for one in below for _, value in one.evidence("")]
        text = "; ".join(value.text for value in found) or None
        missing = TOO_FEW if found else MISSING
        errors.append(FieldError(path, text, missing if problem.missing else problem.message))
        branch.lost.add(path)
    if replaceable:
        doomed += [(values, one) for one in values] + [(below, one) for one in below]
        return True
    if above is not None:
        doomed.append(above)
    return above is not None


def _part(shape: Shape, key: str | int) -> Leaf | Child | None:
    """Return the field that validation calls so."""
    parts: tuple[Leaf | Child, ...] = (*shape.leaves, *shape.children)
    called = [part for part in parts if part.key == key]  # one's key may be the name of another
    called += [part for part in parts if part.name == key]
    return called[0] if called else None
