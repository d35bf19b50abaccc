"""One loaded model is used by eight threads at once, each with schemas of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from onepass import Extractor, Schema
from onepass.results.types import Extraction
from tests.contract.checkpoints import Opened, assert_same, facts, skip_without

THREADS, ROUNDS, SCHEMAS = 8, 4, 16
BACKENDS = ("onnx", "torch", "openvino")
# One of each family that keeps something between calls: plans, label vectors, follow-up prompts.
KINDS = ("gliner2-deberta-lstm", "gliner-bi-span", "gliner-relex")
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "it is not great, a bad place",
    "The price is 9 red, blue and green things! Tim works for Apple in Rome; and Cook in Paris?",
    "Great. " * 12,
]
LABELS = ["person", "company", "place", "price", "color", "date", "thing", "verb"]


def schema_of(number: int) -> Schema:
    """Return a schema that differs from that of every other number."""
    labels = LABELS[number % 8 :] + LABELS[: number % 8]
    schema = Schema().entities(labels[: 2 + number % 3])
    if number >= SCHEMAS // 2:
        schema.classification(f"tone {number}", labels[:3], multi_label=number % 2 == 0)
    return schema


def read(model: Extractor, number: int) -> list[Extraction]:
    texts = TEXTS[number % 4 :] if number % 3 else [TEXTS[number % 4]]
    return model.extract(texts, schema_of(number), threshold=0.3)


def hammer(model: Extractor, fresh: Extractor) -> None:
    """Compare what threads say, from the first call on, with what is said one after another."""
    start = Barrier(THREADS)

    def work(thread: int) -> list[tuple[int, list[Extraction]]]:
        start.wait()
        numbers = [(2 * thread + 3 * step) % SCHEMAS for step in range(ROUNDS)]
        return [(number, read(fresh, number)) for number in numbers]

    with ThreadPoolExecutor(THREADS) as pool:
        found = [one for answers in pool.map(work, range(THREADS)) for one in answers]
    assert len({number for number, _ in found}) == SCHEMAS
    expected = [read(model, number) for number in range(SCHEMAS)]
    assert sum(len(facts(doc)) for docs in expected for doc in docs) > 50
    for number, docs in found:
        for one, other in zip(docs, expected[number], strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_checkpoint(backend: str, opened: Opened) -> None:
    skip_without(backend)
    for kind in KINDS:
        directory = opened[kind]["onnx"].name
        model, fresh = (
            Extractor.from_pretrained(directory, backend=backend, threads=1) for _ in range(2)
        )
        hammer(model, fresh)


def test_the_built_in_model() -> None:
    hammer(*(Extractor(threads=1) for _ in range(2)))
