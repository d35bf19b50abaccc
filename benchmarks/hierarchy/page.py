"""The page docs/hierarchy.md, made of a result of run.py.

Usage: python benchmarks/hierarchy/page.py [RESULT.json]

A test checks that the page is that of the committed result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.markdown import table  # noqa: E402
from benchmarks.hierarchy.sources import MAX_FIELDS, MAX_WORDS, SIZE  # noqa: E402
from benchmarks.hierarchy.systems import SYSTEMS  # noqa: E402

RESULT = ROOT / "benchmarks" / "hierarchy" / "results" / "builtin.json"
PAGE = ROOT / "docs" / "hierarchy.md"
_NAMES = {"entities": "entities", "classifications": "classes", "records": "records",
          "relations": "relations", "nothing": "alone", "all": "beside all"}  # fmt: skip

Result = Mapping[str, Any]


def page(result: Result) -> str:
    """Return the page."""
    parts = (_about, _metric, _systems, _levels, _depth, _together, _order, _sets, _again)
    return "\n".join(block for part in parts for block in part(result))


def _f(value: float) -> str:
    """Return a score in hundredths, which no test of pages takes for the output of code."""
    return f"{100 * value:.1f}"


def _here(result: Result) -> dict[str, Any]:
    return {name: one for name, one in result["sets"].items() if one["used"]}


def _about(result: Result) -> Iterator[str]:
    yield "# Nested records: a benchmark\n"
    yield (
        "How well a model finds records: dialogue states, events, orders, products, and records\n"
        "that hold records. The scores are F1 times 100, of the model "
        f"`{result['model']}` of onepass {result['onepass']}.\n"
        "This page is made of the result by a program.\n"
    )
    if result["limit"] < SIZE:
        yield (
            f"**A try with {result['limit']} texts a set at most: the numbers say that it runs, "
            "and nothing else.**\n"
        )


def _metric(result: Result) -> Iterator[str]:
    yield "## Metrics\n"
    yield (
        "Records are trees: an order holds items, an item holds options. The trees found are\n"
        "aligned with those of the gold one to one, from the top down, so that as many values as\n"
        "possible agree (the Hungarian method on every level). Then\n\n"
        "- a value is right if the aligned record has the same words in the same field; below the\n"
        "  first level, only if the records above it are aligned as well;\n"
        "- **F1** is over all values of all levels;\n"
        "- **record F1** is over records; one is right if it is aligned and has exactly the\n"
        "  values of its own level;\n"
        "- **count** is the share of questions with the right number of records: once a text on\n"
        "  the first level, once a gold record and kind of record in it below. What is below a\n"
        "  record that was not found is wrong.\n\n"
        "Words are compared without case, white space and Unicode forms. With one level these are\n"
        "the scores of [`onepass eval`](evaluation.md). The code is\n"
        "`onepass.evaluation.nested.NestedScorer`.\n"
    )


def _systems(result: Result) -> Iterator[str]:
    yield "## Records, the first record, grouped entities\n"
    yield "\n".join(f"- **{name}** {what};" for name, what in SYSTEMS.items())[:-1] + ".\n"
    yield (
        "The last two need no model of records: they group the mentions that the model finds.\n"
        "They leave out fields with choices. Where a model is asked for several levels, records\n"
        "are put under their parents by position (`onepass.typed.link`), for all four.\n"
    )
    here = _here(result)
    for title, key in (("F1", "f1"), ("Record F1", "record_f1"), ("Count", "count_accuracy")):
        yield f"### {title}\n"
        rows = [
            [name, _seen(one), *(_f(one["systems"][system][key]) for system in SYSTEMS)]
            for name, one in here.items()
        ]
        for title_of, fresh in (("mean, not seen", True), ("mean, seen", False)):
            kept = [one for one in here.values() if (one["seen"] == 0) is fresh]
            if kept:
                means = (fmean(one["systems"][s][key] for one in kept) for s in SYSTEMS)
                rows.append([f"**{title_of}**", "", *(f"**{_f(mean)}**" for mean in means)])
        yield table(["set", "seen in training", *SYSTEMS], rows)
    yield (
        "*Seen in training*: the texts with their records were in the training data of the\n"
        "built-in model, so its score there is no measure of it; for other models it may be one.\n"
        "The recipe of the built-in model holds out no part of the public sources.\n"
    )


def _seen(one: Mapping[str, Any]) -> str:
    if one["seen"] == 0:
        return "no"
    return "**yes**" if one["seen"] == one["texts"] else f"**{one['seen']} of {one['texts']}**"


def _levels(result: Result) -> Iterator[str]:
    rows = [
        [
            name,
            level,
            *(_f(one["systems"][s]["levels"].get(level, {}).get("f1", 0)) for s in SYSTEMS),
        ]
        for name, one in _here(result).items()
        if "depth" in one
        for level in one["systems"]["records"]["levels"]
    ]
    if rows:
        yield "## Level by level\n"
        yield "F1 of the values of each level, when all levels are asked at once.\n"
        yield table(["set", "level", *SYSTEMS], rows)


def _depth(result: Result) -> Iterator[str]:
    rows = []
    for name, one in _here(result).items():
        for depth, scores in one.get("depth", {}).items():
            per = [_f(scores["levels"][n]["f1"]) if n in scores["levels"] else "" for n in "123"]
            last = [_f(scores[key]) for key in ("f1", "record_f1", "count_accuracy")]
            rows.append([name, depth, *last, *per])
    if rows:
        yield "## Depth\n"
        yield (
            "The same texts, asked for the first level alone, for two, and for three. If the\n"
            "column of a level falls from one row to the next, asking for more costs what was\n"
            "found before.\n"
        )
        head = ["set", "levels asked", "F1", "record F1", "count", *(f"level {n}" for n in "123")]
        yield table(head, rows)


def _together(result: Result) -> Iterator[str]:
    found = result["together"]
    yield "## Tasks beside each other\n"
    yield (
        f"The same texts of `{found['set']}`, each task asked alone, beside one other task, and\n"
        "beside all three in one schema. A text for which the other task was not annotated gets\n"
        "the question of another text. Accuracy of classes (one label), F1 of the rest.\n"
    )
    columns = ("nothing", "entities", "classifications", "records", "relations", "all")
    head = ["scored", "texts", *(("alone" if c == "nothing" else f"+ {_NAMES[c]}"
                                   if c != "all" else "+ all") for c in columns)]  # fmt: skip
    rows = [
        [_NAMES[task], str(one["texts"]), *(_f(one["beside"][c]) if c in one["beside"] else ""
                                            for c in columns)]
        for task, one in found["tasks"].items()
    ]  # fmt: skip
    yield table(head, rows)


def _order(result: Result) -> Iterator[str]:
    found = result["order"]
    yield "## The order of labels\n"
    orders = max((len(one["permuted"]) for one in found["tasks"].values()), default=0)
    yield (
        f"The same schema in {orders} random orders of labels, tasks, choices,\n"
        f"structures, fields and relation types, for {found['texts']} texts of `{found['set']}`.\n"
    )
    rows = [
        [_NAMES[task], _f(one["annotated"]), _f(one["mean"]), _f(min(one["permuted"])),
         _f(max(one["permuted"])), _f(one["deviation"]), _f(one["range"])]
        for task, one in found["tasks"].items()
    ]  # fmt: skip
    head = ["task", "as annotated", "mean", "lowest", "highest", "deviation", "range of all"]
    yield table(head, rows)


def _sets(result: Result) -> Iterator[str]:
    yield "## Data sets\n"
    yield (
        f"At most {SIZE} texts of at most {MAX_WORDS} words. Of a public source, one text in ten\n"
        "is held out, by a hash of its words, so that anyone can leave the same ones out of\n"
        f"training. A type of record is asked with its {MAX_FIELDS} most frequent fields; a\n"
        "dialogue state with the slots it has and up to three of another service that share no\n"
        "word with those of its own, because each slot goes by six names in that source. Terms\n"
        "are those found at the source.\n"
    )
    rows = [
        [f"`{name}`", one["kind"], f"{one['used']} of {one['texts']}", one["origin"], one["terms"],
         "yes" if one["copied"] else "no"]
        for name, one in result["sets"].items()
    ]  # fmt: skip
    yield table(["set", "records", "texts used", "from", "terms", "in the repository"], rows)
    gone = [name for name, one in result["sets"].items() if not one["used"]]
    if gone:
        yield f"Not here when this was run: {', '.join(gone)}.\n"


def _again(result: Result) -> Iterator[str]:
    yield "## Run it\n"
    yield (
        "```bash\npython benchmarks/hierarchy/run.py --data DIRECTORY\n```\n\n"
        f"It took {result['seconds']} s on one thread. `benchmarks/hierarchy` in the repository\n"
        "has the sets, and how to build and to score them with other models.\n"
    )


def main(path: Path = RESULT) -> int:
    """Write the page."""
    PAGE.write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
