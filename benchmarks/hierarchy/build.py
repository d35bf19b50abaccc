"""Build the sets of the benchmark, and say which of their texts the built-in model was trained on.

Usage: python benchmarks/hierarchy/build.py DATA_DIRECTORY

Writes ``data/NAME.jsonl.gz`` for the sets whose terms allow it, and ``data/sets.json`` about all of
them. The others are converted again each time that run.py gets the directory.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hierarchy.generated import generate  # noqa: E402
from benchmarks.hierarchy.sources import (  # noqa: E402
    OWN,
    SOURCES,
    Row,
    Source,
    convert,
    digest,
    json_rows,
)

DATA = Path(__file__).parent / "data"
WRITTEN = Path(__file__).parent / "written.jsonl"
GENERATED = 107  # with the written ones, as many as a set may have


def rows_of(source: Source, data: Path | None) -> list[Row] | None:
    """Return the rows of a set; None if they are not here.

    Args:
        source: the set.
        data: the directory of public sources; None takes what the repository holds.
    """
    if source.name == "nested":
        return [*json_rows(WRITTEN), *generate(GENERATED)]
    if source.path is None:
        return convert(source, OWN)
    if data is not None and (data / source.path).exists():
        return convert(source, data / source.path)
    copy = DATA / f"{source.name}.jsonl.gz"
    return list(json_rows(copy)) if copy.exists() else None


def fingerprint(rows: list[Row]) -> str:
    """Return a hash of the rows."""
    return sha256("\n".join(map(_line, rows)).encode()).hexdigest()[:16]


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True)


def trained_on(data: Path) -> set[str]:
    """Return the hashes of all texts that recipes/builtin/convert.py reads."""
    return {digest(text) for text in _training_texts(data)}


def _training_texts(data: Path) -> Iterator[str]:
    for kind in ("extraction", "classification"):
        for path in sorted((data / "train" / kind / "cleared").glob("*.jsonl.gz")):
            yield from (row["text"] for row in json_rows(path))
    yield from (row["text"] for row in json_rows(OWN))
    for path in sorted((ROOT / "data" / "written").glob("*.jsonl")):
        yield from (row["t"] for row in json_rows(path))


def main(data: Path) -> None:
    """Write the sets and what is known of them."""
    DATA.mkdir(exist_ok=True)
    seen = trained_on(data)
    about: dict[str, Any] = {}
    for source in SOURCES:
        rows = rows_of(source, data)
        if rows is None:
            raise SystemExit(f"{data / (source.path or '')} is missing; give the whole directory.")
        about[source.name] = {
            "kind": source.kind, "terms": source.terms, "origin": source.origin,
            "copied": source.copied, "texts": len(rows),
            "seen": sum(digest(row["text"]) in seen for row in rows),
            "fingerprint": fingerprint(rows),
        }  # fmt: skip
        if source.copied and source.path is not None:
            packed = gzip.compress("".join(f"{_line(row)}\n" for row in rows).encode(), mtime=0)
            (DATA / f"{source.name}.jsonl.gz").write_bytes(packed)
    (DATA / "sets.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
