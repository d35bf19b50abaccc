"""Run the benchmark and write its result and its page.

Usage: python benchmarks/hierarchy/run.py [--data DIRECTORY] [--model ID] [--limit N]

Without a directory of public data (see sources.py), the sets that the repository holds are scored.
The result goes to results/MODEL.json. The page docs/hierarchy.md is written anew for the built-in
model.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hierarchy import page  # noqa: E402
from benchmarks.hierarchy.build import DATA, fingerprint, rows_of  # noqa: E402
from benchmarks.hierarchy.scored import depth_scores, question, score  # noqa: E402
from benchmarks.hierarchy.sources import OWN, SIZE, SOURCES, held_out  # noqa: E402
from benchmarks.hierarchy.systems import Extracts  # noqa: E402
from benchmarks.hierarchy.together import interference, order  # noqa: E402

from onepass import Extractor, __version__  # noqa: E402
from onepass.corpus.example import Example  # noqa: E402
from onepass.corpus.formats import read_any  # noqa: E402

RESULTS = Path(__file__).parent / "results"


def sets(model: Extracts, data: Path | None, limit: int) -> dict[str, Any]:
    """Return the scores of all sets that are here; of the others, what is known of them."""
    about = json.loads((DATA / "sets.json").read_text(encoding="utf-8"))
    table: dict[str, Any] = {}
    for source in SOURCES:
        rows = rows_of(source, data)
        table[source.name] = {**about[source.name], "used": 0}
        if rows is None:
            continue
        if fingerprint(rows) != about[source.name]["fingerprint"]:
            raise SystemExit(f"The set {source.name} is not the one of sets.json; run build.py.")
        rows = _spread(rows, limit)
        table[source.name] |= {"used": len(rows), "systems": score(model, map(question, rows))}
        if source.nested:
            table[source.name]["depth"] = depth_scores(model, rows)
        _say(source.name)
    return table


def handwritten(data: Path | None, limit: int) -> tuple[str, list[Example]]:
    """Return the name of the set with all four tasks and its examples."""
    path = None if data is None else data / "dev/multitask/handwritten.jsonl.gz"
    if path is not None and path.exists():
        return "handwritten_dev", _spread(list(read_any(path)), limit)
    return "handwritten", _spread([one for one in read_any(OWN) if held_out(one.text)], limit)


def _spread(items: list[Any], limit: int) -> list[Any]:
    """Return at most so many items from all over a list."""
    step = max(len(items) / limit, 1.0)
    return [items[int(i * step)] for i in range(min(limit, len(items)))]


def _say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--data", type=Path, help="directory of public data")
    parser.add_argument("--model", help="checkpoint; the built-in one if left out")
    parser.add_argument("--limit", type=int, default=SIZE, help="texts of a set at most")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="file of the result; writes no page")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    model = (
        Extractor.from_pretrained(given.model, threads=given.threads)
        if given.model
        else Extractor(threads=given.threads)
    )
    scored = sets(model, given.data, given.limit)
    name, examples = handwritten(given.data, max(given.limit, 2 * SIZE) if given.limit >= SIZE
                                 else 4 * given.limit)  # fmt: skip
    result = {
        "model": model.name,
        "onepass": __version__,
        "limit": given.limit,
        "sets": scored,
        "together": {"set": name, "texts": len(examples), "tasks": interference(model, examples)},
    }
    _say("tasks beside each other")
    result["order"] = {"set": name, **order(model, examples)}
    result["seconds"] = round(time.perf_counter() - began)
    output = given.output or RESULTS / f"{model.name.replace('/', '_')}.json"
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if given.output is None and not given.model:
        page.main(output)
    _say(f"{output}: {result['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
