"""Where the output of a job goes: a place that can be written, apart from what is read.

It knows names, not what is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from onepass.batch.sources import Source, is_one_file
from onepass.batch.streams import is_device, names_stream
from onepass.errors import InputError

_STDIN = Path("/dev/stdin")  # which is nowhere on Windows


def place_of(output: Path) -> Path:
    """Return where a file will be written, through links.

    Raises:
        InputError: if no file can be written there.
    """
    place = Path(os.path.realpath(output))  # through links
    try:
        is_dir, has_parent = place.is_dir(), place.parent.is_dir()
        is_other = names_stream(output) or (place.exists() and not place.is_file())
    except OSError as error:  # a name too long, a directory that is closed
        raise InputError(
            f"The output {output!s:.80} cannot be written: {error.strerror}; give another name."
        ) from error
    if is_dir:
        raise InputError(f"The output {output} is a directory; give the name of a file.")
    if not has_parent:
        raise InputError(f"There is no directory {place.parent} for the output; make it first.")
    if is_other:
        raise InputError(f"The output {output} is no file; results can be streamed to it only.")
    return place


def check_apart(output: Path | None, what: str, others: Mapping[str, Path | None]) -> None:
    """Refuse an output that would take the place of another file of a job or a command.

    Args:
        output: a file; None for standard output. Devices and pipes take no place.
        what: it is to the user, for the message.
        others: what they are to the user, and files; those that are read among them.

    Raises:
        InputError: if it is one of them.

    >>> check_apart(Path("a.json"), "report", {"input": Path("./a.json")})
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: The report a.json is the input, too; give it another name.
    """
    for name, other in others.items():
        if output and other and is_one_file(output, other) and not is_device(output):
            raise InputError(f"The {what} {output} is the {name}, too; give it another name.")


def read_from(sources: Sequence[Source]) -> dict[str, Path]:
    """Return the files that a job reads, by what they are called in messages.

    Patterns and directories are none: what stands for them is. Standard input may be a file, too.
    """
    files = {f"input {path}": path for source in sources for path in source.paths}
    streamed = any(source.path is None for source in sources)
    return files | ({"standard input": _STDIN} if streamed else {})
