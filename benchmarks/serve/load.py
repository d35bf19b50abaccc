"""How many texts a second a service reads, how long clients wait, and what too much work does.

It starts `onepass serve` itself and asks it over sockets of the machine. Levels are closed loops:
each of so many clients sends its next request when it has its answer. The last part is an open
loop: requests come at several times the rate of the best level, whatever the answers. The service
must go on, answer each request with 200 or 429, and keep its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepass.backends.cpu import cpu
from onepass.cli.machine import cores, versions

SCHEMA = {"entities": ["person", "company", "place", "date", "product"]}
SENTENCES = [
    "Ann Lee joined Acme in Oslo on 3 May 2021 and left it two years later for a rival.",
    "The board of Northwind met in Geneva and said little about the price of the new plant.",
    "Tim Cook showed the phone in Cupertino while reporters waited outside in the rain.",
    "Nobody expected the ferry from Bergen to arrive before noon, least of all its captain.",
    "In March the ministry bought 40 trucks, of which eleven were already in repair by June.",
]
COMMAND = [
    sys.executable, "-c", "import sys; from onepass.cli import main; sys.exit(main())",
    "serve", "--port", "0",
]  # fmt: skip
SLOW = 60.0  # seconds after which an answer counts as lost


@dataclass
class Tally:
    """What clients saw."""

    seconds: dict[int, list[float]] = field(default_factory=dict)  # of answers, by status
    lost: Counter[str] = field(default_factory=Counter)  # no answer, by reason
    wrong: int = 0  # answers with another text than the request

    def add(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    def summary(self, elapsed: float) -> dict[str, Any]:
        good = sorted(self.seconds.get(200, []))
        return {
            "seconds": round(elapsed, 2),
            "answers": {str(status): len(own) for status, own in sorted(self.seconds.items())},
            "lost": dict(self.lost),
            "wrong_text": self.wrong,
            "texts_a_second": round(len(good) / elapsed, 2),
            "latency_ms": {
                name: round(1000 * good[min(int(len(good) * share), len(good) - 1)], 1)
                for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
                if good
            },
        }


class Connection:
    """One kept connection: requests go out, answers come in; the least of HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        if self._pipe is None:
            self._pipe = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._pipe
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        if b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe[1].close()
            self._pipe = None


def request_of(number: int, words: int) -> tuple[bytes, str]:
    """Return the bytes of a request and its text, which is like no other."""
    rng = random.Random(number)
    text = f"Report {number}."
    while len(text.split()) < words:
        text += " " + rng.choice(SENTENCES)
    body = json.dumps({"text": text, "schema": SCHEMA}).encode()
    head = (
        "POST /v1/extract HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body, text


async def ask_once(connection: Connection, number: int, words: int, tally: Tally) -> None:
    """Send one request and note what became of it."""
    request, text = request_of(number, words)
    began = time.perf_counter()
    try:
        status, body = await asyncio.wait_for(connection.ask(request), SLOW)
    except (OSError, EOFError, TimeoutError) as error:
        connection.close()
        tally.lost[type(error).__name__] += 1
        return
    tally.add(status, time.perf_counter() - began)
    if status == 200 and json.loads(body)["text"] != text:
        tally.wrong += 1


async def closed_loop(port: int, clients: int, seconds: float, words: int) -> dict[str, Any]:
    """Let so many clients ask, each one request at a time."""
    tally = Tally()
    end = time.perf_counter() + seconds
    numbers = iter(range(10**9))

    async def client() -> None:
        connection = Connection(port)
        while time.perf_counter() < end:
            await ask_once(connection, next(numbers), words, tally)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return {"clients": clients, **tally.summary(time.perf_counter() - began)}


async def open_loop(port: int, rate: float, seconds: float, words: int) -> dict[str, Any]:
    """Send so many requests a second, whatever comes back."""
    tally = Tally()
    free: list[Connection] = []
    tasks: set[asyncio.Task[None]] = set()
    most = sent = 0

    async def visit(number: int) -> None:
        connection = free.pop() if free else Connection(port)
        await ask_once(connection, number, words, tally)
        free.append(connection)

    began = time.perf_counter()
    while (now := time.perf_counter() - began) < seconds:
        while sent < now * rate:
            task = asyncio.create_task(visit(sent))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        most = max(most, len(tasks))
        await asyncio.sleep(0.002)
    sending = time.perf_counter() - began
    await asyncio.gather(*tasks)
    for connection in free:
        connection.close()
    asked = {"rate": round(rate, 1), "sent": sent, "sent_a_second": round(sent / sending, 1)}
    return {**asked, "most_in_flight": most, **tally.summary(time.perf_counter() - began)}


def memory_mb(process: int) -> dict[str, float]:
    """Return resident memory of a process now and at its highest."""
    status = Path(f"/proc/{process}/status").read_text()
    found = {name: re.search(rf"{name}:\s+(\d+) kB", status) for name in ("VmRSS", "VmHWM")}
    return {name: round(int(match[1]) / 1024, 1) for name, match in found.items() if match}


async def metrics(port: int) -> dict[str, float]:
    """Return what the service counted, without its histograms' buckets."""
    connection = Connection(port)
    _, page = await connection.ask(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")
    connection.close()
    kept = re.findall(r"^(onepass_(?!.*(?:_bucket|_created)).+) (\S+)$", page.decode(), re.M)
    return {name: float(value) for name, value in kept}


async def measure(port: int, process: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return what all parts saw."""
    await closed_loop(port, 2, min(options.seconds, 3), options.words)  # warms up
    levels = []
    for clients in options.clients:
        before = await metrics(port)
        level = await closed_loop(port, clients, options.seconds, options.words)
        after = await metrics(port)
        batches = after["onepass_batch_texts_count"] - before["onepass_batch_texts_count"]
        texts = after["onepass_batch_texts_sum"] - before["onepass_batch_texts_sum"]
        levels.append({**level, "texts_a_batch": round(texts / batches, 2)})
        print(json.dumps(levels[-1]), file=sys.stderr)
    capacity = max(level["texts_a_second"] for level in levels)
    before = memory_mb(process)
    flood = await open_loop(port, options.times * capacity, options.flood_seconds, options.words)
    after = memory_mb(process)
    again = await closed_loop(port, 1, min(options.seconds, 5), options.words)
    print(json.dumps(flood), file=sys.stderr)
    return {
        "levels": levels,
        "capacity_texts_a_second": capacity,
        "flood": {
            "times_capacity": options.times,
            **flood,
            "memory_mb": {"before": before["VmRSS"], "after": after["VmRSS"],
                          "highest": after["VmHWM"]},
        },
        "after_the_flood": again,
        "metrics": await metrics(port),
    }  # fmt: skip


def main() -> None:
    """Start a service, load it, stop it, write what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=20, help="of a level")
    parser.add_argument("--times", type=float, default=4, help="capacity, in the flood")
    parser.add_argument("--flood-seconds", type=float, default=60)
    parser.add_argument("--words", type=int, default=60, help="of a text")
    parser.add_argument("--serve", default="", help="more options of onepass serve")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.NamedTemporaryFile("w+") as log:
        service = subprocess.Popen([*COMMAND, *options.serve.split()], stderr=log)
        try:
            port = address(Path(log.name), service)
            result = asyncio.run(measure(port, service.pid, options))
            began = time.perf_counter()
            service.send_signal(signal.SIGTERM)
            stopped = {"exit_code": service.wait(60), "seconds": time.perf_counter() - began}
        finally:
            service.kill()
            service.wait()
        logged = Path(log.name).read_text()
    name, features = cpu()
    about = {
        "command": ["load.py", *sys.argv[1:]],
        "machine": {"cpu": name, "features": features, "cores": cores()},
        "cores_allowed": len(os.sched_getaffinity(0)),  # for the clients and the service together
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "versions": versions(),
    }
    text_in_log = "Report" in logged or any(words[:20] in logged for words in SENTENCES)
    found = {**about, **result, "stopped": stopped, "text_in_log": text_in_log}
    written = json.dumps(found, indent=1) + "\n"
    if options.output is None:
        print(written, end="")
    else:
        options.output.write_text(written)


def address(log: Path, service: subprocess.Popen[bytes]) -> int:
    """Wait until the service says where it listens, and return the port."""
    while service.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise SystemExit(f"The service did not start: {log.read_text()}")


if __name__ == "__main__":
    main()
