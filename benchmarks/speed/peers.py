"""The libraries that the checkpoints came from, each asked as its users ask it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.speed.question import ITSELF, TASK, Facts, Question, System  # noqa: E402
from tests.parity.test_gliner2 import their_facts, theirs  # noqa: E402

DEFAULT_BATCH = 8  # of all three
LONGEST = 2048  # pieces; the default of gliclass, 1024, would cut texts of the grid


def open_peer(library: str, directory: Path, threads: int) -> System:
    """Open a checkpoint with the library that made it."""
    torch.set_num_threads(threads)
    return System(library, *_OPEN[library](directory))


def _gliner2(directory: Path) -> tuple[Any, Any, Any]:
    from gliner2 import GLiNER2

    return asking_gliner2(GLiNER2.from_pretrained(str(directory)).eval())


def asking_gliner2(model: Any) -> tuple[Any, Any, Any]:
    """Return what a model of gliner2 is asked with, as `System` takes it."""

    @cache
    def schema_of(question: Question) -> Any:
        if question.task != "classes":
            return theirs(model, question.schema)
        labels = list(question.labels)
        return model.create_schema().classification(
            TASK, labels, multi_label=True, cls_threshold=0.0
        )

    def answer(texts: Sequence[str], question: Question, batch: int) -> list[Any]:
        options: Any = {
            "threshold": question.threshold, "include_confidence": True, "include_spans": True
        }  # fmt: skip
        if len(texts) == 1:
            return [model.extract(texts[0], schema_of(question), **options)]
        found: list[Any] = model.batch_extract(
            list(texts), schema_of(question), batch_size=batch, **options
        )
        return found

    def facts(found: Any, question: Question) -> Facts:
        if question.task == "classes":
            return {("class", TASK, one["label"]): one["confidence"] for one in found[TASK]}
        return dict(their_facts(found, question.schema)) | {
            (ITSELF, kind): 0.0
            for kind, pairs in found.get("relation_extraction", {}).items()
            if any(_place(pair["head"]) == _place(pair["tail"]) for pair in pairs)
        }

    def windows(text: str, question: Question) -> object:  # of its own, in batches of 8
        return model.extract_long(text, schema_of(question), threshold=question.threshold)

    return answer, facts, windows


def _place(one: Any) -> tuple[int, int]:
    return one["start"], one["end"]


def _gliner(directory: Path) -> tuple[Any, Any]:
    from gliner import GLiNER

    model = GLiNER.from_pretrained(str(directory)).eval()

    def answer(texts: Sequence[str], question: Question, batch: int) -> list[Any]:
        labels = list(question.entity_labels)
        options: Any = {"threshold": question.threshold, "batch_size": batch}
        if not question.related:
            found: list[Any] = model.inference(list(texts), labels, **options)
            return found
        entities, relations = model.inference(
            list(texts), labels, relations=list(question.labels), **options
        )
        return list(zip(entities, relations, strict=True))

    def facts(found: Any, question: Question) -> Facts:
        entities, relations = found if question.related else (found, [])
        out: dict[tuple[Any, ...], float] = {
            ("entity", e["label"], e["text"], e["start"], e["end"]): e["score"] for e in entities
        }
        for one in relations:
            head, tail = one["head"], one["tail"]
            places = (head["start"], head["end"]), (tail["start"], tail["end"])
            if places[0] != places[1]:  # gliner relates entities to themselves, and repeats
                key = ("relation", one["relation"], *places)
                out[key] = max(one["score"], out.get(key, 0.0))
        return out

    return answer, facts


def _gliclass(directory: Path) -> tuple[Any, Any]:
    from gliclass import GLiClassModel, ZeroShotClassificationPipeline
    from transformers import AutoTokenizer

    pipe = ZeroShotClassificationPipeline(
        GLiClassModel.from_pretrained(str(directory)).eval(),
        AutoTokenizer.from_pretrained(str(directory)),
        classification_type="multi-label", device="cpu", progress_bar=False, max_length=LONGEST,
    )  # fmt: skip

    def answer(texts: Sequence[str], question: Question, batch: int) -> list[Any]:
        found: list[Any] = pipe(list(texts), list(question.labels), threshold=0.0, batch_size=batch)
        return found

    def facts(found: Any, question: Question) -> Facts:
        return {("class", TASK, one["label"]): one["score"] for one in found}

    return answer, facts


_OPEN: Mapping[str, Callable[[Path], tuple[Any, ...]]] = {
    "gliner2": _gliner2,
    "gliner": _gliner,
    "gliclass": _gliclass,
}
