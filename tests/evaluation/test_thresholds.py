"""Thresholds: what is selected at each, against what each would have found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.errors import InputError
from onepass.evaluation.thresholds import Sweep, at_threshold, sweep
from onepass.results.types import (
    Classification,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)
from onepass.schema.options import CallOptions

TEXT = "Ann Lee met Bob."
ANN, LEE, BOB = (0, 7), (4, 7), (12, 15)


def entity(label: str, span: tuple[int, int], score: float) -> Entity:
    return Entity(label, TEXT[slice(*span)], *span, score)


def value(span: tuple[int, int], score: float) -> Value:
    return Value(TEXT[slice(*span)], *span, score)


def test_entity_curve_and_its_best_threshold(canned):
    gold = Example(TEXT, (Mention(*ANN, "person"), Mention(*BOB, "person")), ("person", "place"))
    doc = Extraction(
        TEXT,
        (
            entity("person", ANN, 0.7),
            entity("person", LEE, 0.3),  # overlaps a better one: never kept
            entity("person", BOB, 0.4),
            entity("place", BOB, 0.6),  # stands for the span: place is as specific as the score is
        ),
    )
    model = canned(doc)
    curve = sweep(model, [gold], thresholds=[0.65, 0.2, 0.8]).curves["entities"]
    assert list(curve) == [0.2, 0.65, 0.8]
    assert curve[0.2] == pytest.approx(2 * 1 / (2 + 2))
    assert curve[0.65] == pytest.approx(2 * 1 / (1 + 2))
    assert curve[0.8] == 0.0
    assert sweep(model, [gold]).best() == {"entities": pytest.approx(0.65)}  # 0.65 and 0.70 tie


def test_the_model_runs_once_at_the_lowest_threshold_with_overlaps(canned):
    model = canned()
    sweep(model, [Example(TEXT, asked=("person",))], thresholds=[0.5, 0.1])
    assert [call[2] for call in model.calls] == [CallOptions(0.1, "all")]


def test_the_specific_label_stands_once_the_threshold_lets_it(canned):
    gold = Example(TEXT, (Mention(*ANN, "poet"),), ("person", "poet"))
    doc = Extraction(TEXT, (entity("person", ANN, 0.9), entity("poet", ANN, 0.85)))
    curve = sweep(canned(doc), [gold], thresholds=[0.4, 0.87]).curves["entities"]
    assert curve == {0.4: 1.0, 0.87: 0.0}
    both = sweep(canned(doc), [gold], thresholds=[0.4], overlap="all").curves["entities"]
    assert both[0.4] == pytest.approx(2 / 3)


def test_curves_of_the_other_sections(canned):
    fields = GoldField("name", dtype="str"), GoldField("tags")
    gold = Example(
        TEXT,
        classifications=(
            GoldTask("tone", ("calm", "angry"), ("calm",)),
            GoldTask("topics", ("art", "law", "war"), ("art", "law"), True),
        ),
        structures=(GoldStructure("guest", fields, ({"name": (GoldValue(*ANN),)},)),),
        relations=(GoldRelation("met", ANN, BOB),),
    )  # fmt: skip
    guests = (
        {"name": value(ANN, 0.6), "tags": (value(BOB, 0.35),)},
        {"name": value(BOB, 0.4), "tags": ()},
    )
    doc = Extraction(
        TEXT,
        classifications={
            "tone": Classification((LabelScore("calm", 0.2),), {"calm": 0.2, "angry": 0.1}),
            "topics": Classification((), {"art": 0.7, "law": 0.4, "war": 0.3}),
        },
        records={"guest": guests},
        relations=(Relation("met", value(ANN, 0.9), value(BOB, 0.5), 0.6),),
    )  # fmt: skip
    curves = sweep(canned(doc), [gold], thresholds=[0.3, 0.4, 0.5, 0.65]).curves
    assert curves["classifications"] == pytest.approx(
        {0.3: 4 / 5, 0.4: 1.0, 0.5: 2 / 3, 0.65: 2 / 3}
    )
    assert curves["records"] == pytest.approx({0.3: 2 / 4, 0.4: 2 / 3, 0.5: 1.0, 0.65: 0.0})
    assert curves["relations"] == {0.3: 1.0, 0.4: 1.0, 0.5: 1.0, 0.65: 0.0}


def test_sections_that_no_threshold_decides_have_no_curve(canned):
    task = GoldTask("tone", ("calm", "angry"), ("calm",))
    swept = sweep(canned(), [Example(TEXT, classifications=(task,)), Example(TEXT, asked=("a",))])
    assert list(swept.curves) == ["entities"]


def test_records_that_become_empty_are_gone_and_single_labels_stay():
    doc = Extraction(
        TEXT,
        classifications={"tone": Classification((LabelScore("calm", 0.2),), {"calm": 0.2})},
        records={"guest": ({"name": value(ANN, 0.3)}, {"name": value(BOB, 0.8)})},
    )
    cut = at_threshold(doc, 0.5, policy="flat", labels=())
    assert [row["name"].text for row in cut.records["guest"]] == ["Bob"]
    assert cut.classifications == doc.classifications


def test_threshold_is_inclusive():
    doc = Extraction(TEXT, (entity("person", ANN, 0.5),))
    assert at_threshold(doc, 0.5, policy="flat", labels=("person",)).entities == doc.entities


@pytest.mark.parametrize("thresholds", [[], [-0.1, 0.5], [0.5, 1.2], [0.2, float("nan")], ["high"]])
def test_wrong_thresholds_are_refused(canned, thresholds):
    with pytest.raises(InputError, match="thresholds must be numbers from 0 to 1"):
        sweep(canned(), [], thresholds=thresholds)


def test_best_is_the_middle_of_a_plateau():
    assert Sweep({"entities": {0.1: 0.2, 0.2: 0.5, 0.3: 0.5}}).best() == {"entities": 0.2}
    plateau = {0.1: 0.2, 0.2: 0.5, 0.3: 0.5, 0.4: 0.5}
    assert Sweep({"entities": plateau}).best() == {"entities": 0.3}
    assert Sweep({}).best() == {}


def test_dict_is_plain():
    swept = Sweep({"entities": {0.2: 0.5, 0.1: 0.25}})
    assert swept.to_dict() == {
        "best": {"entities": 0.2},
        "curves": {"entities": [[0.1, 0.25], [0.2, 0.5]]},
    }


spans = st.sampled_from([ANN, LEE, BOB, (0, 3), (0, 15), (8, 15)])
found = st.lists(
    st.builds(entity, st.sampled_from(["person", "poet", "place"]), spans, st.floats(0.1, 1)),
    max_size=12,
)


@given(found, st.floats(0.1, 0.5), st.floats(0.5, 1.0))
def test_selecting_from_everything_equals_selecting_from_what_holds(mentions, low, high):
    def cut(doc: Extraction, at: float, policy: str) -> Extraction:
        return at_threshold(doc, at, policy=policy, labels=("person", "poet", "place"))

    doc = Extraction(TEXT, tuple(mentions))
    everything = cut(doc, low, "all")
    assert cut(everything, high, "flat") == cut(doc, high, "flat")
    assert all(e.score >= high for e in cut(doc, high, "nested").entities)
