"""Help, usage errors, exit codes, and what starting the command loads."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from onepass import __version__
from onepass.cli import loading, main

COMMANDS = ("extract", "train", "eval", "export", "models", "doctor")
Onepass = Callable[..., Any]


def test_version(onepass: Onepass):
    done = onepass("--version")
    assert (done.code, done.out, done.err) == (0, f"onepass {__version__}\n", "")


def test_line_ends_are_written_as_they_are(monkeypatch: pytest.MonkeyPatch):
    """As Windows opens it, standard output makes two characters of each."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, newline="\r\n"))
    assert main(["--version"]) == 0
    sys.stdout.flush()
    assert written.getvalue() == f"onepass {__version__}\n".encode()


def test_help_names_every_command(onepass: Onepass):
    done = onepass("--help")
    assert (done.code, done.err) == (0, "")
    for command in COMMANDS:
        assert f"  {command} " in done.out
    assert "..." not in done.out.partition("Commands:")[2], "a summary is cut off"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(onepass: Onepass, command: str):
    done = onepass(command, "-h")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: onepass {command} ")


def test_examples_in_the_help_are_whole_lines(onepass: Onepass):
    shown = onepass("extract", "--help").out
    assert (
        '\n    onepass extract "Tim Cook runs Apple." -e person,company -r "works for"\n' in shown
    )


def test_no_command_shows_the_help(onepass: Onepass):
    done = onepass()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: onepass [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["extrac"], "No such command 'extrac'"),
        (["extract", "a", "-e", "x", "--bad"], "No such option: --bad"),
        (["extract", "a", "b", "-e", "x"], "Got unexpected extra argument"),
        (["extract", "a", "-e"], "Option '-e' requires an argument"),
        (["extract", "a", "-e", "x", "--threshold", "2"], "Invalid value for '--threshold'"),
        (["extract", "a", "-e", "x", "--threshold", "nan"], "threshold"),
        (["extract", "a", "-e", "x", "--threshold", "half"], "Invalid value for '--threshold'"),
        (["extract", "a", "-e", "x", "--threads", "0"], "Invalid value for '--threads'"),
        (["extract", "a", "-e", "x", "--threads", "100000"], "threads must be at most"),
        (["extract", "a", "-e", "x", "--format", "xml"], "is not one of 'json', 'jsonl'"),
        (["extract", "a", "-e", "x", "--overlap", "some"], "is not one of 'flat', 'nested'"),
        (["export"], "Missing argument 'CHECKPOINT'"),
        (["eval"], "Missing option '--data'"),
    ],
)
def test_wrong_usage_is_one_sentence(onepass: Onepass, arguments: list[str], message: str):
    done = onepass(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("onepass: ")
    assert done.err.count("\n") == 1
    assert message in done.err
    assert "--help)\n" in done.err
    assert "Value error" not in done.err


@pytest.mark.parametrize(
    ("command", "option", "given"),
    [
        ("extract", "--threshold", "3"),
        ("extract", "--threshold", "nan"),
        ("extract", "--threshold", "person=low"),
        ("extract", "--threshold", "=0.5"),
        ("extract", "--threads", "0"),
        ("extract", "--threads", "1.5"),
        ("extract", "--max-line", "0"),
        ("redact", "--threshold", "3"),
        ("serve", "--port", "99999"),
        ("serve", "--timeout", "soon"),
        ("train", "--seed", "-1"),
    ],
)
def test_a_value_that_is_refused_is_named(onepass: Onepass, command: str, option: str, given: str):
    done = onepass(command, option, given)
    assert (done.code, done.out) == (2, "")
    start = f"onepass: Invalid value for '{option}'"
    assert done.err.startswith(start)
    assert given in done.err.removeprefix(start)
    assert done.err.count("\n") == 1
    assert "parse string" not in done.err


def test_a_bug_keeps_its_traceback(onepass: Onepass, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(loading, "load_model", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        onepass("extract", "a", "-e", "x")


def test_interrupted(onepass: Onepass, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load_model", interrupted)
    done = onepass("extract", "a", "-e", "x")
    assert (done.code, done.out, done.err) == (130, "", "")


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "ImportError from KeyboardInterrupt()"])
@pytest.mark.parametrize("module", ["onepass.cli.app", "onepass.backends.onnx"])
def test_interrupted_while_modules_are_loaded(raised: str, module: str):
    script = f"""
import sys
from onepass.cli import main
class Interrupted:
    def find_spec(self, name, *_):
        if name == {module!r}:
            raise {raised}
sys.meta_path.insert(0, Interrupted())
sys.exit(main(["extract", "Ann", "-e", "person"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_import_that_fails_by_itself_is_no_interruption():
    script = """
import sys
sys.modules["onepass.cli.app"] = None
from onepass.cli import main
main([])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_help_loads_nothing_heavy():
    script = """
import json, sys
from onepass.cli import main
main(["--help"])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert "typer" in loaded
    assert not loaded & {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "rich", "torch"}


def test_main_is_imported_without_the_command_line():
    script = "import sys, onepass.cli; print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n"
    assert callable(main)


def test_a_command_that_leaves_by_itself_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch):
    def leave() -> None:  # as a server whose start fails
        sys.exit(3)

    monkeypatch.setattr(loading, "load_model", lambda *_, **__: leave())
    with pytest.raises(SystemExit, match="3"):
        main(["extract", "Ann", "-e", "person"])
