"""Words of Stanza: the models that are here, a language each, and places of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from tests.any_text import assert_every_visible_character_once, texts

from onepass.errors import CheckpointError
from onepass.text import splitters, stanza_words
from onepass.text.words import split_words

HAS = {"tokenize": {}}
RESOURCES = {
    "de": HAS, "en": HAS, "fr": HAS, "zh-hans": HAS, "zh-hant": HAS, "nb": HAS,
    "zh": {"alias": "zh-hans"}, "so": {"ner": {}},
}  # fmt: skip
COMMAND = "python -c \"import stanza; stanza.download('fr', processors='tokenize')\""
LANGUAGES = {"Hund": "de", "dog": "en", "chien": "fr", "狗": "zh-cn", "犬": "zh-tw", "eey": "so"}


def span(start: int | None, end: int | None, *words: Any) -> Any:
    own = words or (SimpleNamespace(start_char=start, end_char=end),)
    return SimpleNamespace(start_char=start, end_char=end, words=own)


class Stanza:
    """Stands for the library; a text is one token, whose form says which model read it."""

    def __init__(self) -> None:
        self.here = {"en", "de", "zh-hans", "zh-hant"}
        self.loaded: list[str] = []
        self.asked: list[str] = []
        self.tokens: list[Any] | None = None

    def pipeline(self, code: str, **options: Any) -> Callable[[str], Any]:
        assert options == {
            "processors": "tokenize", "download_method": None, "use_gpu": False, "verbose": False,
        }  # fmt: skip
        if code not in self.here:
            raise FileNotFoundError(code)
        self.loaded.append(code)

        def read(text: str) -> Any:
            self.asked.append(code)
            tokens = [span(0, len(text))] if self.tokens is None else self.tokens
            return SimpleNamespace(sentences=[SimpleNamespace(tokens=tokens)])

        return read


@pytest.fixture
def stanza(monkeypatch: pytest.MonkeyPatch) -> Stanza:
    fake = Stanza()
    library, resources, common = (
        ModuleType(name) for name in ("stanza", "stanza.resources", "stanza.resources.common")
    )
    vars(library).update(Pipeline=fake.pipeline)
    vars(common).update(load_resources_json=lambda: dict(RESOURCES))
    for module in (library, resources, common):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(splitters, "missing_library", lambda name: None)
    monkeypatch.setattr(splitters, "_loaded", {})
    monkeypatch.setattr(stanza_words, "language_finder", lambda seed: LANGUAGES.get)
    return fake


def read(name: str, *given_texts: str) -> None:
    for text in given_texts:
        split_words(text, splitter=name)


def test_each_text_is_read_by_the_model_of_its_language(stanza: Stanza) -> None:
    read("stanza", "")
    assert (stanza.loaded, stanza.asked) == (["en"], [])  # nothing to read
    read("stanza", "dog", "Hund", "狗", "犬", "eey", "123", "dog")
    assert stanza.asked == ["en", "de", "zh-hans", "zh-hant", "en", "en", "en"]
    assert stanza.loaded == ["en", "de", "zh-hans", "zh-hant"]


def test_a_language_of_the_name_is_that_of_all_texts(stanza: Stanza) -> None:
    read("stanza:de", "dog", "Hund", "123")
    assert (stanza.loaded, stanza.asked) == (["de"], ["de", "de", "de"])


def test_several_are_chosen_among(stanza: Stanza) -> None:
    read("stanza:de,zh", "dog", "Hund", "狗", "犬", "chien", "123")
    assert (stanza.loaded, stanza.asked) == (
        ["de", "zh-hans"], ["de", "de", "zh-hans", "de", "de", "de"]
    )  # fmt: skip


@pytest.mark.parametrize("name", ["stanza:fr", "stanza:en,fr"])
def test_what_was_not_downloaded_is_told_with_the_command(stanza: Stanza, name: str) -> None:
    with pytest.raises(CheckpointError) as refused:
        read(name, "")
    assert str(refused.value) == (
        f"The words of Stanza need its model 'fr', which was not downloaded: run  {COMMAND}"
    )


def test_a_language_that_was_guessed_is_told_with_the_way_to_name_others(stanza: Stanza) -> None:
    with pytest.raises(CheckpointError) as refused:
        read("stanza", "dog", "chien")
    assert str(refused.value) == (
        "langdetect takes a text for 'fr', whose model of Stanza was not downloaded: name the "
        f"languages that there are, as the word_splitter 'stanza:de,en' does, or run  {COMMAND}"
    )
    assert stanza.asked == ["en"]


def test_nothing_was_ever_downloaded(stanza: Stanza, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, Any]:
        raise FileNotFoundError("resources.json")

    common = sys.modules["stanza.resources.common"]
    monkeypatch.setattr(common, "load_resources_json", missing)
    with pytest.raises(CheckpointError, match="need its model 'en', which was not downloaded"):
        read("stanza", "")


def test_a_language_that_there_is_not(stanza: Stanza) -> None:
    with pytest.raises(CheckpointError) as refused:
        read("stanza:so", "")
    assert str(refused.value) == (
        "Stanza has no model of words for the language 'so'; it has those of de, en, fr, nb, zh, "
        "zh-hans, zh-hant."
    )


def test_words_of_tokens_of_several_words(stanza: Stanza) -> None:
    """gliner takes words: those of "zum" have no places, which it then computes with."""
    text = "Er geht zum don't Haus ."
    stanza.tokens = [
        span(0, 2), span(3, 7), span(8, 11, span(None, None), span(None, None)),
        span(12, 17, span(12, 14), span(14, 17)), span(18, 22), span(23, 24),
    ]  # fmt: skip
    words = split_words(text, splitter="stanza:de")
    assert words.forms() == ["Er", "geht", "zum", "do", "n't", "Haus", "."]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of models with one of English, of random weights."""
    pytest.importorskip("stanza")
    import torch
    from stanza.models.tokenization.trainer import Trainer
    from stanza.models.tokenization.vocab import Vocab
    from stanza.models.tokenizer import build_argparse

    folder = tmp_path_factory.mktemp("stanza")
    torch.manual_seed(0)
    vocab = Vocab([[(char, 0) for char in "abcdefghijklmnopqrstuvwxyz .,'"]], lang="en")
    features = ["space_before", "capitalized", "numeric", "end_of_para", "start_of_para"]
    options = vars(build_argparse().parse_args([])) | {
        "lang": "en", "shorthand": "en_tiny", "vocab_size": len(vocab), "feat_funcs": features,
        "feat_dim": len(features), "emb_dim": 8, "hidden_dim": 8, "use_mwt": False,
    }  # fmt: skip
    trainer = Trainer(options, vocab, device="cpu")
    (folder / "en" / "tokenize").mkdir(parents=True)
    trainer.save(str(folder / "en" / "tokenize" / "tiny.pt"))
    packages = {"packages": {"default": {"tokenize": "tiny"}}, "lang_name": "English"}
    known = {"en": {"tokenize": {"tiny": {"md5": ""}}, **packages}}
    (folder / "resources.json").write_text(json.dumps(known))
    return folder


def test_a_real_model(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import stanza
    from stanza.resources import common

    plain, read_json = stanza.Pipeline, common.load_resources_json
    monkeypatch.setattr(common, "load_resources_json", lambda: read_json(str(tiny)))
    monkeypatch.setattr(stanza, "Pipeline", lambda code, **rest: plain(code, dir=str(tiny), **rest))
    monkeypatch.setattr(splitters, "_loaded", {})
    assert "".join(split_words("Tim runs  it.", splitter="stanza").forms()) == "Timrunsit."

    @given(texts)
    @settings(deadline=None, max_examples=50)
    def holds(text: str) -> None:
        words = split_words(text, splitter="stanza")
        places = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
        assert_every_visible_character_once(text, list(places))

    holds()
