from __future__ import annotations

import pytest

from onepass.errors import CheckpointError
from onepass.models.gliner2.instances import Instances
from onepass.models.gliner2.prompt import Kind


@pytest.mark.parametrize("name", ["spare_instances", "least_records", "least_pairs", "pair_words"])
@pytest.mark.parametrize("value", [-1, 1.0, True, "2", None])
def test_other_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(
        CheckpointError, match=f"{name} in here/onepass.json must be a whole number"
    ):
        Instances.from_dict({name: value}, "here")


@pytest.mark.parametrize("name", ["distinct_values", "whole_forms"])
@pytest.mark.parametrize("value", [1, "true", None])
def test_flags_are_true_or_false(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=rf"{name} in here/onepass\.json must"):
        Instances.from_dict({name: value}, "here")


def test_settings_come_back() -> None:
    looked_for = Instances(
        spare=2, least_records=3, least_pairs=1, distinct=True, pair_words=40, whole=True
    )
    assert Instances.from_dict(looked_for.to_dict() | {"thresholds": {}}, "") == looked_for
    assert Instances.from_dict({}, "") == Instances()
    assert Instances().to_dict() == {}


def test_as_many_as_predicted() -> None:
    for kind in (Kind.STRUCTURE, Kind.RELATION):
        assert [Instances().number(kind, predicted=n, most=19) for n in (0, 3, 19)] == [0, 3, 19]


def test_some_are_looked_for_where_none_is_predicted() -> None:
    looked_for = Instances(spare=2, least_records=1)
    assert [looked_for.number(Kind.STRUCTURE, predicted=n, most=19) for n in (0, 1, 2)] == [3, 3, 4]
    assert looked_for.number(Kind.RELATION, predicted=0, most=19) == 0


def test_entities_are_answered_by_one_instance() -> None:
    looked_for = Instances(spare=2, least_records=1, least_pairs=1)
    assert [looked_for.number(Kind.ENTITIES, predicted=n, most=19) for n in (0, 5)] == [0, 1]


def test_no_more_than_the_checkpoint_can_tell_apart() -> None:
    assert Instances(spare=2).number(Kind.STRUCTURE, predicted=18, most=19) == 19
