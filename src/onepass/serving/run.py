"""The service as a process: a socket, a server, signals.

SIGTERM and Ctrl-C stop it: no new connections, answers to what was accepted, then the end. Ctrl-C
while it stops leaves the answers out.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from functools import partial
from math import ceil
from time import monotonic
from types import FrameType
from typing import Any

from onepass.errors import BackendError, InputError, MissingExtra
from onepass.extractor import Extractor
from onepass.serving.settings import Settings

try:
    import uvicorn
    from fastapi import FastAPI

    from onepass.serving.app import create_app
except ModuleNotFoundError as error:
    if error.name not in ("fastapi", "starlette", "uvicorn", "prometheus_client"):
        raise
    raise MissingExtra("The service", "serve") from error

_TICKS = 10  # of a tenth of a second between two looks at answers that are not read
_LOOK = 0.2  # seconds between two looks at what holds up a stop
_UNREAD = 3.0  # seconds for a client to read its answer when the service stops
_KEEP_ALIVE = 75  # seconds of an idle connection; longer than proxies keep theirs
_LAST_ANSWERS = 5  # seconds above the timeout of a request
_BACKLOG = 1024
_LAST = (b"connection", b"close")  # header of the last answer of a connection


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InputError: if the address cannot be used.

    >>> with listen("127.0.0.1", 0) as first:
    ...     listen("127.0.0.1", first.getsockname()[1])
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: The address 127.0.0.1:... cannot be used (Address already in use); \
choose another with --host and --port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, TypeError, ValueError) as error:  # the last two for a host that is no name
        said = error.strerror if isinstance(error, OSError) else None
        reason = (said or "not a name").partition(" (")[0]
        raise InputError(
            f"The address {host}:{port} cannot be used ({reason}); choose another with --host and "
            "--port."
        ) from error
    # Connections inherit it; asyncio sets it only for sockets that name their protocol. Without it
    # the body of an answer waits about 40 ms for the client to acknowledge the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(
    model: Extractor, settings: Settings, *, started: Callable[[str], None] | None = None
) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish what was accepted.

    Args:
        model: the model that reads the texts.
        settings: address, limits and keys of the service.
        started: a function that gets the address as soon as the service listens.

    Raises:
        InputError: if the address cannot be used.
        BackendError: if the thread that reads texts ended by itself, which stops the service.
    """
    logging.getLogger("onepass.serving").setLevel(logging.INFO)
    with listen(settings.host, settings.port) as listener:
        app = create_app(model, settings)
        server = Server(server_config(app, settings), settings.timeout, partial(_reads, app))

        def stop(number: int, frame: object) -> None:
            server.should_exit = True

        # The server has handlers of its own while it runs, and hands the signal on when all is
        # done; to be stopped is no failure. Before that, this one keeps it from being lost.
        before = signal.signal(signal.SIGTERM, stop)
        try:
            name, port = listener.getsockname()[:2]
            if started is not None:
                started(f"http://{f'[{name}]' if ':' in name else name}:{port}")
            server.run(sockets=[listener])
        finally:
            signal.signal(signal.SIGTERM, before)
        if server.failed:
            raise BackendError(
                "The service stopped, as the thread that reads texts ended by itself; the log says "
                "where, start it again."
            )


class Server(uvicorn.Server):
    """Uvicorn, which also ends connections that never would.

    An answer that its client does not read stays in memory, and a connection on which no request
    comes, or the start of one only, takes a descriptor: uvicorn's own timer runs from an answer to
    the next byte. And while it stops, uvicorn tells each connection once: one that opens at that
    moment is not told. It tells no client, either.

    Args:
        config: of uvicorn.
        patience: seconds in which a client has to read some of its answer, or to send the head of a
            request that it began.
        reads: says whether texts are read; if they are not, the server stops.

    Attributes:
        failed: whether it stopped for that.
    """

    def __init__(self, config: uvicorn.Config, patience: float, reads: Callable[[], bool]) -> None:
        super().__init__(config)
        self.failed = False
        self._hurried = False  # Ctrl-C came while it stopped
        self._patience = patience
        self._reads = reads
        self._unread: dict[Any, tuple[int, float]] = {}  # bytes, and since when they are as many
        self._silent: dict[Any, tuple[object, float]] = {}  # the last request, and since when

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # In haste, uvicorn leaves requests and the thread that reads in the middle of their work:
        # the first end in tracebacks, the second aborts the process.
        self._hurried, self.force_exit = self._hurried or self.force_exit, False

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            self._end_unread(monotonic())
            self._end_silent(monotonic())
            if not self._reads():  # else it would say for good that it is not ready
                self.failed = self.should_exit = True
        return await super().on_tick(counter)

    def _end_unread(self, now: float) -> None:
        """End connections with as many unread bytes as they had for as long as one may wait."""
        before, self._unread = self._unread, {}
        for connection in list(self.server_state.connections):
            size = connection.transport.get_write_buffer_size()
            if not size:
                continue
            known, since = before.get(connection, (size, now))
            if known == size and now - since > self._patience:
                connection.transport.abort()
            else:
                self._unread[connection] = (size, since if known == size else now)

    def _end_silent(self, now: float) -> None:
        """End connections on which the head of a request is awaited for too long."""
        before, self._silent = self._silent, {}
        for connection in list(self.server_state.connections):
            # The last request whose head came whole, and uvicorn's timer after its answer.
            last = getattr(connection, "cycle", None)
            timed = getattr(connection, "timeout_keep_alive_task", None) is not None
            if timed or not (last is None or last.response_complete):
                continue
            known, since = before.get(connection, (last, now))
            if known is last and now - since > self._patience:
                connection.transport.abort()
            else:
                self._silent[connection] = (last, since if known is last else now)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # To asyncio a backlog is also how often it accepts before it looks elsewhere, and where no
        # descriptor is left, each of these tries fails, is logged, and comes again after a second.
        self.config.backlog = 1
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(_BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # A client that hears nothing of the end sends its next request to where nobody reads it;
        # one that is on its way when its connection is closed is lost as well.
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None:
                cycle.default_headers = [*cycle.default_headers, _LAST]
        self.server_state.default_headers.append(_LAST)
        await asyncio.sleep(_LOOK)
        ending = asyncio.create_task(self._end_connections())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_connections(self) -> None:
        since: dict[Any, float] = {}  # when a connection began to close
        while True:
            await asyncio.sleep(_LOOK)
            for connection in list(self.server_state.connections):
                transport = connection.transport
                if self._hurried:  # nobody waits any more, so that nothing is read for it
                    transport.abort()
                elif not transport.is_closing():
                    connection.shutdown()
                elif monotonic() - since.setdefault(connection, monotonic()) > _UNREAD:
                    transport.abort()


def _reads(app: FastAPI) -> bool:
    return bool(app.state.service.batcher.alive)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn runs the service; its own log of requests would show their queries."""
    return uvicorn.Config(
        app,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=ceil(settings.timeout) + _LAST_ANSWERS,
    )
