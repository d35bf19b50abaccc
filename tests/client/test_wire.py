"""What a client sends, to whom, and how long it waits."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from onepass.client import AsyncClient, Client
from onepass.errors import InputError, SchemaError, ServiceError

KEY = "a-secret-of-16-characters"
PEOPLE = {"entities": ["person"]}


def heard(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"models": [], "limits": {}})


def headers_of(url: str, **options: Any) -> httpx.Headers:
    """Return the headers that a client sends."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return heard(request)

    with Client(url, transport=httpx.MockTransport(answer), **options) as client:
        client.models()
    return seen[0]


def test_a_password_in_the_address_is_sent_beside_the_key():
    basic = f"Basic {b64encode(b'ann:hunter2').decode()}"
    both = headers_of("http://ann:hunter2@one", api_key=KEY)
    assert (both["authorization"], both["x-api-key"]) == (basic, KEY)
    assert headers_of("http://ann:hunter2@one")["authorization"] == basic
    alone = headers_of("http://one", api_key=KEY)
    assert alone["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in alone


def test_a_password_in_the_address_is_not_shown():
    url = "http://ann:hunter2@127.0.0.1:1/nlp"
    shown = [repr(AsyncClient(url))]
    with Client(url, retries=0) as client:
        shown.append(repr(client))
        with pytest.raises(ServiceError) as unreached:
            client.models()
    with pytest.raises(ServiceError) as closed:
        client.models()
    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    with Client(url, transport=transport) as client, pytest.raises(ServiceError) as other:
        client.models()
    with pytest.raises(InputError, match=r"'\.\.\.@one:99999' is no address") as wrong:
        Client("http://ann:hunter2@one:99999")
    shown += [str(one.value) for one in (unreached, closed, other, wrong)]
    assert "hunter2" not in "".join(shown)
    assert all("127.0.0.1:1/nlp" in one for one in shown[:-1])


@pytest.mark.parametrize(
    "url", [f"http://{'a' * 70}.com", "http://.", "http://a b:80", "http://one:99999", "http://a:0"]
)
def test_an_address_that_nobody_can_have(url: str):
    for kind in (Client, AsyncClient):
        with pytest.raises(InputError, match="is no address of a service"):
            kind(url)


@pytest.mark.parametrize("timeout", [float("inf"), 1e10, 10**400])
def test_a_timeout_without_end(timeout: float):
    with (  # a real connection, whose socket takes the number
        Client("http://127.0.0.1:1", timeout=timeout, retries=0) as client,
        pytest.raises(ServiceError, match="did not answer"),
    ):
        client.models()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "nothing://hunter2"), ("NO_PROXY", "[::1],localhost"),
     ("HTTPS_PROXY", "http://ann:hunter2/@one:1")],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    for kind in (Client, AsyncClient):
        with pytest.raises(InputError, match="proxy of the environment cannot be used") as refused:
            kind("http://one")
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
def test_certificates_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
):
    monkeypatch.setenv(name, str(tmp_path / "none" / "here"))
    for kind in (Client, AsyncClient):
        with pytest.raises(
            InputError, match=r"cannot be used .No such file.*correct SSL_CERT_FILE"
        ):
            kind("http://one")


def test_a_file_without_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "none.pem").write_text("none\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(InputError, match="certificates of the environment cannot be used"):
        Client("http://one")


def test_no_texts_are_no_question():
    with Client("http://127.0.0.1:1", retries=0) as client:
        assert client.extract_batch([], PEOPLE) == []
        with pytest.raises(SchemaError):
            client.extract_batch([], {"entities": []})

    async def twin() -> None:
        async with AsyncClient("http://127.0.0.1:1", retries=0) as client:
            assert await client.extract_batch([], PEOPLE) == []

    asyncio.run(twin())


async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request after half a second."""
    body = json.dumps({"models": [], "limits": {}}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.5)
            writer.write(head + body)
    except asyncio.IncompleteReadError:
        writer.close()


def test_whoever_waits_for_a_connection_of_the_client_is_not_late():
    async def ask() -> list[object]:
        server = await asyncio.start_server(slowly, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        one = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
        async with server, AsyncClient(url, timeout=1.2, retries=0, transport=one) as client:
            return await asyncio.gather(*(client.models() for _ in range(4)))

    assert asyncio.run(ask()) == [[]] * 4  # the last one is sent after one and a half


def test_the_result_of_another_text_is_not_taken():
    def answer(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)
        coverage = {"chars": 2, "chars_read": 2, "windows": 1, "truncated": False}
        found = {
            "entities": [], "classifications": {}, "records": {}, "relations": [],
            "coverage": coverage,
        }  # fmt: skip
        if "text" in texts:
            return httpx.Response(200, json={"text": "Bo", **found})
        results = [{"text": text, **found} for text in reversed(texts["texts"])]
        return httpx.Response(200, json={"results": results})

    with Client(transport=httpx.MockTransport(answer)) as client:
        assert client.extract("Bo", PEOPLE).text == "Bo"
        assert [one.text for one in client.extract_batch(["Al", "Al"], PEOPLE)] == ["Al", "Al"]
        for ask in (
            lambda: client.extract("Al", PEOPLE),
            lambda: client.extract_batch(["Al", "Bo"], PEOPLE),
        ):
            with pytest.raises(ServiceError) as refused:
                ask()
            assert refused.value.code == "not_onepass"
