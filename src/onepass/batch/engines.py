"""Who answers, as one kind of function: chunks in, chunks with their answers out, in order.

This one answers in this process; `processes` and `ray` have others. They do not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from onepass.batch.answering import Answer, Request, answers
from onepass.batch.rows import Chunk

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Answered = Generator[tuple[Chunk, list[Answer]], None, None]  # may be closed before its end
Engine = Callable[[Iterable[Chunk]], Answered]


def in_this_process(load: Callable[[], Extractor], request: Request) -> Engine:
    """Return an engine that answers here.

    Args:
        load: opens the model, when the first chunk is there.
        request: what is asked.
    """

    def run(chunks: Iterable[Chunk]) -> Answered:
        model: Extractor | None = None
        for chunk in chunks:
            model = model or load()
            yield chunk, answers(model, request, chunk.texts)

    return run
