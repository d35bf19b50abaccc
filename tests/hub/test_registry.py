"""The table of published checkpoints."""

from __future__ import annotations

import dataclasses

import pytest

from onepass.hub.checkpoint import KINDS
from onepass.hub.find import is_hub_id
from onepass.hub.registry import KNOWN, find_known, suggest
from onepass.models.gliner.config import GlinerConfig
from onepass.models.registry import FAMILIES


def test_entries_are_well_formed():
    assert len({model.id.lower() for model in KNOWN}) == len(KNOWN)
    for model in KNOWN:
        assert is_hub_id(model.id)
        assert model.family in KINDS
        assert model.license
        assert model.languages
        assert model.parameters is None or model.parameters > 10**6


def test_what_is_supported():
    assert all(model.supported == (model.family in FAMILIES) for model in KNOWN)


def test_gliner_models_have_the_names_of_their_architectures():
    kinds = {
        GlinerConfig.from_dict(config).architecture
        for config in ({}, {"labels_decoder": "gpt2"}, {"relations_layer": "mlp"})
    }
    assert {model.architecture for model in KNOWN if model.family == "gliner"} == kinds


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
