"""Keep what the built-in model scores: a report of `onepass eval`, and which model it is of.

Usage: python benchmarks/quality/record.py REPORT OUTPUT

REPORT is what ``onepass eval --data DIRECTORY --format json`` wrote. What it says of each label and
length is not kept.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from onepass.builtin import builtin_checkpoint

KEPT = ("scores", "intervals", "reliability", "texts")
COMMAND = "onepass eval --data DIRECTORY --backend onnx --format json --output REPORT"


def main(report: Path, output: Path) -> None:
    """Write what is kept of a report."""
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    files = {
        name: {key: own[key] for key in KEPT if key in own} for name, own in found["files"].items()
    }
    kept = {
        "command": COMMAND,
        "model": fingerprint(builtin_checkpoint().directory),
        "versions": {name: version(name) for name in ("onepass", "onnxruntime")},
        "means": found["means"],
        "files": files,
    }
    output.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def fingerprint(directory: Path) -> str:
    """Return the SHA-256 of all files of a checkpoint but its card."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name != "README.md":
            digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
