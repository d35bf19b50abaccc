"""Files of spaCy's DocBin. Most of it needs spaCy, which `make guests` installs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.corpus.files import find_files
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.errors import InputError, MissingExtra

needs_spacy = pytest.mark.skipif(find_spec("spacy") is None, reason="needs spaCy")


@pytest.fixture
def blank() -> Any:
    return pytest.importorskip("spacy").blank("en")


def write(path: Path, *documents: Any) -> Path:
    from spacy.tokens import DocBin

    DocBin(docs=documents).to_disk(path)
    return path


def test_entities_and_spans(tmp_path: Path, blank: Any):
    first, second, third = map(blank, ("Bo ran.", "Ada left Lima.", "It ran."))
    first.set_ents([first.char_span(0, 2, "dog")])
    second.set_ents([], default="outside")
    whole = second.char_span(0, 8, "news")
    second.spans["sc"] = [whole, second.char_span(9, 13, "city"), whole]
    second.spans["unnamed"] = [second[0:1]]
    third.spans["incorrect_spans"] = [third.char_span(0, 2, "dog")]  # no entity
    path = write(tmp_path / "a.spacy", first, second, third)
    assert format_of(path) is Format.SPACY
    assert list(read_any(path)) == [
        Example("Bo ran.", (Mention(0, 2, "dog"),), ("city", "dog", "news")),
        Example(
            "Ada left Lima.",
            (Mention(0, 8, "news"), Mention(9, 13, "city")),
            ("city", "dog", "news"),
        ),
        Example("It ran."),  # nobody said that it has no entity
    ]


def test_categories(tmp_path: Path, blank: Any):
    first, second = map(blank, ("x", "y"))
    first.cats, second.cats = {"a": 1.0, "b": 0.0}, {"a": 0.2, "b": 0.9}
    for example, true in zip(
        read_any(write(tmp_path / "A.SPACY", first, second)), "ab", strict=True
    ):
        assert example.classifications == (GoldTask("class", ("a", "b"), (true,)),)
        assert example.asked == ()


def test_what_is_wrong_with_one_document_is_said_of_that(tmp_path: Path, blank: Any):
    first, second = map(blank, ("x", "y"))
    first.cats, second.cats = {"a": 7.0}, {"a": 1.0}
    (_, wrong), (place, right) = read_each(write(tmp_path / "a.spacy", first, second))
    assert "document 1: the share of 'a' in cats must be from 0 to 1, but 7.0" in str(wrong)
    assert (place, right) == ("document 2", Example(
        "y", classifications=(GoldTask("class", ("a",), ("a",)),)))  # fmt: skip


@needs_spacy
@pytest.mark.parametrize("content", [b"", b"[]", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "a.spacy"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a file of spaCy's DocBin"):
        list(read_any(path))


@needs_spacy
def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="There is no file"):
        list(read_any(tmp_path / "a.spacy"))


@pytest.mark.skipif(find_spec("spacy") is not None, reason="spaCy is installed")
def test_without_spacy_the_command_is_named(tmp_path: Path):
    path = tmp_path / "a.spacy"
    path.write_bytes(b"x")
    with pytest.raises(MissingExtra, match=r"pip install 'onepass\[spacy\]'"):
        list(read_any(path))


def test_a_directory_of_documents(tmp_path: Path):
    for name in ("dev.spacy", "train.spacy", "config.cfg"):
        (tmp_path / name).touch()
    assert list(find_files([tmp_path])) == ["dev", "train"]
