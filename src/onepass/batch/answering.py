"""From texts to answers: past texts that the model refuses, without knowing rows or files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from onepass.errors import InputError, RunFailed
from onepass.schema.options import DEFAULTS, CallOptions

if TYPE_CHECKING:
    from onepass.batch.job import Job, ModelChoice
    from onepass.extractor import Extractor
    from onepass.results.types import Extraction
    from onepass.schema.schema import Schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer for a text that the model refuses, and why."""

    error: str


@dataclass(frozen=True, slots=True)
class Read:
    """The answer for a text that was read.

    Attributes:
        json: what is written of it: an extraction, or what other work makes of its row.
        truncated: whether it was not read whole.
    """

    json: str
    truncated: bool


Answer = Read | Refused


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every text, and how; the words are those of `Extractor.extract`."""

    schema: Schema
    options: CallOptions = DEFAULTS

    def one(self, model: Extractor, text: str) -> Extraction:
        """Return what is found in one text."""
        return self.many(model, [text])[0]

    def many(self, model: Extractor, texts: Sequence[str]) -> list[Extraction]:
        """Return what is found in each text, in their order."""
        own = self.options
        return model.extract(
            texts,
            self.schema,
            threshold=own.threshold,
            overlap=own.overlap,
            on_long=own.on_long,
            solver=own.solver,
        )

    def stream(self, model: Extractor, texts: Iterable[str]) -> Iterator[Extraction]:
        """Yield what is found in each text, in their order, as they are read."""
        own = self.options
        return model.stream(
            texts,
            self.schema,
            threshold=own.threshold,
            overlap=own.overlap,
            on_long=own.on_long,
            solver=own.solver,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; jobs that were begun are known by them."""
        return {"schema": self.schema.to_dict(), **self.options.to_dict()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Request:
        """Rebuild what `to_dict` gave."""
        from onepass.schema.schema import Schema

        options = {name: value for name, value in given.items() if name != "schema"}
        return cls(Schema.from_dict(given["schema"]), CallOptions(**options))


def request_of(job: Job) -> Request:
    """Return what a job asks of every text.

    Raises:
        SchemaError: for a schema that cannot be asked.
    """
    from onepass.schema import read_schema

    return Request(read_schema(job.schema).checked(), job.options)


def open_model(choice: ModelChoice) -> Extractor:
    """Return the model that was chosen.

    Raises:
        OnepassError: if there is no such model, or it cannot be run here.
    """
    from onepass.builtin import NAME
    from onepass.extractor import Extractor

    return Extractor.from_pretrained(
        NAME if choice.name is None else choice.name,
        backend=choice.backend,
        precision=choice.precision,
        threads=choice.threads,
        device=choice.device,
        compiled=choice.compiled,
        revision=choice.revision,
    )


def found(
    model: Extractor, request: Request, texts: Sequence[str]
) -> Iterator[Extraction | Refused]:
    """Yield what is found in each text, or why the model refuses it.

    Raises:
        OnepassError: if the request as a whole cannot be answered; at once.
    """
    docs = request.stream(model, texts)  # checks the request, not yet a text
    return past_refused(texts, docs, partial(request.one, model))


def past_refused(
    texts: Sequence[str], answered: Iterator[T], one: Callable[[str], T]
) -> Iterator[T | Refused]:
    """Yield the answer for each text; if the model refuses one, go on text by text.

    Args:
        texts: that are read.
        answered: their answers, in order, until a text is refused.
        one: answers one text.
    """
    done = 0
    try:
        for answer in answered:
            yield answer
            done += 1
    except (InputError, RunFailed):  # which text it was, only asking again can tell
        for text in texts[done:]:
            try:
                yield one(text)
            except (InputError, RunFailed) as error:
                yield Refused(str(error))


def answers(model: Extractor, request: Request, texts: Sequence[str]) -> list[Answer]:
    """Return the answer for each text.

    Raises:
        OnepassError: if the request as a whole cannot be answered.
    """
    docs = found(model, request, texts)
    return [
        doc if isinstance(doc, Refused) else Read(doc.to_json(), doc.coverage.truncated)
        for doc in docs
    ]


def column_answers(
    model: Extractor, request: Request, values: Sequence[object]
) -> tuple[list[str | None], list[str | None]]:
    """Return what is found in the values of a column, as JSON, and why others failed.

    Args:
        model: reads the texts.
        request: what is asked.
        values: texts; whatever else is there fails.

    Returns:
        Two lists as long as the column; of each row one of them has a string.

    Raises:
        OnepassError: if the request as a whole cannot be answered.
    """
    got = iter(answers(model, request, [value for value in values if isinstance(value, str)]))
    rows = [
        next(got) if isinstance(value, str) else Refused("the text must be a string")
        for value in values
    ]
    answered = [None if isinstance(row, Refused) else row.json for row in rows]
    return answered, [row.error if isinstance(row, Refused) else None for row in rows]
