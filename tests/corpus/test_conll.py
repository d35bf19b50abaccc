"""Columns of words and tags: the tagging schemes, offsets, what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.files import find_files
from onepass.corpus.formats import read_any, read_each
from onepass.errors import InputError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def surfaces(example) -> list[tuple[str, str]]:
    return [(example.text[m.start : m.end], m.label) for m in example.entities]


def tagged(tmp_path: Path, tags: str) -> list[tuple[str, str]]:
    words = [f"w{number}" for number in range(len(tags.split()))]
    rows = "\n".join(f"{word}\t{tag}" for word, tag in zip(words, tags.split(), strict=True))
    (example,) = read_any(write(tmp_path / "a.conll", rows))
    return surfaces(example)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-a I-a O B-b", [("w0 w1", "a"), ("w3", "b")]),
        ("B-a B-a I-a", [("w0", "a"), ("w1 w2", "a")]),
        ("I-a I-a O I-b", [("w0 w1", "a"), ("w3", "b")]),  # IOB1
        ("I-a B-a I-b", [("w0", "a"), ("w1", "a"), ("w2", "b")]),
        ("S-a B-b I-b E-b S-b", [("w0", "a"), ("w1 w2 w3", "b"), ("w4", "b")]),
        ("U-a B-b L-b O", [("w0", "a"), ("w1 w2", "b")]),
    ],
)
def test_schemes(tmp_path, tags, expected):
    assert tagged(tmp_path, tags) == expected


def test_a_file_as_in_conll_2003(tmp_path):
    text = (
        "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n"
        "# sent_id = 2\n# NN B-NP O\nNew NNP B-NP B-creative_work\nYork NNP I-NP I-creative_work\n"
    )
    first, second = read_any(write(tmp_path / "train.txt", text))
    assert (first.text, surfaces(first)) == ("EU rejects", [("EU", "ORG")])
    assert second.text == "# New York"
    assert surfaces(second) == [("New York", "creative work")]
    assert first.asked == second.asked == ("ORG", "creative work")


def test_compressed(tmp_path):
    path = tmp_path / "a.bio"
    assert len(list(read_any(write(path, "a B-x\n\nb O\n")))) == 2
    packed = tmp_path / "a.conll.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(list(read_any(packed))) == 2


def test_the_files_of_wnut_17(tmp_path):
    for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"):
        write(tmp_path / name, "Oslo\tB-location\nrocks\tO\n")
    assert list(find_files([tmp_path])) == ["emerging.dev", "emerging.test", "wnut17train"]
    assert all(len(list(read_any(path))) == 1 for path in tmp_path.iterdir())


def test_columns_whose_name_does_not_say_so(tmp_path):
    path = write(tmp_path / "test.gold", "in\tO\nOslo\tB-location\n")
    with pytest.raises(InputError, match=r"test.gold holds columns of words and tags.*\.conll, "):
        list(read_any(path))
    with pytest.raises(InputError, match="line 1: not valid JSON"):
        list(read_any(write(tmp_path / "a.jsonl", '{"text": "in Oslo\n')))


def test_a_bad_tag_is_named_and_the_rest_read(tmp_path):
    path = write(tmp_path / "a.tsv", "a\tB-x\n\nb\tO\nc\tperson\n\nd\tO\n")
    with pytest.raises(InputError, match=r"a.tsv, line 4: the tag 'person' of 'c' is not known"):
        list(read_any(path))
    places = [(place, isinstance(found, InputError)) for place, found in read_each(path)]
    assert places == [("line 1", False), ("line 3", True), ("line 6", False)]


@pytest.mark.parametrize("text", ["", "just some words\nin a file\n", "a\tO\n"])
def test_no_tags_at_all(tmp_path, text):
    with pytest.raises(InputError, match="has no tag"):
        list(read_any(write(tmp_path / "a.txt", text)))


words = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=4)


@given(st.lists(st.tuples(words, st.sampled_from(["O", "B-x", "I-x", "B-y"])), min_size=1))
def test_offsets_hold_for_any_words(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("conll") / "a.conll"
    rows = [("a", "B-x"), *rows]
    write(path, "".join(f"{word}\t{tag}\n" for word, tag in rows))
    (example,) = read_any(path)
    assert example.text == " ".join(word for word, _ in rows)
    assert sum(len(text.split(" ")) for text, _ in surfaces(example)) == sum(
        tag != "O" for _, tag in rows
    )


def test_a_no_break_space_is_part_of_a_word(tmp_path):
    rows = "10\u00a0000 B-num\n\u2009 \tO\n\u00a0 O\nx O\n"
    (example,) = read_any(write(tmp_path / "a.conll", rows))
    assert surfaces(example) == [("10\u00a0000", "num")]
    assert example.text == "10\u00a0000 \u2009 \u00a0 x"


def test_a_tag_without_a_word_is_named_with_its_line(tmp_path):
    path = write(tmp_path / "a.tsv", "Bo\tO\n\tB-dog\n\nAl\tB-dog\n")
    (_, wrong), (_, right) = read_each(path)
    assert "line 2: no word stands before the tag 'B-dog'" in str(wrong)
    assert surfaces(right) == [("Al", "dog")]


def test_a_first_column_that_counts_the_words_is_no_word(tmp_path):
    rows = "# sent_id = 1\n1\tAnn\tB-dog\n2-3\tau\t_\n2\tà\tO\n3\tle\tO\n\n1\tBo\tB-dog\n"
    first, second = read_any(write(tmp_path / "a.conll", rows))
    assert (first.text, surfaces(first)) == ("Ann à le", [("Ann", "dog")])
    assert (second.text, surfaces(second)) == ("Bo", [("Bo", "dog")])
    with pytest.raises(InputError, match="line 4: the tag 'x' of 'à' is not known"):
        list(read_any(write(tmp_path / "b.conll", rows.replace("à\tO", "à\tx"))))


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("1 CD B-n\n2 CD B-n\n\n5 CD O\n", "1 2"),  # another text does not count
        ("1 B-n\n2 O\n", "1 2"),  # there is no other column
        ("1 CD B-n\n\n1 CD O\n", "1"),
    ],
)
def test_numbers_that_are_words(tmp_path, rows, text):
    assert next(iter(read_any(write(tmp_path / "a.conll", rows)))).text == text
