"""What the card of the built-in model says of its scores and of the terms of its data."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from benchmarks.quality.record import fingerprint

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from card import CARD, OWN, SHARE_ALIKE, UNCLEAR, _curve_rows, _errors, _score_rows, card

RECORDED = Path(__file__).parents[2] / "benchmarks" / "quality" / "results" / "builtin.json"

TERMS = {
    "plain": "CC BY 4.0",
    "sick": "SICK CC BY-NC-SA 3.0",
    "aspects": "Apache-2.0 (MAMS); SemEval-2014 (research)",
    "texts": "GPL-3.0 repo",
    "tweets": "unclear (tweets)",
    "posts": "MIT (repo); text CC BY-SA",
    "genes": "CC BY 4.0 (repo); original corpus terms apply",
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


def named(text: str, start: str) -> list[str]:
    """Return the names in the list of the card that starts so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"- {start}")]
    return re.findall("`(.+?)`", line)


def test_sources_that_are_share_alike_or_unclear_are_named():
    text = written()
    assert named(text, "share-alike") == ["sick", "texts", "posts"]
    assert named(text, "non-commercial") == ["sick", "aspects", "tweets", "genes"]


def test_sources_that_are_not_in_the_mixture_are_not_named():
    text = written(names=("plain", "texts"))
    assert (named(text, "share-alike"), named(text, "non-commercial")) == (["texts"], [])
    assert "SICK" not in text


def test_texts_with_other_values_count_as_of_their_source():
    text = written(names=("plain", "written", "written_swapped", "annotated"))
    assert "| plain | a/b | CC BY 4.0 | 25.0% |" in text
    assert re.search(r"\| written \| .* \| 50\.0% \|", text)
    assert re.search(r"\| annotated \| .* \| 25\.0% \|", text)


def test_two_licenses_are_told_where_a_source_states_two():
    source = "awslabs/multi-domain-goal-oriented-dialogues-dataset"
    row = {"kind": "extraction", "id": "multidogo", "tier": "cleared", "source": source}
    manifest = [row | {"licence": "CDLA-Permissive-1.0"}]
    text = card(report(0.5), manifest, {"multidogo": 1.0}, size=30, steps=9, hours=1)
    assert f"| multidogo | {source} | two are stated: CDLA-Permissive-1.0, Apache-2.0 |" in text
    assert named(text, "non-commercial") == ["multidogo"]


def test_the_card_that_ships_names_what_its_table_says():
    text = CARD.read_text(encoding="utf-8")
    _, table = text.split("| source | from | terms as found | share |\n| --- | --- | --- | --- |\n")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    own = {name for name, *_ in OWN}
    terms = {name: terms for name, _, terms, _ in rows if name not in own}
    for start, pattern in (("share-alike", SHARE_ALIKE), ("non-commercial", UNCLEAR)):
        assert named(text, start) == [name for name in terms if pattern.search(terms[name])]


@pytest.mark.parametrize(
    ("accuracy", "shown"), [(0.6765, "0.677"), (0.4925, "0.493"), (1, "1.000")]
)
def test_scores_are_rounded_half_up(accuracy, shown):
    text = written(accuracy)
    assert f"accuracy {shown} |" in text
    assert f"Mean over the five `cls` sets: accuracy **{shown}**" in text


def test_calibration_errors_over_all_sets_and_in_their_mean():
    def one(ece: float, *points: tuple[float, float, int]) -> dict:
        names = ("score", "right", "findings")
        return {
            "scores": {"entities": {"ece": ece}},
            "reliability": {"entities": [dict(zip(names, x, strict=True)) for x in points]},
        }

    high, low = one(0.1, (0.55, 0.45, 10)), one(0.07, (0.52, 0.62, 20), (0.9, 0.9, 10))
    other, nothing = one(0.8, (0.1, 0.9, 5)), {"reliability": {}}
    files = {"ner/a": high, "ner/b": low, "cls/c": other, "ner/d": nothing}
    together, mean = _errors({"files": files}, "ner/", "entities")
    assert together == "0.025"  # (-1 + 2) of 40 findings
    assert mean == "0.085"
    assert _errors({"files": files}, "ner/", "classifications") == ("-", "-")


def test_the_card_that_ships_has_the_scores_that_were_recorded():
    """Of the model that ships: a new one has to be measured."""
    recorded = json.loads(RECORDED.read_bytes())
    shipped = CARD.read_text(encoding="utf-8")
    rows = [*_score_rows(recorded), *_curve_rows(recorded)]
    assert [row for row in rows if row not in shipped] == []
    assert recorded["model"] == fingerprint(CARD.parent)
