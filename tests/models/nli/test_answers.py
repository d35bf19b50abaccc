"""What holds for every answer: batches, orders, odd texts, many labels, windows, both backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from onepass import Extractor, Schema
from onepass.results.types import Classification

KINDS = ("bert", "deberta-v3", "roberta", "modernbert-mean", "bart")
BACKENDS = ("torch", "onnx")
TOLERANCE = 1e-5
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "",
    " \t\n",
    "\u200d\u0301\U0001f469\u200d\U0001f52c \u6771\u4eac \ud800 [SEP] </s> <mask>",
    "it costs 9.5 , qx-zt ! " * 3,
    "x" * 300,
]
LABELS = ["sports", "not about art", "Paris"]


@pytest.fixture(scope="module", params=[(k, b) for k in KINDS for b in BACKENDS], ids="-".join)
def model(request: pytest.FixtureRequest, made: Callable[..., Path]) -> Extractor:
    kind, backend = request.param
    return Extractor.from_pretrained(made(kind), backend=backend)


def schema(labels: list[str] = LABELS) -> Schema:
    return Schema().classification("one", labels).classification("many", labels, multi_label=True)


def assert_close(got: Mapping[str, Classification], expected: Mapping[str, Classification]) -> None:
    for task, answer in expected.items():
        assert got[task].scores.keys() == answer.scores.keys()
        for label, score in answer.scores.items():
            assert abs(got[task].scores[label] - score) <= TOLERANCE, (task, label)


def test_a_batch_says_what_each_text_says_alone(model: Extractor) -> None:
    together = model.extract(TEXTS, schema())
    for text, batched in zip(TEXTS, together, strict=True):
        alone = model.extract(text, schema())
        assert_close(batched.classifications, alone.classifications)
        assert batched.coverage == alone.coverage
    backwards = model.extract(TEXTS[::-1], schema())[::-1]
    for one, other in zip(backwards, together, strict=True):
        assert_close(one.classifications, other.classifications)


def test_the_order_of_labels_plays_no_part(model: Extractor) -> None:
    for text in TEXTS:
        one = model.extract(text, schema())
        assert_close(model.extract(text, schema(LABELS[::-1])).classifications, one.classifications)


def test_a_label_more_changes_no_other_by_itself(model: Extractor) -> None:
    few = model.extract(TEXTS[0], schema()).classifications["many"].scores
    more = model.extract(TEXTS[0], schema([*LABELS, "red " * 8])).classifications["many"].scores
    for label in LABELS:
        assert abs(few[label] - more[label]) <= TOLERANCE


def test_hundreds_of_labels(model: Extractor) -> None:
    labels = [f"{word} {number}" for number in range(100) for word in ("red", "paris", "art")]
    answers = model.extract(TEXTS[0], schema(labels)).classifications
    one, many = answers["one"].scores, answers["many"].scores
    assert len(one) == len(many) == 300
    assert abs(sum(one.values()) - 1) < 1e-5
    assert len({round(score, 4) for score in many.values()}) > 3
    some = labels[::50]
    few = model.extract(TEXTS[0], schema(some)).classifications
    for label in some:
        assert abs(few["many"].scores[label] - many[label]) <= TOLERANCE
        share = one[label] / sum(one[other] for other in some)
        assert abs(few["one"].scores[label] - share) <= TOLERANCE


def test_a_long_text_is_read_in_windows(model: Extractor) -> None:
    text = "Tim Cook runs Apple in Paris. " * 40
    doc = model.extract(text, schema())
    assert doc.coverage.windows > 1
    assert doc.coverage.chars_read == len(text)
    assert abs(sum(doc.classifications["one"].scores.values()) - 1) < 1e-5


def test_both_backends_say_the_same(made: Callable[..., Path]) -> None:
    for kind in KINDS:
        one, other = (
            Extractor.from_pretrained(made(kind), backend=backend).extract(TEXTS, schema())
            for backend in BACKENDS
        )
        for first, second in zip(one, other, strict=True):
            assert_close(first.classifications, second.classifications)


def test_an_answer_may_be_none(made: Callable[..., Path]) -> None:
    """Abstaining asks each label by itself: entailment against contradiction."""
    model = Extractor.from_pretrained(made("deberta-v3"), backend="torch")
    for text in TEXTS[:1]:
        many = model.extract(text, schema()).classifications["many"].scores
        (best,) = model.extract(text, schema()).classifications["one"].labels
        chosen = best.label
        for floor, wanted in ((many[chosen] - 1e-3, [chosen]), (many[chosen] + 1e-3, [])):
            asked = Schema().classification("t", LABELS, abstain=float(np.clip(floor, 0, 1)))
            found = model.extract(text, asked).classifications["t"].labels
            assert [one.label for one in found] == wanted
