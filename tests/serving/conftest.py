"""Real services: uvicorn in a thread, the built-in model, a socket of the machine itself."""

import faulthandler
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from onepass.extractor import Extractor
from onepass.serving.app import create_app
from onepass.serving.run import Server, listen, server_config
from onepass.serving.settings import Settings

PEOPLE = {"entities": ["person"]}
TEXT = "Tim Cook runs Apple in Cupertino."


class GatedExtractor(Extractor):
    """The built-in model, which reads only while its gate is open, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()
        self.gate.set()
        self.calls: list[list[str]] = []

    def extract(self, text: Any, schema: Any = None, **options: Any) -> Any:
        self.gate.wait()
        if isinstance(text, Sequence) and text:
            self.calls.append(list(text))
        return super().extract(text, schema, **options)


@dataclass
class Running:
    """A service that listens."""

    url: str
    http: httpx.Client
    server: Server

    def metric(self, name: str) -> float:
        """Return the value of a metric, labels included in the name."""
        lines = self.http.get("/metrics").text.splitlines()
        return next((float(x.rpartition(" ")[2]) for x in lines if x.startswith(f"{name} ")), 0.0)

    def metric_becomes(self, name: str, value: float) -> bool:
        """Wait up to five seconds for a value."""
        end = monotonic() + 60
        while self.metric(name) != value and monotonic() < end:
            sleep(0.01)
        return self.metric(name) == value


_STOPPED = 120  # seconds; answers that are under way have 35

Start = Callable[..., AbstractContextManager[Running]]


@contextmanager
def running(model: Extractor, settings: Settings) -> Iterator[Running]:
    with listen("127.0.0.1", 0) as listener:
        app = create_app(model, settings)
        server = Server(
            server_config(app, settings), settings.timeout, lambda: app.state.service.batcher.alive
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:  # it listens before it is warm
            sleep(0.005)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=20) as http:
                yield Running(url, http, server)
        finally:
            if isinstance(model, GatedExtractor):
                model.gate.set()
            server.should_exit = True
            thread.join(_STOPPED)
            if thread.is_alive():  # say where, in place of waiting for good
                faulthandler.dump_traceback(all_threads=True)
                pytest.fail(f"The service has not stopped within {_STOPPED} seconds.")


@pytest.fixture(scope="session")
def start() -> Start:
    return running


@pytest.fixture(scope="session")
def model() -> Extractor:
    return Extractor()


@pytest.fixture(scope="session")
def service(model: Extractor) -> Iterator[Running]:
    with running(
        model, Settings(max_text_chars=20_000, max_labels=20, max_texts=8, max_body_bytes=100_000)
    ) as one:
        yield one


@pytest.fixture
def gated() -> Iterator[GatedExtractor]:
    one = GatedExtractor()
    yield one
    one.gate.set()


@pytest.fixture(scope="session")
def people() -> dict[str, Any]:
    return PEOPLE


@pytest.fixture(scope="session")
def text() -> str:
    return TEXT
