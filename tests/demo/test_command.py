"""``onepass demo`` as a command: how it starts, refuses to start, and stops."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from onepass.cli import loading, main
from onepass.demo.run import _free_port
from onepass.errors import InputError

MAIN = "import sys; from onepass.cli import main; sys.exit(main())"


def test_without_the_extra_it_names_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(loading, "find_spec", lambda package: None)
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == (
        "onepass: The demo needs the extra 'demo': run  pip install 'onepass[demo]'\n"
    )


def test_an_address_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("gradio", reason="needs the extra demo")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"cannot be served at 127.0.0.1:{port} (Address already in use" in error
    assert error.count("\n") == 1


def test_addresses_that_are_none_and_those_of_ipv6():
    assert _free_port("::1", 0) > 0
    for host, reason in (("ä..é", "not a name"), ("1:2", "Name or service not known")):
        with pytest.raises(InputError) as refused:
            _free_port(host, 7860)
        assert str(refused.value) == (
            f"The page cannot be served at {host}:7860 ({reason}); give another --host or --port."
        )


def _hear_ctrl_c() -> None:
    """Undo what a shell does to commands in the background: they ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_stopped_and_leaves_nothing_behind(
    tmp_path: Path, stop: signal.Signals, code: int
):
    pytest.importorskip("gradio", reason="needs the extra demo")
    running = subprocess.Popen(
        [sys.executable, "-c", MAIN, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=_hear_ctrl_c,
    )
    assert running.stderr is not None
    try:
        line = running.stderr.readline()
        address = re.search(r"http://[\d.]+:\d+", line)
        assert address, line + running.stderr.read()
        assert httpx.get(address[0]).status_code == 200
        assert httpx.get(address[0], headers={"host": "evil.com"}).status_code == 403
        own = [place.stat().st_mode & 0o777 for place in tmp_path.glob("onepass-demo-*")]
        assert own == [0o700]
        running.send_signal(stop)
        out, rest = running.communicate(timeout=20)
    finally:
        running.kill()
    assert (running.returncode, out, rest) == (code, "", "")
    assert list(tmp_path.iterdir()) == []
