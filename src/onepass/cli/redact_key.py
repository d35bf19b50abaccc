"""The secret key of redaction: from a file or the environment, never from the command line.

Other users of the machine would see it there.
"""

from __future__ import annotations

import os
from pathlib import Path

from onepass.errors import InputError

VARIABLE = "ONEPASS_REDACT_KEY"


def read_key(path: Path | None) -> bytes | None:
    """Return the key of a file, else that of the environment; None if there is none.

    Args:
        path: of the file, whose blanks at both ends do not count.

    Raises:
        InputError: if the file cannot be read.
    """
    if path is None:
        value = os.environ.get(VARIABLE)
        return None if value is None else value.encode("utf-8", "surrogateescape")
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"The key file {path} cannot be read: {error.strerror}.") from error
