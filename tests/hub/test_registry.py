"""The table of published checkpoints."""

from __future__ import annotations

import dataclasses

import pytest

from onepass.hub.checkpoint import KINDS
from onepass.hub.find import _is_hub_id
from onepass.hub.registry import KNOWN, find_known, suggest


def test_entries_are_well_formed():
    assert len({model.id.lower() for model in KNOWN}) == len(KNOWN)
    for model in KNOWN:
        assert _is_hub_id(model.id)
        assert model.family in KINDS
        assert model.license
        assert model.languages
        assert model.parameters is None or model.parameters > 10**6


def test_what_is_supported_is_the_span_architecture_of_gliner2():
    for model in KNOWN:
        assert model.supported == ((model.family, model.architecture) == ("gliner2", "span"))
        assert model.supported != model.note.startswith("planned")


def test_entries_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        KNOWN[0].supported = False  # type: ignore[misc]


def test_lookup_ignores_case():
    found = find_known("Fastino/GLINER2-base-v1")
    assert found is not None
    assert found.id == "fastino/gliner2-base-v1"
    assert find_known("someone/else") is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gliner2-large-v1", "fastino/gliner2-large-v1"),
        ("fastino/gliner2-mutli-v1", "fastino/gliner2-multi-v1"),
        ("fastino/gliner2-mutli-v1/", "fastino/gliner2-multi-v1"),
        ("models/mine", None),
        ("", None),
    ],
)
def test_suggestions(name: str, meant: str | None):
    assert suggest(name) == meant
