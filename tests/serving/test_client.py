"""The client and its twin, against a real service and against refusals made to measure."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import BaseModel, model_validator

from onepass import Schema
from onepass.client import AsyncClient, Client, async_client, client
from onepass.errors import InputError, MissingExtra, SchemaError, ServiceError
from onepass.redact import Options, Redactor, redact
from onepass.results.types import Entity, Extraction
from onepass.serving.settings import Settings

PEOPLE = Schema().entities(["person"])
TEXTS = ["Tim Cook spoke.", "word " * 3000, "Ann Lee spoke."]


def test_both_clients_return_what_the_model_returns(service, model):
    schema = (
        Schema().entities({"person": "a human being"}).classification("tone", ["calm", "angry"])
    )
    options: dict[str, Any] = {
        "threshold": {"entities": 0.3}, "overlap": "all", "on_long": "truncate", "solver": "exact",
    }  # fmt: skip
    expected = model.extract(TEXTS[0], schema, **options)
    with Client(service.url) as client:
        assert client.extract(TEXTS[0], schema, **options) == expected
        assert client.models()[0].name == "builtin"
        assert client.check(schema) == schema
        _check_batch(client.extract_batch(TEXTS, PEOPLE, on_long="error"))

    async def twin() -> None:
        async with AsyncClient(service.url) as client:
            assert await client.extract(TEXTS[0], schema, **options) == expected
            assert (await client.models())[0].name == "builtin"
            assert await client.check(schema) == schema
            _check_batch(await client.extract_batch(TEXTS, PEOPLE, on_long="error"))

    asyncio.run(twin())


def _check_batch(results: list[Extraction | ServiceError]) -> None:
    first, second, third = results
    assert isinstance(first, Extraction)
    assert isinstance(second, ServiceError)
    assert second.code == "text_too_long"
    assert isinstance(third, Extraction)
    assert third.entities[0].text == "Ann Lee"


def test_refusals_become_errors(service, start, model):
    with Client(service.url) as client:
        with pytest.raises(SchemaError):
            client.extract("a", {"entities": []})
        with pytest.raises(ServiceError, match=r"max_labels .* is 20") as refused:
            client.check({"entities": [str(n) for n in range(30)]})
        assert refused.value.code == "too_many_labels"
        with pytest.raises(ServiceError) as refused:
            client.extract("a", PEOPLE, threshold={"place": 0.5})
        assert (refused.value.status, refused.value.code) == (422, "invalid_request")
        with pytest.raises(InputError, match="list of texts"):
            client.extract_batch("a", PEOPLE)  # the mistake is that a string is a sequence
    with start(model, Settings(api_keys=("a-secret-of-16-characters",))) as one:
        with Client(one.url) as client, pytest.raises(ServiceError) as refused:
            client.models()
        assert refused.value.status == 401
        assert str(refused.value).endswith("sends the one that it is given as api_key.")
        with Client(one.url, api_key="a-secret-of-16-characters") as client:
            assert client.models()


class Person(BaseModel):
    """Somebody who runs something."""

    name: str


def test_a_class_gives_instances_as_the_extractor_does(service, model):
    text = "Tim Cook runs Apple in Cupertino."
    expected = model.extract(text, Person)
    assert expected.value == Person(name="Tim Cook")
    with Client(service.url) as client:
        assert client.extract(text, Person) == expected
        assert client.extract_batch([text], Person) == [expected]

    async def twin() -> None:
        async with AsyncClient(service.url) as client:
            assert await client.extract(text, Person) == expected
            assert await client.extract_batch([text], Person) == [expected]

    asyncio.run(twin())


@pytest.mark.parametrize("error", [KeyError, TypeError, ArithmeticError])
def test_an_error_of_the_users_class_is_theirs(service, error: type[Exception]):
    class Strict(BaseModel):
        name: str

        @model_validator(mode="after")
        def check(self) -> "Strict":
            raise error("mine")

    with Client(service.url) as client:
        with pytest.raises(error, match="mine"):
            client.extract("Tim Cook runs Apple.", Strict)
        with pytest.raises(error, match="mine"):
            client.extract_batch(["Tim Cook runs Apple."], Strict)

    async def twin() -> None:
        async with AsyncClient(service.url) as client:
            with pytest.raises(error, match="mine"):
                await client.extract("Tim Cook runs Apple.", Strict)
            with pytest.raises(error, match="mine"):
                await client.extract_batch(["Tim Cook runs Apple."], Strict)

    asyncio.run(twin())


HUGE: dict[str, Any] = Extraction("Bo", entities=(Entity("person", "Bo", 0, 2, 0.5),)).to_dict()
HUGE["entities"][0]["score"] = 10**400  # no float holds it


@pytest.mark.parametrize(
    "body",
    [3, [], HUGE, {"results": 3}, {"results": [3]}, {"results": [[]]}, {"results": [HUGE]},
     {"results": [{"error": {"code": 3, "message": []}}]}],
)  # fmt: skip
def test_an_extraction_of_another_service(body: object):
    for method in ("extract", "extract_batch"):
        transport = httpx.MockTransport(answering((200, {}, body)))
        with Client(retries=0, transport=transport) as client:
            given = "Bo" if method == "extract" else ["Bo"]
            with pytest.raises(ServiceError, match="is the address right"):
                getattr(client, method)(given, PEOPLE)


def test_no_service_at_all_is_an_error_that_names_the_address():
    with (
        Client("http://127.0.0.1:1", retries=0) as client,
        pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:1 did not answer") as refused,
    ):
        client.models()
    assert (refused.value.status, refused.value.code) == (None, "no_answer")


def test_without_httpx_the_import_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    for name in (
        "onepass.client",
        "onepass.client.client",
        "onepass.client.async_client",
        "onepass.client.wire",
    ):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"pip install 'onepass\[client\]'"):
        importlib.import_module("onepass.client")


@pytest.mark.parametrize("url", ["localhost:8000", "", "http://", "http://a:b", "ftp://host", None])
def test_an_address_that_is_none(url: Any):
    with pytest.raises(InputError, match="is no address of a service"):
        Client(url)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": -1}, "retries must be a whole number from 0"),
        ({"retries": 1.5}, "retries must be a whole number from 0"),
        ({"timeout": -1}, "timeout must be seconds above 0"),
        ({"timeout": None}, "timeout must be seconds above 0"),
        ({"timeout": "5"}, "timeout must be seconds above 0"),
        ({"api_key": ""}, "printable ASCII"),
        ({"api_key": 5}, "printable ASCII"),
    ],
)
def test_options_that_are_none(options: dict[str, Any], message: str):
    for kind in (Client, AsyncClient):
        with pytest.raises(InputError, match=message):
            kind(**options)


def test_texts_and_thresholds_are_checked_before_they_are_sent():
    wrong: Any
    with Client("http://127.0.0.1:1", retries=0) as client:
        for wrong in (b"x", None, ["Ann"]):
            with pytest.raises(InputError, match=r"must be a string, .* use extract_batch\.$"):
                client.extract(wrong, PEOPLE)
        wrong = ["Ann", 5]
        with pytest.raises(InputError, match=r"^Text 2 must be a string, but 5 was given\.$"):
            client.extract_batch(wrong, PEOPLE)
        wrong = None
        with pytest.raises(InputError, match="takes a list of texts"):
            client.extract_batch(wrong, PEOPLE)
        wrong = "high"
        with pytest.raises(InputError, match="threshold must be a number"):
            client.extract("a", PEOPLE, threshold=wrong)
        for wrong in (True, "0.4", float, 3.0, {"city": True}, {"city": "0.4"}, {"city": 10**400}):
            with pytest.raises(InputError, match="must be a number from 0 to 1, but "):
                client.extract("a", PEOPLE, threshold=wrong)
        wrong = {("a", "b"): 0.5}
        with pytest.raises(InputError, match="threshold must be a number or numbers by name"):
            client.extract("a", PEOPLE, threshold=wrong)
        wrong = object()
        with pytest.raises(InputError, match=r"^overlap <object .* is not known; all, nested,"):
            client.extract("a", PEOPLE, overlap=wrong)
        with pytest.raises(InputError, match=r"^on_long <object .* is not known; window, error,"):
            client.extract("a", PEOPLE, on_long=wrong)
        with pytest.raises(InputError, match=r"^solver <object .* is not known; greedy, exact are"):
            client.extract("a", PEOPLE, solver=wrong)


@pytest.mark.parametrize(
    "asked", [np.float32(0.5), np.float64(0.5), np.int64(0), Fraction(1, 2), {"person": np.int8(0)}]
)
def test_a_threshold_of_numpy(service: Any, asked: Any):
    with Client(service.url) as client:
        assert client.extract("Tim Cook left.", PEOPLE, threshold=asked).entities


def test_a_closed_client_says_so():
    client = Client("http://127.0.0.1:1", retries=0)
    client.close()

    async def closed() -> None:
        other = AsyncClient("http://127.0.0.1:1", retries=0)
        await other.close()
        await other.extract("a", PEOPLE)

    for ask in (lambda: client.extract("a", PEOPLE), client.models, lambda: asyncio.run(closed())):
        with pytest.raises(ServiceError, match="is closed and asks for nothing more") as refused:
            ask()
        assert (refused.value.status, refused.value.code) == (None, "closed")


def test_a_client_that_is_closed_while_it_waits_to_try_again_says_so(
    monkeypatch: pytest.MonkeyPatch,
):
    given = Client("http://127.0.0.1:1")  # where nobody listens
    twin = AsyncClient("http://127.0.0.1:1")

    async def closing(_seconds: float) -> None:
        await twin.close()

    monkeypatch.setattr(client, "sleep", lambda _seconds: given.close())
    monkeypatch.setattr(async_client, "sleep", closing)
    for ask in (given.models, lambda: asyncio.run(twin.models())):
        with pytest.raises(ServiceError, match="is closed and asks for nothing more") as refused:
            ask()
        assert (refused.value.status, refused.value.code) == (None, "closed")


def test_a_client_that_is_closed_while_it_asks_says_so():
    def answer(_asked: httpx.Request) -> httpx.Response:
        given.close()
        raise httpx.ReadError("")

    given = Client(transport=httpx.MockTransport(answer))
    with pytest.raises(ServiceError, match="is closed and asks for nothing more"):
        given.models()


def test_a_key_that_cannot_be_sent_is_not_shown():
    with pytest.raises(InputError, match="printable ASCII") as refused:
        Client(api_key="sécret-key-of-16-characters")
    assert "cret" not in str(refused.value)


INFO = {"name": "a", "family": "b", "backend": "c", "precision": "d", "max_pieces": 1}


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"models": [{}]}, {"models": 3}, {"models": [INFO | {"name": 1}]},
     {"models": [INFO | {"precision": None}]}, {"models": [INFO | {"max_pieces": "x"}]}],
)  # fmt: skip
def test_an_answer_of_another_service(body: object):
    with pytest.raises(ServiceError, match="is the address right") as refused:
        models(False, 0, (200, {}, body))
    assert refused.value.code == "not_onepass"


def test_the_words_of_the_other_side_are_shown_as_text():
    said = {"code": "bu\rsy", "message": "Busy\x1b[31m now.\n" + "a" * 100_000}
    with pytest.raises(ServiceError, match=r"^Busy \[31m now\. a+$") as refused:
        models(False, 0, (422, {}, {"error": said}))
    assert (refused.value.code, len(str(refused.value))) == ("bu sy", 2_000)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_answer_with_another_number_of_results(count: int):
    one = {"error": {"code": "internal", "message": "The model failed."}}
    transport = httpx.MockTransport(answering((200, {}, {"results": [one] * count})))
    with Client(transport=transport) as client, pytest.raises(ServiceError) as refused:
        client.extract_batch(["a", "b"], PEOPLE)
    assert refused.value.code == "not_onepass"


def test_half_a_surrogate_pair_is_sent(service: Any):
    with Client(service.url) as client:
        assert client.extract("a \ud83d b", {"entities": ["person"]}).text == "a \ud83d b"


# -- retries -----------------------------------------------------------------------------------

Answer = tuple[int, dict[str, str], object]
BUSY: Answer = (429, {"retry-after": "3"}, {"error": {"code": "busy", "message": "Busy."}})
GOOD: Answer = (200, {}, {"models": [], "limits": {}})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the seconds that clients wait for instead of waiting."""
    waited: list[float] = []

    async def later(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(client, "sleep", waited.append)
    monkeypatch.setattr(async_client, "sleep", later)  # not for all: the service sleeps, too
    return waited


def answering(*answers: Answer) -> Callable[[httpx.Request], httpx.Response]:
    """Return what gives one answer after the other."""
    left: Iterator[Answer] = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        status, headers, body = next(left)
        if isinstance(body, bytes):
            return httpx.Response(status, headers=headers, content=body)
        return httpx.Response(status, headers=headers, json=body)

    return answer


def models(twin: bool, retries: int, *answers: Answer) -> object:
    """Ask for models, with the client or its twin."""
    transport = httpx.MockTransport(answering(*answers))
    if not twin:
        with Client(retries=retries, transport=transport) as client:
            return client.models()

    async def ask() -> object:
        async with AsyncClient(retries=retries, transport=transport) as client:
            return await client.models()

    return asyncio.run(ask())


@pytest.mark.parametrize("twin", [False, True])
def test_a_busy_service_is_asked_again_when_it_said_so(twin: bool, waits: list[float]):
    assert models(twin, 2, BUSY, BUSY, GOOD) == []
    assert len(waits) == 2
    assert all(3 <= seconds <= 3.75 for seconds in waits)


@pytest.mark.parametrize("twin", [False, True])
def test_the_last_refusal_is_raised(twin: bool, waits: list[float]):
    with pytest.raises(ServiceError, match="Busy") as refused:
        models(twin, 1, BUSY, BUSY, GOOD)
    assert (refused.value.status, len(waits)) == (429, 1)


@pytest.mark.parametrize("twin", [False, True])
def test_other_refusals_are_not_sent_again(twin: bool, waits: list[float]):
    error = (422, {}, {"error": {"code": "invalid_schema", "message": "No."}})
    with pytest.raises(ServiceError, match="No"):
        models(twin, 5, error, GOOD)
    assert waits == []


@pytest.mark.parametrize(
    "answer",
    [(502, {}, "<html>"), (200, {}, None), (404, {}, {"a": 1}), (200, {}, b"[" * 100_000),
     (404, {}, {"error": {"message": "No."}})],
)  # fmt: skip
def test_what_is_no_service_of_ours_is_said(answer: Answer):
    with pytest.raises(ServiceError, match="not one of onepass") as refused:
        models(False, 0, answer)
    assert refused.value.code == "not_onepass"


def test_a_service_that_starts_late_is_waited_for(waits: list[float]):
    calls = iter([httpx.ConnectError("no"), httpx.ConnectError("no"), None])

    def answer(request: httpx.Request) -> httpx.Response:
        error = next(calls)
        if error is not None:
            raise error
        return httpx.Response(200, json={"models": []})

    with Client(transport=httpx.MockTransport(answer)) as client:
        assert client.models() == []
    assert [round(seconds, 1) >= 0.2 for seconds in waits] == [True, True]


def test_both_clients_redact_as_the_library_does(start, model):
    texts = [
        "Anna Weiss wrote from anna@example.com.", "Not Bo, but Anna Weiss \U0001f600 wrote.",
        "word " * 3000,
    ]  # fmt: skip
    key = b"sixteen-bytes-or-more"
    how: dict[str, Any] = {"action": {"": "pseudonym", "email": "hash"}, "threshold": 0.3}
    labels = {"person": "a human being", "email": ""}
    redactor = Redactor(model, Options(labels, key=key, **how))
    redactor.avoid(texts)
    expected = list(redactor.stream(texts[:2]))
    plain = redact(model, texts[0])
    settings = Settings(redact_key=key, max_text_chars=100)
    with start(model, settings) as service, Client(service.url) as client:
        assert client.redact(texts[0]) == plain
        *both, long = client.redact_batch(texts, labels, **how)
        assert both == expected
        assert isinstance(long, ServiceError)
        assert long.code == "text_too_long"
        assert client.redact_batch([]) == []
        with pytest.raises(ServiceError, match=r"not among the labels: person\.$"):
            client.redact("Bo", ["person"], action={"email": "mask"})
        with pytest.raises(InputError, match="use redact_batch"):
            client.redact(texts)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="use redact"):
            client.redact_batch("Bo")
        pair = "\ud83d\ude00 Anna Weiss"  # two surrogates, which JSON makes one character
        assert client.redact(pair, ["person"], action="mask").text == "\U0001f600 **** *****"

        async def twin() -> None:
            async with AsyncClient(service.url) as client:
                assert await client.redact(texts[0]) == plain
                found = await client.redact_batch(texts[:2], labels, **how)
                assert found == expected
                assert await client.redact_batch([]) == []

        asyncio.run(twin())
