"""Evaluation of the built-in model: the facade fits, and a sweep equals one run per threshold."""

from __future__ import annotations

import pytest

from onepass import Extractor
from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.evaluation import evaluate, sweep

TEXT = "Tim Cook of Apple showed the iPhone 15 in Cupertino. It costs $999."
EXAMPLES = [
    Example(
        TEXT,
        (Mention(0, 8, "person"), Mention(12, 17, "company"), Mention(42, 51, "city")),
        ("person", "company", "city", "location", "product", "food"),
        classifications=(
            GoldTask("topics", ("technology", "business", "sports"), ("technology",), True),
            GoldTask("kind", ("news", "recipe"), ("news",)),
        ),
        structures=(
            GoldStructure(
                "product",
                (GoldField("name", dtype="str"), GoldField("price")),
                ({"name": (GoldValue(29, 38),), "price": (GoldValue(62, 66),)},),
            ),
        ),
        relations=(GoldRelation("works for", (0, 8), (12, 17)),),
    ),
    Example("Marie Curie was born in Warsaw.", (Mention(0, 11, "person"),), ("person", "city")),
    Example("Nothing to see here.", asked=("person", "city")),
]
MAIN = {"entities": "f1", "classifications": "micro_f1", "records": "f1", "relations": "f1"}


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor(threads=1)


def test_every_section_is_scored(model):
    report = evaluate(model, EXAMPLES)
    assert report.asked == {"entities": 3, "classifications": 1, "records": 1, "relations": 1}
    assert report.texts == 3
    assert report.texts_per_second > 0


@pytest.mark.parametrize("overlap", ["flat", "nested", "label", "all"])
def test_a_sweep_equals_one_run_per_threshold(model, overlap):
    swept = sweep(model, EXAMPLES, thresholds=[0.05, 0.2, 0.4, 0.7], overlap=overlap)
    assert set(swept.curves) == set(MAIN)
    for at in (0.05, 0.2, 0.4, 0.7):
        scores = evaluate(model, EXAMPLES, threshold=at, overlap=overlap).scores
        for section, curve in swept.curves.items():
            score = scores[section][MAIN[section]]
            if (
                section == "records" and at == 0.2
            ):  # "$999" alone is a second record, see at_threshold
                assert 0 < curve[at] <= score
            else:
                assert curve[at] == pytest.approx(score), (section, at)
