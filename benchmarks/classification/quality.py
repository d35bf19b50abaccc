"""Zero-shot classification on the data sets of the GLiClass paper: macro F1, micro F1, accuracy.

Usage: python benchmarks/classification/quality.py --model MODEL [--model MODEL ...] --data DIR

DIR holds ``NAME.jsonl`` or ``NAME.jsonl.gz`` for each data set of datasets.json beside this file,
one ``{"text": str, "label": str | int}`` a line, or any format that onepass reads; README.md says
how to get them. Every text is asked one single-label question with all labels, in the order of
datasets.json, and answered with the label of the highest score: there is no threshold. Data sets
whose file is not there are listed as missing, and a mean says what it is over. Other annotated
files in DIR are asked as they say themselves, and have a mean of their own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from onepass import Extractor, Schema
from onepass.corpus.formats import read_any
from onepass.corpus.rows import at_line, read_entries
from onepass.errors import InputError
from onepass.evaluation.counts import Counts, macro_f1, mean
from onepass.evaluation.files import find_files
from onepass.evaluation.tables import table

DATASETS = Path(__file__).with_name("datasets.json")
NAMES = ("raw", "humanized")
QUICK = 16  # texts of each file

# A text, its true label (or the number of it) and, where the file says so, all labels.
_Row = tuple[str, str | int, tuple[str, ...]]


@dataclass(frozen=True)
class Questions:
    """A data set as it is asked.

    Attributes:
        task: name of the question.
        labels: what is asked, in this order.
        rows: texts, each with the one of ``labels`` that is true.
    """

    task: str
    labels: tuple[str, ...]
    rows: list[tuple[str, str]]


def score(true: Sequence[str], chosen: Sequence[str]) -> dict[str, float]:
    """Return macro F1 over labels that are true or chosen anywhere, micro F1 and accuracy."""
    counts: dict[str, Counts] = {}
    for wanted, found in zip(true, chosen, strict=True):
        for label in {wanted, found}:
            own = counts.setdefault(label, Counts())
            own.add_counts(wanted == found, label == found, label == wanted)
    pooled = Counts()
    for own in counts.values():
        pooled.merge(own)
    right = sum(wanted == found for wanted, found in zip(true, chosen, strict=True))
    return {
        "macro_f1": macro_f1(counts.values()),
        "micro_f1": pooled.f1,
        "accuracy": right / len(true),
    }


def read(path: Path, known: Mapping[str, Any] | None, names: str, limit: int | None) -> Questions:
    """Return a file as it is asked.

    Args:
        path: of the file.
        known: its entry in datasets.json, None if there is none.
        names: which names of labels are asked, one of `NAMES`.
        limit: read only so many texts.

    Raises:
        InputError: for a file that cannot be read, or a label that the data set does not have.
    """
    found = list(_labelled(path))
    if not found:
        raise InputError(f"{path} has no text with a label.")
    if known is None or known["raw"] is None:
        labels = _own_labels(path, found)
        rows = [(text, str(label)) for text, label, _ in found[:limit]]
        return Questions("class" if known is None else str(known["task"]), labels, rows)
    places: dict[str | int, int] = {i: i for i in range(len(known["raw"]))}
    for kind in NAMES:
        places |= {label: i for i, label in enumerate(known[kind])}
    stray = next((label for _, label, _ in found if label not in places), None)
    if stray is not None:
        raise InputError(f"{path} has the label {stray!r}; it should have {list(places)!r:.300}.")
    labels = tuple(known[names])
    rows = [(text, labels[places[label]]) for text, label, _ in found[:limit]]
    return Questions(str(known["task"]), labels, rows)


def _own_labels(path: Path, found: Sequence[_Row]) -> tuple[str, ...]:
    """Return all labels of a file: what it says, or else what is true anywhere, sorted."""
    said = {labels for _, _, labels in found}
    true = {label for _, label, _ in found}
    if len(said) > 1 or not all(isinstance(label, str) for label in true):
        raise InputError(f"{path} must ask one question, and name its labels.")
    return said.pop() or tuple(sorted(map(str, true)))


def _labelled(path: Path) -> Iterator[_Row]:
    """Yield the rows of a file, in whichever format it is.

    Raises:
        InputError: for a row that does not fit, or a question that has not exactly one answer.
    """
    entries = read_entries(path)
    if "label" not in next((row for _, row in islice(entries, 1)), {}):
        for example in read_any(path):
            tasks = example.classifications
            if len(tasks) != 1 or tasks[0].multi_label or len(tasks[0].true) != 1:
                raise InputError(f"{path}: a text must have one question with one true label.")
            yield example.text, tasks[0].true[0], tasks[0].labels
        return
    for place, row in read_entries(path):
        with at_line(path, place):
            text, label = row.get("text"), row.get("label")
            if not isinstance(text, str) or not isinstance(label, str | int):
                raise InputError("expected a text and a label, a string or a number.")
        yield text, label, ()


def ask(model: Extractor, asked: Questions, options: argparse.Namespace) -> dict[str, float]:
    """Return what a model scores on a data set, and the seconds it took."""
    template = options.template if model.family == "nli" else None
    schema = Schema().classification(asked.task, list(asked.labels), prompt=template)
    began = time.perf_counter()
    chosen = []
    texts = [text for text, _ in asked.rows]
    for doc in model.stream(texts, schema, on_long=options.on_long):
        scores = doc.classifications[asked.task].scores
        chosen.append(max(asked.labels, key=scores.__getitem__))  # of equal ones, the first
    seconds = time.perf_counter() - began
    found = score([label for _, label in asked.rows], chosen)
    return {**found, "texts": len(texts), "labels": len(asked.labels), "seconds": round(seconds, 3)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Ask every model every data set that is there."""
    known = json.loads(DATASETS.read_text(encoding="utf-8"))["datasets"]
    files = find_files([options.data])
    missing = {name: entry for name, entry in known.items() if name not in files}
    result: dict[str, Any] = {
        "command": [Path(sys.argv[0]).name, *options.command],
        "template": options.template,
        "on_long": options.on_long,
        "limit": options.limit,
        "missing": {name: f"{e['hub']}, split {e['split']}" for name, e in missing.items()},
        "models": {},
    }
    order = [name for name in known if name in files] + sorted(files.keys() - known.keys())
    asked = [
        ("paper" if name in known else "other", names, name,
         read(files[name], known.get(name), names, options.limit))
        for name in order
        for names in (options.names if name in known else ("own",))
    ]  # fmt: skip
    for model_name in options.model:
        settings = {"backend": options.backend, "precision": options.precision}
        model = Extractor.from_pretrained(model_name, threads=options.threads, **settings)
        rows: dict[str, dict[str, Any]] = {"paper": {}, "other": {}}
        done: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}
        for part, names, name, questions in asked:
            key = (name, questions.labels)  # names that are the same are not asked twice
            done[key] = done.get(key) or ask(model, questions, options)
            rows[part].setdefault(names, {})[name] = done[key]
        own = {"family": model.family, "backend": model.backend, "precision": model.precision}
        result["models"][model_name] = {**own, **rows, "means": means(rows)}
        del model  # before the next one is opened
    return result


def means(rows: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return plain means over data sets, and over which: the paper's apart from others."""
    return {
        f"{part}, {names}": {
            "over": list(scores),
            **{key: mean([one[key] for one in scores.values()]) for key in SCORES},
        }
        for part, kinds in rows.items()
        for names, scores in kinds.items()
    }


SCORES = ("macro_f1", "micro_f1", "accuracy")


def shown(result: Mapping[str, Any]) -> str:
    """Return the result as text: scores, means, and what is missing."""
    lines = []
    short = _short(result["models"])
    keyed: dict[tuple[str, str], dict[str, dict[str, float]]] = {}  # so that models stand together
    for model, found in result["models"].items():
        for part in ("paper", "other"):
            for names, sets in found[part].items():
                for name, scores in sets.items():
                    row = f"{name} ({names}), {short[model]}"
                    keyed.setdefault((name, names), {})[row] = scores
        for over, values in found["means"].items():
            numbers = ", ".join(f"{key.replace('_', ' ')} {values[key]:.4f}" for key in SCORES)
            lines.append(f"{short[model]}: mean over {_over(values['over'], over)}: {numbers}")
    for name, source in result["missing"].items():
        lines.append(f"MISSING: {name} ({source}) is in no mean above.")
    rows = {name: row for group in keyed.values() for name, row in group.items()}
    return "\n".join([table("data set", rows), "", *lines])


def _over(names: Sequence[str], part: str) -> str:
    return f"{len(names)} data set{'s'[: len(names) > 1]} ({part}: {', '.join(names)})"


def _short(names: Iterable[str]) -> dict[str, str]:
    """Return the last part of each name; all of it where two end alike."""
    names = list(names)
    ends = [Path(name).name for name in names]
    return {n: end if ends.count(end) == 1 else n for n, end in zip(names, ends, strict=True)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, ask, print and write; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", action="append", required=True, help="hub id or directory")
    parser.add_argument("--data", type=Path, required=True, help="directory of the data sets")
    parser.add_argument("--names", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--template", help="hypothesis of NLI checkpoints, with {}")
    parser.add_argument("--on-long", default="truncate", help="the paper truncates; or 'window'")
    parser.add_argument("--limit", type=int, help="read only so many texts of each file")
    parser.add_argument("--quick", action="store_true", help=f"as --limit {QUICK}")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args(arguments)
    options.command = list(sys.argv[1:] if arguments is None else arguments)
    options.limit = QUICK if options.quick else options.limit
    result = run(options)
    sys.stdout.write(shown(result) + "\n")
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if result["missing"]:
        sys.stderr.write(f"{len(result['missing'])} data sets of the paper are missing.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
