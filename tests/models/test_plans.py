"""Plans of the last few schemas are kept; vectors of labels are of one model."""

from __future__ import annotations

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass import Schema
from onepass.backends.base import Backend
from onepass.errors import InputError
from onepass.hub import locate
from onepass.models.choosing import Wanted
from onepass.models.opening import open_backend
from onepass.models.plans import Plans
from onepass.models.registry import read_model

SCHEMA = Schema().entities(["person", "place"]).classification("tone", ["calm", "angry"])


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plans, Backend]:
    checkpoint = locate(make_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint")))
    model = read_model(checkpoint)
    return Plans(model), open_backend(model, checkpoint, Wanted(backend="torch"))


def test_plans_of_the_last_few_schemas_are_kept(opened: tuple[Plans, Backend]) -> None:
    plans, backend = opened
    first, old = plans.of(SCHEMA, backend), plans.of(Schema().entities(["old"]), backend)
    assert plans.of(SCHEMA.copy(), backend) is first
    for number in range(100):
        plans.of(Schema().entities([f"person {number}"]), backend)
        assert plans.of(SCHEMA, backend) is first  # asked lately
    assert plans.of(Schema().entities(["old"]), backend) is not old


def test_a_family_without_a_label_encoder_makes_no_vectors(opened: tuple[Plans, Backend]) -> None:
    plans, backend = opened
    with pytest.raises(InputError, match="A gliner2 checkpoint has no label encoder: its labels"):
        plans.encode_labels(SCHEMA.entity_labels, backend)
