"""One client in several event loops, and in several processes."""

import asyncio
import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from onepass.client import AsyncClient, Client
from onepass.errors import ServiceError


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open

    def do_GET(self) -> None:
        body = json.dumps({"models": [], "limits": {}}).encode()
        self.server.seen.append(self.client_address)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url_of(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_one_event_loop_after_another(server: ThreadingHTTPServer):
    client = AsyncClient(url_of(server))

    async def twice() -> None:
        assert await client.models() == await client.models() == []

    for _ in range(3):
        asyncio.run(twice())
    assert len(server.seen) == 6
    assert len(set(server.seen)) == 3  # connections

    asyncio.run(client.close())
    with pytest.raises(ServiceError, match="is closed and asks for nothing more"):
        asyncio.run(twice())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
def test_a_forked_process_has_connections_of_its_own(server: ThreadingHTTPServer):
    with Client(url_of(server)) as client:
        assert client.models() == client.models() == []
        child = os.fork()
        if child == 0:
            os._exit(0 if client.models() == [] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.models() == []
    first, second, other, last = server.seen
    assert first == second == last != other
