"""A question about the whole text, as a frozen value that refuses bad states at birth.

Its labels are a list, or a tree whose nodes stand in one list, each behind the node that it stands
below. This module knows neither how a tree is written (`onepass.schema.trees`) nor how one is
scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from onepass.errors import SchemaError
from onepass.schema.shown import shown
from onepass.schema.types import (
    Label,
    check_distinct,
    check_items,
    check_name,
    check_share,
    check_text,
    check_threshold,
    put,
)

WindowScores = Literal["max", "mean", "length"]
WINDOW_SCORES: tuple[WindowScores, ...] = get_args(WindowScores)
Examples = tuple[tuple[str, tuple[str, ...]], ...]
ROOT = -1  # the parent of what stands below no other label


@dataclass(frozen=True, slots=True)
class ClassificationTask:
    """One question about the whole text, answered with one label or with several.

    Attributes:
        name: the name of the task, which is also the key of its answer.
        labels: the possible answers; for a tree all its nodes, each followed by those below it.
        multi_label: whether any number of labels may hold, instead of exactly one.
        threshold: the threshold of the labels that have none of their own; None leaves it to the
            checkpoint.
        prompt: an instruction put before the text.
        examples: texts, each with the labels that hold for it, as pairs or as
            ``{"text": ..., "labels": ...}``. A single label may be given as a string. Those of a
            tree are names of its nodes.
        abstain: whether a single-label task may have no answer: None or False for never, a number
            for a floor below which the best label, scored by itself, is no answer, True for the
            floor of the checkpoint.
        window_scores: the way in which the scores of the windows of a long text become one: "max"
            (the best window counts), "mean", or "length" (the mean, weighted by length). None means
            "max" if several labels may hold, else "length".
        parents: the index of each label's parent in a tree, -1 for none; empty for a list.

    >>> task = ClassificationTask("tone", (Label("calm"), Label("angry")))
    >>> [label.name for label in task.labels], task.multi_label
    (['calm', 'angry'], False)
    """

    name: str
    labels: tuple[Label, ...]
    multi_label: bool = False
    threshold: float | None = None
    prompt: str | None = None
    examples: Examples = ()
    abstain: bool | float | None = field(default=None, kw_only=True)
    window_scores: WindowScores | None = field(default=None, kw_only=True)
    parents: tuple[int, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "The name of a classification task"))
        what = f"task {shown(self.name)}"
        put(self, "labels", check_items(self.labels, Label, f"The labels of {what}"))
        if not self.labels:
            raise SchemaError(
                f"The classification {what} needs at least one label, but none was given."
            )
        put(self, "parents", _check_parents(self.parents, self.labels, what))
        if not isinstance(self.multi_label, bool):
            raise SchemaError(
                f"multi_label of {what} must be true or false, "
                f"but {shown(self.multi_label)} was given."
            )
        put(self, "threshold", check_threshold(self.threshold, what))
        put(self, "prompt", check_text(self.prompt, f"The prompt of {what}"))
        put(self, "examples", self._check_examples(what))
        put(self, "abstain", _check_abstain(self.abstain, self.multi_label, what))
        if self.window_scores not in (None, *WINDOW_SCORES):
            raise SchemaError(
                f"window_scores of {what} must be one of {', '.join(WINDOW_SCORES)}, "
                f"but {shown(self.window_scores)} was given."
            )

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """For each label, the names on the way to it, its own last; of a list, its own alone.

        >>> task = ClassificationTask("t", (Label("a"), Label("b")), parents=(-1, 0))
        >>> task.paths
        (('a',), ('a', 'b'))
        """
        found: list[tuple[str, ...]] = []
        for index, label in enumerate(self.labels):
            parent = self.parents[index] if self.parents else ROOT
            above = () if parent == ROOT else found[parent]
            found.append((*above, label.name))
        return tuple(found)

    @property
    def result_names(self) -> tuple[str, ...]:
        r"""For each label, what results call it: of a tree its `path_name`, of a list its name.

        >>> task = ClassificationTask("t", (Label("a/c"), Label("b")), parents=(-1, 0))
        >>> print(*task.result_names)
        a\/c a\/c/b
        """
        if not self.parents:
            return tuple(label.name for label in self.labels)
        return tuple(path_name(path) for path in self.paths)

    def _check_examples(self, what: str) -> Examples:
        """Return the examples, each with the labels that hold for it."""
        if not isinstance(self.examples, list | tuple):
            raise SchemaError(
                f"The examples of {what} must be a list, but {shown(self.examples)} was given."
            )
        names = list(dict.fromkeys(label.name for label in self.labels))
        several = self.multi_label or bool(self.parents)
        return tuple(_check_example(one, names, what, several=several) for one in self.examples)


def path_name(path: Sequence[str]) -> str:
    r"""Return one name for a path of a tree: the names of its nodes with slashes between them.

    A backslash before a slash or a backslash makes it part of a node's name.

    >>> print(path_name(["science", "physics"]), path_name(["TV/radio", "news"]))
    science/physics TV\/radio/news
    """
    return "/".join(name.replace("\\", "\\\\").replace("/", "\\/") for name in path)


def _check_parents(parents: object, labels: tuple[Label, ...], what: str) -> tuple[int, ...]:
    """Return the parents of labels, none if no label has one; siblings must be distinct."""
    if not isinstance(parents, list | tuple) or not all(type(one) is int for one in parents):
        raise SchemaError(
            f"The parents of {what} must be whole numbers, but {shown(parents)} was given."
        )
    found: tuple[int, ...] = tuple(parents)
    if found and (len(found) != len(labels) or not _is_walk(found)):
        raise SchemaError(
            f"The parents of {what} must say of each of its {len(labels)} labels which one it "
            "stands below, -1 for none, with all that is below a label right behind it, "
            f"but {shown(parents)} was given."
        )
    siblings: dict[int, list[str]] = defaultdict(list)
    for parent, label in zip(found or [ROOT] * len(labels), labels, strict=True):
        siblings[parent].append(label.name)
    for parent, names in siblings.items():
        below = "" if parent == ROOT else f" below {shown(labels[parent].name)}"
        check_distinct(names, f"The labels{below} of {what}")
    return () if set(found) <= {ROOT} else found


def _is_walk(parents: Sequence[int]) -> bool:
    """Return whether the nodes of a tree come in the order of a walk, each before its children."""
    way: list[int] = [ROOT]  # from the root to the node before
    for index, parent in enumerate(parents):
        while way and way[-1] != parent:
            way.pop()
        if not way:
            return False
        way.append(index)
    return True


def _check_example(
    example: object, names: list[str], what: str, *, several: bool
) -> tuple[str, tuple[str, ...]]:
    """Return an example as its text and its labels, each being one of ``names``."""
    if isinstance(example, dict) and example.keys() == {"text", "labels"}:
        example = (example["text"], example["labels"])
    if not isinstance(example, list | tuple) or len(example) != 2:
        wanted = "a text and its labels" if several else "a text and a label"
        pair = '("text", ["label"])' if several else '("text", "label")'
        raise SchemaError(
            f"An example of {what} must be a pair of {wanted}, but {shown(example)} was given; "
            f'write {pair}, or {{"text": ..., "labels": ...}}.'
        )
    text = check_name(example[0], f"The text of an example of {what}")
    given = example[1] if isinstance(example[1], list | tuple) else [example[1]]
    labels = tuple(check_name(label, f"The label of an example of {what}") for label in given)
    if not labels or (len(labels) > 1 and not several):
        wanted = "at least one label" if several else "exactly one label"
        raise SchemaError(f"An example of {what} must have {wanted}, but {shown(given)} was given.")
    for label in labels:
        if label not in names:
            raise SchemaError(
                f"An example of {what} has the label {shown(label)}, "
                f"which is not one of its labels: {', '.join(names)}."
            )
    check_distinct(labels, f"The labels of an example of {what}")
    return text, labels


def _check_abstain(abstain: object, multi_label: bool, what: str) -> bool | float | None:
    """Return True, a number, or None for a task that never abstains."""
    if abstain is None or abstain is False:
        return None
    if multi_label:
        raise SchemaError(
            f"abstain is for tasks with one answer, but {what} has multi_label=True and may "
            "answer with no label anyway; leave abstain out."
        )
    return True if abstain is True else check_share(abstain, f"abstain of {what}")
