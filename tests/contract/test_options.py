"""Whoever asks with a schema takes all options of a call, or says why one is left out."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from onepass.errors import MissingExtra
from onepass.schema.options import CallOptions

ENTRIES = [
    "onepass.extractor:Extractor.extract",
    "onepass.extractor:Extractor.stream",
    "onepass.shortcuts:Shortcuts.entities",
    "onepass.shortcuts:Shortcuts.classify",
    "onepass.shortcuts:Shortcuts.records",
    "onepass.shortcuts:Shortcuts.relations",
    "onepass.batch:Job",
    "onepass.batch.ray:extract",
    "onepass.client:Client.extract",
    "onepass.client:Client.extract_batch",
    "onepass.client:AsyncClient.extract",
    "onepass.client:AsyncClient.extract_batch",
    "onepass.serving.wire:ExtractRequest",
    "onepass.serving.wire:BatchRequest",
    "onepass.evaluation:evaluate",
    "onepass.evaluation:evaluate_paths",
    "onepass.evaluation:suite",
    "onepass.evaluation:sweep",
    "onepass.redact:Options",
    "onepass.demo.form:Asked",
    "onepass.integrations.langchain:OnepassTransformer",
    "onepass.integrations.langextract:OnepassLanguageModel",
    "onepass.integrations.llamaindex:OnepassTransformation",
    "onepass.integrations.presidio:OnepassRecognizer",
    "onepass.integrations.sklearn:OnepassClassifier",
    "onepass.integrations.spacy:make_component",
    "onepass.integrations.spark:extract_frames",
    "onepass.cli.extract:extract",
    "onepass.cli.evaluate:evaluate",
]
OPTIONS = [one.name for one in fields(CallOptions)]


def found(entry: str) -> tuple[Any, str]:
    """Return an entry, and the docstrings from its class down to it."""
    module, _, path = entry.partition(":")
    try:
        own: Any = import_module(module)
    except MissingExtra as error:
        pytest.skip(str(error))
    said = []
    for name in path.split("."):
        own = getattr(own, name)
        said.append(own.__doc__ or "")
    return own, " ".join(said)


@pytest.mark.parametrize("entry", ENTRIES)
def test_all_options_are_taken_or_said_to_be_left_out(entry: str) -> None:
    own, said = found(entry)
    taken = inspect.signature(own).parameters
    silent = [name for name in OPTIONS if name not in taken and f"``{name}``" not in said]
    assert not silent


@pytest.mark.parametrize("entry", ENTRIES)
def test_who_leaves_an_option_to_the_user_leaves_it_as_the_model_does(entry: str) -> None:
    own, _ = found(entry)
    usual = CallOptions().to_dict()
    for name, one in inspect.signature(own).parameters.items():
        if name in usual and one.default is not inspect.Parameter.empty:
            assert one.default == usual[name]
