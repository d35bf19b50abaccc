"""A new family is a folder and one line in the registry, and a mark by which the hub knows it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onepass import Extractor
from onepass.hub import checkpoint as hub
from onepass.hub import locate
from onepass.models import registry
from onepass.models.convert import convert_checkpoint
from onepass.models.inspect import inspect_checkpoint
from tests.nli_checkpoints import make_nli

SCHEMA = {"classifications": {"tone": ["calm", "angry"]}}
TEXTS = ["How dare you!", "", "Fine."]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of a known family; the new family is registered."""
    kind_of = hub._kind_of

    def marked(config: Mapping[str, Any], *, gliner: bool) -> str | None:
        return "made_up" if "made_up" in config else kind_of(config, gliner=gliner)

    monkeypatch.setattr(hub, "_kind_of", marked)
    monkeypatch.setitem(registry._PLACES, "made_up", "tests.contract.made_up:MADE_UP")
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    make_nli(tmp_path / "base")
    return tmp_path / "base"


def test_a_made_up_family_is_opened_inspected_and_converted(base: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(base, tmp_path / "mine")
    config = json.loads((base / "config.json").read_text()) | {"made_up": str(base)}
    (mine / "config.json").write_text(json.dumps(config))
    (mine / "tokenizer.json").unlink()
    (mine / "words.txt").write_text("calm")
    (mine / "more").mkdir()
    (mine / "more" / "config.json").write_text("{}")

    found = inspect_checkpoint(locate(mine))
    assert (found.checkpoint.kind, found.architecture) == ("made_up", "made up")
    assert (found.lacks, found.problems) == ((f"tokenizer.json, taken from {base}",), ())

    known = Extractor.from_pretrained(base, backend="torch").extract(TEXTS, SCHEMA)
    whole = convert_checkpoint(locate(mine), tmp_path / "whole")
    assert (whole / "words.txt").read_text() == "calm"
    assert (whole / "more" / "config.json").read_text() == "{}"
    for directory in (mine, whole):
        model = Extractor.from_pretrained(directory, backend="torch")
        assert model.family == "made_up"
        docs = model.extract(TEXTS, SCHEMA)
        assert [doc.to_dict() for doc in docs] == [doc.to_dict() for doc in known]
