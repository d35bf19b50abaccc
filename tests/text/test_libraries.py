"""Words of other libraries have exact places, and are the same at any time in any thread."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import example, given, settings
from tests.any_text import assert_every_visible_character_once, texts

from onepass.errors import CheckpointError, MissingExtra
from onepass.text import splitters
from onepass.text.splitters import SPLITTERS, missing_library
from onepass.text.words import split_words

MODEL = ("hanlp", "stanza")  # those that need one, see below and test_stanza_words.py
NAMES = [name for name, source in SPLITTERS.items() if source.modules and name not in MODEL]
KNOWN = {
    "camel": ("قال: «نعم»!", "قال|:|«|نعم|»|!"),
    "hindi": ("राम आया। 12 , 5", "राम|आया|।|12|,|5"),
    "janome": ("東京に行く。", "東京|に|行く|。"),
    "jieba": ("小明来到北京清华大学", "小明|来到|北京|清华大学"),
    "mecab": ("서울에서 왔다", "서울|에서|왔|다"),
    "spacy": ("Ann  doesn't, e.g. \n now", "Ann|does|n't|,|e.g.|now"),
    "universal": ("Ann doesn't work for Apple in London", "Ann|doesn't|work|for|Apple|in|London"),
}  # fmt: skip


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    if missing_library(request.param) is not None:
        pytest.skip(f"the library of {request.param} is not installed")
    return str(request.param)


def places(text: str, splitter: str) -> list[tuple[int, int]]:
    words = split_words(text, splitter=splitter)
    return list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))


def forms(text: str, splitter: str) -> list[str]:
    return split_words(text, splitter=splitter).forms()


def test_words(name: str) -> None:
    text, expected = KNOWN[name]
    assert forms(text, name) == expected.split("|")


def test_every_visible_character_is_in_one_word(name: str) -> None:
    @given(texts)
    @example("a\x00b \ud83d c")
    @example("1 , 2 \t 3 . 4\n\u3000\u6771")
    @settings(deadline=None)
    def holds(text: str) -> None:
        assert_every_visible_character_once(text, places(text, name))

    holds()


def test_the_same_in_many_threads(name: str) -> None:
    given_texts = [f"{text} {number} a.b" for text, _ in KNOWN.values() for number in range(20)]
    alone = [forms(text, name) for text in given_texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda text: forms(text, name), given_texts)) == alone


def test_the_same_in_another_process(name: str) -> None:
    given_texts = [text for text, _ in KNOWN.values()]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = list(pool.map(forms, given_texts, [name] * len(given_texts)))
    assert there == [forms(text, name) for text in given_texts]


def test_a_long_text(name: str) -> None:
    text = "\n".join(text for text, _ in KNOWN.values()) * 300
    assert_every_visible_character_once(text, places(text, name))


def test_spacy_of_a_language() -> None:
    pytest.importorskip("spacy")
    assert forms("don't", "spacy") == forms("don't", "spacy:en") == ["do", "n't"]
    assert forms("don't", "spacy:xx") == ["don't"]
    with pytest.raises(CheckpointError, match="'spacy:qq' cannot be loaded here: "):
        forms("a", "spacy:qq")


def test_spacy_keeps_no_word_of_any_text() -> None:
    pytest.importorskip("spacy")
    import spacy

    made = []
    blank = spacy.blank
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitters, "_loaded", {})
        patch.setattr(spacy, "blank", lambda language: made.append(blank(language)) or made[-1])
        forms("Ann", "spacy")
        before = len(made[0].vocab.strings)
        forms(" ".join(f"unheard{number}" for number in range(500)), "spacy")
    assert len(made[0].vocab.strings) == before


def test_the_language_decides_which_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langdetect")
    for base in ("mecab", "janome", "jieba", "camel", "hindi", "spacy"):
        tell = lambda option, base=base: lambda text: [(0, len(base))]  # noqa: E731
        source = SPLITTERS[base]
        monkeypatch.setitem(SPLITTERS, base, type(source)(tell, ("json",), source.option))
    universal = SPLITTERS["universal"]
    monkeypatch.setitem(SPLITTERS, "universal", type(universal)(universal.load, ("json",)))
    monkeypatch.setattr(splitters, "_loaded", {})
    asked = {
        "서울에서왔다": "mecab",
        "東京に行きました": "janome",
        "他来到了网易杭研": "jieba",
        "قالالرئيس": "camel",
        "रामआजआयाहै": "hindi",
        "thequickbrownfoxjumps": "spacy",
        "12345678": "spacy",  # nothing tells a language
    }
    assert {text: len(forms(text, "universal")[0]) for text in asked} == {
        text: len(base) for text, base in asked.items()
    }


def test_hanlp_is_asked_for_a_model_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://x.org/tok/fine.zip"
    loaded = []

    def load(place: str, **options: object) -> object:
        loaded.append((place, options))
        return lambda text: ["a\u4e00", "\u4e8c"]

    hanlp, utils, io_util = (ModuleType(x) for x in ("hanlp", "hanlp.utils", "hanlp.utils.io_util"))
    known = {"FINE_ELECTRA_SMALL_ZH": url, "OTHER": "https://x.org/tok/other.zip"}
    vars(hanlp).update(load=load, pretrained=SimpleNamespace(tok=SimpleNamespace(ALL=known)))
    vars(io_util).update(
        path_from_url=lambda url: str(tmp_path / url.rpartition("/")[2]),
        split_if_compressed=lambda path: (path.removesuffix(".zip"), ".zip"),
    )
    for module in (hanlp, utils, io_util):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(splitters, "missing_library", lambda name: None)
    monkeypatch.setattr(splitters, "_loaded", {})
    with pytest.raises(CheckpointError) as refused:
        forms("a", "hanlp")
    assert str(refused.value) == (
        "The words of HanLP need its model 'FINE_ELECTRA_SMALL_ZH', which was not downloaded: "
        f"run  python -c \"import hanlp; hanlp.load('{url}')\""
    )
    with pytest.raises(CheckpointError, match="HanLP has no model 'NONE' that splits words; it "):
        forms("a", "hanlp:NONE")
    assert loaded == []
    for model, folder in (("hanlp", "fine"), ("hanlp:OTHER", "other")):
        (tmp_path / folder).mkdir()
        assert forms("a\u4e00 \u4e8c.", model) == ["a\u4e00", "\u4e8c", "."]
        assert loaded.pop() == (str(tmp_path / folder), {"devices": -1, "verbose": False})


def test_universal_needs_all_of_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SPLITTERS["universal"]
    assert {module for name in NAMES for module in SPLITTERS[name].modules} == set(source.modules)
    monkeypatch.setattr(splitters, "find_spec", lambda module: None if module == "mecab" else 1)
    error = missing_library("universal")
    assert isinstance(error, MissingExtra)
