"""Bi-encoders made whole: the tokenizer of the label encoder comes from its base model."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from tests.models.gliclass.made import raw, tokenizer, write
from tokenizers import Tokenizer

from onepass.errors import CheckpointError
from onepass.hub import Checkpoint, locate
from onepass.models.complete import complete as complete_any
from onepass.models.complete import completed as completed_any
from onepass.models.gliclass.complete import lacks_labels
from onepass.models.gliclass.family import GLICLASS
from onepass.models.missing import Lack
from onepass.models.registry import read_model

complete = partial(complete_any, family=GLICLASS)
completed = partial(completed_any, family=GLICLASS)

OWN = "tokenizer.json"
PART = f"label_tokenizer/{OWN}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return the directory of a base model; its tokenizer is another one than that of texts."""
    return write(tmp_path / "base", {"model_type": "bert"}, "byte pairs")


@pytest.fixture
def old(tmp_path: Path, base: Path) -> Checkpoint:
    content = raw(architecture_type="bi-encoder", label_model_name=str(base))
    directory = write(tmp_path / "old", content)
    (directory / "onepass.json").write_text("{}")
    return _with_weights(directory)


def _with_weights(directory: Path) -> Checkpoint:
    (directory / "model.safetensors").write_bytes(b"weights")
    return locate(directory)


def _write_words(directory: Path) -> None:
    """Write a vocabulary in the files of older releases."""
    (directory / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ntim\nruns\n")
    said = json.dumps({"tokenizer_class": "BertTokenizer"})
    (directory / "tokenizer_config.json").write_text(said)


def test_everything_is_there(old: Checkpoint, base: Path, cache: Path) -> None:
    assert lacks_labels(old) == Lack(PART, str(base))
    assert completed(old) is None
    whole = complete(old)
    assert whole.directory.is_relative_to(cache)
    assert (whole.name, lacks_labels(whole)) == (old.name, None)
    assert completed(old) == complete(old) == whole
    texts = [Tokenizer.from_file(str(p / n)) for p, n in ((whole.directory, PART), (base, OWN))]
    assert texts[0].get_vocab() == texts[1].get_vocab()
    for name in ("config.json", "tokenizer.json", "model.safetensors", "onepass.json"):
        assert (whole.directory / name).read_bytes() == (old.directory / name).read_bytes()


def test_it_is_opened(old: Checkpoint) -> None:
    model = read_model(old)
    word = "unhappily"
    for made, name in (
        (model.settings.label_tokenizer, "byte pairs"),
        (model.tokenizer, "wordpiece"),
    ):
        pieces = tokenizer(name).encode(word, add_special_tokens=False).ids
        assert made.pieces([word]) == [tuple(pieces)]


def test_nothing_is_done_where_nothing_is_missing(tmp_path: Path, cache: Path) -> None:
    for number, options in enumerate(({}, {"architecture_type": "encoder-decoder"})):
        checkpoint = locate(write(tmp_path / str(number), raw(**options)))
        assert complete(checkpoint) is checkpoint
        assert completed(checkpoint) is checkpoint
    assert not cache.exists()


def test_it_is_made_again_when_the_base_changes(old: Checkpoint, base: Path) -> None:
    first = complete(old).directory
    tokenizer("unigram").save(str(base / "tokenizer.json"))
    second = complete(old).directory
    assert first != second
    assert Tokenizer.from_file(str(second / PART)).get_vocab_size() == tokenizer(
        "unigram"
    ).get_vocab_size()  # fmt: skip


def test_a_vocabulary_of_its_own_is_converted(old: Checkpoint, base: Path) -> None:
    own = old.directory / "label_tokenizer"
    own.mkdir()
    _write_words(own)
    (base / OWN).unlink()  # is not needed
    assert Tokenizer.from_file(str(complete(old).directory / PART)).encode("Tim").ids == [2, 5, 3]


def test_vocabularies_are_converted(old: Checkpoint, base: Path) -> None:
    (base / "tokenizer.json").unlink()
    _write_words(base)
    made = Tokenizer.from_file(str(complete(old).directory / PART))
    assert made.encode("Tim runs").ids == [2, 5, 6, 3]


def test_a_base_without_a_tokenizer(old: Checkpoint, base: Path) -> None:
    (base / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match="has no tokenizer of its own, and its base model in"):
        complete(old)
    assert completed(old) is None


def test_a_base_that_is_nowhere(tmp_path: Path) -> None:
    content = raw(architecture_type="bi-encoder", label_model_name="./no where")
    with pytest.raises(CheckpointError, match="neither a directory here nor a hub id"):
        complete(_with_weights(write(tmp_path / "old", content)))


def test_weights_that_are_not_there(old: Checkpoint) -> None:
    """It says so before a base model is fetched in vain."""
    (old.directory / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors; copy the file there"):
        complete(old)
    assert completed(old) is None


def test_a_base_that_is_not_named(old: Checkpoint) -> None:
    content = raw(architecture_type="bi-encoder", label_model_name=None)
    (old.directory / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="does not say which model its label encoder came"):
        complete(locate(old.directory))
