"""GLiClass's own training format, read into examples.

```
{"text": str, "all_labels": [label], "true_labels": [label] | {label: share from 0 to 1},
 "prompt": str, "examples": [{"text": str, "labels" | "true_labels": [label]}]}
```

One object a line, or one list of all objects. Each row is one question with any number of true
labels. Labels with a share of 0.5 or more are true: shares themselves are not kept. Keys that start
with ``_`` are notes and not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.corpus.checks import as_list, as_names, as_note, as_object, as_text, needed
from onepass.corpus.example import TASK, Example, GoldTask
from onepass.errors import InputError
from onepass.schema.numbers import is_finite
from onepass.schema.shown import shown

_KEYS = ("text", "all_labels", "true_labels", "prompt", "examples")
_TRUE = 0.5


def is_gliclass_row(row: Mapping[str, Any]) -> bool:
    """Return whether a row is in this format.

    >>> is_gliclass_row({"text": "Bo", "all_labels": ["dog"], "true_labels": []})
    True
    """
    return {"text", "all_labels", "true_labels"} <= row.keys()


def example_from_gliclass(row: Mapping[str, Any]) -> Example:
    """Read one object of this format.

    Raises:
        InputError: for a wrong row.

    >>> row = {"text": "Hi!", "all_labels": ["greeting", "insult"], "true_labels": ["greeting"]}
    >>> example_from_gliclass(row).classifications[0].true
    ('greeting',)
    """
    for key in row:
        if key not in _KEYS and not key.startswith("_"):
            raise InputError(f"the key {key!r} is not known; the keys are {', '.join(_KEYS)}.")
    text = as_text(needed(row, "text", "the row"), "text")
    labels = as_names(needed(row, "all_labels", "the row"), "all_labels")
    true = _true(needed(row, "true_labels", "the row"))
    task = GoldTask(
        TASK,
        tuple(dict.fromkeys(labels)),
        tuple(dict.fromkeys(true)),
        multi_label=True,
        prompt=as_note(row.get("prompt"), "prompt"),
        examples=tuple(map(_example, as_list(row.get("examples") or (), "examples"))),
    )
    return Example(text, classifications=(task,))


def _true(given: object) -> tuple[str, ...]:
    """Return the labels that hold, of a list or of shares."""
    if not isinstance(given, Mapping):
        return as_names(given, "true_labels")
    for label, share in given.items():
        if not is_finite(share) or not 0 <= share <= 1:
            raise InputError(
                f"the share of {shown(label)} in true_labels must be from 0 to 1, but "
                f"{shown(share)} was given."
            )
    return tuple(label for label, share in given.items() if share >= _TRUE)


def _example(given: object) -> tuple[str, tuple[str, ...]]:
    """Return an example that stands in the prompt."""
    row = as_object(given, "an example")
    labels = row.get("labels", row.get("true_labels"))
    return (
        as_text(needed(row, "text", "an example"), "the text of an example"),
        as_names(labels, "the labels of an example"),
    )
