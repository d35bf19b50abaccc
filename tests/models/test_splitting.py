"""A checkpoint may name a splitter of words, in every family."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.every_family import MAKE
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor, Schema
from onepass.errors import CheckpointError
from onepass.hub import locate
from onepass.models.registry import read_model
from onepass.models.settings import own_splitter

TEXT = "tim\u5e93\u514bcook runs apple."
BY_SCRIPT = ["tim", "\u5e93", "\u514b", "cook", "runs", "apple", "."]


def named(directory: Path, **settings: object) -> Path:
    (directory / "onepass.json").write_text(json.dumps(settings))
    return directory


def test_none_is_named_unless_it_is(tmp_path: Path) -> None:
    assert own_splitter(tmp_path) is None
    assert own_splitter(named(tmp_path, thresholds={})) is None
    assert own_splitter(named(tmp_path, word_splitter="char")) == "char"


@pytest.mark.parametrize("given", ["jieba", "whitespace", "Script", None, 3, ["script"]])
def test_an_unknown_one_is_refused(tmp_path: Path, given: object) -> None:
    directory = named(make_tiny_checkpoint(tmp_path), word_splitter=given)
    with pytest.raises(CheckpointError) as refused:
        Extractor.from_pretrained(directory)
    assert str(refused.value) == (
        f"The word_splitter {given!r} in {directory}/onepass.json is not known; give char or "
        "script, or leave it out for the words of the family."
    )


@pytest.mark.parametrize("family", MAKE)
def test_every_family_reads_the_words_of_the_splitter(family: str, tmp_path: Path) -> None:
    MAKE[family](tmp_path)
    model = read_model(locate(tmp_path))
    assert (model.family.name, model.kept.splitter) == (family, None)
    named(tmp_path, word_splitter="script")
    model = read_model(locate(tmp_path))
    read = model.family.read_text(
        TEXT, model.tokenizer, max_word_pieces=50, splitter=model.kept.splitter
    )
    assert read.words.forms() == BY_SCRIPT
    plain = model.family.read_text(TEXT, model.tokenizer, max_word_pieces=50)
    assert plain.words.forms()[0] == "tim\u5e93\u514bcook"


@pytest.mark.parametrize("family", ["gliner2", "gliner"])
def test_a_name_inside_a_run_without_blanks_can_be_found(family: str, tmp_path: Path) -> None:
    MAKE[family](tmp_path)
    found = []
    for settings in ({}, {"word_splitter": "script"}):
        model = Extractor.from_pretrained(named(tmp_path, **settings), backend="torch")
        doc = model.extract(TEXT, Schema().entities(["person"]), threshold=0.0, overlap="all")
        assert all(TEXT[one.start : one.end] == one.text for one in doc.entities)
        found.append({one.text for one in doc.entities})
    plain, by_script = found
    assert "\u5e93\u514b" in by_script - plain
    assert "tim\u5e93\u514bcook" in plain & by_script
