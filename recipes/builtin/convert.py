"""Turn the public training sources into onepass examples, one JSONL file a source.

Usage: python recipes/builtin/convert.py DATA_DIRECTORY OUTPUT_DIRECTORY

DATA_DIRECTORY holds ``train/extraction/cleared`` and ``train/classification/cleared``: the public
sources. Our own examples and the label bank come from ``data/`` of this repository. Writes
``SOURCE.jsonl`` for each source, ``bank.json`` (other names, definitions, general labels) and
``mix.json`` (how often each source is drawn).
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from absent import with_absent_choices
from annotated import annotated_rows
from derived import (
    RECIPES,
    REQUEST_NAMES,
    TEXT_NAMES,
    one_record_of_mentions,
    records_of_mentions,
    records_of_relations,
)
from joined import joined_mentions, joined_records, joined_relations
from swapped import Values, swapped
from written import written_rows

from onepass.corpus.example import Example, GoldField, GoldStructure, GoldValue
from onepass.corpus.formats import read_any
from onepass.corpus.jsonl import read_examples, write_examples
from onepass.corpus.public_labels import FileLabels
from onepass.corpus.public_records import AnnotatedRecords
from onepass.corpus.synthesis.compose import synthesize

HERE = Path(__file__).parent
OWN = HERE.parents[1] / "data"
HANDWRITTEN = OWN / "multitask/handwritten.jsonl.gz"
LABEL_BANK = OWN / "label_bank.jsonl"
NAMES = OWN / "names"
WRITTEN = OWN / "written"
ANNOTATED = OWN / "annotated"
HELD_OUT = OWN / "calibration"  # our own examples that are not trained on
MAX_WORDS = 230
SYNTHETIC = 12_000  # examples that are made up
# Sources whose mentions are also asked as records of one field.
MENTIONS_OF = (
    "wikigold", "multiconer2_en", "btc", "litbank", "handwritten", "uner_ewt", "stackoverflow_ner",
    "proggen_wiki_gold_no_misc",
)  # fmt: skip
# Sources whose mentions are also asked as one record of a text, and how that may be called.
ONE_RECORD_OF = {
    "restaurant8k": REQUEST_NAMES, "multidogo": REQUEST_NAMES, "nlupp_slots": REQUEST_NAMES,
    "sgd_slots": REQUEST_NAMES, "nlu_corpora_tum": REQUEST_NAMES, "annotated": TEXT_NAMES,
    "multiconer2_en": TEXT_NAMES, "wikigold": TEXT_NAMES, "pii_templates_v2": TEXT_NAMES,
    "presidio_synth_pii": TEXT_NAMES,
}  # fmt: skip
MOST_ONE_RECORD = 2500  # of a source
# Sources of which several texts in a row are one long text.
JOINED = (
    "multiconer2_en", "wikigold", "btc", "litbank", "stackoverflow_ner",
    "proggen_wiki_gold_no_misc", "proggen_conll2003_no_misc", "uner_ewt", "sec_filings",
    "hipe_ajmc", "somesci", "wet_lab_protocols", "skillspan", "chemrxn_product", "chemrxn_roles",
    "sofc_exp", "textile_gpt4o", "pii_templates_v2", "presidio_synth_pii", "deezer_music", "phee",
    "bio_bc5cdr", "bio_anatem", "bio_jnlpba", "bio_ncbi_disease", "bio_craft", "tasteset_recipes",
    "restaurant8k", "sgd_slots", "multidogo", "materials_synthesis", "mams_aspects",
)  # fmt: skip
MOST_JOINED_MENTIONS = 400  # of a source
SWAPPED = {"handwritten": 2, "written": 1, "annotated": 1}  # how often, each time other values
LONG = 90  # words; texts of ours with more are drawn once more
JOINED_RECORDS = 8000
JOINED_RELATIONS = 4000
GENERIC = {"entity"}  # marks relation arguments; says nothing as an entity label

# Relative weight of each source; the rest get 1.0 times the square root of their size.
WEIGHTS = {
    "handwritten": 8.0, "written": 13.5, "multiconer2_en": 2.2, "wikigold": 1.8, "litbank": 0.5,
    "proggen_conll2003_no_misc": 0.9, "proggen_wiki_gold_no_misc": 0.9, "btc": 1.0,
    "uner_ewt": 1.2, "stackoverflow_ner": 1.3, "redocred": 3.0, "qamr_questions": 0.9,
    "sgd_records": 1.05, "sgd_slots": 0.5, "wet_lab_protocols": 0.5, "phee": 0.78,
    "pii_templates_v2": 1.0, "presidio_synth_pii": 0.8, "geneva_events": 1.04, "e2e_nlg": 1.0,
    "seal_tools": 1.4, "materials_synthesis": 0.6, "tasteset_recipes": 0.9, "mams_aspects": 0.4,
    "skillspan": 0.4, "somesci": 0.5, "deezer_music": 1.2, "restaurant8k": 0.6, "multidogo": 1.0,
    "semeval2010_task8": 0.78, "knowledgenet": 1.6, "cls_clinc150": 0.8, "cls_goemotions": 0.96,
    "cls_dstc8_sgd": 0.8, "cls_aspects": 1.4, "cls_nli": 0.6, "cls_relations": 0.4,
    "cls_seal_tools": 0.6, "cls_llm_attributes": 0.5, "cls_dbpedia14": 0.7,
    "cls_bitext_support": 0.72, "cls_natinst_pieces": 1.0, "wikibio_t0_sample": 1.6,
    "fewrel_pubmed": 1.04, "cls_multidogo": 0.56, "synthetic": 3.4, "annotated": 15.3,
    "redocred_records": 3.2, "knowledgenet_records": 1.3, "somesci_records": 0.8,
    "wet_lab_protocols_records": 0.5, "materials_synthesis_records": 0.8, "mention_records": 1.9,
    "one_record": 2.6, "joined": 6.2, "joined_mentions": 3.7,
    "joined_relations": 5.8, "absent_choices": 4.4,
    "handwritten_swapped": 9.5, "written_swapped": 15.7, "annotated_swapped": 5.2,
    "handwritten_alone": 6.1, "written_alone": 9.1, "annotated_alone": 3.1, "written_long": 12.4,
}  # fmt: skip
BIO = 0.18  # the many single-type biomedical sets


def main(data: Path, out: Path) -> None:
    """Convert everything and write bank and mixture."""
    out.mkdir(parents=True, exist_ok=True)
    sizes: dict[str, int] = {}
    for path in sorted((data / "train/extraction/cleared").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        sizes[name] = write_examples(out / f"{name}.jsonl", extraction(path))
    for path in sorted((data / "train/classification/cleared").glob("*.jsonl.gz")):
        name = "cls_" + path.name.removesuffix(".jsonl.gz")
        sizes[name] = write_examples(out / f"{name}.jsonl", classification(path))
    own = list(rows(HANDWRITTEN))
    sizes["handwritten"] = write_examples(out / "handwritten.jsonl", multitask(own))
    sizes["written"] = write_examples(out / "written.jsonl", multitask(list(written_rows(WRITTEN))))
    rows_of = list(annotated_rows(ANNOTATED, out))
    sizes["annotated"] = write_examples(out / "annotated.jsonl", multitask(rows_of, foreign=False))
    held_out = multitask(list(annotated_rows(HELD_OUT / "annotated", out)), foreign=False)
    write_examples(out / "annotated.calibration", held_out)
    held_out = multitask(list(written_rows(HELD_OUT / "written")), foreign=False)
    write_examples(out / "written.calibration", held_out)
    known = bank()
    sizes |= derived(out, {name: more[0] for name, more in known["general"].items() if more})
    sizes["synthetic"] = write_examples(out / "synthetic.jsonl", synthesize(SYNTHETIC, seed=1))
    mix = {}
    for name, size in sizes.items():
        weight = BIO if name.startswith("bio_") else WEIGHTS.get(name, 0.8)
        mix[name] = round(weight * size**0.5, 3)
    (out / "mix.json").write_text(json.dumps(mix, indent=1))
    (out / "bank.json").write_text(json.dumps(known, ensure_ascii=False))
    sys.stderr.write(f"{sum(sizes.values())} examples from {len(sizes)} sources\n")


def derived(out: Path, general: Mapping[str, str]) -> dict[str, int]:
    """Write texts made of others and return how many of each source.

    They are records that other annotations hold, several texts in a row, records asked for choices
    that are not there, and texts with other values.
    """
    sizes = {}
    for name, recipes in RECIPES.items():
        found = records_of_relations(
            read_examples(out / f"{name}.jsonl"), recipes, random.Random(name)
        )
        sizes[f"{name}_records"] = write_examples(out / f"{name}_records.jsonl", found)
    found = (
        example
        for name in MENTIONS_OF
        for example in records_of_mentions(
            read_examples(out / f"{name}.jsonl"), random.Random(name)
        )
    )
    sizes["mention_records"] = write_examples(out / "mention_records.jsonl", found)
    found = (
        example
        for name, names in ONE_RECORD_OF.items()
        for example in islice(
            one_record_of_mentions(
                read_examples(out / f"{name}.jsonl"), names, random.Random(f"{name}, one record")
            ),
            MOST_ONE_RECORD,
        )
    )
    sizes["one_record"] = write_examples(out / "one_record.jsonl", found)
    own = [
        example
        for name in ("handwritten", "written", "annotated")
        for example in read_examples(out / f"{name}.jsonl")
    ]
    found = joined_records(own, JOINED_RECORDS, random.Random("joined"))
    sizes["joined"] = write_examples(out / "joined.jsonl", found)
    found = (
        example
        for name in JOINED
        for example in islice(
            joined_mentions(read_examples(out / f"{name}.jsonl"), random.Random(f"{name}, joined")),
            MOST_JOINED_MENTIONS,
        )
    )
    sizes["joined_mentions"] = write_examples(out / "joined_mentions.jsonl", found)
    found = joined_relations(own, JOINED_RELATIONS, random.Random("joined relations"))
    sizes["joined_relations"] = write_examples(out / "joined_relations.jsonl", found)
    found = with_absent_choices(own, random.Random("absent choices"))
    sizes["absent_choices"] = write_examples(out / "absent_choices.jsonl", found)
    values = Values(own, general)
    for name, times in SWAPPED.items():
        rng = random.Random(f"{name}, swapped")
        found = (
            example
            for _ in range(times)
            for example in swapped(read_examples(out / f"{name}.jsonl"), values, rng)
        )
        sizes[f"{name}_swapped"] = write_examples(out / f"{name}_swapped.jsonl", found)
    for name in SWAPPED:
        both = [
            *read_examples(out / f"{name}.jsonl"),
            *read_examples(out / f"{name}_swapped.jsonl"),
        ]
        found = filter(None, map(records_alone, both))
        sizes[f"{name}_alone"] = write_examples(out / f"{name}_alone.jsonl", found)
        if name == "written":
            found = (example for example in both if len(example.text.split()) > LONG)
            sizes["written_long"] = write_examples(out / "written_long.jsonl", found)
    return sizes


def records_alone(example: Example) -> Example | None:
    """Return a text that is asked for its records and nothing else, None where it has none."""
    return (
        Example(example.text, structures=example.structures, source=f"{example.source}, records")
        if example.structures
        else None
    )


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a gzip JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def extraction(path: Path) -> Iterator[Example]:
    """Yield the examples of an extraction source, at times with a type that is not in the text."""
    rng = random.Random(path.name)
    labels = FileLabels(path)
    types = sorted(labels.kinds())
    for example in read_any(path):
        if len(example.text.split()) > MAX_WORDS * 2:
            continue
        structures = list(example.structures)
        if structures and len(types) > 1 and rng.random() < 0.3:
            kind = rng.choice(types)
            if all(one.name != kind for one in structures):
                structures.append(GoldStructure(kind, labels.fields(kind), ()))
        yield replace(
            _specific(example),
            structures=tuple(map(_any_number, structures)),
            relation_descriptions={},
        )


def _any_number(structure: GoldStructure) -> GoldStructure:
    """Return a structure whose fields may all have several values."""
    return replace(
        structure, fields=tuple(replace(field, dtype="list") for field in structure.fields)
    )


def _specific(example: Example) -> Example:
    """Return an example without the labels that say nothing."""
    asked = tuple(label for label in example.asked if label not in GENERIC)
    return replace(
        example,
        entities=tuple(one for one in example.entities if one.label in asked),
        asked=asked,
        descriptions={k: v for k, v in example.descriptions.items() if k in asked},
    )


def classification(path: Path) -> Iterator[Example]:
    """Yield the examples of a classification source."""
    for example in read_any(path):
        (task,) = example.classifications
        if len(task.labels) < 2 or not example.text.strip():
            continue
        task = replace(task, true=tuple(label for label in task.labels if label in task.true))
        text = " ".join(example.text.split(" ")[:MAX_WORDS])
        yield replace(example, text=text, classifications=(task,))


def multitask(everything: list[dict[str, Any]], *, foreign: bool = True) -> Iterator[Example]:
    """Yield the hand-written examples.

    Args:
        everything: in the multitask form.
        foreign: whether relation types of other texts are asked as well, as ones that do not hold.
    """
    types = Counter(r["type"] for row in everything for r in row.get("relations", []))
    names = sorted(types)
    rng = random.Random(0)
    public = AnnotatedRecords(HANDWRITTEN)
    for row in everything:
        own = list(dict.fromkeys(r["type"] for r in row.get("relations", [])))
        drawn = rng.sample(names, min(3, len(names))) if own and foreign else []
        absent = [
            name
            for name in dict.fromkeys([*drawn, *row.get("relation_set", [])])
            if name not in own
        ]
        example = public.example(row)
        tasks = zip(example.classifications, row.get("classifications", ()), strict=True)
        yield replace(
            example,
            classifications=tuple(
                replace(task, name=given["task"]) for task, given in tasks if len(task.labels) > 1
            ),
            structures=tuple(map(handwritten_structure, row.get("structures", []))),
            asked_relations=(*own, *absent),
        )


def handwritten_structure(row: dict[str, Any]) -> GoldStructure:
    """Return a gold structure of the hand-written form.

    A field holds a list if it does in any record, or if nothing is known of it.
    """
    lists: dict[str, bool] = {}
    for record in row["records"]:
        for name, entry in record.items():
            many = entry.get("list", False) or len(entry["values"]) > 1
            lists[name] = lists.get(name, False) or many
    fields = tuple(
        GoldField(
            name,
            spec.get("description") or None,
            tuple(spec.get("choices", [])),
            "list" if lists.get(name, True) else "str",
        )
        for name, spec in row["fields"].items()
    )
    records = []
    for record in row["records"]:
        certain = [
            value["spans"][0][0]
            for entry in record.values()
            for value in entry["values"]
            if len(value.get("spans", [])) == 1
        ]
        values = {}
        for name, entry in record.items():
            values[name] = tuple(gold_value(value, certain) for value in entry["values"])
        records.append({name: found for name, found in values.items() if found})
    return GoldStructure(row["type"], fields, tuple(records))


def gold_value(value: dict[str, Any], certain: list[int]) -> GoldValue:
    """Return a value at the occurrence that stands closest to the record's unique values."""
    if "choice" in value:
        return GoldValue(choice=value["choice"])
    spans = value["spans"]
    if not spans:
        return GoldValue(text=value["value"])
    middle = sorted(certain)[len(certain) // 2] if certain else spans[0][0]
    start, end = min(spans, key=lambda span: abs(span[0] - middle))
    return GoldValue(start, end)


def bank() -> dict[str, Any]:
    """Return the label bank with general labels, siblings, rare labels and names of other kinds."""
    paraphrases, descriptions = {}, {}
    with LABEL_BANK.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            paraphrases[row["label"]] = row["paraphrases"]
            descriptions[row["label"]] = row["description"]
    table = json.loads((HERE / "hypernyms.json").read_text())
    general: dict[str, list[str]] = defaultdict(list)
    for hypernym, nouns in table.items():
        for noun in nouns.split():
            general[noun].append(hypernym)
    siblings: dict[str, list[str]] = defaultdict(list)
    counts = Counter(label for row in rows(HANDWRITTEN) for label in row.get("label_set", []))
    for label, count in counts.items():
        if count < 2 or label in table:
            continue
        noun = label.lower().split(" of ")[0].split(" for ")[0].split()[-1]
        for hypernym in general.get(noun, ()):
            if hypernym != noun and hypernym != "miscellaneous":
                siblings[hypernym].append(label)
    pool = [label for label, count in counts.items() if count < 6]
    return {
        "paraphrases": paraphrases,
        "descriptions": descriptions,
        "general": general,
        "siblings": siblings,
        "pool": pool,
        **{kind: other_names(kind) for kind in ("fields", "records", "classes")},
    }


def other_names(kind: str) -> dict[str, list[str]]:
    """Return the other names of fields, records or classes, by each of them."""
    with (NAMES / f"{kind}.jsonl").open(encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    return {entry["name"]: entry["other"] for entry in entries}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
