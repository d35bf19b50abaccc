"""Packed files: gzip and Zstandard, told by the last suffix of a name.

It knows bytes, not what they say. A packed file may consist of several members one after another,
which is how the chunks of a job are packed one by one.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from onepass.batch.extras import arrow, arrow_reason
from onepass.errors import InputError

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_BUFFER = 1 << 16
_FORMAT = re.compile(r"\.[a-z][a-z0-9]{0,7}")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is being read.

    Args:
        file: what it holds, unpacked.
        raw: the bytes on disk.
    """

    file: BinaryIO
    raw: BinaryIO

    def bytes_read(self) -> int:
        """Return how far the bytes on disk were read, about; 0 for a pipe."""
        return self.raw.tell() if self.raw.seekable() else 0


def packing(path: Path) -> str | None:
    """Return how a file is packed, by its name: "gzip", "zstd" or None.

    >>> packing(Path("a.csv.gz")), packing(Path("a.csv"))
    ('gzip', None)
    """
    return SUFFIXES.get(path.suffix.lower())


def unpacked_name(path: Path) -> Path:
    """Return a name without the suffix of its packing.

    >>> unpacked_name(Path("a.csv.gz")).name
    'a.csv'
    """
    return path.with_suffix("") if packing(path) else path


def ending(path: Path) -> str:
    """Return the ending of a name that means a format, in lower case and without its packing.

    A date, a version or the many letters of a temporary file are none.

    >>> ending(Path("a.CSV.gz")), ending(Path("a.2024")), ending(Path("tmp.q8WzVb0k2L"))
    ('.csv', '', '')
    """
    suffix = unpacked_name(path).suffix.lower()
    return suffix if _FORMAT.fullmatch(suffix) else ""


@contextmanager
def opened(path: Path, *, named: Path | None = None) -> Iterator[OpenFile]:
    """Open a file for reading what it holds.

    Args:
        path: of the file.
        named: whose name says how the file is packed, if that is not its own.

    Raises:
        InputError: if it cannot be read, or ends before its packing does; also while it is read.
        MissingExtra: if it is a Zstandard file and pyarrow is not installed.
    """
    name, how = f"The file {path}", packing(named or path)
    try:
        with path.open("rb") as raw:
            if how == "gzip":
                with gzip.open(raw, "rb") as file:
                    yield OpenFile(cast(BinaryIO, file), raw)
            elif how == "zstd":
                yield OpenFile(_zstd(raw), raw)
            else:
                yield OpenFile(raw, raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name} is not a whole gzip file: {error}.") from error
    except OSError as error:
        if error.errno is None:  # said by Arrow, not by the system
            raise InputError(
                f"{name} is not a whole Zstandard file: {arrow_reason(error)}."
            ) from error
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error


def _zstd(raw: BinaryIO) -> BinaryIO:
    pa = arrow("Zstandard files")
    stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    return cast(BinaryIO, io.BufferedReader(stream, _BUFFER))


def packed(data: bytes, how: str | None) -> bytes:
    """Return bytes as a member of a packed file, the same whenever it is made.

    Args:
        data: what to pack.
        how: "gzip", "zstd", or None for as it is.

    >>> gzip.decompress(packed(b"a", "gzip") + packed(b"b", "gzip"))
    b'ab'
    """
    if not data or how is None:
        return data
    if how == "gzip":
        return gzip.compress(data, mtime=0)
    return bytes(arrow("Zstandard files").compress(data, codec="zstd", asbytes=True))
