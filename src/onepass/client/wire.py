"""What a client sends and what comes back, as values; it opens no connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import httpx

from onepass.errors import InputError, ServiceError
from onepass.results.checks import check_text, check_whole
from onepass.results.redacted import Redacted
from onepass.results.types import Extraction
from onepass.schema import Schema, read_schema
from onepass.schema.options import CallOptions
from onepass.schema.shown import shown
from onepass.typed.plan import typed_plan

T = TypeVar("T")
R = TypeVar("R")
Labels = Sequence[str] | Mapping[str, str] | None
Action = str | Mapping[str, str]

_OF_OTHERS = (KeyError, TypeError, ValueError, RecursionError)  # what reading another answer raises
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_LAST_PORT = 65_535
_LONGEST_WORDS = 2_000  # characters of a message of the other side


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a service.

    Attributes:
        name: hub id or directory of its checkpoint, or "builtin".
        family: family of its checkpoint, such as "gliner2".
        backend: "onnx", "openvino" or "torch".
        precision: "fp32", "bf16", "fp16" or "int8".
        max_pieces: longest sequence in pieces that it reads at once, prompt included.

    >>> ModelInfo("builtin", "gliner2", "onnx", "int8", 512).backend
    'onnx'
    """

    name: str
    family: str
    backend: str
    precision: str
    max_pieces: int

    def __post_init__(self) -> None:
        for word in (self.name, self.family, self.backend, self.precision):
            check_text(word, "What a model is called")
        check_whole(self.max_pieces, "'max_pieces'")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is.

    Attributes:
        url: without a name and a password, so that it can be shown.
        login: the name and the password, which a proxy in front of the service asks for.
    """

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)


def address(url: str) -> Address:
    """Return the address of a service, or refuse what is none.

    >>> address("https://ann:secret@nlp.example.com/one")
    Address(url='https://nlp.example.com/one')
    """
    try:
        parsed = httpx.URL(url)
        known = parsed.scheme in ("http", "https") and _is_host(parsed.raw_host.decode())
        known = known and (parsed.port is None or 0 < parsed.port <= _LAST_PORT)
    except (httpx.InvalidURL, TypeError):
        known = False
    if not known:
        shown = f"...{url[url.rindex('@') :]}" if isinstance(url, str) and "@" in url else url
        raise InputError(
            f"{shown!r:.80} is no address of a service; give one such as http://host:8000."
        )
    if not parsed.userinfo:
        return Address(str(url))
    plain = parsed.copy_with(username=None, password=None)
    return Address(str(plain), (parsed.username, parsed.password))


def _is_host(name: str) -> bool:
    """Say whether a name can be looked up: neither blank nor odd, its parts not too long.

    >>> _is_host("my_service.example.com"), _is_host("::1"), _is_host("a b"), _is_host("a..b")
    (True, True, False, False)
    """
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return ":" in name or re.fullmatch(r"[\w.-]+", name) is not None


def headers(api_key: str | None, login: tuple[str, str] | None) -> dict[str, str]:
    """Return what every request carries; a key is never shown.

    Args:
        api_key: of the service.
        login: what stands in the header Authorization, so that the key needs another one.
    """
    # The service compresses nothing, and what another one compressed may fill the memory.
    sent = {"content-type": "application/json", "accept-encoding": "identity"}
    if api_key is None:
        return sent
    if not (isinstance(api_key, str) and api_key and api_key.isascii() and api_key.isprintable()):
        raise InputError("An API key is printable ASCII, but the one given is not; check it.")
    named = {"authorization": f"Bearer {api_key}"} if login is None else {"x-api-key": api_key}
    return {**sent, **named}


def tries(retries: int) -> int:
    """Return how often a request is sent again, or refuse a number that is none."""
    if type(retries) is not int or retries < 0:
        raise InputError(f"retries must be a whole number from 0, but {retries!r:.60} was given.")
    return retries


@contextmanager
def environment() -> Iterator[None]:
    """Refuse what the environment says of proxies and certificates and httpx cannot use."""
    try:
        yield
    except OSError as error:  # of files, which an error of TLS does not name
        raise InputError(
            f"The certificates of the environment cannot be used ({error.strerror or error}); "
            "correct SSL_CERT_FILE and SSLKEYLOGFILE, or unset them."
        ) from error
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        # An address may hold a password, which is shown neither here nor as the cause.
        reason = str(error).rstrip(".") if isinstance(error, ImportError) else "no such address"
        raise InputError(
            f"The proxy of the environment cannot be used ({reason}); correct HTTP_PROXY, "
            "HTTPS_PROXY, ALL_PROXY and NO_PROXY, or unset them."
        ) from None


def body(values: Mapping[str, Any] | None) -> bytes | None:
    r"""Return values as JSON in ASCII, which every string of Python has a form in.

    >>> body({"text": "\ud800"})
    b'{"text": "\\ud800"}'
    """
    return None if values is None else json.dumps(values).encode()


def asked(
    schema: object, options: CallOptions
) -> tuple[dict[str, Any], Callable[[Extraction], Extraction]]:
    """Return what is asked, as the service takes it, and what is made of each extraction."""
    plan = typed_plan(schema)
    known = schema if plan is None else plan.schema
    question = {"schema": read_schema(known).checked().to_dict(), **options.to_dict()}
    return question, (lambda doc: doc) if plan is None else plan.read


def redaction(
    labels: Labels,
    action: Action,
    faker: str | None,
    threshold: float | None,
    *,
    patterns: bool,
    region: str | None,
) -> dict[str, Any]:
    """Return how texts are redacted, as the service takes it.

    >>> redaction(["person"], "mask", None, None, patterns=True, region="DE")
    {'labels': ['person'], 'action': 'mask', 'patterns': True, 'region': 'DE'}
    """
    names = labels if labels is None or isinstance(labels, str | Mapping) else list(labels)
    given = {
        "labels": names, "action": action, "faker": faker, "threshold": threshold,
        "patterns": patterns, "region": region,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def texts(given: Sequence[str], method: str = "extract") -> list[str]:
    """Return the texts of a batch; one string is none."""
    if isinstance(given, str):
        raise InputError(
            f"{method}_batch takes a list of texts, but the one string {given!r:.60} was given; "
            f"use {method}."
        )
    if not isinstance(given, Iterable):
        raise InputError(
            f"{method}_batch takes a list of texts, but {given!r:.60} was given; give a list."
        )
    known = list(given)
    for number, one in enumerate(known, 1):
        if not isinstance(one, str):
            raise InputError(f"Text {number} must be a string, but {shown(one)} was given.")
    return known


def text(given: str, method: str = "extract") -> str:
    """Return a text, or refuse what is none."""
    if not isinstance(given, str):
        raise InputError(
            f"The text must be a string, but {shown(given)} was given; for several texts use "
            f"{method}_batch."
        )
    return given


def check_open(http: httpx.Client | httpx.AsyncClient, url: str) -> None:
    """Refuse to ask with a client that was closed."""
    if http.is_closed:
        raise ServiceError(
            f"The client of {url} is closed and asks for nothing more; make another one.",
            status=None,
            code="closed",
        )


def _unreached(error: httpx.HTTPError, url: str) -> ServiceError:
    """Return the error for a service that did not answer."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, NEVER_SENT):
        return ServiceError(
            f"The service at {url} did not answer in time; give a longer timeout, or fewer texts.",
            status=None,
            code="no_answer",
        )
    return ServiceError(
        f"The service at {url} did not answer ({type(error).__name__}); is it running?",
        status=None,
        code="no_answer",
    )


def refusal(said: Any, status: int | None) -> ServiceError:
    r"""Return the error that an answer holds, its words as plain text.

    Raises:
        KeyError, TypeError, ValueError: if it holds none.

    >>> refusal({"code": "busy", "message": "Busy.\x1b[31m"}, 429)
    ServiceError('Busy. [31m')
    """
    for name in ("message", "code"):
        check_text(said[name], f"{name!r}")
    hint = " A client sends the one that it is given as api_key." if status == 401 else ""
    message = _plain(said["message"]) + hint
    return ServiceError(message, status=status, code=_plain(said["code"]))


def _plain(words: str) -> str:
    """Return words of the other side so that they steer no terminal and fill no log."""
    return "".join(one if one.isprintable() else " " for one in words[:_LONGEST_WORDS])


def answer(got: httpx.Response | httpx.HTTPError, read: Callable[[Any], T], url: str) -> T:
    """Return what the body of an answer holds, or raise what it says.

    Args:
        got: the answer, or why there is none.
        read: makes values of the body; nothing that the caller wrote, whose errors are theirs.
        url: of the service.

    Raises:
        ServiceError: for a refusal, no answer, or an answer that is none of onepass.
    """
    if isinstance(got, httpx.HTTPError):
        raise _unreached(got, url) from got
    try:
        body = got.json()
    except (ValueError, RecursionError):
        body = None
    if got.status_code == 200:
        with suppress(*_OF_OTHERS):
            return read(body)
    error = None
    with suppress(*_OF_OTHERS):
        error = refusal(body["error"], got.status_code)
    raise error or ServiceError(
        f"The answer of {got.url} has the status {got.status_code} and is not one of onepass; is "
        "the address right?",
        status=got.status_code,
        code="not_onepass",
    )


def result(text: str) -> Callable[[Any], Extraction]:
    """Return what reads the result of a text, and refuses that of another one."""

    def read(body: Any) -> Extraction:
        found = Extraction.from_dict(body)
        # JSON makes one character of two surrogates that are a pair
        if found.text != text and found.text != json.loads(json.dumps(text)):
            raise ValueError("the result of another text")
        return found

    return read


def results(
    texts: Sequence[str], of: Callable[[str], Callable[[Any], R]]
) -> Callable[[Any], list[R | ServiceError]]:
    """Return what reads the results of a batch of these texts.

    Args:
        texts: that were sent.
        of: `result` or `redacted`.
    """

    def read(body: Any) -> list[R | ServiceError]:
        return [
            refusal(one["error"], None) if "error" in one else of(text)(one)
            for one, text in zip(body["results"], texts, strict=True)
        ]

    return read


def redacted(text: str) -> Callable[[Any], Redacted]:
    """Return what reads a text after its redaction, and refuses that of another one."""

    def read(body: Any) -> Redacted:
        try:
            return Redacted.from_dict(body, text)
        except ValueError:  # JSON makes one character of two surrogates that are a pair
            return Redacted.from_dict(body, json.loads(json.dumps(text)))

    return read


def each(
    make: Callable[[Extraction], Extraction], found: Iterable[Extraction | ServiceError]
) -> list[Extraction | ServiceError]:
    """Return the results of a batch with what is made of each extraction."""
    return [one if isinstance(one, ServiceError) else make(one) for one in found]


def checked(body: Any) -> Schema:
    """Return a schema that can be asked, or raise why it cannot."""
    if not body["valid"]:
        raise refusal(body["error"], 200)
    return Schema.from_dict(body["schema"])


def models(body: Any) -> list[ModelInfo]:
    """Return the models of a service."""
    names = [one.name for one in fields(ModelInfo)]
    return [ModelInfo(**{name: found[name] for name in names}) for found in body["models"]]
