"""A model of nested fields as structures: what is asked, and how records become instances again.

A shape is a tree. Each level with values of its own is one structure; the levels below it are
structures too, whose records `onepass.typed.link` puts under those of their parents. This module
does not know where a shape was read from, a Pydantic class or a JSON Schema.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from onepass.errors import SchemaError
from onepass.schema.shown import shown
from onepass.schema.types import Field, Structure

LEVELS = 3
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that holds values.

    Attributes:
        name: of the field, as in records, paths and results.
        key: what validation calls it.
        field: what is asked.
        meanings: of each choice, in the order of the field's choices.
        required: whether it has to be said what it is.
        nullable: whether None may be said.
        nothing: what is said in place of None, as a member of an Enum that means it.
    """

    name: str
    key: str
    field: Field
    meanings: tuple[Any, ...] = ()
    required: bool = True
    nullable: bool = False
    nothing: Any = None

    @property
    def many(self) -> bool:
        """Whether it holds a list."""
        return self.field.dtype == "list"


@dataclass(frozen=True, slots=True)
class Child:
    """A field that holds another level.

    Attributes:
        name: of the field.
        key: what validation calls it.
        shape: what it holds.
        many: whether it holds a list.
        required: whether it has to be said what it is.
        nullable: whether None may be said.
        fewest: items of a list that have to be there.
        most: items of a list at most; None for any number.
    """

    name: str
    key: str
    shape: Shape
    many: bool
    required: bool = True
    nullable: bool = False
    fewest: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One level: its structure, its values and the levels below it.

    Attributes:
        name: of its structure.
        kind: name of the class, which several fields may share.
        leaves: fields with values; a level without any has no structure of its own.
        children: fields with levels.

    >>> item = Shape("item", "Item", (Leaf("product", "product", Field("product", "str")),))
    >>> order = Shape("order", "Order", (), (Child("items", "items", item, True),))
    >>> [structure.name for structure in named(order).structures()]
    ['item']
    """

    name: str
    kind: str
    leaves: tuple[Leaf, ...] = ()
    children: tuple[Child, ...] = ()

    def levels(self) -> Iterator[Shape]:
        """Yield this level and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.shape.levels()

    def structures(self) -> tuple[Structure, ...]:
        """Return the structures to ask for, parents first."""
        asked = [(level.name, level.leaves) for level in self.levels() if level.leaves]
        return tuple(
            Structure(name, tuple(leaf.field for leaf in leaves)) for name, leaves in asked
        )


def structure_name(class_name: str) -> str:
    """Return the name of the structure of a class: its words, in lower case.

    >>> structure_name("ProductReview"), structure_name("HTTPServer_log")
    ('product review', 'http server log')
    """
    return _WORD_BORDER.sub(" ", class_name).strip().lower() or class_name


def named(shape: Shape) -> Shape:
    """Return the shape with a name of its own for every structure.

    A level keeps the words of its class. Where several fields share a class, the words of the field
    come first, and those of the parent before them if that is not enough.

    Raises:
        SchemaError: if it has more than `LEVELS` levels, no values at all, or names that cannot be
            told apart.
    """
    _check_depth(shape, 1, shape.kind)
    kinds = Counter(level.kind for level in shape.levels())
    shared = {kind for kind, levels in kinds.items() if levels > 1}
    taken = {shape.name}
    out = _renamed(shape, shared, taken)
    if not any(level.leaves for level in out.levels()):
        raise SchemaError(
            f"The structure {shown(shape.name)} needs at least one field, but none was given."
        )
    return out


def _check_depth(shape: Shape, level: int, path: str) -> None:
    if level > LEVELS:
        raise SchemaError(
            f"The field {path} is on level {level}, but models may be nested on {LEVELS} levels; "
            "flatten it."
        )
    for child in shape.children:
        _check_depth(child.shape, level + 1, f"{path}.{child.name}")


def _renamed(shape: Shape, shared: set[str], taken: set[str]) -> Shape:
    children = []
    for child in shape.children:
        name = child.shape.name
        if child.shape.kind in shared:
            words = child.name.replace("_", " ").strip().lower()
            name = words if name in words else f"{words} {name}"
        if name in taken:
            name = f"{shape.name} {name}"
        if name in taken:
            raise SchemaError(
                f"The structure {shown(name)} would be asked for twice; rename a field or a class."
            )
        taken.add(name)
        below = _renamed(replace(child.shape, name=name), shared, taken)
        children.append(replace(child, shape=below))
    return replace(shape, children=tuple(children))
