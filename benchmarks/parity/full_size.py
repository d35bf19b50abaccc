"""The same checkpoint, the size of DeBERTa-v3-base, in gliner2 and in onepass: equal scores?

Usage: python benchmarks/parity/full_size.py [OUTPUT.json]

Makes a random checkpoint of 12 layers and 768 dimensions with gliner2, saves it with gliner2, and
compares gliner2's own answers with ours, in torch and in ONNX: every candidate span above a low
threshold, classes, records and relations. Prints the largest difference of a score and how long
each took, and exits with 1 if a difference is above 1e-4 or an answer is missing. Needs the extras
parity and torch, 4 GB of memory and a minute.

Where many spans have exactly the same score, as with a seed whose scores are all 1.0, the two
choose differently among overlapping ones: gliner2 keeps the first, we keep the longest.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from tests.parity import reference  # noqa: E402
from tests.parity.test_gliner2 import our_facts, their_facts, theirs  # noqa: E402

from onepass import Extractor, Schema  # noqa: E402

TOLERANCE = 1e-4
LOW = 0.03
SEED = 2  # its random heads find spans, with scores that differ
TEXT = (
    "Tim Cook runs Apple in Cupertino . The iphone costs 999 dollars and Galaxy is great ! "
    "Is size large or small ? Blue and red and green products; the price is 12.50 for "
    "description (a), 99 for (b) - and nothing for (c). Tim works for a company in the city, "
    "Cook works for Apple: news, sports and topic. "
) * 3 + "Great!"


def base_config(backbone: str, vocabulary: int) -> Any:
    """Return the configuration of an encoder of the size of DeBERTa-v3-base."""
    from transformers import DebertaV2Config

    return DebertaV2Config(
        vocab_size=128_000, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
        intermediate_size=3072, max_position_embeddings=512, relative_attention=True,
        position_buckets=256, max_relative_positions=-1, norm_rel_ebd="layer_norm",
        share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
        type_vocab_size=0, pad_token_id=0,
    )  # fmt: skip


def schema() -> Schema:
    """Return all four tasks at once."""
    return (
        Schema()
        .entities({"person": "by the name", "city": None, "company": None})
        .classification("sentiment", ["positive", "negative"])
        .classification("topic", ["sports", "news", "a"], multi_label=True)
        .structure("product", ["name::str", "price", "color::[red|blue]::str"])
        .relations(["works for"])
    )


def main(output: Path | None) -> int:
    """Compare, print, and return the exit code."""
    reference.encoder_config = base_config
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    asked = schema()
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "torch": torch.__version__,
        "words": len(TEXT.split()),
        "tolerance": TOLERANCE,
        "backends": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ONEPASS_CACHE"] = str(Path(scratch) / "cache")
        directory = Path(scratch) / "checkpoint"
        # The spread of a trained encoder's weights; larger ones amplify rounding.
        model = reference.make_reference(directory, backbone="deberta-v3", spread=0.03, seed=SEED)

        out, seconds = timed(
            lambda: model.extract(
                TEXT,
                theirs(model, asked),
                threshold=LOW,
                include_confidence=True,
                include_spans=True,
            )
        )
        expected = their_facts(out, asked)
        result["reference_seconds"] = seconds
        result["facts"] = len(expected)
        failed = len(expected) < 20
        low = {"entities": LOW, "records": LOW, "relations": LOW}
        for backend in ("torch", "onnx"):
            ours = Extractor.from_pretrained(directory, backend=backend)
            doc, seconds = timed(
                lambda ours=ours: ours.extract(TEXT, asked, threshold=low, overlap="label")
            )
            got = our_facts(doc, asked)
            missing = len(set(expected) ^ set(got))
            largest = max(abs(got[key] - expected[key]) for key in set(got) & set(expected))
            result["backends"][backend] = {
                "seconds": seconds, "different_answers": missing, "largest_difference": largest,
            }  # fmt: skip
            failed |= missing > 0 or largest > TOLERANCE
            del ours
    text = json.dumps(result, indent=2)
    sys.stdout.write(text + "\n")
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    return int(failed)


def timed(call: Any) -> tuple[Any, float]:
    """Return what the second call returns and the best time of three."""
    call()
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        out = call()
        best = min(best, time.perf_counter() - start)
    return out, round(best, 4)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
