"""When to give no answer: the floor that answers most questions rightly."""

from __future__ import annotations

import pytest

from onepass.corpus.example import Example, GoldTask
from onepass.errors import InputError
from onepass.evaluation import sweep_abstain
from onepass.evaluation.abstention import abstain_curve
from onepass.evaluation.judged import Judged
from onepass.results.types import Classification, Extraction, LabelScore
from onepass.schema.options import CallOptions

LABELS = ("calm", "angry")


def gold(text: str, *true: str) -> Example:
    return Example(text, classifications=(GoldTask("tone", LABELS, true),))


def said(text: str, label: str, fit: float) -> Extraction:
    scores = {one: 0.9 if one == label else 0.1 for one in LABELS}
    answer = Classification((LabelScore(label, 0.9),), scores, fit=fit)
    return Extraction(text, classifications={"tone": answer})


def test_the_floor_between_what_fits_and_what_does_not(canned):  # type: ignore[no-untyped-def]
    model = canned(
        said("a", "calm", 0.6), said("b", "angry", 0.7), said("c", "calm", 0.3),
        said("d", "calm", 0.2), said("e", "calm", 0.4),
    )  # fmt: skip
    examples = [gold("a", "calm"), gold("b", "angry"), gold("c"), gold("d"), gold("e", "angry")]
    done: list[int] = []
    found = sweep_abstain(model, examples, progress=done.append)
    curve = found.curves["abstain"]
    assert (curve[0.1], curve[0.3], curve[0.35], curve[0.65]) == (0.4, 0.6, 0.8, 0.6)
    assert found.best() == {"abstain": 0.45}  # the middle of those above 0.3 and up to 0.6
    assert done == [5]
    ((_, schema, options),) = model.calls
    assert schema.classification_tasks[0].abstain == 0.0
    assert options == CallOptions()


def test_a_wrong_answer_stays_wrong_at_every_floor() -> None:
    """Silence is not the right answer to a question that has one."""
    curve = abstain_curve([Judged(0.5, True, False)], [0.2, 0.8])
    assert curve == {0.2: 0.0, 0.8: 0.0}


@pytest.mark.parametrize(
    "examples", [[gold("a", "calm")], [gold("a")], [Example("a", asked=("person",))], []]
)
def test_both_kinds_of_question_are_needed(canned, examples) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="give some with one and some with none"):
        sweep_abstain(canned(said("a", "calm", 0.5)), examples)


@pytest.mark.parametrize("thresholds", [[], [-0.1, 0.5], [0.5, 1.2], [float("nan")], ["high"], 0.5])
def test_wrong_floors_are_refused(canned, thresholds) -> None:  # type: ignore[no-untyped-def]
    model = canned(said("a", "calm", 0.5), said("b", "calm", 0.2))
    with pytest.raises(InputError, match="thresholds must be numbers from 0 to 1"):
        sweep_abstain(model, [gold("a", "calm"), gold("b")], thresholds=thresholds)
    assert model.calls == []
