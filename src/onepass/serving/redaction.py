"""Redaction in the service: what the model is asked, and what becomes of what it found.

Patterns take a while in a long text, so all of it runs in a thread. It does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence

from onepass.decoding.result_limit import at_most, check_most
from onepass.errors import TooMuchFound
from onepass.extractor import Extractor
from onepass.redact import Options, Redacted, Redactor
from onepass.results.types import Extraction
from onepass.schema.options import CallOptions
from onepass.serving.problems import Refusal, refusal_of
from onepass.serving.question import Question, question_of


def asked_of(model: Extractor, options: Options) -> tuple[Redactor, Question]:
    """Return who redacts the texts of a request, and what the model is asked for it.

    Raises:
        Refusal: for hashes, if the service has no key.
        OnepassError: for labels that cannot be asked, or an option that is not known.

    >>> redactor, question = asked_of(Extractor(), Options(["email"]))
    >>> question.request.schema
    Schema().entities(['email'])
    """
    if options.key is None and "hash" in options.actions.values():
        raise Refusal(
            422,
            "invalid_request",
            "The action hash needs a key, and this service has none; start it with "
            "--redact-key, or ask for mask, label or pseudonym.",
        )
    redactor = Redactor(model, options)
    question = question_of(redactor.schema.to_dict(), CallOptions(redactor.threshold))
    return redactor, question


def redacted(
    redactor: Redactor, results: Sequence[Extraction | Refusal], most: int, name: str
) -> list[Redacted | Refusal]:
    """Return the texts of a request after their redaction, or why one has none.

    Args:
        redactor: of the request.
        results: what was found in each text.
        most: places in one text.
        name: what the error calls this bound.
    """
    redactor.avoid(one.text for one in results if isinstance(one, Extraction))
    return [
        one if isinstance(one, Refusal) else _redacted(redactor, one, most, name) for one in results
    ]


def _redacted(redactor: Redactor, doc: Extraction, most: int, name: str) -> Redacted | Refusal:
    done = redactor.of(doc)
    try:
        with at_most(most, name):
            check_most(len(done.found))
    except TooMuchFound as error:
        return refusal_of(error)
    return done
