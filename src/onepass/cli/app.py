"""The command line as a whole: its commands, its messages and its exit codes.

It does not know what a command does; each has its file. Nothing heavy may be imported here or at
the top of those files: `onepass --help` loads neither numpy nor a model.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from onepass import __version__
from onepass.cli import (
    INTERRUPTED,
    calibrate,
    data,
    demo,
    doctor,
    evaluate,
    export,
    extract,
    inspect,
    models,
    redact,
    serve,
    train,
    was_interrupted,
)
from onepass.cli.output import PIPE_CLOSED, say
from onepass.cli.terminated import Stopped
from onepass.errors import OnepassError
from onepass.schema.shown import shown

BAD_INPUT = 2

# What typer raises for a wrong option or argument. Its place in the package depends on the version,
# the base of this public class does not.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="onepass",
    rich_markup_mode=None,  # plain help: quicker, and the same in a pipe
    pretty_exceptions_enable=False,  # a bug shows Python's own traceback
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(
    "extract",
    epilog=extract.EXAMPLES,
    short_help="Extract entities, classes, records and relations.",
)(extract.extract)
app.command("train", epilog=train.EXAMPLES, short_help="Train a model on annotated texts.")(
    train.train
)
app.command("eval", epilog=evaluate.EXAMPLES, short_help="Score models on annotated texts.")(
    evaluate.evaluate
)
app.command(
    "calibrate",
    epilog=calibrate.EXAMPLES,
    short_help="Fit scores and thresholds to annotated texts.",
)(calibrate.calibrate)
app.command(
    "export", epilog=export.EXAMPLES, short_help="Export a checkpoint to ONNX or safetensors."
)(export.export)
app.command("redact", epilog=redact.EXAMPLES, short_help="Replace personal data in texts.")(
    redact.redact
)
app.command("serve", epilog=serve.EXAMPLES, short_help="Start an HTTP service.")(serve.serve)
app.command("demo", epilog=demo.EXAMPLES, short_help="Open a web page to try a model.")(demo.demo)
app.add_typer(data.data, name="data", short_help="Check, count, convert and make annotated files.")
about_models = typer.Typer(callback=models.models, invoke_without_command=True)
about_models.command("inspect", short_help="Show what a checkpoint is made of.")(inspect.inspect)
app.add_typer(about_models, name="models", short_help="List available models.")
app.command("doctor", short_help="Check the installation.")(doctor.doctor)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"onepass {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _onepass(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Extract entities, classes, records and relations from texts in one pass, for any labels.

    Results go to standard output, messages and progress to standard error. The exit code is 0 for
    success, 1 if a part failed (rows of a file, the self-test, the check of annotated files), 2
    for bad input, and 129, 130, 141 or 143 if the command was stopped (by a closed terminal, by
    Ctrl-C, by a closed pipe, by SIGTERM).
    """
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(BAD_INPUT)
    if context.invoked_subcommand != "serve":  # it heeds signals itself, to finish what it accepted
        context.with_resource(context.obj.in_order())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (see `onepass.cli.main`)."""
    sys.stdin = sys.stdin or _Closed()
    sys.stdout = sys.stdout or _Closed()
    sys.stderr = sys.stderr or open(os.devnull, "w", errors="backslashreplace")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 whatever the locale; a lone surrogate becomes the escape that JSON has too.
        # Line ends are written as they are, as into files, on Windows as well.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    command, stopped = typer.main.get_command(app), Stopped()
    try:
        code = command.main(arguments, prog_name="onepass", standalone_mode=False, obj=stopped)
    except OnepassError as error:
        return stopped.code if was_interrupted(error) else _refuse(str(error))
    except _UsageError as error:
        return _refuse(_usage(error))
    except OSError as error:  # a full disk, a closed directory: no bug, wherever it shows
        place = "" if error.filename is None else f" ({error.filename!s:.80})"
        return _refuse(f"The operating system reported: {error.strerror or error}{place}.")
    except (KeyboardInterrupt, typer.Abort):
        return stopped.code
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # click's, where nobody reads its help
            return PIPE_CLOSED
        raise
    if code == INTERRUPTED:  # what some versions of typer make of a KeyboardInterrupt
        return stopped.code
    return code if isinstance(code, int) else 0  # commands return nothing, typer.Exit its code


class _Closed(io.StringIO):
    """What stands for a standard stream that was closed when the program began."""

    buffer = io.BytesIO()  # nothing to read

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def _usage(error: typer.BadParameter) -> str:
    """Return one sentence for what typer says, and where to look."""
    said = " ".join(_named(error).replace("Value error, ", "").split()).rstrip(".")
    command = "onepass" if error.ctx is None else error.ctx.command_path
    return f"{said} (see  {command} --help)"


def _named(error: typer.BadParameter) -> str:
    """Return what typer says, with the value that was given where only pydantic knows it."""
    from pydantic import ValidationError

    said = error.format_message()
    if not isinstance(error.__cause__, ValidationError):
        return said
    first = error.__cause__.errors()[0]
    if first["type"] == "value_error":  # of typer's own checks, which name it
        return said
    where, _, _ = said.partition(first["msg"])
    wanted = first["msg"].partition(",")[0]  # behind it, how pydantic looked at it
    return f"{where}{shown(first['input'])} was given, but {wanted[:1].lower()}{wanted[1:]}"


def _refuse(message: str) -> int:
    say(f"onepass: {message}")
    return BAD_INPUT
