"""The optional packages of file jobs, imported where they are first needed."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from onepass.errors import MissingExtra


def arrow(feature: str, module: str = "pyarrow") -> Any:
    """Return pyarrow, or a module of it.

    Args:
        feature: what needs it, as the start of a sentence in the plural.
        module: "pyarrow" or "pyarrow.parquet".

    Raises:
        MissingExtra: if it is not installed.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtra(f"Reading and writing {feature}", "data")
    return import_module(module)


def arrow_file(path: Path, mode: str = "rb") -> Any:
    """Return a file that Arrow opened, under any name; Arrow itself takes none that is not UTF-8.

    Args:
        path: of the file.
        mode: "rb" or "wb".

    Raises:
        MissingExtra: if pyarrow is not installed.
    """
    return arrow("Parquet files").OSFile(os.fsencode(path), mode)


def arrow_reason(error: Exception) -> str:
    r"""Return what Arrow says, which may be several lines, as a part of a sentence.

    >>> arrow_reason(OSError("Invalid data\n"))
    'Invalid data'
    """
    return " ".join(str(error).split()).rstrip(".")
