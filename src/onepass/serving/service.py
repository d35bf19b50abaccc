"""What the service does with texts, apart from HTTP's routes: limits, the batcher, waiting.

It does not know how a text is read; that is the model's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from onepass.decoding.result_limit import at_most
from onepass.extractor import Extractor
from onepass.results.redacted import Redacted
from onepass.results.types import Extraction
from onepass.schema.options import DEFAULTS, CallOptions
from onepass.serving import wire
from onepass.serving.answers import Writer, checked
from onepass.serving.batcher import Batcher, Closed, Failed, Full, Outcome
from onepass.serving.metrics import Metrics
from onepass.serving.problems import Refusal, refusal_of
from onepass.serving.question import Question, names_at_least, question_of, written_form
from onepass.serving.redaction import asked_of, redacted
from onepass.serving.settings import Settings, with_flag

_WARMING = {"entities": ["person", "company", "place"]}
_SHORT = 4096  # characters of a schema that is read at once, in a few milliseconds at most
_LESS = "a shorter schema"
_SENTENCE = "Tim Cook, who runs Apple in Cupertino, met Ann Lee of Acme in Oslo. "

Result = TypeVar("Result")


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
        self.parsing = asyncio.Lock()  # of large bodies, between which others are heard
        self._schemas = ThreadPoolExecutor(2, "onepass-schema")  # for what takes a while
        self.writer = Writer()
        self.batcher = Batcher(partial(_read, model, settings.max_found), settings, metrics)
        metrics.watch("queue_texts", "Texts that wait to be read.", lambda: self.batcher.waiting)

    async def warm(self) -> None:
        """Read two texts: the first pays for what happens only once, the second tells the speed."""
        question = question_of(_WARMING)
        for text in (_SENTENCE, _SENTENCE * 8):
            await asyncio.wrap_future(self.batcher.submit([text], question, counted=False))

    async def stop(self) -> None:
        await asyncio.to_thread(self.batcher.close)
        self._schemas.shutdown(wait=False, cancel_futures=True)
        self.writer.close()

    async def read(
        self, texts: Sequence[str], asked: wire.Options, request: Request
    ) -> list[Extraction | Refusal]:
        """Return what is found in each text of a request, or why nothing can be.

        Raises:
            Refusal: if there is no answer to the request as a whole.
            SchemaError: for a schema that cannot be asked.
        """
        until = monotonic() + self.settings.timeout
        self._check_count(texts)
        question = await self._question(asked.asked, request, until, asked.options())
        return await self._results(texts, question, request, until)

    async def redact(
        self, texts: Sequence[str], asked: wire.RedactOptions, request: Request
    ) -> list[Redacted | Refusal]:
        """Return each text of a request after its redaction, or why nothing can be.

        Raises:
            Refusal: if there is no answer to the request as a whole.
            OnepassError: for labels that cannot be asked, or an option that is not known.
        """
        until = monotonic() + self.settings.timeout
        self._check_count(texts)
        options = asked.options(self.settings.redact_key)
        self._check_labels(len(options.labels))
        self._check_chars(len(written_form({"labels": options.labels})))
        made = self._schemas.submit(asked_of, self.model, options)
        redactor, question = await self._waited(made, request, until, "fewer labels")
        results = await self._results(texts, question, request, until)
        bound = self.settings.max_found, f"{with_flag('max_found')} of this service"
        done = self._schemas.submit(redacted, redactor, results, *bound)
        return await self._waited(done, request, until, _less(texts))

    async def _results(
        self, texts: Sequence[str], question: Question, request: Request, until: float
    ) -> list[Extraction | Refusal]:
        """Have those texts read that are not too long."""
        refused = {n: one for n, text in enumerate(texts) if (one := self._too_long(text))}
        taken = [text for n, text in enumerate(texts) if n not in refused]
        outcomes = iter(await self._outcomes(taken, question, request, until) if taken else ())
        return [refused[n] if n in refused else _result(next(outcomes)) for n in range(len(texts))]

    async def check(self, asked: Mapping[str, Any], request: Request) -> Question:
        """Return what a schema asks, if this model can be asked it.

        Raises:
            Refusal: for a schema that is too large, or if there is no answer in time.
            OnepassError: for a schema that cannot be asked.
        """
        until = monotonic() + self.settings.timeout
        question = await self._question(asked, request, until)
        planned = self._schemas.submit(question.request.many, self.model, [])
        await self._waited(planned, request, until, _LESS)
        return question

    async def _outcomes(
        self, texts: Sequence[str], question: Question, request: Request, until: float
    ) -> list[Outcome]:
        """Have texts read."""
        try:
            future = self.batcher.submit(texts, question)
        except Full as error:
            raise Refusal(
                429,
                "busy",
                f"{error}; try again after the seconds in Retry-After.",
                retry_after=error.wait,
            ) from error
        except Closed as error:
            raise Refusal(
                503, "stopping", "The service is stopping; ask another one.", retry_after=1
            ) from error
        return await self._waited(future, request, until, _less(texts))

    async def _question(
        self,
        asked: Mapping[str, Any],
        request: Request,
        until: float,
        options: CallOptions = DEFAULTS,
    ) -> Question:
        """Return what is asked; see `question_of`."""
        self._check_labels(names_at_least(asked))
        chars = len(written_form(asked))
        self._check_chars(chars)
        make = partial(question_of, asked, options)
        if chars <= _SHORT:
            question = make()
        else:
            question = await self._waited(self._schemas.submit(make), request, until, _LESS)
        self._check_labels(question.request.schema.labels_total)
        return question

    def _check_chars(self, chars: int) -> None:
        if chars > self.settings.max_schema_chars:
            raise Refusal(
                422,
                "schema_too_long",
                f"The schema has {chars} characters, but {with_flag('max_schema_chars')} of this "
                f"service is {self.settings.max_schema_chars}; shorten its descriptions and "
                "examples, or split the schema.",
            )

    def _check_labels(self, labels: int) -> None:
        if labels > self.settings.max_labels:
            raise Refusal(
                422,
                "too_many_labels",
                f"The schema asks about {labels} names, but {with_flag('max_labels')} of this "
                f"service is {self.settings.max_labels}; split the schema.",
            )

    def _check_count(self, texts: Sequence[str]) -> None:
        if len(texts) > self.settings.max_texts:
            raise Refusal(
                422,
                "too_many_texts",
                f"The request has {len(texts)} texts, but {with_flag('max_texts')} of this "
                f"service is {self.settings.max_texts}; send several requests.",
            )

    def _too_long(self, text: str) -> Refusal | None:
        if len(text) <= self.settings.max_text_chars:
            return None
        return Refusal(
            422,
            "text_too_long",
            f"The text has {len(text)} characters, but {with_flag('max_text_chars')} of this "
            f"service is {self.settings.max_text_chars}; split the text.",
        )

    async def _waited(
        self, future: Future[Result], request: Request, until: float, less: str
    ) -> Result:
        """Wait for a result; if the time is over or the client left, let it go."""
        result: asyncio.Future[Result] = asyncio.wrap_future(future)
        left: asyncio.Future[Any] = asyncio.ensure_future(
            request.receive()
        )  # the body was read: only leaving is left
        try:
            await asyncio.wait(
                [result, left],
                timeout=until - monotonic(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if result.done():
                return result.result()
            if left.done():
                raise ClientDisconnect
            raise Refusal(
                504,
                "timeout",
                f"The request was not done within {self.settings.timeout:g} seconds, the "
                f"{with_flag('timeout')} of this service; send {less}, or try again later.",
            )
        finally:
            left.cancel()
            future.cancel()  # what still waits is not read
            result.cancel()  # and an error of what goes on is nobody's


def _read(model: Extractor, most: int, texts: Sequence[str], question: Question) -> list[Outcome]:
    """Return what is found in texts that are read together; too much is not kept."""
    with at_most(most, f"{with_flag('max_found')} of this service"):
        return [checked(doc) for doc in question.request.many(model, texts)]


def _less(texts: Sequence[str]) -> str:
    return "a shorter text" if len(texts) == 1 else "fewer texts"


def _result(outcome: Outcome) -> Extraction | Refusal:
    if isinstance(outcome, Extraction):
        return outcome
    if isinstance(outcome, Failed):
        return Refusal(500, "internal", "The model failed on this text; the log says where.")
    return refusal_of(outcome)
