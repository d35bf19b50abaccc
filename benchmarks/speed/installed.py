"""How much a new virtual environment with onepass and its model takes on disk, without torch."""

from __future__ import annotations

import platform
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = 512  # bytes that `st_blocks` counts in


def installed(python: str) -> dict[str, str | float]:
    """Install this repository as a user does, and return the megabytes (of a million bytes).

    Args:
        python: the interpreter whose environment it is, by name or path.

    Returns:
        ``python`` and ``platform``; ``on_disk``, what the file system gives to the whole
        environment, pip, compiled modules and folders included; ``of_files``, what its files hold.
    """
    with tempfile.TemporaryDirectory() as scratch:
        there = Path(scratch) / "environment"
        pip = (there / "bin/python", "-m", "pip", "install", "--quiet")
        subprocess.run([python, "-m", "venv", there], check=True)
        subprocess.run([*pip, "-c", ROOT / "constraints.txt", ROOT], check=True)
        told = subprocess.run(
            [there / "bin/python", "-c", "import platform; print(platform.python_version())"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = sizes(there)
    return {"python": told.stdout.strip(), "platform": platform.platform(terse=True), **found}


def sizes(directory: Path) -> dict[str, float]:
    """Return ``on_disk`` and ``of_files``; a file of several names counts once."""
    found = (path.lstat() for path in (directory, *directory.rglob("*")))
    distinct = {(one.st_dev, one.st_ino): one for one in found}.values()
    return {
        "on_disk": _megabytes(one.st_blocks * _BLOCK for one in distinct),
        "of_files": _megabytes(one.st_size for one in distinct),
    }


def _megabytes(sizes: Iterable[int]) -> float:
    return round(sum(sizes) / 1e6, 1)
