"""Where a command writes: what is foreign reaches a terminal as text, and no link is followed."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from tests.cli.conftest import Onepass

from onepass.cli import output as module
from onepass.cli.output import opened, say, section, show
from onepass.cli.progress import Progress
from onepass.errors import InputError

STEERS = "per\x1b]0;PWN\x07\x1b[31m\u202e"
SHOWN = r"per\x1b]0;PWN\x07\x1b[31m\u202e"


def test_cells_and_messages_are_nothing_but_text(capsys: pytest.CaptureFixture[str]):
    assert section("Labels", [[STEERS, "1"], ["a", "20"]]) == (
        f"Labels\n  {SHOWN}  1\n  {'a'.ljust(len(SHOWN))}  20\n"
    )
    say(f"one {STEERS}\ntwo")
    with Progress() as progress:
        progress.fail(f"{STEERS}.txt, row 2", f"The file {STEERS} is UTF-16")
    assert capsys.readouterr().err == (
        f"one {SHOWN}\ntwo\nonepass: {SHOWN}.txt, row 2: The file {SHOWN} is UTF-16\n"
        "onepass: 1 of 0 rows failed\n"
    )


@pytest.mark.parametrize(
    "command", [["extract", "a", "-e", "a"], ["redact", "a"], ["eval", "--data", "a"]]
)
def test_a_directory_is_no_output(onepass: Onepass, tmp_path: Path, command: list[str]):
    done = onepass(*command, "-o", f"{tmp_path}/out/")
    assert (done.code, done.out) == (2, "")
    assert "/out/' is the name of a directory" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["data", "stats"], ["data", "validate"], ["eval", "--data"]])
def test_annotated_files_do_not_steer_a_terminal(
    onepass: Onepass, tmp_path: Path, command: list[str]
):
    row = {"text": "Tim Cook runs Apple.", "entities": [{"label": STEERS, "start": 0, "end": 8}]}
    rows = [row, row, {"text": 1, STEERS: 2}][: 3 if "validate" in command else 2]
    file = tmp_path / "x\x1b[31m.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    done = onepass(*command, str(file))
    assert "\x1b" not in done.out + done.err
    assert r"\x1b[31m" in done.out


def test_a_link_in_the_place_of_the_part_is_not_followed(tmp_path: Path):
    victim, output = tmp_path / "victim", tmp_path / "out.json"
    victim.write_text("kept")
    (tmp_path / f".out.json.{os.getpid()}.part").symlink_to(victim)
    with opened(output) as write:
        write("{}\n")
    assert (victim.read_text(), output.read_text()) == ("kept", "{}\n")


def test_a_closed_pipe_is_quiet_where_it_is_called_a_wrong_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As on Windows; of a file it is an error like others."""

    def refused(_: str) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe, (tmp_path / "file").open("w") as file:
        for stream, error in ((pipe, typer.Exit), (file, InputError)):
            stdout = SimpleNamespace(write=refused, fileno=stream.fileno)
            system = SimpleNamespace(platform="win32", stdout=stdout)
            monkeypatch.setattr(module, "sys", system)
            with pytest.raises(error):
                show("one")
