"""A stream that pauses, such as ``tail -f``: what came is answered, and nobody waits for more."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from typing import IO

import pytest

EXTRACT, REDACT = ("extract", "-e", "city"), ("redact", "-l", "city")
# Shells start what runs in the background with SIGINT ignored, and children inherit that.
HEEDED = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
ROW = b'{"text": "Bo lives in Bern."}\n'
posix = pytest.mark.skipif(os.name == "nt", reason="names and signals of POSIX")


class Live:
    """A command whose input stays open.

    Args:
        arguments: of the command; it reads JSONL.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onepass", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=None if os.name == "nt" else HEEDED,
        )  # fmt: skip

    def give(self, rows: int) -> None:
        self._pipe(self.process.stdin).write(ROW * rows)
        self._pipe(self.process.stdin).flush()

    def answers(self, rows: int) -> list[dict[str, object]]:
        return [json.loads(self._pipe(self.process.stdout).readline()) for _ in range(rows)]

    def end(self) -> tuple[int, str]:
        """Return the exit code and what was said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.decode()

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe


@contextmanager
def live(*arguments: str) -> Iterator[Live]:
    command = Live(*arguments)
    limit = Timer(120, command.process.kill)  # else a row that is not answered is waited for
    limit.start()
    try:
        yield command
    finally:
        limit.cancel()
        command.process.kill()
        command.process.communicate()


@pytest.mark.parametrize(
    "arguments",
    [
        (*EXTRACT, "-i", "-"),
        (*EXTRACT, "-i", "-", "--workers", "2"),
        (*REDACT, "-i", "-"),
        pytest.param((*EXTRACT, "-i", "/dev/stdin", "-o", "/dev/stdout"), marks=posix),
    ],
)
def test_what_came_is_answered_while_the_source_pauses(arguments: tuple[str, ...]):
    with live(*arguments) as command:
        for rows in (1, 1, 64):  # as many as are read together are no more to wait for, either
            command.give(rows)
            assert [answer["text"] for answer in command.answers(rows)]
        command.give(1)
        code, _ = command.end()  # of the input
    assert code == 0


@posix
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_stops_what_waits_for_a_row(tmp_path: Path, name: str, code: int):
    out = tmp_path / "out.jsonl"
    with live(*EXTRACT, "-i", "-", "-o", str(out)) as command:
        command.give(3)
        while not any(b'"rows": 3' in one.read_bytes() for one in tmp_path.glob("*.job/journal")):
            assert command.process.poll() is None
            time.sleep(0.05)
        command.process.send_signal(signal.Signals[name])
        command.process.wait(60)  # before its input ends, which it would take for the reason
        ended, said = command.end()
    assert ended == code
    assert said.startswith(f"onepass: {out} holds the first 3 rows; a stream cannot be read again")
    assert said.count("\n") == 1
    assert out.read_bytes().count(b"\n") == 3
    assert list(tmp_path.iterdir()) == [out]
