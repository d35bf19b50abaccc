"""The sets of the benchmark: where they come from, what is held out, how they are converted.

Public sources are read in the extraction format of docs/evaluation.md, from a directory with
``train/extraction/{cleared,unstated}/ID.jsonl.gz`` as in recipes/builtin/convert.py. This module
knows nothing about models.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example, GoldField, GoldStructure
from onepass.corpus.formats import read_any
from onepass.corpus.jsonl import example_to_dict

HERE = Path(__file__).parent
OWN = HERE.parents[1] / "data" / "multitask" / "handwritten.jsonl.gz"
SIZE = 120  # texts of a set at most
MAX_WORDS = 300  # of a text
MAX_FIELDS = 12  # of a structure: the most frequent of the source
_STRANGERS = 3  # fields of other types that are asked of a dialogue as well

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A set.

    Attributes:
        name: of the set.
        kind: what its records are.
        path: below the directory of data; None for what the repository holds.
        terms: under which the texts may be used, as found.
        origin: where the texts come from.
        copied: whether the held-out texts are in the repository.
        nested: whether its records hold records.
    """

    name: str
    kind: str
    path: str | None
    terms: str
    origin: str
    copied: bool
    nested: bool = False


_CLEARED, _UNSTATED = "train/extraction/cleared", "train/extraction/unstated"
SOURCES = (
    Source("sgd_records", "dialogue states", f"{_CLEARED}/sgd_records.jsonl.gz", "CC BY-SA 4.0",
           "google-research-datasets/dstc8-schema-guided-dialogue, SGD-X", True),
    Source("geneva_events", "events", f"{_CLEARED}/geneva_events.jsonl.gz", "CC BY 3.0",
           "PlusLabNLP/GENEVA", True),
    Source("casie", "events", f"{_UNSTATED}/casie.jsonl.gz", "not stated", "Ebiquity/CASIE", False),
    Source("muc4", "events", f"{_UNSTATED}/muc4.jsonl.gz", "not stated", "xinyadu/gtt", False),
    Source("multidogo", "orders and bookings", f"{_CLEARED}/multidogo.jsonl.gz",
           "two are stated: CDLA-Permissive-1.0, Apache-2.0",
           "awslabs/multi-domain-goal-oriented-dialogues-dataset", False),
    Source("atis_slots", "bookings", f"{_UNSTATED}/atis_slots.jsonl.gz", "not stated",
           "MiuLab/SlotGated-SLU", False),
    Source("tasteset_recipes", "products", f"{_CLEARED}/tasteset_recipes.jsonl.gz", "MIT",
           "taisti/TASTEset", True),
    Source("sroie_receipts", "receipts", f"{_UNSTATED}/sroie_receipts.jsonl.gz", "not stated",
           "zzzDavid/ICDAR-2019-SROIE", False),
    Source("handwritten_dev", "all kinds", "dev/multitask/handwritten.jsonl.gz",
           "CC0", "onepass, held out", False),
    Source("handwritten", "all kinds", None, "CC0", "onepass, data/multitask", False),
    Source("phee", "events, 2 levels", f"{_CLEARED}/phee.jsonl.gz", "MIT", "ZhaoyueSun/PHEE", True,
           True),
    Source("nested", "orders, programs, firms, 3 levels", None, "CC0",
           "onepass, generated.py and written.jsonl", True, True),
)  # fmt: skip


def digest(text: str) -> str:
    """Return what tells texts apart: a hash of the words, whatever the case and white space."""
    return sha256(" ".join(text.casefold().split()).encode()).hexdigest()


def held_out(text: str) -> bool:
    """Say whether a text of a public source belongs to the benchmark: one in ten does."""
    return int(digest(text)[:8], 16) % 10 == 0


def convert(source: Source, path: Path) -> list[Row]:
    """Return the rows of a set: at most `SIZE` texts that are held out, in the order of their hash.

    Args:
        source: the set.
        path: of the file in its public form.
    """
    if source.name == "phee":
        return _chosen(_patients(path), all_held_out=False)
    examples = list(read_any(path))
    if source.name == "sgd_records":
        examples = list(_with_strangers(examples))
    elif not source.name.startswith("handwritten"):
        examples = list(_frequent(examples))
    kept = (
        replace(one, entities=(), asked=(), descriptions={}, relations=(), asked_relations=(),
                relation_descriptions={}, classifications=())
        for one in examples
        if one.structures
    )  # fmt: skip
    return _chosen(map(example_to_dict, kept), all_held_out=source.name == "handwritten_dev")


def _chosen(rows: Iterable[Row], *, all_held_out: bool) -> list[Row]:
    kept = {
        digest(row["text"]): row
        for row in rows
        if (all_held_out or held_out(row["text"])) and len(row["text"].split()) <= MAX_WORDS
    }
    return [kept[key] for key in sorted(kept)[:SIZE]]


def _frequent(examples: list[Example]) -> Iterator[Example]:
    """Yield examples that ask the most frequent fields of each type."""
    counts: dict[str, Counter[str]] = {}
    for structure in (s for one in examples for s in one.structures):
        counts.setdefault(structure.name, Counter()).update(
            name for record in structure.records for name in record
        )
    kept = {k: {name for name, _ in c.most_common(MAX_FIELDS)} for k, c in counts.items()}
    for one in examples:
        parts = [_only(s, [f for f in s.fields if f.name in kept[s.name]]) for s in one.structures]
        yield replace(one, structures=tuple(s for s in parts if s.fields))


def _with_strangers(examples: list[Example]) -> Iterator[Example]:
    """Yield dialogues that ask what their states hold, and some fields of other services.

    Every dialogue names its slots in one of six ways, so that most fields of a type mean the same
    as another one. The others share no word with any field of the type.
    """
    pool: dict[str, set[str]] = {}
    for s in (s for one in examples for s in one.structures):
        pool.setdefault(s.name, set()).update(name for record in s.records for name in record)
    words = {kind: {w for name in names for w in name.split()} for kind, names in pool.items()}
    for one in examples:
        rng = random.Random(digest(one.text))
        structures = []
        for s in one.structures:
            own = {name for record in s.records for name in record}
            other = rng.choice([name for name in sorted(pool) if name != s.name])
            free = [n for n in sorted(pool[other]) if not words[s.name] & set(n.split())]
            names = [*sorted(own), *rng.sample(free, min(_STRANGERS, len(free)))]
            rng.shuffle(names)
            known = {f.name: f for f in s.fields}
            structures.append(_only(s, [known.get(name, GoldField(name)) for name in names]))
        yield replace(one, structures=tuple(structures))


def _only(structure: GoldStructure, fields: list[GoldField]) -> GoldStructure:
    names = {f.name for f in fields}
    rows = [{k: v for k, v in row.items() if k in names} for row in structure.records]
    return GoldStructure(structure.name, tuple(fields), tuple(row for row in rows if row))


def _patients(path: Path) -> Iterator[Row]:
    """Yield adverse events with their patient and treatment as records below."""
    parts = {
        "subject": {"subject": "subject", "age": "subject age", "gender": "subject gender"},
        "treatment": {"treatment": "treatment", "drug": "drug", "dosage": "treatment dosage",
                      "route": "treatment route", "disorder": "treatment disorder"},
    }  # fmt: skip
    for row in json_rows(path):
        if any(record["type"] != "adverse event" for record in row["records"]):
            continue
        records = []
        for record in row["records"]:
            words = {
                name: [row["text"][v["start"] : v["end"]] for v in values if "start" in v]
                for name, values in record["fields"].items()
            }
            out: Row = {"effect": words.get("effect", [])}
            for part, names in parts.items():
                below = {new: words.get(old, []) for new, old in names.items()}
                out[part] = [below] if any(below.values()) else []
            records.append(out)
        yield {"text": row["text"], "shape": "adverse event", "records": records, "source": "phee"}


def json_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSONL file, gzip or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
