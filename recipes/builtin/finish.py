"""Turn the trained checkpoint into the files that ship: int8 graphs, calibration, tokenizer.

Usage: python recipes/builtin/finish.py CHECKPOINT DATA_DIRECTORY CONVERTED_DIRECTORY [OUTPUT]

Weights are rounded and the calibration is fitted on examples that the model was not trained on:
our own of ``data/calibration`` (in CONVERTED_DIRECTORY, where convert.py put them) and sources of
DATA_DIRECTORY in ``train/*/unstated``. None of them is in the mixture, and nothing is reported on
them.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

from absent import with_absent_choices

from onepass import Extractor
from onepass.corpus.example import Example
from onepass.corpus.formats import read_any
from onepass.corpus.jsonl import read_examples
from onepass.evaluation.calibration import calibrate
from onepass.evaluation.precision import read_one_by_one
from onepass.hub import locate
from onepass.models.export import export_checkpoint
from onepass.models.reduction import Reduction

OUTPUT = Path(__file__).parents[2] / "src/onepass/builtin/model"
# Records of a type, and pairs of a relation type, that are looked for beyond the count; and one of
# each where none is predicted. For pairs that brings 0.8 points of F1 on our own examples of
# calibration; for records nothing there, but one in a long text is often not counted. Pairs are
# looked for again in windows of 40 words: F1 there 0.25 for 0.13 in texts of 130 words and more,
# 0.47 for 0.36 from 80 words on, 0.31 for 0.28 in shorter ones.
LOOKED_FOR = {
    "spare_instances": 2, "least_records": 1, "least_pairs": 1, "distinct_values": True,
    "pair_words": 40, "whole_forms": True,
}  # fmt: skip
# How names are read that are not written as words, which was not trained on: asked for "PER", "LOC"
# and "ORG", wikiann has an F1 of 0.20, in words 0.53.
NAMES = json.loads((Path(__file__).parent / "names.json").read_text(encoding="utf-8"))
OWN = LOOKED_FOR | NAMES
# Sources of names and terms as a user would ask for them. The others have guidelines of their own
# (whole clauses of trials, one tag for most of a title, the first mention only), by which hardly a
# score would be right.
ENTITIES = (
    "ade_corpus",
    "aptner",
    "dnrti",
    "gpt_adversarial_types",
    "gum_v_latest",
    "matscholar",
    "re3d",
    "wikiann_en",
    "wnut16_ritter",
)
SHIPPED = (
    "config.json", "encoder_config", "tokenizer.json", "tokenizer_config.json", "onepass.json",
)  # fmt: skip
# Texts of each source of names and terms, and of each of our two, whose entities count. Sources are
# best at thresholds from 0.15 to 0.55, so few texts (24 of each) put it anywhere.
PER_ENTITY_SOURCE = 60
PER_SOURCE = 12
SAMPLE = 256  # texts that weights are rounded for
PRODUCTS = True  # of integers, which the last part of the training has learned to live with
LONGEST = 1000  # characters; short texts make the fitting fast


def main(checkpoint: Path, data: Path, converted: Path, output: Path = OUTPUT) -> None:
    """Export, calibrate, and copy what ships."""
    examples = [*own(converted), *public(data)]
    some = random.Random(0).sample(examples, min(SAMPLE, len(examples)))
    how = Reduction(products=PRODUCTS, sample=lambda reader: read_one_by_one(reader, some))
    export_checkpoint(locate(checkpoint), precision="int8", reduction=how, places=True)
    shutil.rmtree(checkpoint / "onnx" / "fp32", ignore_errors=True)
    # It was trained to find nothing in the next one.
    (checkpoint / "onepass.json").write_text(json.dumps(OWN) + "\n")
    settings = calibrate(
        Extractor.from_pretrained(checkpoint, backend="onnx", precision="int8"), examples
    )
    sys.stdout.write(json.dumps(settings, indent=2) + "\n")
    settings.pop("sweep")
    (checkpoint / "onepass.json").write_text(json.dumps(settings | OWN, indent=2) + "\n")
    output.mkdir(parents=True, exist_ok=True)
    for name in (*SHIPPED, "onnx"):
        source, target = checkpoint / name, output / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


def own(converted: Path) -> list[Example]:
    """Return our own examples that are not trained on, without tasks of one label.

    Entities count of as many texts as of each public source. One in three with records is also
    asked for choices that its text does not make.
    """
    rng = random.Random(0)
    annotated = list(read_examples(converted / "annotated.calibration"))
    written = list(read_examples(converted / "written.calibration"))
    rng.shuffle(annotated)
    rng.shuffle(written)
    without = [replace(one, entities=(), asked=()) for one in written[PER_ENTITY_SOURCE:]]
    written[PER_ENTITY_SOURCE:] = without
    asked = {one.text: one for one in with_absent_choices(written, random.Random(0))}
    written = [asked.get(one.text, one) if i % 3 == 0 else one for i, one in enumerate(written)]
    return [
        replace(
            one, classifications=tuple(task for task in one.classifications if task.multi_label)
        )
        for one in (*annotated[:PER_ENTITY_SOURCE], *written)
    ]


def public(data: Path) -> list[Example]:
    """Return a few examples of public sources that are not trained on."""
    rng = random.Random(0)
    chosen: list[Example] = []
    for kind in ("extraction", "classification"):
        for path in sorted((data / "train" / kind / "unstated").glob("*.jsonl.gz")):
            name = path.name.removesuffix(".jsonl.gz")
            if path.stat().st_size < 100 or (kind == "extraction" and name not in ENTITIES):
                continue
            first = list(islice((e for e in read_any(path) if len(e.text) <= LONGEST), 600))
            if kind == "extraction":  # one pair a text is annotated
                first = [replace(e, relations=(), asked_relations=()) for e in first]
            number = PER_ENTITY_SOURCE if kind == "extraction" else PER_SOURCE
            chosen += rng.sample(first, min(number, len(first)))
    return chosen


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
