"""The service over HTTP: answers, refusals, limits, keys, metrics, logs."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from time import monotonic, process_time, sleep
from typing import Any

import httpx
import pytest

from onepass.errors import MissingExtra
from onepass.extractor import Extractor
from onepass.models.thresholds import KINDS
from onepass.redact import redact
from onepass.schema.json_schema import SCHEMA_JSON_SCHEMA
from onepass.schema.options import CallOptions
from onepass.serving import question, wire
from onepass.serving.guard import ROUTES
from onepass.serving.question import Question, question_of
from onepass.serving.routes import router
from onepass.serving.settings import Settings

KEY = "a-secret-of-16-characters"
SLOW = {"name": "code", "pattern": "(a+)+$"}  # takes forever on "aaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
PATTERN = {"structures": {"item": {"fields": [SLOW]}}}


LONG = {"entities": {"person": "somebody with a name, " * 200}}  # read in a thread


def slowly(reading: Event, go_on: Event) -> Callable[..., Question]:
    """Return what reads a schema, a long one when it may go on."""

    def slow(asked: dict[str, Any], *options: CallOptions) -> Question:
        if asked == LONG:
            reading.set()
            assert go_on.wait(30)
            asked = {"entities": ["person"]}
        return question_of(asked, *options)

    return slow


def ask(http: httpx.Client, text: str, **more: Any) -> httpx.Response:
    return http.post("/v1/extract", json={"text": text, "schema": {"entities": ["person"]}} | more)


def post(http: httpx.Client, body: bytes) -> httpx.Response:
    return http.post("/v1/extract", content=body, headers={"content-type": "application/json"})


def error(got: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal, which is one sentence."""
    body = got.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert re.fullmatch(r"[A-Z].*[.?]", body["error"]["message"], re.DOTALL)
    return got.status_code, body["error"]["code"]


# -- answers -----------------------------------------------------------------------------------


def test_an_answer_is_what_the_model_finds(service, model: Extractor):
    text = "Tim Cook announced the iPhone 15 for $999 in Cupertino. \U0001f600 Ann Lee, too."
    schema = {
        "entities": {"person": None, "location": "a place"},
        "classifications": {"tone": ["calm", "angry"]},
        "structures": {"product": ["name::str", "price"]},
        "relations": ["announced"],
    }
    options: dict[str, Any] = {"threshold": {"entities": 0.3}, "overlap": "nested"}
    got = service.http.post("/v1/extract", json={"text": text, "schema": schema, **options})
    assert got.status_code == 200
    found = got.json()
    expected = json.loads(model.extract(text, schema, **options).to_json())
    assert found == expected
    wire.ExtractAnswer.model_validate(found)  # the shape that /openapi.json describes
    for entity in found["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]


def test_a_batch_keeps_the_order_and_a_text_that_is_too_long_fails_alone(service):
    texts = ["Tim Cook spoke.", "word " * 3000, "Ann Lee spoke.", ""]
    body = {"texts": texts, "schema": {"entities": ["person"]}, "on_long": "error"}
    results = service.http.post("/v1/extract/batch", json=body).json()["results"]
    assert [one.get("text") for one in results] == [texts[0], None, texts[2], ""]
    wire.BatchAnswer.model_validate({"results": results})
    assert results[1]["error"]["code"] == "text_too_long"
    assert results[2]["entities"][0]["text"] == "Ann Lee"


def test_a_text_of_a_batch_above_the_limit_fails_alone(service):
    for texts in (["Tim Cook spoke.", "a" * 20_001, "Ann Lee spoke."], ["a" * 20_001]):
        body = {"texts": texts, "schema": {"entities": ["person"]}}
        got = service.http.post("/v1/extract/batch", json=body)
        assert got.status_code == 200
        results = got.json()["results"]
        assert [one.get("text") for one in results] == [t if len(t) < 99 else None for t in texts]
        problem = next(one["error"] for one in results if "error" in one)
        assert problem["code"] == "text_too_long"
        assert "20001 characters, but max_text_chars (--max-text-chars)" in problem["message"]


def test_a_text_that_utf_8_cannot_hold_comes_back_as_it_was(service):
    body = {"text": "Ann Lee \ud800 spoke.", "schema": {"entities": ["person"]}}
    got = post(service.http, json.dumps(body).encode())
    assert json.loads(got.content)["text"] == body["text"]


def test_the_text_of_a_single_request_that_is_too_long_for_the_window_is_refused(service):
    assert error(ask(service.http, "word " * 3000, on_long="error")) == (422, "text_too_long")


def test_the_solver_of_a_request(service, monkeypatch: pytest.MonkeyPatch):
    schema = {"relations": {"runs": {"max_tails": 1}}}
    got = ask(service.http, "Tim Cook runs Apple.", schema=schema, solver="exact")
    asked = Extractor().extract("Tim Cook runs Apple.", schema, solver="exact")
    assert [one["tail"]["text"] for one in got.json()["relations"]] == [
        one.tail.text for one in asked.relations
    ]
    assert error(ask(service.http, "Ann", solver="best")) == (422, "invalid_request")

    def missing() -> None:
        raise MissingExtra("An exact choice", "exact")

    monkeypatch.setattr(question, "check_solver", missing)
    refused = ask(service.http, "Ann", solver="exact")
    assert error(refused) == (422, "not_installed")
    assert refused.json()["error"]["message"] == (
        "An exact choice needs the extra 'exact', which is not installed where the service runs; "
        "leave it out, or install it there."
    )


def test_many_clients_are_read_together_and_each_gets_its_own_answer(start, gated):
    with start(gated, Settings(batch_delay_ms=50)) as one, ThreadPoolExecutor(12) as pool:
        texts = [f"Ann Lee number {n} met Tim Cook." for n in range(12)]
        before = len(gated.calls)
        answers = list(pool.map(lambda text: ask(one.http, text).json(), texts))
        assert [answer["text"] for answer in answers] == texts
        assert len(gated.calls) - before < 8
        assert one.metric("onepass_texts_total") == 12


def test_schemas_are_checked(service):
    def check(schema: object) -> dict[str, Any]:
        got = service.http.post("/v1/schema/validate", json={"schema": schema})
        assert got.status_code == 200
        return dict(got.json())

    good = check({"entities": {"person": None, "company": None}})
    assert good["valid"]
    assert good["schema"] == {"entities": ["person", "company"]}
    assert (good["labels"], good["error"]) == (2, None)
    for schema, code in [
        ({}, "invalid_schema"),
        ({"entities": ["a", "a"]}, "invalid_schema"),
        ({"entities": [str(n) for n in range(21)]}, "too_many_labels"),
        ({"entities": ["a"], "name_entities": True}, "invalid_schema"),
    ]:
        bad = check(schema)
        assert (bad["valid"], bad["error"]["code"]) == (False, code), schema


def test_models_and_limits(service):
    body = service.http.get("/v1/models").json()
    (about,) = body["models"]
    assert (about["name"], about["backend"]) == ("builtin", "onnx")
    assert body["limits"] == {
        "max_body_bytes": 100_000,
        "max_text_chars": 20_000,
        "max_texts": 8,
        "max_schema_chars": 131_072,
        "max_labels": 20,
        "max_found": 10_000,
    }
    assert service.http.get("/v1/schema").json() == json.loads(json.dumps(SCHEMA_JSON_SCHEMA))


def test_health_and_readiness(service):
    assert service.http.get("/health").json() == {"status": "ok"}
    assert service.http.get("/ready").json() == {"status": "ready"}


# -- the page ----------------------------------------------------------------------------------


def test_the_page_needs_no_other_server(service):
    got = service.http.get("/docs")
    assert got.status_code == 200
    assert re.findall(r"(?:src|href)=[\"']?([^\"' >]+)", got.text) == ["openapi.json"]
    assert "://" not in got.text
    assert got.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_description_names_every_route(service):
    described = service.http.get("/openapi.json").json()
    given = described["components"]["schemas"]["ExtractRequest"]["properties"]["threshold"]
    assert f"by kind ({', '.join(KINDS)})" in given["description"]
    assert set(described["paths"]) | {"/docs", "/openapi.json"} == ROUTES
    assert {route.path for route in router.routes} | {"/openapi.json"} == ROUTES  # type: ignore[attr-defined]
    refused = described["paths"]["/v1/extract"]["post"]["responses"]
    assert {"200", "401", "413", "422", "429", "504"} <= set(refused)


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": "a", "schema": {}}, (422, "invalid_schema")),
        ({"text": "a", "schema": {"entities": ["a"], "entitis": []}}, (422, "invalid_schema")),
        ({"text": "a", "schema": {"entities": ["\ud800"]}}, (422, "invalid_schema")),
        ({"text": "a", "schema": {"entities": [["\ud800"]]}}, (422, "invalid_schema")),
        ({"text": "a", "schema": PATTERN}, (422, "invalid_schema")),
        ({"text": "a", "schema": ["person"]}, (422, "invalid_request")),
        ({"text": 3, "schema": {"entities": ["a"]}}, (422, "invalid_request")),
        ({"schema": {"entities": ["a"]}}, (422, "invalid_request")),
        ({"text": "a", "schema": {"entities": ["a"]}, "\ud800": 1}, (422, "invalid_request")),
        ({"text": "a", "schema": {"entities": ["a"]}, "overlap": "x"}, (422, "invalid_request")),
        ({"text": "a", "schema": {"entities": ["a"]}, "threshold": 2}, (422, "invalid_request")),
        (
            {"text": "a", "schema": {"entities": ["a"]}, "threshold": float("nan")},
            (422, "invalid_request"),
        ),
        (
            {"text": "a", "schema": {"entities": ["a"]}, "threshold": {"nothing": 0.5}},
            (422, "invalid_request"),
        ),
        ({"text": "a" * 20_001, "schema": {"entities": ["a"]}}, (422, "text_too_long")),
        (
            {"text": "a", "schema": {"entities": [f"label {n}" for n in range(21)]}},
            (422, "too_many_labels"),
        ),
        ({"text": "a" * 100_000, "schema": {"entities": ["a"]}}, (413, "body_too_large")),
    ],
)
def test_a_wrong_request_gets_one_sentence(service, body: object, expected: tuple[int, str]):
    assert error(post(service.http, json.dumps(body).encode())) == expected


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/schema/validate"])
def test_a_json_schema_is_refused_with_what_takes_one(service, path: str):
    asked = {"type": "object", "properties": {"city": {"type": "string"}}}
    given = {"schema": asked} | ({"text": "a"} if path == "/v1/extract" else {})
    got = service.http.post(path, json=given)
    assert (got.status_code, "onepass.client.Client and onepass.Extractor take" in got.text) == (
        422 if path == "/v1/extract" else 200,
        True,
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"1" * 5000, b'{"a": 1e999999}', b"null"]
)
def test_what_is_not_a_json_object_is_refused(service, body: bytes):
    assert error(post(service.http, body))[0] in (400, 422)


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/extract/batch", "/v1/schema/validate"])
@pytest.mark.parametrize("body", [b"", b" ", b"{"])
@pytest.mark.parametrize("headers", [{"content-type": "application/json"}, {}])
def test_an_empty_body_is_no_json(service, path: str, body: bytes, headers: dict[str, str]):
    got = service.http.post(path, content=body, headers=headers)
    if body and not headers:
        assert error(got) == (422, "invalid_request")
    else:
        assert error(got) == (400, "invalid_json")


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/extract/batch", "/v1/schema/validate"])
@pytest.mark.parametrize(
    "body", [b'{"schema": {"entities": ["person"], "entities": ["city"]}, %b}', b'{"a": 1, "a": 1}']
)
def test_a_key_that_stands_twice_is_refused(service, path: str, body: bytes):
    text = b'"text": "a"' if path == "/v1/extract" else b'"texts": ["a"]'
    got = service.http.post(
        path, content=body.replace(b"%b", text), headers={"content-type": "application/json"}
    )
    assert error(got) == (400, "invalid_json")
    assert "stands twice; give each key once." in got.json()["error"]["message"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({str(i): 1 for i in range(100)}, "The body has 102 keys, but at most 32 are taken"),
        (
            {"threshold": {str(i): [] for i in range(5_000)}},
            "The field threshold has 5000 entries, but max_labels (--max-labels) of this service "
            "is 20, and there are 5 kinds; leave out",
        ),
    ],
)
def test_very_many_keys_are_not_looked_at_one_by_one(service, more: dict, message: str):
    got = service.http.post(
        "/v1/extract", json={"text": "a", "schema": {"entities": ["person"]}, **more}
    )
    assert error(got) == (422, "invalid_request")
    assert got.json()["error"]["message"].startswith(message)


def test_everything_that_is_asked_may_have_a_threshold(service):
    labels = [f"label {n}" for n in range(20)]
    given = dict.fromkeys([*KINDS, *labels], 0.5)
    assert ask(service.http, "a", schema={"entities": labels}, threshold=given).status_code == 200


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("0.5", "The field threshold is wrong: input should be a valid number."),
        (2, "The field threshold is wrong: input should be less than or equal to 1."),
        ({"a": 2}, "The field threshold.a is wrong: input should be less than or equal to 1."),
    ],
)
def test_a_refusal_names_the_place_and_no_type_of_python(service, threshold: Any, message: str):
    assert ask(service.http, "a", threshold=threshold).json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/extract", "[]", "The body must be a JSON object."),
        ("/v1/extract", "null", "The body must be a JSON object."),
        ("/v1/schema/validate", '"a"', "The body must be a JSON object."),
        ("/v1/extract", '{"text": "a"}', "The field schema is missing."),
        (  # the name that it has in Python; /openapi.json knows one name
            "/v1/extract",
            '{"text": "a", "asked": {"entities": ["b"]}}',
            "The field asked is not known; the fields are schema, threshold, overlap, on_long, "
            "solver, text.",
        ),
        (
            "/v1/extract",
            '{"text": "a", "scheme": {"entities": ["b"]}}',
            "The field scheme is not known; did you mean schema?",
        ),
        (
            "/v1/schema/validate",
            '{"schemas": {"entities": ["b"]}}',
            "The field schemas is not known; did you mean schema?",
        ),
        ("/v1/extract", '{"text": "a", "schema": []}', "The field schema must be a JSON object."),
        ("/v1/extract/batch", '{"texts": [], "schema": {}}', "The field texts must not be empty."),
        (
            "/v1/extract/batch",
            '{"texts": "a", "schema": {}}',
            "The field texts must be a JSON array.",
        ),
        (
            "/v1/extract",
            '{"text": "a", "schema": {}, "labels": ["b"]}',
            "The field labels is not known; the fields are schema, threshold, overlap, on_long, "
            "solver, text.",
        ),
        (
            "/v1/extract",
            '{\n"text": "a\nb"}',
            "The body is not JSON (Invalid control character at line 2, column 11); send a JSON "
            "object encoded in UTF-8.",
        ),
    ],
)
def test_a_refusal_is_in_words_of_json(service, path: str, body: str, message: str):
    headers = {"content-type": "application/json"}
    got = service.http.post(path, content=body.encode(), headers=headers)
    assert got.json()["error"]["message"] == message
    error(got)


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("/v1/extract/batch", {"texts": [1] * 300_000}, "invalid_request"),
        ("/v1/extract", {"threshold": {str(n): "x" for n in range(50_000)}}, "invalid_request"),
        ("/v1/extract", {"schema": {"entities": ["a"] * 100_000}}, "too_many_labels"),
        (
            "/v1/extract",
            {"schema": {"structures": {str(n): ["a"] for n in range(40_000)}}},
            "too_many_labels",
        ),
        (
            "/v1/extract",
            {"schema": {"structures": {"a": {"fields": [str(n) for n in range(60_000)]}}}},
            "too_many_labels",
        ),
        (
            "/v1/extract",
            {"schema": {"classifications": {"a": {"labels": {"b": ["c"] * 90_000}}}}},
            "too_many_labels",
        ),
        (
            "/v1/schema/validate",
            {"schema": {"structures": {str(n): ["a"] for n in range(40_000)}}},
            None,
        ),
        (
            "/v1/extract",
            {"schema": {"structures": {"a": ["x::d" + "::a" * 340_000]}}},
            "schema_too_long",
        ),
        (
            "/v1/extract",
            {"schema": {"structures": {"a": ["x::[" + "a|" * 400_000 + "]"]}}},
            "schema_too_long",
        ),
        (
            "/v1/extract",
            {"schema": {"structures": {"a": ["x::d" + "::a" * 20_000]}}},
            "invalid_schema",
        ),
    ],
)
def test_a_legal_body_does_not_hold_up_others(
    start, model: Extractor, path: str, more: dict[str, Any], code: str | None
):
    given = {} if path == "/v1/schema/validate" else {"text": "a", "schema": {"entities": ["a"]}}
    if "texts" in more:
        del given["text"]
    body = json.dumps({**given, **more}).encode()
    with start(model, Settings()) as running:
        post = running.http.post
        began = process_time()
        got = post(path, content=body, headers={"content-type": "application/json"})
        took = process_time() - began
    if code is None:
        assert got.json()["error"]["code"] == "too_many_labels"
    else:
        assert error(got) == (422, code)
    assert took < 5  # seconds of work on any machine; it was up to 20


def test_others_are_answered_while_a_long_schema_is_read(service, monkeypatch):
    reading, go_on = Event(), Event()
    monkeypatch.setattr("onepass.serving.service.question_of", slowly(reading, go_on))
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, service.http, "Ann Lee", schema=LONG) for _ in range(3)]
        assert reading.wait(30)
        assert ask(service.http, "Tim Cook").status_code == 200
        go_on.set()
        assert [one.result().status_code for one in asked] == [200] * 3


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/schema/validate"])
def test_a_schema_that_is_not_read_in_time_gets_504(start, model, monkeypatch, path: str):
    reading, go_on = Event(), Event()
    monkeypatch.setattr("onepass.serving.service.question_of", slowly(reading, go_on))
    body = {"schema": LONG} if path == "/v1/schema/validate" else {"text": "Ann", "schema": LONG}
    with start(model, Settings(timeout=0.3)) as one, ThreadPoolExecutor(4) as pool:
        held = list(pool.map(lambda _: one.http.post(path, json=body), range(4)))
        assert [error(answer) for answer in held] == [(504, "timeout")] * 4
        assert "send a shorter schema, or" in held[0].json()["error"]["message"]
        go_on.set()


# Between what Python can read and what it can write again lie depths of their own.
@pytest.mark.parametrize("depth", [250, *range(900, 1000, 8), 2000, 20_000])
@pytest.mark.parametrize("path", ["/v1/extract", "/v1/schema/validate"])
def test_a_schema_that_is_nested_too_deeply_is_refused(service, path: str, depth: int):
    text = b'"text": "a", ' if path == "/v1/extract" else b""
    deep = b"[" * depth + b"]" * depth
    body = b"{%b" % text + b'"schema": {"entities": ["a"], "$schema": %b}}' % deep
    got = service.http.post(path, content=body, headers={"content-type": "application/json"})
    assert "nested too deeply; flatten it." in got.json()["error"]["message"]
    assert (got.status_code, got.json()["error"]["code"]) in (
        (400, "invalid_json"),
        (422, "invalid_schema"),
        (200, "invalid_schema"),  # that it is wrong is what validation was asked
    )


@pytest.mark.parametrize("path", ["/v1/extract", "/v1/extract/batch", "/v1/schema/validate"])
def test_a_number_of_too_many_digits_is_called_so(service, path: str):
    body = b'{"text": "a", "schema": {"entities": ["a"]}, "threshold": %b}' % (b"1" * 6000)
    got = service.http.post(path, content=body, headers={"content-type": "application/json"})
    assert error(got) == (400, "invalid_json")
    assert "a number of too many digits; shorten it." in got.json()["error"]["message"]


def test_a_body_that_is_not_in_utf8_is_called_so(service):
    got = post(service.http, b'{"text": "\xff"}')
    assert error(got) == (400, "invalid_json")
    assert "encoded in UTF-8" in got.json()["error"]["message"]


def test_a_text_in_which_too_much_is_found_fails_alone(start, model: Extractor):
    texts = ["Tim Cook.", "Tim Cook runs Apple in Cupertino."]
    more = {"schema": {"entities": ["person", "company"]}, "threshold": 0.0, "overlap": "all"}
    with start(model, Settings(max_found=20)) as one:
        refused = one.http.post("/v1/extract", json={"text": texts[1], **more})
        assert error(refused) == (422, "too_much_found")
        sentence = refused.json()["error"]["message"]
        assert "max_found (--max-found) of this service is 20; raise the threshold, ask" in sentence
        got = one.http.post("/v1/extract/batch", json={"texts": texts, **more}).json()["results"]
        assert (got[0]["text"], got[1]["error"]["code"]) == (texts[0], "too_much_found")
        assert one.metric('onepass_errors_total{code="too_much_found"}') == 2
        assert ask(one.http, texts[1]).json()["entities"]


def test_more_texts_than_allowed_and_none_are_refused(service):
    for texts, code in [(["a"] * 9, "too_many_texts"), ([], "invalid_request")]:
        body = {"texts": texts, "schema": {"entities": ["person"]}}
        assert error(service.http.post("/v1/extract/batch", json=body)) == (422, code)


def test_other_paths_and_methods(service):
    assert error(service.http.get("/v1/nothing")) == (404, "not_found")
    assert error(service.http.get("/v1/extract")) == (405, "method_not_allowed")


def test_a_body_without_a_length_is_counted(service):
    def parts():
        for _ in range(11):
            yield b" " * 10_000

    got = service.http.post("/v1/extract", content=parts())
    assert error(got) == (413, "body_too_large")


def test_a_body_that_does_not_come_is_not_waited_for(start, model: Extractor):
    with start(model, Settings(timeout=0.2)) as one:
        host, port = one.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            slow.sendall(b"POST /v1/extract HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


def answer(connection: socket.socket, request: bytes) -> bytes:
    """Return the answer of /health, of which head and body may come one after the other."""
    connection.sendall(request)
    got = b""
    while not got.endswith(b"}"):
        part = connection.recv(1000)
        assert part
        got += part
    return got


def test_a_connection_without_a_request_is_closed(start, model: Extractor):
    whole = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"
    with start(model, Settings(timeout=0.5)) as one:
        host, port = one.url.removeprefix("http://").split(":")
        for before, sent in ((b"", b""), (b"", whole[:20]), (whole, whole[:20])):
            with socket.create_connection((host, int(port)), timeout=8) as silent:
                if before:
                    assert answer(silent, before).startswith(b"HTTP/1.1 200 ")
                silent.sendall(sent)
                with suppress(ConnectionResetError):
                    assert silent.recv(1000) == b""
        with socket.create_connection((host, int(port)), timeout=8) as idle:  # between two requests
            for _ in range(2):
                assert answer(idle, whole).startswith(b"HTTP/1.1 200 ")
                sleep(3)


def test_a_stop_does_not_wait_for_a_reading_that_nobody_waits_for(start, model: Extractor):
    labels = [f"kind {number}" for number in range(200)]
    with start(model, Settings(timeout=0.3, max_text_chars=200_000)) as one:
        got = ask(one.http, "A long story about Tim Cook. " * 5_000, schema={"entities": labels})
        assert error(got) == (504, "timeout")
        before = monotonic()
    assert monotonic() - before < 20  # between two runs; all of it would take minutes


def test_a_stop_does_not_wait_for_a_client_that_reads_nothing(start, model: Extractor):
    body = json.dumps(
        {
            "texts": ["Tim Cook runs Apple in Cupertino. " * 60] * 8,
            "schema": {"entities": ["person", "company", "city", "thing"]},
            "threshold": 0.0,
            "overlap": "all",
        }
    ).encode()
    with start(model, Settings(timeout=60, max_found=10**6)) as one:
        host, port = one.url.removeprefix("http://").split(":")
        with socket.socket() as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.connect((host, int(port)))
            head = f"POST /v1/extract/batch HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}"
            idle.sendall(head.encode() + b"\r\ncontent-type: application/json\r\n\r\n" + body)
            assert idle.recv(12) == b"HTTP/1.1 200"
            before = monotonic()
            one.server.should_exit = True
            while one.server.server_state.connections:
                assert monotonic() - before < 20
                sleep(0.05)


def test_errors_of_texts_in_a_batch_are_counted_and_are_not_read(service: Any):
    read = service.metric("onepass_texts_total")
    refused = service.metric('onepass_errors_total{code="text_too_long"}')
    asked = {
        "texts": ["Tim Cook left.", "word " * 3000],
        "schema": {"entities": ["person"]},
        "on_long": "error",
    }
    assert service.http.post("/v1/extract/batch", json=asked).status_code == 200
    assert service.metric("onepass_texts_total") == read + 1
    assert service.metric('onepass_errors_total{code="text_too_long"}') == refused + 1


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/x-ndjson", "text/json"]
)
def test_a_body_that_is_not_marked_as_json(service: Any, kind: str):
    body = json.dumps({"text": "a", "schema": {"entities": ["person"]}})
    got = service.http.post("/v1/extract", content=body, headers={"content-type": kind})
    assert error(got) == (422, "invalid_request")
    assert "Content-Type: application/json" in got.json()["error"]["message"]


def test_keys_open_what_is_below_v1_and_nothing_else_needs_one(start, model: Extractor):
    with start(model, Settings(api_keys=("another-key-0123456", KEY))) as one:
        assert error(ask(one.http, "a")) == (401, "unauthorized")
        assert error(one.http.get("/v1/models", headers={"authorization": "Bearer no"}))[0] == 401
        assert (
            error(one.http.get("/v1/models", headers={"authorization": f"Basic {KEY}"}))[0] == 401
        )
        for headers in ({"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}):
            assert one.http.get("/v1/models", headers=headers).status_code == 200
        for path in ("/health", "/ready", "/metrics", "/docs", "/openapi.json"):
            assert one.http.get(path).status_code == 200


# -- too much work -----------------------------------------------------------------------------


def test_more_than_the_line_holds_is_refused_and_the_rest_is_answered(start, gated):
    with start(gated, Settings(queue_texts=2, batch_texts=1)) as one:
        with ThreadPoolExecutor(8) as pool:
            gated.gate.clear()
            first = pool.submit(ask, one.http, "Ann Lee 0")
            assert one.metric_becomes("onepass_requests_inside", 1)  # and then out of the line
            assert one.metric_becomes("onepass_queue_texts", 0)
            got = [pool.submit(ask, one.http, f"Ann Lee {n}") for n in range(1, 7)]
            refused = [one.result() for one in got if _done_soon(one)]
            assert {error(answer) for answer in refused} == {(429, "busy")}
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
            gated.gate.set()
            answers = [first.result(), *(one.result() for one in got)]
        good = [answer.json()["text"] for answer in answers if answer.status_code == 200]
        assert len(good) + len(refused) == 7
        assert 2 <= len(good) <= 4
        read = [text for call in gated.calls for text in call]
        assert all(read.count(text) == 1 for text in good)


def _done_soon(future: Any) -> bool:
    try:
        future.result(0.5)
    except TimeoutError:
        return False
    return True


def test_more_requests_than_allowed_are_refused_before_they_are_read(start, gated):
    with start(gated, Settings(max_requests=2)) as one, ThreadPoolExecutor(2) as pool:
        gated.gate.clear()
        held = [pool.submit(ask, one.http, "Ann Lee") for _ in range(2)]
        assert one.metric_becomes("onepass_requests_inside", 2)
        got = ask(one.http, "Tim Cook")
        assert error(got) == (429, "busy")
        assert got.headers["retry-after"] == "1"
        gated.gate.set()
        assert [answer.result().status_code for answer in held] == [200, 200]


def test_what_is_not_done_in_time_gets_504_and_what_still_waited_is_never_read(start, gated):
    with start(gated, Settings(timeout=0.3, batch_texts=1)) as one, ThreadPoolExecutor(2) as pool:
        before = len(gated.calls)
        gated.gate.clear()
        held = list(pool.map(lambda n: ask(one.http, f"Ann Lee {n}"), range(2)))
        assert [error(answer) for answer in held] == [(504, "timeout")] * 2
        assert "send a shorter text, or" in held[0].json()["error"]["message"]
        gated.gate.set()
        assert ask(one.http, "Tim Cook").status_code == 200
        assert len(gated.calls) - before == 2  # the one that was begun, and the last
        assert one.metric("onepass_texts_dropped_total") == 2


def test_what_a_client_that_left_asked_is_never_read(start, gated):
    async def leave(url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as http:
            body = {"text": "Ann Lee left.", "schema": {"entities": ["person"]}}
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(http.post("/v1/extract", json=body), 0.2)

    with start(gated, Settings(batch_texts=1)) as one, ThreadPoolExecutor(1) as pool:
        gated.gate.clear()
        held = pool.submit(ask, one.http, "Tim Cook stayed.")
        assert one.metric_becomes("onepass_requests_inside", 1)
        asyncio.run(leave(one.url))
        assert one.metric_becomes("onepass_requests_inside", 1)
        gated.gate.set()
        assert held.result().status_code == 200
        assert ["Ann Lee left."] not in gated.calls


def test_a_client_that_does_not_read_its_answers_is_let_go_and_a_slow_one_is_not(start, model):
    many = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 1500  # of some 30 kB each

    def connections(one) -> int:
        return len(one.server.server_state.connections)

    with start(model, Settings(timeout=2)) as one, socket.socket() as slow, socket.socket() as deaf:
        for client in (slow, deaf):
            client.connect((one.http.base_url.host, one.http.base_url.port))
            client.sendall(many)
        end = monotonic() + 15
        while connections(one) < 2 and monotonic() < end:
            sleep(0.01)
        while connections(one) > 1 and monotonic() < end:
            assert slow.recv(200_000)
            sleep(0.05)
        assert connections(one) == 1
        assert one.server.server_state.connections.pop().client == slow.getsockname()


# -- what is seen from outside -----------------------------------------------------------------


def test_metrics_count_neither_warming_up_nor_a_batch_in_which_nothing_was_read(start, model):
    with start(model, Settings()) as one:
        assert error(ask(one.http, "word " * 3000, on_long="error")) == (422, "text_too_long")
        for name in ("texts_total", "characters_total", "batch_texts_count", "batch_seconds_count"):
            assert one.metric(f"onepass_{name}") == 0
        assert one.metric("onepass_queue_seconds_count") == 1


def test_metrics_count_what_happened(start, model: Extractor):
    with start(model, Settings()) as one:
        texts = ["Tim Cook spoke.", "word " * 600]
        body = {"texts": texts, "schema": {"entities": ["person"]}}
        results = one.http.post("/v1/extract/batch", json=body).json()["results"]
        ask(one.http, "a", threshold=7)
        one.http.get("/secret-path")
        windows = sum(result["coverage"]["windows"] for result in results)
        assert windows == 3
        assert one.metric("onepass_windows_total") == windows
        assert one.metric('onepass_errors_total{code="invalid_request"}') == 1
        batch = 'onepass_requests_total{route="/v1/extract/batch",status="200"}'
        assert one.metric(batch) == 1
        assert one.metric('onepass_requests_total{route="other",status="404"}') == 1
        assert one.metric('onepass_request_seconds_count{route="/v1/extract/batch"}') == 1
        assert one.metric("onepass_queue_seconds_count") == 2
        assert 1 <= one.metric("onepass_batch_texts_count") <= 2
        assert one.metric("process_resident_memory_bytes") > 1e7
        assert "secret" not in one.http.get("/metrics").text


class BrokenExtractor(Extractor):
    """The built-in model with a bug whose message holds the text."""

    def extract(self, text: Any, schema: Any = None, **options: Any) -> Any:
        if text and "Mallory" in text[0]:
            raise KeyError(text[0])
        return super().extract(text, schema, **options)


def test_no_text_and_no_key_is_ever_logged(start, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "httpx")  # the client of this test logs, too
    with start(BrokenExtractor(), Settings(api_keys=(KEY,))) as one:
        one.http.headers["authorization"] = f"Bearer {KEY}"
        assert error(ask(one.http, "Mallory 1")) == (500, "internal")
        body = {"texts": ["Mallory 2"], "schema": {"entities": ["Mallory 3"]}}
        assert one.http.post("/v1/extract/batch", json=body).json()["results"][0]["error"]
        ask(one.http, "Ann", threshold={"Mallory": 4})
        one.http.get("/v1/extract", params={"q": "Mallory"})
        one.http.get("/Mallory")
    own = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    logged = "\n".join(logging.Formatter().format(record) for record in own)
    assert "KeyError at test_service.py" in logged
    assert "/v1/extract 500" in logged
    assert "Mallory" not in logged
    assert KEY not in logged
    assert KEY not in repr(Settings(api_keys=(KEY,)))


def test_an_answer_has_the_id_that_its_line_in_the_log_has(
    service, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "onepass.serving")
    got = ask(service.http, "Tim Cook")
    line = f"{got.headers['x-request-id']} /v1/extract 200"
    end = monotonic() + 60
    while line not in caplog.text and monotonic() < end:  # it is written after the answer
        sleep(0.01)
    assert line in caplog.text


def test_a_wrong_method_and_a_path_that_is_nearly_right(service):
    wrong = service.http.delete("/v1/extract")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    nearly = service.http.post("/v1/extract/", json={})
    assert (nearly.status_code, nearly.json()["error"]["code"]) == (404, "not_found")


# -- redaction ---------------------------------------------------------------------------------


def test_a_redacted_text_says_nothing_of_what_stood_there(service, model: Extractor):
    text = "Write to Anna Weiss, anna@example.com \U0001f600."
    got = service.http.post("/v1/redact", json={"text": text})
    done = redact(model, text)
    assert got.json() == done.to_dict()
    assert [one.label for one in done.found] == ["person", "email address"]
    assert not {"Anna", "anna"} & set(re.findall(r"\w+", got.text))


def test_a_value_has_one_pseudonym_in_a_request(service):
    texts = ["Anna Weiss met Tim Cook.", "x" * 20_001, "Ask a@b.org or Tim Cook."]
    asked = {"texts": texts, "labels": ["person", "email"], "action": "pseudonym"}
    for _ in range(2):  # and the next one begins anew
        first, long, last = service.http.post("/v1/redact/batch", json=asked).json()["results"]
        assert first["text"] == "[person 1] met [person 2]."
        assert last["text"] == "Ask [email 1] or [person 2]."
        assert long["error"]["code"] == "text_too_long"


def test_hashes_need_the_key_of_the_service(service, start, model: Extractor):
    asked = {"text": "Mail a@b.org.", "labels": ["email"], "action": "hash"}
    got = service.http.post("/v1/redact", json=asked)
    assert error(got) == (422, "invalid_request")
    assert "start it with --redact-key" in got.json()["error"]["message"]
    key = b"sixteen-bytes-or-more"
    expected = redact(model, "Mail a@b.org.", ["email"], action="hash", key=key).text
    with start(model, Settings(redact_key=key)) as one:
        assert [one.http.post("/v1/redact", json=asked).json()["text"] for _ in "ab"] == [
            expected
        ] * 2


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"labels": []}, "invalid_request"),
        ({"labels": ["a", "a"]}, "invalid_schema"),
        ({"labels": "person"}, "invalid_request"),
        ({"labels": [1]}, "invalid_request"),
        ({"labels": {"person": 1}}, "invalid_request"),
        ({"labels": [f"label {n}" for n in range(21)]}, "invalid_request"),
        ({"labels": {f"label {n}": "" for n in range(21)}}, "invalid_request"),
        ({"labels": {"a": "b" * 50_000, "c": "d" * 49_000}}, "schema_too_long"),
        ({"action": "burn"}, "invalid_request"),
        ({"action": {"email": "burn"}}, "invalid_request"),
        ({"action": {f"label {n}": "mask" for n in range(22)}}, "invalid_request"),
        ({"labels": ["person"], "action": {"email": "mask"}}, "invalid_request"),
        ({"faker": "xx_YY", "action": "pseudonym"}, "invalid_request"),
        ({"region": "XX"}, "invalid_request"),
        ({"threshold": 1.5}, "invalid_request"),
        ({"threshold": {"person": 0.5}}, "invalid_request"),
        ({"schema": {"entities": ["person"]}}, "invalid_request"),
        ({"key": "sixteen-bytes-or-more"}, "invalid_request"),
    ],
)
def test_what_cannot_be_redacted_is_refused(start, model: Extractor, more: Any, refused: str):
    with start(model, Settings(max_labels=20, max_schema_chars=90_000)) as one:
        got = one.http.post("/v1/redact", json={"text": "Anna Weiss"} | more)
    assert error(got) == (422, refused)


def test_more_places_than_the_service_takes_are_refused(start, model: Extractor):
    asked = {"texts": ["a@b.org, c@d.org", "a@b.org"], "labels": ["email"], "threshold": 1.0}
    with start(model, Settings(max_found=1)) as one:
        many, few = one.http.post("/v1/redact/batch", json=asked).json()["results"]
    assert many["error"]["code"] == "too_much_found"
    assert few["text"] == "[email]"
