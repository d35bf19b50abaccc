"""Sweeps of GLiNER checkpoints: what each threshold gives is what a run at it gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.gliner_checkpoints import KINDS, RELATED, make_reference

from onepass import Extractor
from onepass.corpus.example import Example, GoldRelation, Mention
from onepass.evaluation import evaluate, sweep
from onepass.evaluation.answered import answer
from onepass.evaluation.predict import Batch
from onepass.evaluation.thresholds import sweep_answers
from onepass.results.types import Extraction

TEXTS = ("tim cook runs apple in paris .", "Rome costs 9.5 and tim runs it .")
LABELS, TYPES = ("location", "city", "person"), ("works for", "in")
GRID = (0.3, 0.5, 0.6)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Extractor]:
    root = tmp_path_factory.mktemp("sweep")

    @cache
    def open_one(name: str) -> Extractor:
        make_reference(root / name, **{**KINDS, **RELATED}[name])
        directory: Path = root / name
        return Extractor.from_pretrained(directory, backend="torch", threads=1)

    return open_one


def gold_of(model: Extractor, threshold: float, overlap: str) -> list[Example]:
    """Return texts of which what a model says at a threshold is true."""
    schema = {"entities": list(LABELS), "relations": list(TYPES)}
    docs = model.extract(list(TEXTS), schema, threshold=threshold, overlap=overlap)
    return [
        Example(
            doc.text,
            tuple(Mention(e.start, e.end, e.label) for e in doc.entities),
            LABELS,
            relations=tuple(
                GoldRelation(r.type, (r.head.start, r.head.end), (r.tail.start, r.tail.end))
                for r in doc.relations
            ),
            asked_relations=TYPES,
        )
        for doc in docs
    ]


@pytest.mark.parametrize(
    ("name", "overlap"),
    [("relex-span", "flat"), ("relex-token", "nested"), ("relex-span-mlp", "flat"),
     ("bi-token", "flat")],
)  # fmt: skip
def test_a_sweep_equals_one_run_per_threshold(opened, name, overlap):
    model = opened(name)
    gold = gold_of(model, 0.5, overlap)
    assert any(example.relations for example in gold)
    swept = sweep(model, gold, thresholds=GRID, overlap=overlap)
    assert set(swept.curves) == {"entities", "relations"}
    for at in GRID:
        scores = evaluate(model, gold, threshold=at, overlap=overlap).scores
        for section, curve in swept.curves.items():
            assert curve[at] == pytest.approx(scores[section]["f1"]), (section, at)


def test_a_batch_has_a_prediction_for_each_example():
    one, nothing = Example("Bo", asked=("dog",)), Example("Al")
    batch = Batch((one,), (Extraction("Bo"),), skipped=(nothing,))
    assert list(batch.pairs()) == [(Extraction("Bo"), one)]
    assert batch.done == 2
    with pytest.raises(ValueError, match="0 results for 1 texts"):
        Batch((one,), ())


def test_calibration_asks_as_a_sweep_does(opened):
    model = opened("relex-span").uncalibrated()
    gold = gold_of(model, 0.5, "flat")
    curves = sweep_answers(answer(model, gold).pairs, thresholds=[0.5]).curves
    assert curves == {"entities": {0.5: 1.0}, "relations": {0.5: 1.0}}
