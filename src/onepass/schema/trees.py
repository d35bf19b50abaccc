"""Labels of a classification task, which may stand below one another, from what a caller writes.

========================================================  ====================================
``["sport", "law"]``                                      a list: none stands below another
``{"sport": "games", "law": None}``                       a list with descriptions
``{"sport": ["tennis"], "law": {"taxes": ["customs"]}}``  a tree: names, with what is below each
``{"sport": {"description": ..., "threshold": ...,        the same with options; an object with no
"labels": ["tennis"]}}``                                  other keys is never a branch
========================================================  ====================================

A tree comes back as `ClassificationTask` holds it: its nodes in one list, each behind its parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from onepass.errors import SchemaError
from onepass.schema.leaves import LABEL_KEYS, read_labels, read_object
from onepass.schema.shown import shown
from onepass.schema.task import ROOT
from onepass.schema.types import Label

Tree: TypeAlias = (
    Iterable[str | Label] | Mapping[str, "str | Tree | Mapping[str, Any] | None"]
)  # as `Schema.classification` takes it

NODE_KEYS = (*LABEL_KEYS, "labels")
DEEPEST = 32  # levels


class Branches(NamedTuple):
    """Labels in one list, and the index of the parent of each (-1 for none)."""

    labels: tuple[Label, ...]
    parents: tuple[int, ...]


_NONE = Branches((), ())


def read_tree(values: object, what: str) -> Branches:
    """Return the labels of a task from a list, a mapping of names to descriptions, or a tree.

    Args:
        values: as the head of this module shows.
        what: what errors call the argument.

    Raises:
        SchemaError: if ``values`` is of another shape, mixes descriptions with branches, or holds a
            bad label.

    >>> read_tree({"sport": ["tennis"], "law": []}, "labels").parents
    (-1, 0, -1)
    >>> read_tree({"sport": ["tennis"], "law": "courts"}, "labels")
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: labels mix branches ('sport') with descriptions ('law'); write \
['courts'] for a label below 'law', or {"description": 'courts'}.
    """
    return _read_level(values, what, 1)


def _read_level(values: object, what: str, level: int) -> Branches:
    """Return labels and what stands below them, from any of the forms."""
    branch = _first_branch(values) if isinstance(values, Mapping) else None
    if branch is None or not isinstance(values, Mapping):
        labels = read_labels(values, what)
        return Branches(labels, (ROOT,) * len(labels))
    for name, value in values.items():
        if isinstance(value, str):
            raise SchemaError(
                f"{what} mix branches ({shown(branch)}) with descriptions ({shown(name)}); write "
                f"{shown([value])} for a label below {shown(name)}, or "
                f'{{"description": {shown(value)}}}.'
            )
    return _joined(_read_node(name, value, level) for name, value in values.items())


def _first_branch(values: Mapping[Any, object]) -> Any:
    """Return the name of the first label that something may stand below, None for none."""
    for name, value in values.items():
        has_options = isinstance(value, Mapping) and set(value) <= set(LABEL_KEYS)
        is_branch = isinstance(value, Iterable) and not isinstance(value, str | bytes)
        if is_branch and not has_options:
            return name
    return None


def _read_node(name: Any, value: object, level: int) -> Branches:
    """Return one label, and behind it what stands below it."""
    what = f"The labels below {shown(name)}"
    if level > DEEPEST:
        raise SchemaError(f"{what} would be more than {DEEPEST} levels deep; flatten the tree.")
    label, below = Label(name), _NONE
    if isinstance(value, Mapping) and set(value) <= set(NODE_KEYS):
        options = read_object(value, NODE_KEYS, f"The label {shown(name)}")
        label = Label(name, options.get("description"), options.get("threshold"))
        if "labels" in options:
            below = _read_level(options["labels"], what, level + 1)
    elif isinstance(value, Mapping):
        for key, held in value.items():
            if held is not None and (isinstance(held, str) or not isinstance(held, Iterable)):
                if key in LABEL_KEYS:  # an object with options, so another key is the wrong one
                    read_object(value, NODE_KEYS, f"The label {shown(name)}")
                raise SchemaError(
                    f"The label {shown(name)} is given {shown(held)} for {shown(key)}, which is "
                    f"neither one of {', '.join(NODE_KEYS)} nor a label with a list of labels "
                    "below it."
                )
        below = _joined(_read_node(key, held, level + 1) for key, held in value.items())
    elif value is not None:
        below = _read_level(value, what, level + 1)
    parents = (ROOT, *(parent + 1 for parent in below.parents))  # its own index is 0
    return Branches((label, *below.labels), parents)


def _joined(parts: Iterable[Branches]) -> Branches:
    """Return the nodes of several trees in one list."""
    labels: list[Label] = []
    parents: list[int] = []
    for part in parts:
        first = len(labels)
        parents += [parent if parent == ROOT else parent + first for parent in part.parents]
        labels += part.labels
    return Branches(tuple(labels), tuple(parents))
