"""``onepass serve`` as a process: how it starts, refuses to start, and stops."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from onepass.cli import loading, main
from onepass.errors import BackendError, InputError
from onepass.extractor import Extractor
from onepass.serving.keys import read_keys
from onepass.serving.metrics import Metrics
from onepass.serving.run import listen, serve
from onepass.serving.settings import Settings

MAIN = "import sys; from onepass.cli import main; sys.exit(main())"


@contextmanager
def process(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command and yield it with its address."""
    command = [sys.executable, "-c", MAIN, "serve", "--port", "0", *options]
    running = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        # Shells start what runs in the background with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    try:
        line = running.stderr.readline()
        address = re.search(r"http://[\d.]+:\d+", line)
        assert address, line + running.stderr.read()
        yield running, address[0]
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


@pytest.mark.parametrize("delay", [0.0, 0.002])
def test_a_sigterm_that_comes_as_soon_as_the_address_is_known_is_not_lost(delay: float):
    with process() as (running, _):
        sleep(delay)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0


def test_sigterm_stops_it_after_all_that_was_accepted_is_answered(tmp_path: Path):
    keys = tmp_path / "keys.txt"
    keys.write_text("# ours\na-secret-of-16-characters\n")
    options = ("--api-keys", str(keys), "--batch-texts", "1", "--batch-delay-ms", "0")
    with (
        process(*options) as (running, url),
        httpx.Client(
            base_url=url, headers={"x-api-key": "a-secret-of-16-characters"}, timeout=30
        ) as http,
        ThreadPoolExecutor(6) as pool,
    ):
        assert http.get("/ready").json() == {"status": "ready"}
        texts = [f"Mallory {n} met Tim Cook in Cupertino. " * 120 for n in range(6)]
        asked = {"schema": {"entities": ["person", "place"]}}
        got = [
            pool.submit(http.post, "/v1/extract", json={"text": text, **asked}) for text in texts
        ]
        while _arrived(http) < 6:
            sleep(0.01)
        running.send_signal(signal.SIGTERM)
        answers = [one.result() for one in got]
        assert [answer.status_code for answer in answers] == [200] * 6
        assert [answer.json()["text"] for answer in answers] == texts
        ended = [answer.headers.get("connection") for answer in answers]
        assert "close" in ended  # nothing is sent behind what is answered after the signal
        assert running.wait(20) == 0
        with pytest.raises(httpx.ConnectError):
            http.get("/health")
        assert running.stderr is not None
        log = running.stderr.read()
        assert log.count("/v1/extract 200") == 6
        assert "Mallory" not in log
        assert "a-secret" not in log


def _arrived(http: httpx.Client) -> float:
    """Return how many requests are being answered or were."""
    found = re.findall(
        r'^onepass_(?:requests_inside|requests_total{route="/v1/extract",.*}) (.+)$',
        http.get("/metrics").text,
        re.MULTILINE,
    )
    return sum(map(float, found))


def test_an_idle_connection_has_a_last_answer_while_it_stops():
    with process() as (running, url), httpx.Client(base_url=url) as http:
        assert "connection" not in http.get("/health").headers
        running.send_signal(signal.SIGTERM)
        closed = False
        while not closed:  # from the first answer that says so on, nothing is sent
            closed = http.get("/health").headers.get("connection") == "close"
        assert running.wait(20) == 0


def test_ctrl_c_stops_it_with_its_own_code():
    with process(ONEPASS_API_KEYS="") as (running, url):
        assert httpx.get(f"{url}/health").status_code == 200
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130


def test_a_second_ctrl_c_ends_it_without_the_answers_that_are_awaited():
    asked = {"text": "Tim Cook runs Apple. " * 3000, "schema": {"entities": ["person"]}}
    with (
        process("--queue-seconds", "1000") as (running, url),
        httpx.Client(base_url=url, timeout=60) as http,
        ThreadPoolExecutor(4) as pool,
    ):
        got = [pool.submit(http.post, "/v1/extract", json=asked) for _ in range(4)]
        while _arrived(http) < 4:
            sleep(0.01)
        running.send_signal(signal.SIGINT)
        sleep(0.3)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        assert all(isinstance(one.exception(), httpx.HTTPError) for one in got)
        assert running.stderr is not None
        log = running.stderr.read()
    assert log.count("/v1/extract 499") == 4
    assert "Traceback" not in log
    assert "terminate called" not in log


def test_answers_do_not_wait_for_an_acknowledgment():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_a_service_without_descriptors_says_so_once_a_second_and_goes_on():
    import resource

    with process() as (running, url):
        assert httpx.get(f"{url}/health").status_code == 200
        few = max(map(int, os.listdir(f"/proc/{running.pid}/fd"))) + 4
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (few, few))
        address = "127.0.0.1", int(url.rpartition(":")[2])
        with ExitStack() as opened:
            for _ in range(12):
                opened.enter_context(socket.create_connection(address))
            sleep(2.5)  # the service tries again each second
        assert httpx.get(f"{url}/health", timeout=20).status_code == 200
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        assert running.stderr is not None
        log = running.stderr.read()
    assert 1 <= log.count("Too many open files") <= 10


def test_a_port_in_use_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"127.0.0.1:{port} cannot be used (Address already in use)" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "no such host"], "cannot be used"),
        (["--host", "ä..é"], "cannot be used (not a name)"),
        (["--host", ""], "The host is empty"),
        (["--max-texts", "0"], "max-texts"),
        (["--api-keys", "nowhere.txt"], "cannot be read"),
        (["--api-keys", "short.txt"], "at least 16 characters"),
        (["--api-keys", "empty.txt"], "has no key"),
    ],
)
def test_wrong_options(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    Path("short.txt").write_text("0123456789\n")
    Path("empty.txt").write_text("# nothing\n\n")
    assert main(["serve", *arguments]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "0123456789" not in printed


def test_without_the_extra_the_command_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(loading, "find_spec", lambda package: None)
    assert main(["serve"]) == 2
    assert "pip install 'onepass[serve]'" in capsys.readouterr().err


def test_keys_come_from_both_places_once(tmp_path: Path):
    file = tmp_path / "keys.txt"
    file.write_text("two\n\n  three \n")
    assert read_keys({"ONEPASS_API_KEYS": "one,two,"}, file) == ("one", "two", "three")
    assert read_keys({}) == ()
    with pytest.raises(InputError, match="ONEPASS_API_KEYS has no key in it"):
        read_keys({"ONEPASS_API_KEYS": " ,,"})


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"timeout \(--timeout\) must be a number above 0"):
        Settings(timeout=0)


def test_it_ends_with_a_failure_if_texts_are_read_no_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    counted = Metrics.observe_batch

    def fail(metrics: Metrics, **batch: Any) -> None:
        counted(metrics, **batch)
        raise MemoryError("a text")

    def ask(url: str) -> None:
        pool.submit(httpx.post, f"{url}/v1/extract", json={"text": "a", **asked}, timeout=30)

    monkeypatch.setattr(Metrics, "observe_batch", fail)
    asked = {"schema": {"entities": ["person"]}}
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(BackendError, match="the thread that reads texts ended"),
    ):
        serve(Extractor(threads=1), Settings(port=0, timeout=1), started=ask)
    assert "the thread that reads ended: MemoryError at" in caplog.text
    assert "a text" not in caplog.text
