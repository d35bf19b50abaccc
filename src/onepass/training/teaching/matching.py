"""Which labels a pass of a student and the passes of its teacher both ask.

How labels are split over passes depends on tokenizer, window and decoder of a checkpoint, so passes
are matched label by label.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from onepass.models.gliclass.targets import Asked as GliclassAsked
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.training_passes import Asked as GlinerAsked
from onepass.training.teaching.lesson import Pair, Shared

_Columns = tuple[tuple[int, ...], tuple[int, ...]]  # of the student, of the teacher
_LEAST_CHOICE = 2  # labels without which there is nothing to choose


def matching(own: Any, shown: Sequence[Any]) -> tuple[Any, ...]:
    """Return the passes of the teacher that share a label with one of the student."""
    return tuple(one for one in shown if _labels(own, one) is not None)


def shared_of(pairs: Sequence[Pair], lines: Mapping[Any, int]) -> Iterator[Shared]:
    """Yield what the passes of a batch share with those of the teacher.

    Args:
        pairs: the rows of the student.
        lines: the rows of the passes of the teacher.
    """
    for row, pair in enumerate(pairs):
        told: set[int] = set()  # relation types, which are asked again beside other labels
        for one in pair.shown:
            labels = _labels(pair.own, one)
            if labels is not None:
                types = _types(pair.own, one, told)
                yield Shared(row, lines[one], *labels, *types)


def _labels(own: Any, shown: Any) -> _Columns | None:
    """Return the columns of the labels that both ask; None if there is nothing to learn."""
    mine, theirs = own.reading.prompt, shown.reading.prompt
    least = 1
    if isinstance(own, GliclassAsked):
        if mine.task != theirs.task:
            return None
        columns = _both(mine.items, theirs.items)
        least = _LEAST_CHOICE if own.single or shown.single else 1
    elif isinstance(own, GlinerAsked):
        if (mine.kind, mine.task) != (theirs.kind, theirs.task):
            return None
        if mine.kind is Kind.CLASSES:  # answers stand at words of the instruction: all or nothing
            columns = _both(own.names, shown.names) if mine.items == theirs.items else ((), ())
        else:
            columns = _both(
                tuple(zip(mine.items, own.names, strict=True)),
                tuple(zip(theirs.items, shown.names, strict=True)),
            )
    else:
        return (), ()  # GLiNER2 asks everything in one pass
    return columns if len(columns[0]) >= least else None


def _types(own: Any, shown: Any, told: set[int]) -> _Columns:
    """Return the columns of the relation types that both ask, and note them.

    Args:
        own: a pass of the student.
        shown: a pass of the teacher.
        told: those that an earlier pass of the teacher told of.
    """
    if not isinstance(own, GlinerAsked):
        return (), ()
    mine, theirs = own.reading.prompt.types, shown.reading.prompt.types
    here, there = _both(mine, [-1 if kind in told else kind for kind in theirs])
    told.update(mine[column] for column in here)
    return here, there


def _both(own: Sequence[Hashable], shown: Sequence[Hashable]) -> _Columns:
    """Return where the things stand that both have, in the order of the first.

    >>> _both("abcd", "dxb")
    ((1, 3), (2, 0))
    """
    column = {thing: at for at, thing in enumerate(shown)}
    here = tuple(at for at, thing in enumerate(own) if thing in column)
    return here, tuple(column[own[at]] for at in here)
