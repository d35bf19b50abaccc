"""Texts as they are given: checked, and read as many together as are read well together.

It knows the reader of a checkpoint and what is made of its answers, not how callers ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from onepass.errors import InputError, TextTooLong
from onepass.models.reader import Planned, Reader
from onepass.results.types import Extraction

if TYPE_CHECKING:
    from onepass.typed.plan import TypedPlan

_CHARS = 200_000  # of texts that are read together
_TEXTS = 256
_GROWTH = 4
_OF_TABLES = ("columns", "column_names")  # what pandas, polars, pyarrow and datasets call them


class Texts(Protocol):
    """A collection of strings; to a type checker no string is one, since it holds strings only."""

    def __contains__(self, item: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...


def read_list(
    reader: Reader, texts: Sequence[str], asked: Planned, plan: TypedPlan | None
) -> list[Extraction]:
    """Return the extractions of texts, typed ones if a class was asked.

    Args:
        reader: of a checkpoint.
        texts: that are all there.
        asked: of them.
        plan: of the class; None if none was asked.

    Raises:
        TextTooLong: see `Reader.read`; it names the text if there are several.
    """
    if len(texts) == 1:
        return _read_together(reader, texts, asked, plan)
    found: list[Extraction] = []
    for group in _groups(texts, all_there=True):
        found += _read_together(reader, group, asked, plan, len(found) + 1)
    return found


def read_all(
    reader: Reader,
    texts: Iterable[str],
    asked: Planned,
    plan: TypedPlan | None,
    *,
    all_there: bool,
) -> Iterator[Extraction]:
    """Yield extractions in the order of the texts, which are read a few at a time.

    Texts that are not all there yet are read in groups that grow, so that nobody waits long for the
    first result, and many texts are soon read as fast as those of a list. What stands before a text
    that is refused, or that cannot be had, is yielded before the error is raised.

    Args:
        reader: of a checkpoint.
        texts: any number; no more are held than are read well together.
        asked: of them.
        plan: of the class; None if none was asked.
        all_there: whether nothing has to be waited for until the next text comes.

    Raises:
        TextTooLong: see `Reader.read`; it names the text.
    """
    first = 1
    for group in _groups(texts, all_there=all_there):
        try:
            found = _read_together(reader, group, asked, plan, first)
        except TextTooLong as error:
            before = group[: (error.number or first) - first]
            if before:
                yield from _read_together(reader, before, asked, plan, first)
            raise
        yield from found
        first += len(group)


def _read_together(
    reader: Reader,
    texts: Sequence[str],
    asked: Planned,
    plan: TypedPlan | None,
    first: int | None = None,
) -> list[Extraction]:
    """Return the extractions of texts that fit into memory together."""
    docs = reader.read(texts, asked, first)
    return docs if plan is None else [plan.read(doc) for doc in docs]


def _groups(texts: Iterable[str], *, all_there: bool) -> Iterator[list[str]]:
    """Yield texts as many as are read together, also those that came before an error."""
    held: list[str] = []
    chars, most = 0, _TEXTS if all_there else 1
    try:
        for text in texts:
            held.append(text)
            chars += len(text)
            if chars >= _CHARS or len(held) >= most:
                yield held
                held, chars, most = [], 0, min(most * _GROWTH, _TEXTS)
    except Exception:
        if held:
            yield held
        raise
    if held:
        yield held


def checked_texts(texts: Iterable[str]) -> Iterator[str]:
    """Return an iterator that refuses what is not a string.

    Raises:
        InputError: at once if it is no iterable of texts, else when a wrong text is reached.

    >>> list(checked_texts(["Ann", 5]))
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: Text 2 must be a string, but 5 (int) was given.
    """
    if _is_table(texts):
        raise InputError(
            f"The text must be a string or a list of strings, but a table ({type(texts).__name__}) "
            "was given; give one column of it, as in df['body']."
        )
    if isinstance(texts, set | frozenset):
        raise InputError(
            "The texts must be a list, but a set was given, which has no order; "
            "give sorted(...) of it."
        )
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise _no_texts(texts)
    try:
        numbered = enumerate(texts, 1)
    except TypeError as error:  # an array without dimensions says so only when it is asked
        raise _no_texts(texts) from error
    return (_check_text(text, number) for number, text in numbered)


def _no_texts(given: object) -> InputError:
    return InputError(
        f"The text must be a string or a list of strings, but a {type(given).__name__} was given."
    )


def _is_table(given: object) -> bool:
    """Return whether an object has columns, of which a loop over it gives the names or the cells.

    Nothing is taken from what can be read only once.
    """
    named = [name for name in _OF_TABLES if hasattr(type(given), name)]
    if not named or not isinstance(given, Iterable):
        return bool(named)
    if iter(given) is iter(given):
        return False
    columns = (getattr(given, name) for name in named)
    names = [list(one) for one in columns if isinstance(one, Iterable)]
    start = list(islice(given, max(map(len, names), default=0) + 1))
    return any(not isinstance(one, str) for one in start[:1]) or start in names


def _check_text(text: object, number: int) -> str:
    if isinstance(text, str):
        return text
    shown = " ".join(repr(text).split())  # a table or an array is shown on several lines
    raise InputError(
        f"Text {number} must be a string, but {shown:.60} ({type(text).__name__}) was given."
    )
