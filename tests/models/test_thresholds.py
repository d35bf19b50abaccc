"""The most specific threshold wins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onepass import Schema
from onepass.errors import InputError
from onepass.models.kept import Calibration, Kept
from onepass.models.thresholds import Thresholds, resolve_thresholds

CALIBRATED = {"entities": 0.41, "classifications": 0.42, "records": 0.43, "relations": 0.44}


def schema() -> Schema:
    return (
        Schema()
        .entities(["person", "place"])
        .entities(["company"], threshold=0.9)
        .classification("tone", ["calm", "angry"])
        .classification("color", {"red": {"threshold": 0.8}, "blue": None}, multi_label=True)
        .classification("size", ["big"], multi_label=True, threshold=0.7)
        .structure("product", ["name::str", {"name": "price", "threshold": 0.6}])
        .relations(["in"])
        .relations(["works for"], threshold=0.3)
    )


def resolve(given: Any, calibrated: dict[str, float] | None = None) -> Thresholds:
    return resolve_thresholds(schema(), given, Kept(calibrated or {}))


def lists(found: Thresholds) -> dict[str, Any]:
    def rounded(values: Any) -> list[float]:
        assert values.dtype == np.float32
        return [round(value, 4) for value in values.tolist()]

    return {
        "entities": rounded(found.entities),
        "classes": [rounded(one) for one in found.classes],
        "fields": [rounded(one) for one in found.fields],
        "relations": rounded(found.relations),
    }


def test_half_where_nobody_says_anything() -> None:
    assert lists(resolve(None)) == {
        "entities": [0.5, 0.5, 0.9],
        "classes": [[0.0, 0.0], [0.8, 0.5], [0.7]],  # one label always wins a single-label task
        "fields": [[0.5, 0.6]],
        "relations": [0.5, 0.3],
    }


def test_what_the_checkpoint_was_calibrated_to() -> None:
    assert lists(resolve(None, CALIBRATED)) == {
        "entities": [0.41, 0.41, 0.9],
        "classes": [[0.0, 0.0], [0.8, 0.42], [0.7]],
        "fields": [[0.43, 0.6]],
        "relations": [0.44, 0.3],
    }


@pytest.mark.parametrize("given", [0.2, np.float32(0.2), np.float64(0.2)])
def test_a_number_is_for_everything_without_its_own(given: float) -> None:
    assert lists(resolve(given, CALIBRATED)) == {
        "entities": [0.2, 0.2, 0.9],
        "classes": [[0.0, 0.0], [0.8, 0.2], [0.7]],
        "fields": [[0.2, 0.6]],
        "relations": [0.2, 0.3],
    }


@pytest.mark.parametrize("given", [0, 1, 0.0, 1.0])
def test_the_ends_of_the_range(given: float) -> None:
    assert resolve(given).entities[0] == given


def test_numbers_by_kind() -> None:
    given = {"entities": 0.1, "classifications": 0.2, "records": 0.3, "relations": 0.4}
    assert lists(resolve(given, CALIBRATED)) == {
        "entities": [0.1, 0.1, 0.9],
        "classes": [[0.2, 0.2], [0.8, 0.2], [0.7]],  # a floor for single labels, asked for by name
        "fields": [[0.3, 0.6]],
        "relations": [0.4, 0.3],
    }
    assert lists(resolve({"records": 0.3}, CALIBRATED))["entities"] == [0.41, 0.41, 0.9]


def test_numbers_by_name() -> None:
    given = {
        "entities": 0.1,
        "place": 0.2,
        "company": 0.2,
        "tone": 0.3,
        "color": 0.4,
        "size": 0.6,
        "product": 0.7,
    }
    assert lists(resolve(given | {"in": 0.8, "works for": 0.9})) == {
        "entities": [0.1, 0.2, 0.9],  # a label knows more than the call
        "classes": [[0.3, 0.3], [0.8, 0.4], [0.6]],  # the call knows more than the schema's task
        "fields": [[0.7, 0.6]],
        "relations": [0.8, 0.3],
    }


def test_choices_have_a_threshold_of_their_own_or_that_of_records() -> None:
    asked = Schema().structure("coat", ["name::str", "size::[S|L]", "color::[red|blue]::list"])

    def fields(given: Any, calibrated: dict[str, float]) -> Any:
        return lists(resolve_thresholds(asked, given, Kept(calibrated)))["fields"]

    own = CALIBRATED | {"choices": 0.6}
    assert fields(None, {}) == [[0.5, 0.5, 0.5]]
    assert fields(None, CALIBRATED) == [[0.43, 0.43, 0.43]]
    assert fields(None, own) == [[0.43, 0.6, 0.6]]
    assert fields(0.2, own) == [[0.2, 0.2, 0.2]]
    assert fields({"records": 0.3}, own) == [[0.3, 0.3, 0.3]]  # choices are of records, too
    assert fields({"choices": 0.3}, own) == [[0.43, 0.3, 0.3]]
    assert fields({"choices": 0.3, "coat": 0.9}, own) == [[0.9, 0.9, 0.9]]


def test_labels_of_the_checkpoint_come_before_its_kinds_and_after_all_else() -> None:
    labels = dict.fromkeys(
        ["place", "company", "in", "works for", "red", "blue", "big", "calm"], 0.1
    )
    labels["strange"] = 0.2  # of another schema

    def of(given: Any) -> dict[str, Any]:
        return lists(resolve_thresholds(schema(), given, Kept(CALIBRATED, labels=labels)))

    assert of(None) == {
        "entities": [0.41, 0.1, 0.9],
        "classes": [[0.0, 0.0], [0.8, 0.1], [0.7]],  # a single label wins as ever
        "fields": [[0.43, 0.6]],
        "relations": [0.1, 0.3],
    }
    assert of({"place": 0.3, "relations": 0.7})["entities"] == [0.41, 0.3, 0.9]
    assert of({"place": 0.3, "relations": 0.7})["relations"] == [0.7, 0.3]
    assert of(0.2) == lists(resolve(0.2, CALIBRATED))


class Counted(dict[str, float]):
    """Numbers that know how often they were looked at."""

    looks = 0

    def get(self, *of: Any) -> Any:
        self.looks += 1
        return super().get(*of)

    def __contains__(self, name: object) -> bool:
        self.looks += 1
        return super().__contains__(name)

    def __getitem__(self, name: str) -> float:
        self.looks += 1
        return super().__getitem__(name)


def test_what_holds_for_a_kind_is_looked_up_once_and_not_by_every_label() -> None:
    """This is done in every call, and there may be hundreds of labels."""

    def looks(asked: Schema, given: Any) -> tuple[int, int]:
        kinds, labels = Counted(CALIBRATED), Counted({"place": 0.1})
        resolve_thresholds(asked, given, Kept(kinds, labels=labels))
        return kinds.looks, labels.looks

    many = Schema().entities([f"label {n}" for n in range(100)])
    assert looks(many, None)[0] == looks(Schema().entities(["one"]), None)[0]
    assert looks(many, None)[1] == 100
    assert looks(many, 0.3)[1] == looks(many, {"entities": 0.3})[1] == 0


def test_floors_of_tasks_that_may_abstain() -> None:
    asked = (
        schema()
        .classification("mood", ["good", "bad"], abstain=True)
        .classification("kind", ["a", "b"], abstain=0.25)
        .classification("any", ["a", "b"], abstain=0)
    )
    kept = Kept(CALIBRATED)
    assert resolve_thresholds(asked, 0.9, kept).floors == (None, None, None, 0.5, 0.25, 0.0)
    kept = Kept(CALIBRATED | {"abstain": 0.35})
    assert resolve_thresholds(asked, None, kept).floors[3:] == (0.35, 0.25, 0.0)


def test_calibration_is_handed_on() -> None:
    calibration = {"entities": Calibration(2.0, 1.0)}
    kept = Kept(calibration=calibration)
    assert resolve_thresholds(schema(), None, kept).calibration == calibration
    assert resolve(None).calibration == {}


def test_a_name_that_nobody_asked_for() -> None:
    with pytest.raises(InputError, match=r"^A threshold was given for 'plaice', which is neither"):
        resolve({"plaice": 0.5})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "calm",
            "which is a label of the task 'tone'; name 'tone' in its place, or give the label",
        ),
        ("big", "which is a label of the task 'size'; name 'size' in its place, or give the label"),
        ("name", "which is a field of the structure 'product'; name 'product' in its place, or"),
        (
            "plaice",
            "which is neither one of entities, classifications, records, choices, relations nor",
        ),
    ],
)
def test_what_a_name_is_that_has_no_threshold(name: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve({name: 0.5})
    assert str(refused.value).startswith(f"A threshold was given for {name!r}, {said}")
