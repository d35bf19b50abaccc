"""Splitters by name: loaded once for all threads; one sentence where they cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep

import pytest

from onepass.errors import CheckpointError, InputError, MissingExtra
from onepass.text import splitters
from onepass.text.splitters import SPLITTERS, Source
from onepass.text.words import split_words

TEXT = "Tim Cook."


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[Source], None]:
    """Put something in the place of the library of a splitter called "jieba"."""
    monkeypatch.setattr(splitters, "_loaded", {})

    def put(source: Source) -> None:
        monkeypatch.setitem(SPLITTERS, "jieba", source)

    return put


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        split_words(TEXT, splitter="moses")
    assert str(refused.value) == (
        "There is no word splitter 'moses'; there are char, script, camel, hanlp, hindi, janome, "
        "jieba, mecab, spacy, stanza, universal."
    )


@pytest.mark.parametrize("name", [name for name, source in SPLITTERS.items() if source.modules])
def test_a_library_that_is_not_installed_is_named_by_its_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(SPLITTERS[name], modules=(*SPLITTERS[name].modules, "not_there"))
    monkeypatch.setattr(splitters, "_loaded", {})
    monkeypatch.setitem(SPLITTERS, name, source)
    with pytest.raises(MissingExtra) as refused:
        split_words(TEXT, splitter=name)
    assert str(refused.value) == (
        f"The word splitter {name!r} needs the extra {name!r}: run  pip install 'onepass[{name}]'"
    )


def test_what_a_library_needs_itself_is_said(fake: Callable[[Source], None]) -> None:
    def load(_: str | None) -> splitters.Split:
        raise ImportError("Install with `pip install other`.")

    fake(Source(load, ("json",)))
    with pytest.raises(CheckpointError, match="'jieba' cannot be loaded here: Install with"):
        split_words(TEXT, splitter="jieba")


def test_it_is_loaded_once_for_all_threads(fake: Callable[[Source], None]) -> None:
    loaded = []

    def load(option: str | None) -> splitters.Split:
        loaded.append(option)
        sleep(0.05)
        return lambda text: [(0, 3), (4, 9)]

    fake(Source(load, ("json",), "[a-z]+"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: split_words(TEXT, splitter="jieba:x").forms(), range(16)))
    assert found == [["Tim", "Cook."]] * 16
    assert loaded == ["x"]
    split_words(TEXT, splitter="jieba")
    assert loaded == ["x", None]


def test_no_library_is_imported_before_it_is_named() -> None:
    names = {module for source in SPLITTERS.values() for module in source.modules}
    script = (
        "import sys; from onepass.text.words import split_words\n"
        f"print(split_words('tim\u5e93', splitter='script').forms(), {names} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == "['tim', '\u5e93'] set()\n"
