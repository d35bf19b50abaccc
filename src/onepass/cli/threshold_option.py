"""What is kept: ``--threshold`` of commands that take it for everything or by name.

It knows how it is written; whether a name is asked for is looked at where the schema is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from onepass.errors import InputError
from onepass.schema.options import Threshold
from onepass.schema.shown import shown


class Least(NamedTuple):
    """The least score of what has a name, or of everything.

    Attributes:
        name: of a kind, a label, a task, a structure or a relation type; "" for everything.
        score: from 0 to 1.
    """

    name: str
    score: float


def least_of(given: str) -> Least:
    """Return what one value of the option says.

    Raises:
        typer.BadParameter: if it is neither a number from 0 to 1 nor one behind a name.

    >>> least_of("0.3"), least_of("person=0.2")
    (Least(name='', score=0.3), Least(name='person', score=0.2))
    """
    name, is_named, number = given.rpartition("=")
    name = name.strip()
    try:
        score = float(number)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1 or (is_named and not name):
        raise typer.BadParameter(
            f"{shown(given)} was given, but a number from 0 to 1 is expected, or NAME=NUMBER"
        )
    return Least(name, score)


def threshold_of(given: Sequence[Least] | None) -> Threshold:
    """Return all values of the option as a call takes them.

    Raises:
        InputError: for two values of one name, or a number for everything beside others.

    >>> threshold_of(None), threshold_of([Least("", 0.3)])
    (None, 0.3)
    >>> threshold_of([Least("person", 0.2), Least("relations", 0.4)])
    {'person': 0.2, 'relations': 0.4}
    """
    if not given:
        return None
    scores: dict[str, float] = {}
    for name, score in given:
        if name in scores:
            what = shown(name) if name else "everything"
            raise InputError(
                f"--threshold was given twice for {what} ({scores[name]:g} and {score:g}); give "
                "it once."
            )
        scores[name] = score
    if "" not in scores:
        return scores
    if len(scores) > 1:
        raise InputError(
            f"--threshold was given for everything ({scores['']:g}) and by name; in place of the "
            f"first, name a kind, such as entities={scores['']:g}."
        )
    return scores[""]


ThresholdsOption = Annotated[
    list[Least] | None,
    typer.Option(
        "--threshold",
        "-t",
        metavar="SCORE",
        parser=least_of,
        help="Lowest score that is kept: a number for everything, or 'name=number' for a label, a "
        "task, a record, a relation type or a kind (entities, classifications, records, choices, "
        "relations); may be repeated. [default: what the model was calibrated to]",
    ),
]
