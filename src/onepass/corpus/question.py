"""A schema asked of a text, with its gold answers in typed ids.

What a training step works on. It knows nothing about pieces, prompts or models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from onepass.schema import Schema

SpanAnswer = tuple[int, int, int]  # (item, first character, end character)


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """The gold of one record.

    Attributes:
        spans: (field, start, end), every place that counts as right.
        choices: (field, choice).
        unknown: fields whose value is known but not its place; they are left out of the loss.
    """

    spans: tuple[SpanAnswer, ...] = ()
    choices: tuple[tuple[int, int], ...] = ()
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A schema and its gold answers; the indices are those of the schema's own tuples.

    Attributes:
        text: what is read.
        schema: what is asked.
        entities: (label, start, end).
        ignored: (label, start, end) cells that count neither as right nor as wrong.
        outranked: (label, start, end) cells of general labels that hold, but less than another.
        records: for each structure, its records in the order of the text.
        pairs: for each relation type, (head start, head end, tail start, tail end).
        classes: for each task, the indices of the true labels.
        known: names, `folded`, that were annotated or mean the same, asked or not.
    """

    text: str
    schema: Schema
    entities: tuple[SpanAnswer, ...] = ()
    ignored: tuple[SpanAnswer, ...] = ()
    outranked: tuple[SpanAnswer, ...] = ()
    records: tuple[tuple[RecordAnswer, ...], ...] = ()
    pairs: tuple[tuple[tuple[int, int, int, int], ...], ...] = ()
    classes: tuple[tuple[int, ...], ...] = ()
    known: frozenset[str] = frozenset()


@lru_cache(maxsize=1 << 16)  # one drawn question folds two hundred names, hardly any of them new
def folded(name: str) -> str:
    """Return a name as names are compared: in whatever case, with underscores or spaces.

    >>> folded("Job_Title")
    'job title'
    """
    return " ".join(name.replace("_", " ").lower().split())
