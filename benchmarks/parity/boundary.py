"""A boundary checkpoint of the size of DeBERTa-v3-base in gliner2 and in onepass: equal? how fast?

Usage: python benchmarks/parity/boundary.py [OUTPUT.json]

Makes a random checkpoint with gliner2, with the heads that GLiNER2.5 checkpoints are said to have.
First the score of every candidate span of a text is compared; then both are asked the same in turn:
entities, classes, records and relations, in fp32 with as many threads as there are cores. Exits
with 1 if an answer is missing or a score differs by more than 1e-4. Needs the extras parity and
torch, 4 GB of memory and five minutes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.common.encoders import BASE, encoder_config  # noqa: E402
from benchmarks.common.timing import ratio, spread, take_turns  # noqa: E402
from benchmarks.speed.wording import make_labels, make_text, tokenizer  # noqa: E402

from onepass import Extractor, Schema  # noqa: E402
from onepass.backends.cpu import cpu  # noqa: E402
from onepass.cli.machine import cores, versions  # noqa: E402

TOLERANCE = 1e-4
SEED, SPREAD = 2, 0.03  # of weights; larger ones amplify rounding
REPEATS, LIMIT = 7, 60.0
HEAD = {
    "candidate_pool": "shared", "pool_size": 192, "pool_boundary_top_k": 24,
    "boundary_attention_layers": 2, "candidate_attention_layers": 0, "query_attention_layers": 0,
    "enable_span_content": True, "enable_rotary_endpoints": True,
    "query_conditioned_inside_weight": True, "endpoint_difference_features": True,
    "directional_relation_states": True, "relation_biaffine_content": True,
    "relation_argument_proposal_threshold": 0.2,
}  # fmt: skip
Calls = dict[str, Callable[[], object]]


def make(directory: Path) -> Any:
    """Write a checkpoint with gliner2, and return its model."""
    from gliner2 import BoundaryExtractor
    from gliner2.configuration import ExtractorConfig
    from transformers import DebertaV2Config, PreTrainedTokenizerFast

    own = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(BASE.vocabulary), pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    encoder = encoder_config(BASE)
    del encoder["model_type"]
    torch.manual_seed(SEED)
    config = ExtractorConfig(model_name="deberta-v3", architecture="boundary", boundary_head=HEAD)
    model = BoundaryExtractor(config, DebertaV2Config(**encoder), own).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(0, SPREAD)
    model.save_pretrained(str(directory))
    return model


def equality(theirs: Any, ours: Extractor) -> dict[str, Any]:
    """Compare the scores of all candidate spans of a text of 200 words."""
    text, labels = make_text(200), list(make_labels(12))
    out = theirs.extract_entities(
        text, labels, threshold=0.0, include_confidence=True, include_spans=True,
        overlap_policy="allow",
    )["entities"]  # fmt: skip
    expected = {(n, e["start"], e["end"]): e["confidence"] for n in out for e in out[n]}
    doc = ours.extract(text, {"entities": labels}, threshold=0.0, overlap="all")
    got = {(e.label, e.start, e.end): e.score for e in doc.entities}
    both = set(got) & set(expected)
    return {
        "spans": len(expected),
        "different": len(set(expected) ^ set(got)),
        "largest_difference": max(abs(got[key] - expected[key]) for key in both),
    }


def calls(theirs: Any, ours: Extractor, task: str, labels: list[str], text: str) -> Calls:
    """Return what is timed."""
    fields = [f"{label}::str" for label in labels]
    schema = {
        "entities": Schema().entities(labels),
        "classes": Schema().classification("topic", labels, multi_label=True),
        "records": Schema().structure("item", fields),
        "relations": Schema().relations(labels),
    }[task]
    topic = {"topic": {"labels": labels, "multi_label": True}}
    peer: Calls = {
        "entities": lambda: theirs.extract_entities(text, labels),
        "classes": lambda: theirs.classify_text(text, topic),
        "records": lambda: theirs.extract_json(text, {"item": fields}),
        "relations": lambda: theirs.extract_relations(text, labels),
    }
    return {"gliner2": peer[task], "onepass": lambda: ours.extract(text, schema)}


def main(output: Path | None) -> int:
    """Compare, time, print, and return the exit code."""
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ONEPASS_CACHE"] = str(Path(scratch) / "cache")
        theirs = make(Path(scratch) / "boundary")
        ours = Extractor.from_pretrained(Path(scratch) / "boundary", backend="onnx")
        equal = equality(theirs, ours)
        cells = []
        for task in ("entities", "classes", "records", "relations"):
            for words, number in ((30, 5), (200, 5), (200, 50)):
                if number > 5 and task not in ("entities", "classes"):
                    continue
                labels, text = list(make_labels(number)), make_text(words)
                taken = take_turns(
                    calls(theirs, ours, task, labels, text), repeats=REPEATS, limit=LIMIT
                )
                times = {name: spread(seconds) for name, seconds in taken.items()}
                times_as_fast = ratio(times["gliner2"], times["onepass"])
                cells.append(
                    {"task": task, "words": words, "labels": number, **times}
                    | {"times_as_fast": times_as_fast}
                )
                sys.stdout.write(f"{task}, {number} labels, {words} words: {times_as_fast}\n")
    result = {
        "machine": {"cpu": cpu(), "cores": cores(), "threads": threads},
        "versions": versions() | {"gliner2": version("gliner2")},
        "tolerance": TOLERANCE,
        "equality": equal,
        "cells": cells,
    }
    text = json.dumps(result, indent=2)
    sys.stdout.write(json.dumps(equal) + "\n")
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    return int(equal["different"] > 0 or equal["largest_difference"] > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
