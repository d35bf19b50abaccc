"""What was nearly found in a text, and why it is no part of the result.

These types know results, not how a text is read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from onepass.results.surrogates import escaped_surrogates
from onepass.results.table import aligned, to_table
from onepass.results.types import Entity, Extraction, Relation, Value
from onepass.results.values import entity_dict, value_dict

Reason = Literal["score", "overlap", "choice"]
Kind = Literal["entity", "value", "relation"]


@dataclass(frozen=True, slots=True)
class Missed:
    """A candidate that is no part of the result.

    Attributes:
        name: the entity label, question, field or relation type that it would have been of.
        found: the candidate, with its score.
        threshold: the score that would have been enough.
        record: the structure that the field is of; None for what is no value of a record.
        by: the entity that has its words; None if no entity has.

    >>> Missed("city", Entity("city", "Cook", 4, 8, 0.125), 0.25).reason
    'score'
    """

    name: str
    found: Entity | Value | Relation
    threshold: float
    record: str | None = None
    by: Entity | None = None

    @property
    def kind(self) -> Kind:
        """What it would have been."""
        if isinstance(self.found, Relation):
            return "relation"
        return "entity" if isinstance(self.found, Entity) else "value"

    @property
    def reason(self) -> Reason:
        """Why it was left out.

        "score" where its score is below the threshold, "overlap" where an entity has its words,
        "choice" where something else stands in its place: another value in its field, or what the
        rules of the schema leave.
        """
        if self.found.score < self.threshold:
            return "score"
        return "choice" if self.by is None else "overlap"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, with "head" and "tail" for a relation.

        >>> Missed("city", Entity("city", "Cook", 4, 8, 0.125), 0.25).to_dict()["reason"]
        'score'
        """
        found = self.found
        if isinstance(found, Relation):
            what = asdict(found)
        else:
            what = entity_dict(found) if isinstance(found, Entity) else value_dict(found)
        record = {} if self.record is None else {"record": self.record, "field": self.name}
        by = {} if self.by is None else {"by": entity_dict(self.by)}
        why = {"threshold": self.threshold, "reason": self.reason}
        return {"kind": self.kind, **record, **what, **why, **by}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found in a text, and what nearly was.

    Attributes:
        extraction: the findings, as without an explanation.
        missed: the candidates that are not kept, best first.
        floor: the lowest score that was looked at.

    >>> print(Explanation(Extraction("Tim Cook"), (), 0.25).to_table())
    Nothing was found.
    <BLANKLINE>
    0 of 0 characters read in 0 windows.
    <BLANKLINE>
    Not kept
      nothing else scores 0.250 or more
    """

    extraction: Extraction
    missed: tuple[Missed, ...]
    floor: float

    def to_dict(self) -> dict[str, Any]:
        """Return both as plain values.

        >>> sorted(Explanation(Extraction("Tim Cook"), (), 0.25).to_dict())
        ['extraction', 'floor', 'missed']
        """
        missed = [one.to_dict() for one in self.missed]
        return {"extraction": self.extraction.to_dict(), "floor": self.floor, "missed": missed}

    def to_json(self, indent: int | None = None) -> str:
        """Return both as JSON; ``indent`` is as in `json.dumps`.

        >>> Explanation(Extraction("a"), (), 0.25).to_json()[:32]
        '{"extraction": {"text": "a", "en'
        """
        made = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)
        return escaped_surrogates(made)

    def to_table(self) -> str:
        """Return both as aligned plain text."""
        rows = [_row(one) for one in self.missed]
        none = [f"  nothing else scores {self.floor:.3f} or more"]
        return "\n".join([to_table(self.extraction), "", "Not kept", *(aligned(rows) or none)])


def _row(missed: Missed) -> tuple[str, str, str, str, str]:
    """Return what, its text, its place, its score and why it was left out."""
    found, by = missed.found, missed.by
    if isinstance(found, Relation):
        text, place = f"{found.head.text} -> {found.tail.text}", ""
    else:
        text = found.text
        place = "" if found.start is None else f"{found.start}:{found.end}"
    name = missed.name if missed.record is None else f"{missed.record}: {missed.name}"
    if missed.reason == "score":
        why = f"below {missed.threshold:.3f}"
    else:
        why = "another one was chosen" if by is None else f"taken by {by.label} {by.text}"
    return name, text, place, f"{found.score:.3f}", why
