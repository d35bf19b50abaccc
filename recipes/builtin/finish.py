"""Turn the trained checkpoint into the files that ship: int8 graphs, calibration, tokenizer.

Usage: python recipes/builtin/finish.py CHECKPOINT DATA_DIRECTORY [OUTPUT_DIRECTORY]

Weights are rounded and the calibration is fitted on the sources of DATA_DIRECTORY that the model
was not trained on (``train/*/unstated``): none of them is in the mixture, and nothing is reported
on them.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from onepass import Extractor
from onepass.corpus.example import Example
from onepass.corpus.public import read_any
from onepass.evaluation.calibration import calibrate
from onepass.evaluation.precision import read_one_by_one
from onepass.hub import locate
from onepass.models.export import export_checkpoint
from onepass.models.reduction import Reduction

OUTPUT = Path(__file__).parents[2] / "src/onepass/builtin/model"
SPARE = 2  # records of a type, and pairs of a relation type, that are looked for beyond the count
PER_SOURCE = 12
# Sources whose entities scores are fitted on: names and terms as a user would ask for them. The
# others have guidelines of their own (whole clauses of trials, one tag for most of a title, the
# first mention only), by which hardly a score would be right.
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
PER_ENTITY_SOURCE = 24
# Sources that the threshold of relations is found on: one pair a text is annotated. In the others
# (opinions, abstracts of computer science) hardly a pair that the model finds is right.
RELATIONS = {"ade_corpus": 60, "kbp37": 60}
SAMPLE = 128  # texts that weights are rounded for
PRODUCTS = False  # of integers: 1.5 times as fast, but it costs too much on some development sets
LONGEST = 1000  # characters; short texts make the fitting fast
SKIP = {"fewrel_nyt"}  # one annotated pair a sentence: what else is found is not known to be wrong


def main(checkpoint: Path, data: Path, output: Path = OUTPUT) -> None:
    """Export, calibrate, and copy what ships."""
    examples = held_out(data)
    some = random.Random(0).sample(examples, min(SAMPLE, len(examples)))
    how = Reduction(products=PRODUCTS, sample=lambda reader: read_one_by_one(reader, some))
    export_checkpoint(locate(checkpoint), precision="int8", reduction=how)
    shutil.rmtree(checkpoint / "onnx" / "fp32", ignore_errors=True)
    spare = {"spare_instances": SPARE}  # since it was trained to find nothing in the next one
    (checkpoint / "onepass.json").write_text(json.dumps(spare) + "\n")
    settings = calibrate(
        Extractor.from_pretrained(checkpoint, backend="onnx", precision="int8"), examples
    )
    sys.stdout.write(json.dumps(settings, indent=2) + "\n")
    settings.pop("sweep")
    uncalibrate(settings, "relations")
    (checkpoint / "onepass.json").write_text(json.dumps(settings | spare, indent=2) + "\n")
    output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "encoder_config", "tokenizer.json", "onepass.json", "onnx"):
        source, target = checkpoint / name, output / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


def uncalibrate(settings: dict[str, Any], kind: str) -> None:
    """Keep the threshold that was found for a kind, among scores as they are.

    Where one pair a text is annotated, others that are found may be right as well: a line through
    such answers would say how complete the annotation is.
    """
    line = settings["calibration"].pop(kind, None)
    if line is not None:
        at = settings["thresholds"][kind]
        logit = (math.log(at / (1 - at)) - line["shift"]) / line["scale"]
        settings["thresholds"][kind] = round(1 / (1 + math.exp(-logit)), 3)


def held_out(data: Path) -> list[Example]:
    """Return a few examples of every source that is not trained on."""
    rng = random.Random(0)
    chosen: list[Example] = []
    for kind in ("extraction", "classification"):
        for path in sorted((data / "train" / kind / "unstated").glob("*.jsonl.gz")):
            name = path.name.removesuffix(".jsonl.gz")
            if name in SKIP or path.stat().st_size < 100:
                continue
            first = list(islice((e for e in read_any(path) if len(e.text) <= LONGEST), 600))
            if name not in RELATIONS:
                first = [replace(e, relations=(), asked_relations=()) for e in first]
            if name not in ENTITIES and kind == "extraction":
                first = [replace(e, entities=(), asked=()) for e in first]
            usual = PER_ENTITY_SOURCE if name in ENTITIES else PER_SOURCE
            number = RELATIONS.get(name, usual)
            chosen += rng.sample(first, min(number, len(first)))
    return chosen


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
