"""Answers about texts: how much was found in one, and the JSON that is sent.

JSON of very many values takes seconds to write. That is done in one thread, beside the loop that
hears all clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from onepass.decoding.result_limit import check_most
from onepass.errors import TooMuchFound
from onepass.results.redacted import Redacted
from onepass.results.types import Extraction
from onepass.results.values import values_in
from onepass.serving.problems import Refusal, encoded, json_of

_SMALL = 250  # values that are written in 1 to 4 ms; to a thread and back takes 0.1 ms

Result = Extraction | Redacted | Refusal


def values_found(doc: Extraction) -> int:
    """Return how many values were found in a text; a relation has two.

    >>> from onepass.results.types import Entity, Relation, Value
    >>> ann, bo = Value("Ann", 0, 3, 0.9), Value("Bo", 4, 6, 0.8)
    >>> values_found(
    ...     Extraction(
    ...         "Ann Bo",
    ...         entities=(Entity("person", "Bo", 4, 6, 0.9),),
    ...         records={"pair": ({"first": ann, "others": (bo,), "place": None},)},
    ...         relations=(Relation("knows", ann, bo, 0.7),),
    ...     )
    ... )
    5
    """
    records = [row for rows in doc.records.values() for row in rows]
    held = sum(len(values_in(one)) for row in records for one in row.values())
    return len(doc.entities) + held + 2 * len(doc.relations)


def checked(doc: Extraction) -> Extraction | TooMuchFound:
    """Return an extraction, or that more was found than `decoding.result_limit` lets through."""
    try:
        check_most(values_found(doc))
    except TooMuchFound as error:
        return error
    return doc


class Writer:
    """Writes answers as JSON: small ones at once, large ones in its thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "onepass-answer")

    async def written(self, results: Sequence[Result], before: str = "", after: str = "") -> bytes:
        """Return results as JSON.

        Args:
            results: of the texts of a request.
            before: what stands in front of them.
            after: what stands behind them.
        """
        if sum(map(_size, results)) <= _SMALL:
            return _written(results, before, after)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _written, results, before, after)

    def close(self) -> None:
        """Write nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _size(result: Result) -> int:
    """Return how many values are to be written."""
    if isinstance(result, Refusal):
        return 0
    if isinstance(result, Redacted):
        return len(result.found)
    return values_found(result) + sum(len(one.scores) for one in result.classifications.values())


def _written(results: Sequence[Result], before: str, after: str) -> bytes:
    # Each by itself: Python holds up all threads while it writes a value.
    each = [json_of(one.body() if isinstance(one, Refusal) else one.to_dict()) for one in results]
    return encoded(f"{before}{', '.join(each)}{after}")
