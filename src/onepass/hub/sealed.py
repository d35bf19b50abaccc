"""Directories of the cache that are whole: what a power cut or a failing disk leaves is told.

Names and times of files may be on disk before what is in them is; a file is then cut off, or all
zeros. It does not know what is in the files.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.files import read_json

SEAL = "sealed.json"
_BLOCK = 4096  # bytes
_BLOCKS = 64  # that are read of a file: what is damaged in this way is so from some place on


def seal(directory: Path) -> None:
    """Make sure that the files of a directory are on disk, and write down what they are.

    Raises:
        OSError: if that cannot be done.
    """
    states = {}
    for path in _files(directory):
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        states[path.name] = _state(path)
    staged = directory / f".{SEAL}"
    with staged.open("w", encoding="utf-8") as file:
        file.write(json.dumps(states, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    staged.replace(directory / SEAL)


def is_sealed(directory: Path) -> bool:
    """Say whether the files of a directory are there as they were when it was sealed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "graph.onnx")
    ...     _ = path.write_bytes(b"a graph")
    ...     seal(Path(folder))
    ...     before = is_sealed(Path(folder))
    ...     _ = path.write_bytes(bytes(7))
    ...     before, is_sealed(Path(folder))
    (True, False)
    """
    try:
        return read_json(directory / SEAL) == {
            path.name: _state(path) for path in _files(directory)
        }
    except (CheckpointError, OSError):
        return False


def _files(directory: Path) -> list[Path]:
    return sorted(
        path for path in directory.iterdir() if path.is_file() and path.name.strip(".") != SEAL
    )


def _state(path: Path) -> str:
    """Return the size of a file, and a digest of blocks all over it."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for place in (*range(0, size, max(size // _BLOCKS, _BLOCK)), max(size - _BLOCK, 0)):
            file.seek(place)
            digest.update(file.read(_BLOCK))
    return f"{size} {digest.hexdigest()}"
