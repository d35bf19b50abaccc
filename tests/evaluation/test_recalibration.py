"""Thresholds of a checkpoint let the same through after it is calibrated anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldTask
from onepass.evaluation.recalibration import carried, carried_labels
from onepass.models.kept import Calibration
from onepass.models.thresholds import sigmoid
from onepass.results.types import Extraction

BEFORE, AFTER = Calibration(2.0, -1.0), Calibration(0.5, 0.25)
TASKS = (
    GoldTask("topics", ("law", "art"), (), multi_label=True),
    GoldTask("tone", ("calm", "angry"), ("calm",)),
)
GOLD = Example("x", (), ("person", "art"), classifications=TASKS, asked_relations=("knows",))
ANSWERED = [(Extraction("x"), GOLD)]
LABELS = {"person": 0.3, "law": 0.4, "knows": 0.5, "art": 0.6, "calm": 0.7, "strange": 0.8}

lines = st.builds(Calibration, st.floats(0.05, 5), st.floats(-3, 3))


@given(lines, lines, st.floats(0.01, 0.99))
def test_the_same_is_let_through(before: Calibration, after: Calibration, at: float) -> None:
    raw = np.linspace(-20, 20, 401, dtype=np.float32)
    moved = carried({"entities": at}, {"entities": before}, {"entities": after})["entities"]
    assert 0 < moved < 1
    logit = (np.log(at / (1 - at)) - before.shift) / before.scale
    clear = (np.abs(raw - logit) > 0.05) & (np.abs(after.scale * raw + after.shift) < 8)
    passed = sigmoid(raw, before) >= at, sigmoid(raw, after) >= moved
    assert (passed[0] == passed[1])[clear].all()


def test_what_is_not_calibrated_anew_stays() -> None:
    old = {"entities": 0.3, "records": 0.123456789}
    assert carried(old, {"entities": BEFORE}, {"entities": BEFORE, "single": AFTER}) == old


def test_all_and_nothing_stay() -> None:
    assert carried({"entities": 0.0}, {}, {"entities": AFTER}) == {"entities": 0.0}
    assert carried({"entities": 1.0}, {}, {"entities": AFTER}) == {"entities": 1.0}


@pytest.mark.parametrize(("kind", "of"), [("abstain", "classifications"), ("choices", "records")])
def test_a_kind_without_a_line_goes_by_another(kind: str, of: str) -> None:
    moved = carried({kind: 0.5, of: 0.5}, {of: BEFORE}, {of: AFTER})
    assert moved[kind] == moved[of] == pytest.approx(sigmoid(np.float32([0.5]), AFTER)[0])


def test_choices_with_a_line_of_their_own_do_not_move_with_records() -> None:
    before = {"choices": BEFORE, "records": BEFORE}
    assert carried({"choices": 0.5}, before, before | {"records": AFTER}) == {"choices": 0.5}


def test_scores_that_were_all_the_same_have_no_place() -> None:
    assert carried({"entities": 0.5}, {"entities": Calibration(0.0)}, {"entities": AFTER}) == {}


def test_a_label_moves_with_what_it_is_of() -> None:
    after = {"entities": AFTER, "relations": BEFORE}
    assert carried_labels(LABELS, {"entities": BEFORE, "relations": BEFORE}, after, ANSWERED) == {
        "person": carried({"entities": 0.3}, {"entities": BEFORE}, after)["entities"],
        "law": 0.4,
        "knows": 0.5,
    }  # art is of two kinds, and nothing tells of what the others are


def test_labels_of_any_kind_stay_where_none_moves() -> None:
    assert carried_labels(LABELS, {}, {"records": AFTER, "single": AFTER}, ANSWERED) == LABELS
