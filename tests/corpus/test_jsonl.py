import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.jsonl import (
    example_from_dict,
    example_to_dict,
    read_examples,
    write_examples,
)
from onepass.errors import InputError

FULL = Example(
    text="Tim Cook runs Apple. 🍎",
    entities=(Mention(0, 8, "person"), Mention(14, 19, "company")),
    asked=("place", "person", "company"),
    unsure=("product",),
    unsure_relations=("sold",),
    descriptions={"place": "where something is"},
    classifications=(
        GoldTask("tone", ("calm", "angry"), ("calm",), prompt="How does it sound?"),
        GoldTask(
            "topics",
            ("tech", "law", "food"),
            ("tech", "food"),
            multi_label=True,
            descriptions={"tech": "computers"},
            examples=(("A lawyer", "law"), ("A cook in court", ("law", "food"))),
        ),
    ),
    structures=(
        GoldStructure(
            "job",
            (GoldField("who", "a person", dtype="str"), GoldField("kind", choices=("top", "low"))),
            ({"who": (GoldValue(0, 8),), "kind": (GoldValue(choice="top"),)},),
        ),
        GoldStructure("car", (GoldField("name"),), ({"name": (GoldValue(text="Ford"),)},)),
        GoldStructure("none", (GoldField("name"),), ()),
    ),
    relations=(GoldRelation("runs", (0, 8), (14, 19)),),
    asked_relations=("owns", "runs"),
    relation_descriptions={"owns": "has it"},
    source="by hand",
)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)


@st.composite
def examples(draw):
    text = draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
    place = st.integers(0, len(text) - 1)
    spans = st.tuples(place, place).map(lambda p: (min(p), max(p) + 1))
    labels = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    mentions = st.builds(lambda s, n: Mention(*s, n), spans, st.sampled_from(labels))
    return Example(
        text,
        tuple(draw(st.lists(mentions, max_size=4))),
        tuple(draw(st.lists(st.sampled_from(labels), unique=True))),
        classifications=(GoldTask(labels[0], tuple(labels), tuple(labels[:1])),),
        relations=tuple(
            GoldRelation(labels[-1], *pair) for pair in draw(st.lists(st.tuples(spans, spans)))
        ),
    )


def test_an_example_with_everything_survives_a_file(tmp_path):
    path = tmp_path / "data.jsonl"
    assert write_examples(path, [FULL, Example("nothing")]) == 2
    assert list(read_examples(path)) == [FULL, Example("nothing")]
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[1]) == {"text": "nothing"}


def test_a_lone_surrogate_survives_a_file(tmp_path):
    path = tmp_path / "data.jsonl"
    example = Example("Ann \ud800 met Bø.", (Mention(10, 12, "person"),))
    write_examples(path, [example])
    assert list(read_examples(path)) == [example]


def test_surrogates_that_a_file_would_join_are_refused(tmp_path):
    example = Example("\ud83d\ude00 Ann", (Mention(3, 6, "person"),))
    with pytest.raises(InputError, match=r"Example 2 holds the surrogates '\\ud83d\\ude00', which"):
        write_examples(tmp_path / "data.jsonl", [Example("Ann"), example])


@pytest.mark.parametrize("text", ["\ude00\ud83d Ann", "\ud83d \ude00 Ann", "\ud83d\\ude00 Ann"])
def test_surrogates_that_nothing_joins_survive(tmp_path, text):
    example = Example(text, (Mention(len(text) - 3, len(text), "person"),))
    write_examples(tmp_path / "data.jsonl", [example])
    assert list(read_examples(tmp_path / "data.jsonl")) == [example]


@given(examples())
def test_any_example_survives(example):
    row = json.loads(json.dumps(example_to_dict(example), ensure_ascii=False))
    assert example_from_dict(row) == example


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "needs the key 'text', which is missing"),
        ({"text": 3}, "text must be a string, but 3 (int) was given"),
        ({"text": "Bo", "entites": []}, "unknown key 'entites'; the keys are asked, "),
        ({"text": "Bo", "asked": "dog"}, "asked must be a list, but 'dog' (str) was given"),
        ({"text": "Bo", "asked": ["dog", 3]}, "an item of asked must be a string, but 3"),
        (
            {"text": "Bo", "entities": [[0, 2, "dog"]]},
            "an item of entities must be an object with start, end, label",
        ),
        ({"text": "Bo", "entities": [{"start": 0, "end": 2}]}, "needs the key 'label'"),
        ({"text": "Bo", "entities": [{"start": 0, "end": 2, "label": "x", "score": 1}]}, "'score'"),
        ({"text": "Bo", "entities": [{"start": 0, "end": 3, "label": "x"}]}, "lies outside"),
        ({"text": "Bo", "entities": [{"start": "0", "end": 2, "label": "x"}]}, "integers"),
        ({"text": "Bo", "descriptions": {"x": 3}}, "descriptions of 'x' must be a string"),
        ({"text": "Bo", "relations": [{"type": "is", "head": [0], "tail": [0, 2]}]}, "1 items"),
        ({"text": "Bo", "relations": [{"type": "is", "head": 0, "tail": [0, 2]}]}, "a list"),
        ({"text": "Bo", "classifications": [{"name": "t", "labels": ["a"]}]}, "'true'"),
        (
            {"text": "Bo", "classifications": [{"name": "t", "labels": ["a"], "true": "a"}]},
            "true must be a list",
        ),
        (
            {
                "text": "Bo",
                "classifications": [
                    {"name": "t", "labels": ["a"], "true": ["a"], "multi_label": 1}
                ],
            },
            "multi_label must be true or false",
        ),
        (
            {"text": "Bo", "structures": [{"name": "s", "fields": [], "records": []}]},
            "needs at least one field",
        ),
        (
            {
                "text": "Bo",
                "structures": [
                    {"name": "s", "fields": [{"name": "f"}], "records": [{"f": {"start": 0}}]}
                ],
            },
            "field 'f' must be a list",
        ),
    ],
)
def test_wrong_rows_are_refused_by_name(tmp_path, row, message):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "fine"}\n\n' + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path}, line 3: ")) as caught:
        list(read_examples(path))
    assert message in str(caught.value)
    assert str(caught.value).count(str(path)) == 1


def test_gzip_and_a_byte_order_mark_are_read(tmp_path):
    line = json.dumps({"text": "Bo"}).encode()
    with gzip.open(tmp_path / "a.jsonl.gz", "wb") as file:
        file.write(line)
    (tmp_path / "b.jsonl").write_bytes(b"\xef\xbb\xbf" + line + b"\r\n")
    for name in ("a.jsonl.gz", "b.jsonl"):
        assert list(read_examples(tmp_path / name)) == [Example("Bo")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "fine"}\n{"text": ', "line 2: not valid JSON"),
        ("a.jsonl", b'{"text": "fine"}\n[1]\n', "line 2: expected a JSON object, got list"),
        ("a.jsonl", b'{"text": "caf\xe9"}\n', "not UTF-8 (byte 0xe9)"),
        (
            "a.jsonl",
            b'{"text": "fine"}\n\xef\xbb\xbf{}\n',
            "line 2: a byte order mark stands before",
        ),
        ("a.jsonl", b"[" * 100_000, "nested too deeply"),
        ("a.jsonl.gz", b'{"text": "fine"}\n', "not a complete gzip file"),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"text": "fine"}\n' * 9000, mtime=0)[:-40],
            "not a complete gzip",
        ),
        ("a.jsonl", None, "There is no file"),
    ],
)
def test_broken_files_get_one_sentence(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)):
        list(read_examples(path))


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Bo", "asked": ["dog"], "unsure": ["dog"]},
        {"text": "Bo", "asked_relations": ["dog"], "unsure_relations": ["dog"]},
    ],
)
def test_a_name_is_asked_or_unsure(row):
    with pytest.raises(InputError, match="'dog' is both asked and unsure"):
        example_from_dict(row)


def test_a_label_may_be_unsure_beside_a_relation_type_of_its_name():
    assert (
        example_from_dict({"text": "Bo", "asked": ["dog"], "unsure_relations": ["dog"]}).unsure
        == ()
    )


@pytest.mark.parametrize("wrong", ["", " ", "\u2003\n", "a\ud800", 7, None, ["b"]])
@pytest.mark.parametrize("right", ["person", "zero\u200bwidth", "two\nlines"])
def test_one_wrong_name_among_right_ones_is_refused(right, wrong):
    assert example_from_dict({"text": "", "asked": [right, "b"]}).asked == (right, "b")
    with pytest.raises(InputError, match=r"^an item of asked must "):
        example_from_dict({"text": "", "asked": [right, wrong, "b"]})


def test_fields_that_come_again_are_the_same_and_wrong_ones_are_refused_each_time():
    def fields(*given):
        one = {"name": "car", "fields": list(given), "records": []}
        return example_from_dict({"text": "", "structures": [one]}).structures[0].fields

    right = {"name": "maker", "dtype": "str"}
    assert fields(right)[0] is fields(dict(right))[0]
    assert fields({"name": "maker"}) == (GoldField("maker"),)
    for wrong in ({"dtype": "int"}, {"size": 1}, {"description": 5}, {"name": " "}, {"name": []}):
        for _ in range(2):
            with pytest.raises(InputError):
                fields(right | wrong)
