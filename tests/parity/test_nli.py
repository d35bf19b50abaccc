"""Our answers on random classifiers of entailment are those of transformers' own pipeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from transformers import pipeline

from onepass import Schema
from onepass.results.types import Classification
from tests.nli_checkpoints import KINDS, ORDERS, THREE, make_nli
from tests.parity.opened import Models

TOLERANCE = 1e-5
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "The price isn't 9 red, blue and green things! Tim works for (Apple) in Rome; Cook in Paris?",
    "it costs 9.5 , qx-zt !",
    "  Tim\n\n  \u6771\u4eac e\u0301 \U0001f469\u200d\U0001f52c ",
    ".",
]
LABELS = ["sports", "not about art", "Paris", "green colors"]
Case = tuple[Any, Models]


@pytest.fixture(autouse=True, scope="module")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Case]:
    """Make a checkpoint once: the pipeline over it, and ours."""
    root: Path = tmp_path_factory.mktemp("nli")

    @cache
    def make(kind: str, labels: tuple[str, ...] = THREE, seed: int = 0) -> Case:
        directory = root / f"{kind}-{'-'.join(labels)}-{seed}"
        make_nli(directory, kind, labels, seed=seed)
        theirs = pipeline("zero-shot-classification", model=str(directory), device="cpu")
        return theirs, Models(directory)

    return make


def theirs(pipe: Any, text: str, labels: list[str], **options: Any) -> dict[str, float]:
    found = pipe(text, labels, **options)
    return dict(zip(found["labels"], found["scores"], strict=True))


def assert_same(got: Classification, expected: dict[str, float]) -> None:
    assert set(got.scores) == set(expected)
    for label, score in expected.items():
        assert abs(got.scores[label] - score) <= TOLERANCE, (label, got.scores[label], score)


def schema(labels: list[str], *, multi_label: bool, prompt: str | None = None) -> Schema:
    return Schema().classification("t", labels, multi_label=multi_label, prompt=prompt)


@pytest.fixture(scope="module")
def answer(opened: Callable[..., Case]) -> Callable[[str, str, bool], dict[str, float]]:
    """Asks the pipeline once what both backends are compared with."""
    return cache(lambda kind, text, multi: theirs(opened(kind)[0], text, LABELS, multi_label=multi))


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_architecture(
    kind: str,
    backend: str,
    multi_label: bool,
    opened: Callable[..., Case],
    answer: Callable[[str, str, bool], dict[str, float]],
) -> None:
    _, models = opened(kind)
    asked = schema(LABELS, multi_label=multi_label)
    alone = [models[backend].extract(text, asked) for text in TEXTS]
    together = models[backend].extract(TEXTS, asked)
    for text, one, batched in zip(TEXTS, alone, together, strict=True):
        expected = answer(kind, text, multi_label)
        assert_same(one.classifications["t"], expected)
        assert_same(batched.classifications["t"], expected)
    spread = [one.classifications["t"].scores["Paris"] for one in alone]
    assert max(spread) - min(spread) > 0.01  # the texts do play a part


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("labels", ORDERS, ids="-".join)
@pytest.mark.parametrize("kind", ["deberta-v3", "roberta"])
def test_every_order_of_the_classes(
    kind: str, labels: tuple[str, ...], multi_label: bool, opened: Callable[..., Case]
) -> None:
    pipe, models = opened(kind, labels, 1)
    asked = schema(LABELS, multi_label=multi_label)
    for text in TEXTS:
        got = models["torch"].extract(text, asked).classifications["t"]
        assert_same(got, theirs(pipe, text, LABELS, multi_label=multi_label))


@pytest.mark.parametrize("template", ["This text is about {}.", "{}", "Red {} in paris"])
def test_templates(template: str, opened: Callable[..., Case]) -> None:
    pipe, models = opened("deberta-v3")
    for multi_label in (False, True):
        asked = schema(LABELS, multi_label=multi_label, prompt=template)
        options = {"multi_label": multi_label, "hypothesis_template": template}
        for text in TEXTS:
            got = models["torch"].extract(text, asked).classifications["t"]
            assert_same(got, theirs(pipe, text, LABELS, **options))


def test_the_pipeline_takes_one_label_for_several(opened: Callable[..., Case]) -> None:
    """A named difference: of one label that must hold, ours is sure."""
    pipe, models = opened("deberta-v3")
    expected = theirs(pipe, TEXTS[0], ["sports"])
    single = models["torch"].extract(TEXTS[0], schema(["sports"], multi_label=False))
    assert single.classifications["t"].scores == {"sports": 1.0}
    several = models["torch"].extract(TEXTS[0], schema(["sports"], multi_label=True))
    assert_same(several.classifications["t"], expected)


@pytest.mark.parametrize("kind", ["bert", "deberta-v3", "roberta"])
def test_the_longest_text_that_fits_is_read_whole(kind: str, opened: Callable[..., Case]) -> None:
    pipe, models = opened(kind)
    tokenizer, hypothesis = pipe.tokenizer, "This example is sports."
    words = ["red"]
    while len(tokenizer(" ".join([*words, "red"]), hypothesis)["input_ids"]) <= 128:
        words.append("red")
    asked = schema(["sports"], multi_label=True)
    doc = models["torch"].extract(" ".join(words), asked)
    assert doc.coverage.windows == 1
    assert_same(doc.classifications["t"], theirs(pipe, " ".join(words), ["sports"]))
    longer = models["torch"].extract(" ".join(words * 2), asked)
    assert longer.coverage.windows > 1


def test_a_long_text_cut_is_what_the_pipeline_reads(opened: Callable[..., Case]) -> None:
    pipe, models = opened("deberta-v3")
    text = "red green blue apple " * 60
    asked = schema(["sports", "sporty"], multi_label=True)
    doc = models["torch"].extract(text, asked, on_long="truncate")
    assert doc.coverage.truncated
    words = text[: doc.coverage.chars_read].split()
    # Both hypotheses read the same words here; the pipeline cuts beside each of them, in a piece.
    for label in ("sports", "sporty"):
        expected = theirs(pipe, " ".join(words), [label])
        got = doc.classifications["t"].scores[label]
        assert abs(got - expected[label]) <= TOLERANCE
