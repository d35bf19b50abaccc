"""The self-test: what the built-in model finds now, and what it found when it was built.

It tells an installation that computes something else (a runtime, a CPU, damaged files) from one
that works. Scores may differ a little, since kernels are not the same on every CPU.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass import __version__
from onepass.errors import CheckpointError
from onepass.results.types import Extraction, Value

if TYPE_CHECKING:
    from onepass.extractor import Extractor

TOLERANCE = 0.05  # products of integers and those in fp32 differ by up to 0.03
THRESHOLD = 0.5
_FILE = "selftest.json"  # in onepass.builtin

# Texts and schemas: every task, other scripts, a text of several windows, an empty one.
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Tim Cook announced the iPhone 15 for $999 in Cupertino yesterday.",
        {
            "entities": ["person", "product", "location", "price", "date"],
            "classifications": {"topic": ["technology", "sports", "politics"]},
        },
    ),
    (
        "The Aurora desk lamp costs $49 and comes in black and white. The Nimbus office chair is "
        "$219, in gray.",
        {"structures": {"product": ["name::str", "price::str", "colors"]}},
    ),
    (
        "Marie Curie was born in Warsaw and worked at the University of Paris.",
        {
            "entities": {"person": {}, "organization": {"description": "a named institution"}},
            "relations": ["born in", "works for"],
        },
    ),
    (
        "Änne traf 山田太郎 in Zürich 🙂, then flew to São Paulo. "
        "I was very happy with the hotel, the staff were wonderful!",
        {
            "entities": ["person", "city"],
            "classifications": {"sentiment": ["positive", "negative"]},
        },
    ),
    (
        " ".join(
            f"On day {day}, the minister met the mayor of Vienna to talk about trade."
            for day in range(1, 46)
        ),
        {"entities": ["city", "job title"]},
    ),
    ("", {"entities": ["person"], "classifications": {"tone": ["calm", "angry"]}}),
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a self-test came to.

    Attributes:
        cases: how many texts were read.
        differences: what is not as it should be, one sentence each.
        seconds: of reading the texts, without loading the model.
    """

    cases: int
    differences: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def run_selftest(model: Extractor) -> SelfTest:
    """Compare what a model finds with what is stored.

    Args:
        model: the built-in model.

    Raises:
        CheckpointError: if nothing is stored.
    """
    stored = _stored()
    start = time.perf_counter()
    found = [_extract(model, case["text"], case["schema"]) for case in stored]
    seconds = time.perf_counter() - start
    wanted = [Extraction.from_dict(case["extraction"]) for case in stored]
    differences = tuple(
        f"text {number}: {difference}"
        for number, (want, got) in enumerate(zip(wanted, found, strict=True), 1)
        for difference in compare(want, got)
    )
    return SelfTest(len(stored), differences, seconds)


def record_selftest(model: Extractor, path: Path) -> int:
    """Store what a model finds, for `run_selftest` of the package it is shipped in.

    Args:
        model: the built-in model.
        path: the file to write.

    Returns:
        How many cases were stored.
    """
    cases = [
        {"text": text, "schema": schema, "extraction": _extract(model, text, schema).to_dict()}
        for text, schema in CASES
    ]
    content = {"onepass": __version__, "model": model.name, "cases": cases}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(cases)


def compare(wanted: Extraction, found: Extraction) -> Iterator[str]:
    """Yield what differs between two extractions of one text, beyond `TOLERANCE`.

    Something that is in one of them only does not count if its score is so close to `THRESHOLD`
    that the other may have missed it.
    """
    if wanted.coverage != found.coverage:
        yield f"read {found.coverage}, expected {wanted.coverage}"
    want, got = _scores(wanted), _scores(found)
    for key in [*want, *(key for key in got if key not in want)]:
        name = " ".join(str(part) for part in key)
        if key in want and key in got:
            if abs(want[key] - got[key]) > TOLERANCE:
                yield f"{name} scores {got[key]:.3f}, expected {want[key]:.3f}"
        elif key in want and want[key] > THRESHOLD + TOLERANCE:
            yield f"{name} ({want[key]:.3f}) was not found"
        elif key in got and got[key] > THRESHOLD + TOLERANCE:
            yield f"{name} ({got[key]:.3f}) was found, but is not expected"


def _scores(doc: Extraction) -> dict[tuple[object, ...], float]:
    """Return the score of everything in an extraction, by what it is and where it stands."""
    scores: dict[tuple[object, ...], float] = {}
    for entity in doc.entities:
        scores["entity", entity.label, *_place(entity)] = entity.score
    for task, answer in doc.classifications.items():
        for label, score in answer.scores.items():
            scores["class", task, label] = score
    for name, rows in doc.records.items():
        for number, row in enumerate(rows):
            for key, held in row.items():
                for value in held if isinstance(held, tuple) else (held,):
                    if value is not None:
                        scores["record", name, number, key, *_place(value)] = value.score
    for relation in doc.relations:
        ends = *_place(relation.head), *_place(relation.tail)
        scores["relation", relation.type, *ends] = relation.score
    return scores


def _place(value: Value | Any) -> Sequence[object]:
    return value.text, value.start, value.end


def _extract(model: Extractor, text: str, schema: dict[str, Any]) -> Extraction:
    # All that overlaps: which of two close scores wins may depend on the CPU.
    return model.extract(text, schema, threshold=THRESHOLD, overlap="all")


def _stored() -> list[dict[str, Any]]:
    source = files("onepass.builtin") / _FILE
    if not source.is_file():
        raise CheckpointError(f"The package has no {_FILE}; install onepass again.")
    cases: list[dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))["cases"]
    return cases
