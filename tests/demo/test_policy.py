"""Which requests the page answers, whoever makes the browser send them."""

import asyncio
from typing import Any

import pytest

from onepass.demo.policy import Policy


def asked(*, local: bool = True, path: str = "/gradio_api/queue/join", **headers: str) -> int:
    """Return the status of an answer; what stands behind the policy answers with 200."""
    sent: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"type": "http", "path": path, "headers": named}
    asyncio.run(Policy(page, local=local)(scope, receive, send))
    assert b"content-security-policy" in dict(sent[0]["headers"])
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "LOCALHOST"])
def test_the_page_itself_is_answered(host: str):
    assert asked(host=host) == 200
    assert asked(host=host, origin=f"http://{host}") == 200


@pytest.mark.parametrize("host", ["evil.com", "127.0.0.1.evil.com:7860", "0.0.0.0:7860", "[", ""])
def test_a_name_that_is_not_of_this_machine_is_refused(host: str):
    assert asked(host=host, origin=f"http://{host}") == 403
    assert asked(path="/", host=host) == 403


def test_in_a_network_every_name_is_right():
    assert asked(local=False, host="demo.example.com", origin="https://demo.example.com") == 200
    assert asked(local=False, host="demo.example.com", origin="https://evil.com") == 403


@pytest.mark.parametrize("origin", ["http://evil.com", "null", "http://127.0.0.1:8000"])
def test_another_page_is_refused(origin: str):
    assert asked(host="127.0.0.1:7860", origin=origin) == 403


@pytest.mark.parametrize(
    "path",
    ["upload", "upload/", "upload_progress", "file=/etc/passwd", "file/a.txt", "proxy=http://a",
     "stream/a", "process_recording"],
)  # fmt: skip
def test_there_are_no_files(path: str):
    assert asked(path=f"/gradio_api/{path}", host="localhost") == 404
    assert asked(path=f"/{path}", host="localhost") == 404
