"""What the service does with texts, apart from HTTP's routes: limits, the batcher, waiting.

It does not know how a text is read; that is the model's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request

from onepass.extractor import Extractor
from onepass.results.types import Extraction
from onepass.serving import wire
from onepass.serving.batcher import Batcher, Closed, Failed, Full, Outcome
from onepass.serving.metrics import Metrics
from onepass.serving.problems import Refusal, refusal_of
from onepass.serving.question import Question, names_at_least, question_of
from onepass.serving.settings import Settings

_WARMING = {"entities": ["person", "company", "place"]}
_SENTENCE = "Tim Cook, who runs Apple in Cupertino, met Ann Lee of Acme in Oslo. "


class Service:
    """One model behind one line of texts.

    Args:
        model: that reads.
        settings: limits.
        metrics: that count.
    """

    def __init__(self, model: Extractor, settings: Settings, metrics: Metrics) -> None:
        self.model = model
        self.settings = settings
        self.metrics = metrics
        self.batcher = Batcher(partial(_read, model), settings, metrics)
        metrics.watch("queue_texts", "Texts that wait to be read.", lambda: self.batcher.waiting)

    async def warm(self) -> None:
        """Read two texts: the first pays for what happens only once, the second tells the speed."""
        question = question_of(_WARMING)
        for text in (_SENTENCE, _SENTENCE * 8):
            await asyncio.wrap_future(self.batcher.submit([text], question))

    async def stop(self) -> None:
        await asyncio.to_thread(self.batcher.close)

    async def read(
        self, texts: Sequence[str], options: wire.Options, request: Request
    ) -> list[Extraction | Refusal]:
        """Return what is found in each text of a request, or why nothing can be.

        Raises:
            Refusal: if there is no answer to the request as a whole.
        """
        self._check_count(texts)
        question = await self.question(
            options.asked,
            threshold=options.threshold,
            overlap=options.overlap,
            on_long=options.on_long,
        )
        refused = {n: one for n, text in enumerate(texts) if (one := self._too_long(text))}
        taken = [text for n, text in enumerate(texts) if n not in refused]
        outcomes = iter(await self._outcomes(taken, question, request) if taken else ())
        return [refused[n] if n in refused else _result(next(outcomes)) for n in range(len(texts))]

    async def _outcomes(
        self, texts: Sequence[str], question: Question, request: Request
    ) -> list[Outcome]:
        """Have texts read."""
        try:
            future = self.batcher.submit(texts, question)
        except Full as error:
            raise Refusal(
                429,
                "busy",
                "More texts wait than are read in time; try again after the seconds in "
                "Retry-After.",
                retry_after=error.wait,
            ) from error
        except Closed as error:
            raise Refusal(
                503, "stopping", "The service is stopping; ask another one.", retry_after=1
            ) from error
        return await self._waited(future, request, len(texts))

    async def question(
        self,
        asked: Mapping[str, Any],
        *,
        threshold: float | Mapping[str, float] | None = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Question:
        """Return what is asked; see `question_of`.

        Raises:
            Refusal: for more names than are taken.
            SchemaError: for a schema that cannot be asked.
        """
        self._check_labels(names_at_least(asked))
        # In a thread of its own: a long schema takes a second, in which others are to be answered.
        question = await asyncio.to_thread(
            question_of, asked, threshold=threshold, overlap=overlap, on_long=on_long
        )
        self._check_labels(question.schema.labels_total)
        return question

    def _check_labels(self, labels: int) -> None:
        if labels > self.settings.labels:
            raise Refusal(
                422,
                "too_many_labels",
                f"The schema asks about {labels} names, but at most {self.settings.labels} are "
                "taken; split it.",
            )

    def _check_count(self, texts: Sequence[str]) -> None:
        if len(texts) > self.settings.texts:
            raise Refusal(
                422,
                "too_many_texts",
                f"The request has {len(texts)} texts, but at most {self.settings.texts} are taken; "
                "split it.",
            )

    def _too_long(self, text: str) -> Refusal | None:
        if len(text) <= self.settings.text_chars:
            return None
        return Refusal(
            422,
            "text_too_long",
            f"The text has {len(text)} characters, but at most {self.settings.text_chars} are "
            "taken; split it.",
        )

    async def _waited(
        self, future: Future[list[Outcome]], request: Request, count: int
    ) -> list[Outcome]:
        """Wait for outcomes; if the time is over or the client left, let them go."""
        outcomes: asyncio.Future[Any] = asyncio.wrap_future(future)
        left: asyncio.Future[Any] = asyncio.ensure_future(
            request.receive()
        )  # the body was read: only leaving is left
        try:
            await asyncio.wait(
                [outcomes, left],
                timeout=self.settings.timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if outcomes.done():
                done: list[Outcome] = outcomes.result()
                return done
            if left.done():
                raise ClientDisconnect
            raise Refusal(
                504,
                "timeout",
                f"The request was not done within {self.settings.timeout:g} seconds; send "
                f"{'a shorter text' if count == 1 else 'fewer texts'}, or try again later.",
            )
        finally:
            left.cancel()
            future.cancel()  # what still waits is not read; what wraps it follows a turn later


def _read(model: Extractor, texts: Sequence[str], question: Question) -> list[Extraction]:
    return model.extract(
        texts,
        question.schema,
        threshold=question.threshold,
        overlap=question.overlap,
        on_long=question.on_long,
    )


def _result(outcome: Outcome) -> Extraction | Refusal:
    if isinstance(outcome, Extraction):
        return outcome
    if isinstance(outcome, Failed):
        return Refusal(500, "internal", "The model failed on this text; the log says where.")
    return refusal_of(outcome)
