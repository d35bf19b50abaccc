"""The line that counts rows, on a terminal and elsewhere."""

import io
import sys

import pytest

from onepass.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_count(monkeypatch: pytest.MonkeyPatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as progress:
        progress.add(1000)
        progress.fail(1001, "bad")
        progress.add(1)
    shown = stream.getvalue().split("\r\x1b[K")
    assert shown[1].startswith("1,000 rows, ")
    assert "onepass: row 1001: bad\n" in shown
    assert shown[-2].startswith("1,001 rows, ")
    assert shown[-2].endswith(" a second\n")
    assert shown[-1] == "onepass: 1 of 1,001 rows failed\n"


def test_a_file_shows_failures_only(monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as progress:
        progress.add(1000)
    assert stream.getvalue() == ""
    with Progress() as progress:
        progress.fail(1, "bad")
        progress.add(2)
    assert stream.getvalue() == "onepass: row 1: bad\nonepass: 1 of 2 rows failed\n"


def test_the_line_is_not_drawn_for_every_row(monkeypatch: pytest.MonkeyPatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as progress:
        for _ in range(10_000):
            progress.add(1)
    assert stream.getvalue().count("\r") < 100
