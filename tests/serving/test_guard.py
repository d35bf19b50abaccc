"""The outermost layer alone: what is open, under whatever path the service stands."""

import asyncio
import gzip
import json
import logging
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from onepass.extractor import Extractor
from onepass.serving.app import create_app
from onepass.serving.settings import Settings

KEY = "a-secret-of-16-characters"
BODY = json.dumps({"text": "Tim Cook left.", "schema": {"entities": ["person"]}}).encode()


def sent(app: Any, method: str, path: str, *, root: str = "", **more: Any) -> httpx.Response:
    """Return the answer to one request."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://one") as http:
            return await http.request(method, path, **more)

    return asyncio.run(send())


def code(got: httpx.Response) -> tuple[int, str]:
    return got.status_code, got.json()["error"]["code"]


@pytest.fixture(scope="module")
def app(model: Extractor) -> Any:
    return create_app(model, Settings(api_keys=(KEY,), max_body_bytes=200))


@pytest.mark.parametrize("form", ["plain", "root path", "mounted"])
def test_keys_and_limits_hold_under_a_path_of_its_own(
    app: Any, form: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "onepass.serving")
    root = "/nlp" if form == "root path" else ""
    below = "" if form == "plain" else "/nlp"
    asked = Starlette(routes=[Mount("/nlp", app)]) if form == "mounted" else app
    path, keyed = f"{below}/v1/extract", {"x-api-key": KEY}
    assert code(sent(asked, "POST", path, root=root, content=BODY)) == (401, "unauthorized")
    large = sent(asked, "POST", path, root=root, content=BODY * 9, headers=keyed)
    assert code(large) == (413, "body_too_large")
    assert " /v1/extract 413" in caplog.text
    assert sent(asked, "GET", f"{below}/health", root=root).status_code == 200


def test_a_path_that_nobody_knows_has_a_line_without_it(app: Any, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "onepass.serving")
    assert sent(app, "GET", "/v1/extrac", headers={"x-api-key": KEY}).status_code == 404
    assert sent(app, "GET", "/health").status_code == 200
    assert " other 404 " in caplog.text
    assert "extrac" not in caplog.text
    assert "/health" not in caplog.text


def test_a_path_that_nobody_knows_needs_a_key(app: Any):
    for path in ("/v2/extract", "/v1", "/health/", "//v1/models"):
        assert code(sent(app, "GET", path)) == (401, "unauthorized")
    assert code(sent(app, "GET", "/v2/extract", headers={"x-api-key": KEY})) == (404, "not_found")


def test_a_wrong_key_is_told_from_none(app: Any):
    needed = "This service needs an API key; send it as  Authorization: Bearer KEY  or as  "
    wrong = "The API key that was sent is not valid; send another one as  Authorization: "
    for given, sentence in (
        ({}, needed),
        ({"authorization": "Basic abc"}, needed),
        ({"authorization": "Bearer no"}, wrong),
        ({"x-api-key": "a guess"}, wrong),
    ):
        answer = sent(app, "GET", "/v1/schema", headers=given)
        assert answer.json()["error"]["message"].startswith(sentence)


def test_of_two_keys_one_has_to_be_right(app: Any):
    def asked(**headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return sent(app, "GET", "/v1/schema", headers=given).status_code

    for other in ("Bearer a-token-of-the-gateway", "Basic abc", f"Bearer {KEY}"):
        assert asked(authorization=other, x_api_key=KEY) == 200
    assert asked(authorization=f"Bearer {KEY}", x_api_key="a guess") == 200
    assert asked(authorization="Bearer no", x_api_key="a guess") == 401
    assert asked(authorization=f"Basic {KEY}") == 401


def test_both_ways_to_send_a_key_are_described(app: Any):
    described = sent(app, "GET", "/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert schemes["header"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert described["paths"]["/v1/models"]["get"]["security"] == [{"bearer": []}, {"header": []}]


@pytest.mark.parametrize("encoding", ["gzip", "br, gzip", "GZIP"])
def test_a_compressed_body_is_called_so(app: Any, encoding: str):
    headers = {"x-api-key": KEY, "content-encoding": encoding}
    got = sent(app, "POST", "/v1/extract", content=gzip.compress(BODY), headers=headers)
    assert code(got) == (415, "body_compressed")
    assert f"is compressed ('{encoding}')" in got.json()["error"]["message"]


def test_no_encoding_is_no_compression(app: Any):
    headers = {"x-api-key": KEY, "content-encoding": "identity"}
    got = sent(app, "POST", "/v1/extract", content=b"{", headers=headers)
    assert code(got) == (422, "invalid_request")


def test_the_head_of_what_says_how_it_is_can_be_asked_for(service: Any):
    for path in ("/health", "/ready"):
        got = service.http.head(path)
        assert (got.status_code, got.content) == (200, b"")
    assert service.http.head("/v1/models").status_code == 405
