"""What the card of the built-in model says of its scores and of the terms of its data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from card import card

TERMS = {
    "plain": "CC BY 4.0",
    "sick": "SICK CC BY-NC-SA 3.0",
    "aspects": "Apache-2.0 (MAMS); SemEval-2014 (research)",
    "texts": "GPL-3.0 repo",
    "tweets": "unclear (tweets)",
}


def report(accuracy: float) -> dict:
    scores = {"classifications": {"accuracy": accuracy}}
    return {
        "files": {"cls/one": {"texts": 400, "scores": scores, "reliability": {}}},
        "means": {"ner_micro_f1": 0.5, "cls_accuracy": accuracy},
    }


def written(accuracy: float = 0.5, names: tuple[str, ...] = tuple(TERMS)) -> str:
    manifest = [
        {"kind": "extraction", "id": name, "tier": "cleared", "source": "a/b", "licence": terms}
        for name, terms in TERMS.items()
    ]
    return card(report(accuracy), manifest, dict.fromkeys(names, 1.0), size=30, steps=9, hours=1)


def test_sources_whose_terms_are_restricted_are_named():
    text = " ".join(written().split())
    assert "at least in parts: `sick`, `aspects`, `texts`, `tweets`." in text


def test_sources_that_are_not_in_the_mixture_are_not_named():
    text = " ".join(written(names=("plain", "texts")).split())
    assert "at least in parts: `texts`." in text
    assert "SICK" not in text


@pytest.mark.parametrize(
    ("accuracy", "shown"), [(0.6765, "0.677"), (0.4925, "0.493"), (1, "1.000")]
)
def test_scores_are_rounded_half_up(accuracy, shown):
    text = written(accuracy)
    assert f"accuracy {shown} |" in text
    assert f"Mean over the five `cls` sets: accuracy **{shown}**" in text
