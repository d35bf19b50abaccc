"""A checkpoint may name a splitter of words, in every family."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.every_family import MAKE
from tests.gliner_checkpoints import KINDS, make_reference
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor, Schema
from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.gliner.family import GLINER
from onepass.models.inspect import inspect_checkpoint
from onepass.models.registry import read_model
from onepass.models.settings import own_splitter
from onepass.text import splitters
from onepass.text.splitters import SPLITTERS, Source
from onepass.text.words import Words, split_words
from onepass.training.families import open_trainee

CHINESE = "\u5c0f\u660e\u6765\u5230\u5317\u4eac\u6e05\u534e\u5927\u5b66\u3002"
TEXT = "tim\u5e93\u514bcook runs apple."
BY_SCRIPT = ["tim", "\u5e93", "\u514b", "cook", "runs", "apple", "."]


def named(directory: Path, **settings: object) -> Path:
    (directory / "onepass.json").write_text(json.dumps(settings))
    return directory


def test_none_is_named_unless_it_is(tmp_path: Path) -> None:
    assert own_splitter(tmp_path) is None
    assert own_splitter(named(tmp_path, thresholds={})) is None
    assert own_splitter(named(tmp_path, word_splitter="char")) == "char"


@pytest.mark.parametrize(
    "given", ["moses", "whitespace", "Script", "script:de", "stanza:", None, 3, ["script"]]
)
def test_an_unknown_one_is_refused(tmp_path: Path, given: object) -> None:
    directory = named(make_tiny_checkpoint(tmp_path), word_splitter=given)
    with pytest.raises(CheckpointError) as refused:
        Extractor.from_pretrained(directory)
    assert str(refused.value) == (
        f"The word_splitter {given!r} in {directory}/onepass.json is not known; give one of "
        "char, script, camel, hanlp, hindi, janome, jieba, mecab, spacy, stanza, universal, or "
        "leave it out for the words of the family."
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


@pytest.fixture(scope="module")
def gliner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a GLiNER checkpoint that names a splitter of another library."""
    directory = tmp_path_factory.mktemp("splitting") / "gliner"
    make_reference(directory, **KINDS["span"])
    path = directory / "gliner_config.json"
    path.write_text(json.dumps(read_json(path) | {"words_splitter_type": "jieba"}))
    return directory


@pytest.fixture
def change(gliner: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the checkpoint with other values of its configuration."""

    def copy(**values: object) -> Path:
        directory = shutil.copytree(gliner, tmp_path / "copy", dirs_exist_ok=True)
        path = directory / "gliner_config.json"
        path.write_text(json.dumps(read_json(path) | values))
        return directory

    return copy


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put words of two characters in the place of those of jieba."""
    cut = Source(lambda _: lambda text: [(n, n + 2) for n in range(0, len(text), 2)], ("json",))
    monkeypatch.setattr(splitters, "_loaded", {})
    monkeypatch.setitem(SPLITTERS, "jieba", cut)


def test_the_configuration_of_gliner_names_one(gliner: Path) -> None:
    assert own_splitter(gliner) is None
    assert own_splitter(gliner, GLINER) == read_model(locate(gliner)).kept.splitter == "jieba"
    assert inspect_checkpoint(locate(gliner)).splitter == "jieba"


def test_onepass_json_comes_before_it(change: Callable[..., Path]) -> None:
    directory = named(change(words_splitter_type="stanza"), word_splitter="script")
    assert own_splitter(directory, GLINER) == "script"
    assert read_model(locate(directory)).kept.splitter == "script"
    assert Extractor.from_pretrained(directory, backend="torch").entities(TEXT, ["a"]) is not None


def test_whitespace_is_the_word_of_the_family(change: Callable[..., Path]) -> None:
    assert own_splitter(change(words_splitter_type="whitespace"), GLINER) is None


@pytest.mark.parametrize("given", ["moses", "script", "spacy:de", None, 3, ["jieba"]])
def test_a_configuration_with_an_unknown_one_is_refused(
    change: Callable[..., Path], given: object
) -> None:
    directory = change(words_splitter_type=given)
    said = (
        f"This GLiNER checkpoint was trained on the words of the splitter {given!r} "
        "(words_splitter_type), which is not known; whitespace, camel, hanlp, hindi, janome, "
        "jieba, mecab, spacy, stanza, universal are."
    )
    for opens in (Extractor.from_pretrained, open_trainee):
        with pytest.raises(CheckpointError) as refused:
            opens(directory)
        assert str(refused.value) == said
    assert inspect_checkpoint(locate(directory)).problems == (said,)


@pytest.mark.parametrize("opens", [Extractor.from_pretrained, open_trainee])
def test_a_missing_library_is_told_before_anything_is_read(
    gliner: Path, opens: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splitters, "_loaded", {})
    monkeypatch.setattr(splitters, "find_spec", lambda module: None)
    monkeypatch.setattr("onepass.training.gliner.load_network", None)
    monkeypatch.setattr("onepass.extractor.open_backend", None)
    with pytest.raises(MissingExtra, match=r"'jieba': run  pip install 'onepass\[jieba\]'"):
        opens(gliner)


def test_training_carries_it_on(gliner: Path, tmp_path: Path) -> None:
    pytest.importorskip("jieba3")
    trainee = open_trainee(gliner)
    trainee.save(tmp_path / "same")
    assert not (tmp_path / "same" / "onepass.json").exists()  # its configuration names it
    assert own_splitter(tmp_path / "same", GLINER) == "jieba"
    open_trainee(gliner, splitter="script").save(tmp_path / "other")
    assert own_splitter(tmp_path / "other", GLINER) == "script"


@pytest.mark.parametrize("family", MAKE)
def test_every_family_reads_the_words_of_a_library(family: str, tmp_path: Path) -> None:
    pytest.importorskip("jieba3")
    MAKE[family](tmp_path)
    model = Extractor.from_pretrained(named(tmp_path, word_splitter="jieba"), backend="torch")
    opened = read_model(locate(tmp_path))
    read = opened.family.read_text(
        CHINESE, opened.tokenizer, max_word_pieces=50, splitter=opened.kept.splitter
    )
    assert read.words.forms()[:2] == ["\u5c0f\u660e", "\u6765\u5230"]
    schema = Schema().classification("topic", ["news", "sports"])
    other = pickle.loads(pickle.dumps(model))
    assert other.extract(CHINESE, schema) == model.extract(CHINESE, schema)


@pytest.mark.usefixtures("halves")
def test_windows_of_long_texts_and_their_merging(change: Callable[..., Path]) -> None:
    """Every span of few words is found wherever it stands, once, at its own place."""
    directory = change(max_len=24, max_width=2)
    model = Extractor.from_pretrained(directory, backend="torch")
    text = "abcdefgh ijklmn o " * 20
    words: Words = split_words(text, splitter="jieba")
    assert len(words) > 24 * 5
    doc = model.extract(text, Schema().entities(["person"]), threshold=0.0, overlap="all")
    assert doc.coverage.windows > 5
    found = [(one.start, one.end) for one in doc.entities]
    starts, ends = words.starts.tolist(), words.ends.tolist()
    expected = {(starts[n], ends[n]) for n in range(len(words))}
    expected |= {(starts[n], ends[n + 1]) for n in range(len(words) - 1)}
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert all(text[one.start : one.end] == one.text for one in doc.entities)
