"""Words become the pieces of the checkpoint's own tokenizer, and text never becomes a marker."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion
from tests.tiny import tiny_tokenizer
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

import onepass.encoding.tokenizer as module
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, InputError
from onepass.models.gliner2.prompt import SPECIAL_TOKENS

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SPECIAL_TOKENS]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    saved = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().save(str(saved))
    return saved


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> PieceTokenizer:
    return PieceTokenizer(path)


def with_added(directory: Path, *tokens: AddedToken) -> PieceTokenizer:
    """Return a tokenizer of single characters with more tokens."""
    characters = {chr(code): code - 31 for code in range(32, 127)} | {"[UNK]": 0}
    inner = Tokenizer(models.WordPiece(characters, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.add_tokens(list(tokens))
    inner.save(str(directory / "tokenizer.json"))
    return PieceTokenizer(directory / "tokenizer.json")


def test_pieces_are_those_of_the_library(tokenizer: PieceTokenizer, path: Path) -> None:
    library = Tokenizer.from_file(str(path))
    elements = ["Tim", "cook", "xyzzy", "(", "two words", "", "\u65e5", "\x00", "Tim"]
    expected = [tuple(library.encode(e, add_special_tokens=False).ids) for e in elements]
    assert tokenizer.pieces(elements) == expected
    assert tokenizer.pieces(elements) == expected  # from the cache
    ids, lengths = tokenizer.flat(elements)
    assert ids.dtype == lengths.dtype == np.int64
    assert ids.tolist() == [piece for pieces in expected for piece in pieces]
    assert lengths.tolist() == [len(pieces) for pieces in expected]


def test_nothing_is_no_pieces(tokenizer: PieceTokenizer) -> None:
    ids, lengths = tokenizer.flat([])
    assert ids.shape == lengths.shape == (0,)


def test_markers_are_one_piece(tokenizer: PieceTokenizer) -> None:
    for token in SPECIAL:
        assert tokenizer.pieces([token]) == [(tokenizer.id_of(token),)]


def test_a_missing_token_is_an_error(tokenizer: PieceTokenizer) -> None:
    with pytest.raises(CheckpointError, match=r"no token '\[X\]'.*does not belong to this model"):
        tokenizer.id_of("[X]")


fragments = st.sampled_from([*SPECIAL, "[", "]", "E", " ", "[SEP", "_TEXT]", "a", "[[E", "]]"])
texts = st.one_of(
    st.lists(fragments, max_size=8).map("".join), st.text(st.characters(exclude_categories=()))
)


@given(texts)
def test_plain_text_never_makes_a_marker(tokenizer: PieceTokenizer, text: str) -> None:
    plain = tokenizer.plain(text)
    ids = {token: tokenizer.id_of(token) for token in SPECIAL if token != "[UNK]"}
    for element in (plain, plain.lower(), f"{plain}: x", f"x {plain}"):
        assert not set(ids.values()) & set(tokenizer.pieces([element])[0])
    assert tokenizer.plain(plain) == plain
    plain.encode("utf-8")  # raises where a lone surrogate is left


@given(texts)
def test_plain_text_only_gains_spaces(tokenizer: PieceTokenizer, text: str) -> None:
    safe = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    plain = tokenizer.plain(text)
    assert plain.replace(" ", "") == safe.replace(" ", "")
    if not any(token in safe for token in SPECIAL):
        assert plain == safe


@given(texts)
def test_plain_text_is_what_breaking_one_marker_after_the_other_gives(
    tokenizer: PieceTokenizer, text: str
) -> None:
    expected = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    marks = re.compile("|".join(map(re.escape, sorted(SPECIAL, key=len, reverse=True))))
    while match := marks.search(expected):
        cut = match.start() + 1
        expected = f"{expected[:cut]} {expected[cut:]}"
    assert tokenizer.plain(text) == expected


@pytest.mark.parametrize(
    ("tokens", "text", "plain"),
    [
        (["<a>", ">b>"], "<a>b>a>", "< a> b>a>"),  # they overlap
        (["aa", "[x]"], "aaaa[x]", "a a a a[ x]"),
        (["[x]", "[ x]"], "[x]", "[  x]"),  # the space makes another one
        ([" [x]", "\t\t[y]"], "a [x]\t\t[y]", "a [ x]\t\t[ y]"),  # it goes behind what is seen
    ],
)
def test_tokens_that_touch_are_all_broken(
    tmp_path: Path, tokens: list[str], text: str, plain: str
) -> None:
    added = [AddedToken(token, special=True, normalized=False) for token in tokens]
    assert with_added(tmp_path, *added).plain(text) == plain


def test_a_long_text_of_markers_is_read_in_time(tokenizer: PieceTokenizer) -> None:
    assert tokenizer.plain("[SEP]" * 10_000) == "[ SEP]" * 10_000
    assert_grows_in_proportion(lambda number: partial(tokenizer.plain, "[SEP]" * number), 10_000)


def test_the_model_never_sees_a_marker_in_text(tokenizer: PieceTokenizer) -> None:
    assert tokenizer.plain("a [E] b") == "a [ E] b"
    assert tokenizer.plain("[SEP_TEXT][E]") == "[ SEP_TEXT][ E]"
    assert tokenizer.plain("[[E]]") == "[[ E]]"
    assert tokenizer.plain("[e]") == "[e]"
    assert tokenizer.plain("\ud800[E]") == "\ufffd[ E]"


def test_added_words_are_ordinary_text(tmp_path: Path) -> None:
    tokenizer = with_added(tmp_path, AddedToken("covid-19"), AddedToken("[E]"))
    assert tokenizer.plain("covid-19 [E]") == "covid-19 [ E]"  # a marker, special or not
    assert len(tokenizer.pieces(["covid-19"])[0]) == 1


@pytest.mark.parametrize("content", ["  ", "\n", "|", "<", " x", "x "])
def test_tokens_that_no_space_can_break_are_left_alone(tmp_path: Path, content: str) -> None:
    tokenizer = with_added(tmp_path, AddedToken(content, special=True, normalized=False))
    text = f"a{content}b  c\n\nd | < x "
    assert tokenizer.plain(text) == text


def test_a_tokenizer_without_added_tokens(tmp_path: Path) -> None:
    assert with_added(tmp_path).plain("[E] \ud800") == "[E] \ufffd"


def test_normalization_of_the_file_is_kept(tmp_path: Path) -> None:
    inner = Tokenizer(models.WordPiece({"[UNK]": 0, "fi": 1, "a": 2}, unk_token="[UNK]"))
    inner.normalizer = normalizers.NFKC()
    inner.save(str(tmp_path / "tokenizer.json"))
    tokenizer = PieceTokenizer(tmp_path / "tokenizer.json")
    assert tokenizer.pieces(["\ufb01", "\uff41"]) == [(1,), (2,)]


def test_truncation_and_padding_of_the_file_are_off(tmp_path: Path, path: Path) -> None:
    inner = Tokenizer.from_file(str(path))
    inner.enable_truncation(2)
    inner.enable_padding(length=9)
    inner.save(str(tmp_path / "tokenizer.json"))
    tokenizer = PieceTokenizer(tmp_path / "tokenizer.json")
    assert [len(pieces) for pieces in tokenizer.pieces(["tim cook runs", "tim"])] == [3, 1]


def test_a_full_cache_starts_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_LIMIT", 3)
    small, large = PieceTokenizer(path), PieceTokenizer(path)
    monkeypatch.setattr(module, "_CACHE_LIMIT", 200_000)
    words = ["tim", "cook", "runs", "apple", "in", "paris", "tim", "and"] * 2
    for first in range(0, len(words), 3):
        part = words[first : first + 3]
        monkeypatch.setattr(module, "_CACHE_LIMIT", 3)
        assert small.pieces(part) == large.pieces(part)


def test_long_words_are_not_kept(path: Path) -> None:
    tokenizer = PieceTokenizer(path)
    words = ["tim", "cook" * 20, "runs", "cook" * 20, "tim"]
    alone = [PieceTokenizer(path).pieces([word])[0] for word in words]
    assert tokenizer.pieces(words) == alone
    assert tokenizer.pieces(words) == alone
    assert set(tokenizer._cache) == {"tim", "runs"}


def test_threads_share_a_cache(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_LIMIT", 5)  # it is dropped all the time
    tokenizer = PieceTokenizer(path)
    jobs = [["tim", f"cook{number}", "runs", f"{number % 7}"] for number in range(200)]
    expected = [PieceTokenizer(path).pieces(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tokenizer.pieces, jobs)) == expected


@pytest.mark.parametrize("content", [None, "", "{}", "not json", '{"model": {"type": "Unheard"}}'])
def test_a_broken_file_is_an_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json") as caught:
        PieceTokenizer(tmp_path / "tokenizer.json")
    assert "\n" not in str(caught.value)


def test_a_text_that_the_tokenizer_fails_on_is_not_repeated(tmp_path: Path) -> None:
    vocabulary = [("a", -1.0), ("b", -1.0)]
    Tokenizer(models.Unigram(vocabulary, unk_id=None)).save(str(tmp_path / "tokenizer.json"))
    tokenizer = PieceTokenizer(tmp_path / "tokenizer.json")
    for read in (lambda: tokenizer.pieces(["a", "Kim", "b"]), lambda: tokenizer.located("Kim")):
        with pytest.raises(InputError, match=r"fails on the text \(.*unk_id.*\); leave") as error:
            read()
        assert "Kim" not in str(error.value)
    assert tokenizer.pieces(["a", "b"]) == [(0,), (1,)]


def test_a_panic_of_the_tokenizer_is_an_error_like_others(tmp_path: Path) -> None:
    inner = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    inner.normalizer = normalizers.Replace(Regex("(x+x+)+y"), "")
    inner.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(InputError, match=r"fails on the text \(it panicked\); leave"):
        PieceTokenizer(tmp_path / "tokenizer.json").pieces(["x" * 60])
