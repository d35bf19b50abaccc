"""Signals that stop a command in order, sent to this process."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import Onepass

from onepass.cli import data
from onepass.cli.terminated import Stopped
from onepass.corpus.example import Example, Mention
from onepass.corpus.jsonl import write_examples

# Whoever runs the tests may have them ignored, as nohup and shells behind "&" do.
_USUAL = {"SIGINT": signal.default_int_handler}
SIGNALS = ["SIGTERM", *([] if sys.platform == "win32" else ["SIGHUP"])]


@contextmanager
def usual(name: str) -> Iterator[signal.Signals]:
    """Give a signal that does what it does where nobody said otherwise."""
    number = signal.Signals[name]
    before = signal.signal(number, _USUAL.get(name, signal.SIG_DFL))
    try:
        yield number
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_stops_as_an_interrupt_does(name: str):
    stopped = Stopped()
    with usual(name) as number:
        with pytest.raises(KeyboardInterrupt), stopped.in_order():
            signal.raise_signal(number)
        assert stopped.code == 128 + number
        assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("name", SIGNALS)
def test_an_ignored_signal_stays_ignored(name: str):
    number = signal.Signals[name]
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Stopped().in_order():
            signal.raise_signal(number)
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), *((name, 128 + signal.Signals[name]) for name in SIGNALS)]
)
def test_a_command_that_is_stopped_leaves_no_file(
    onepass: Onepass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
):
    source = tmp_path / "in.jsonl"
    example = Example("a dog", (Mention(2, 5, "dog"),), ("dog",))
    write_examples(source, [example])
    seen: list[Path] = []

    def stopped_after_one(_: object) -> Iterator[Example]:
        yield example
        seen.extend(tmp_path.glob(".out*"))
        signal.raise_signal(signal.Signals[name])

    monkeypatch.setattr(data, "_read", stopped_after_one)
    with usual(name):
        done = onepass("data", "convert", str(source), "-o", str(tmp_path / "out.jsonl"))
    assert (done.code, done.out, done.err) == (code, "", "")
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == [source]
