"""Words of other libraries are those of gliner, and so are answers of checkpoints that name them.

Where a word of gliner is white space, or has no place in the text, there is none here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("gliner")

from gliner.data_processing import tokenizer as theirs

from onepass import Extractor, Schema
from onepass.text.splitters import missing_library
from onepass.text.words import split_words
from tests.gliner_checkpoints import KINDS, make_reference
from tests.parity.test_gliner import LABELS, TOLERANCE

WORDS = (
    "東京に行く。", "田中さんはソニーで働いています。", "小明来到北京清华大学", "網易大廈，",
    "Apple公司",
    "서울에서", "왔다.", "삼성전자는", "قال:", "«نعم»!", "القاهرة", "राम", "आया।", "दिल्ली", "में",
    "Ann", "doesn't", "London.", "a@b.org", "e-mail,", "12/05/2020", "2,000", "1.5%", "(x_y)", "…",
)  # fmt: skip
NAMES = ("camel", "hindi", "janome", "jieba", "mecab", "spacy", "universal")
Place = tuple[str, int, int]


@cache
def of_gliner(name: str) -> Callable[[str], Any]:
    error = missing_library(name)
    if error is not None:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:  # it looks for jieba, and imports jieba3
        patch.setattr(theirs, "is_module_available", lambda module: True)
        return theirs.WordsSplitter(name)


def ours(text: str, name: str) -> list[Place]:
    words = split_words(text, splitter=name)
    return list(zip(words.forms(), words.starts.tolist(), words.ends.tolist(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_words_are_those_of_gliner(name: str) -> None:
    split = of_gliner(name)

    @given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    @settings(deadline=None)
    def same(parts: list[str]) -> None:
        text = " ".join(parts)
        assert ours(text, name) == [one for one in split(text) if not one[0].isspace()]

    same()


def test_white_space_is_no_word() -> None:
    text = "東京  に"
    assert [form for form, _, _ in of_gliner("janome")(text)] == ["東京", "  ", "に"]
    assert [form for form, _, _ in ours(text, "janome")] == ["東京", "に"]


def test_numbers_with_white_space_are_not_lost() -> None:
    text = "राम 1 , 2"
    assert [form for form, _, _ in of_gliner("hindi")(text)] == ["राम"]
    assert ours(text, "hindi") == [("राम", 0, 3), ("1", 4, 5), (",", 6, 7), ("2", 8, 9)]


def test_no_word_holds_a_line_break() -> None:
    assert [form for form, _, _ in of_gliner("hindi")("राम\nआया")] == ["राम\nआया"]
    assert [form for form, _, _ in ours("राम\nआया", "hindi")] == ["राम", "आया"]


def test_what_stands_behind_a_null_is_read() -> None:
    text = "서울\x00에서 왔다"
    assert [form for form, _, _ in of_gliner("mecab")(text)] == ["서울"]
    assert ours(text, "mecab")[0] == ("서울", 0, 2)
    assert ours(text, "mecab")[-1][2] == len(text)


TEXTS = {
    "janome": "東京に行く。田中さんはソニーで働いています。",
    "jieba": "小明来到北京清华大学，又到Apple公司。",
    "mecab": "김철수는 서울에서 삼성전자에 다닌다.",
    "spacy": "Tim doesn't run Apple in Paris, e.g. today.",
    "universal": "Tim doesn't work for Apple in Paris and Rome.",
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("jieba", "token"), ("jieba", "bi-span"), *((name, "span") for name in TEXTS)],
)
def test_answers_are_those_of_gliner(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_gliner(name)  # or skipped
    monkeypatch.setattr(theirs, "is_module_available", lambda module: True)
    options = KINDS[kind] | {"words_splitter_type": name}
    reference = make_reference(tmp_path, **options).eval()
    model = Extractor.from_pretrained(tmp_path, backend="torch")
    text = TEXTS[name]
    doc = model.extract(text, Schema().entities(LABELS), threshold=0.3)
    (found,) = reference.inference([text], LABELS, threshold=0.3)
    expected = {(e["label"], e["start"], e["end"]): e["score"] for e in found}
    got = {(e.label, e.start, e.end): e.score for e in doc.entities}
    assert got == pytest.approx(expected, abs=TOLERANCE)
    assert got
