import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.formats import Format, format_of, read_any
from onepass.corpus.gliner import example_from_gliner, gliner_row
from onepass.errors import InputError

WORDS = ["Tim", "Cook", "runs", "Apple", "."]
ROW = {
    "tokenized_text": WORDS,
    "ner": [[0, 1, "person"], [3, 3, "company"]],
    "ner_negatives": ["place"],
    "negative": ["date"],
    "relations": [[0, 1, "runs"]],
    "rel_negatives": ["owns"],
    "id": 7,
}
EXAMPLE = Example(
    "Tim Cook runs Apple .",
    (Mention(0, 8, "person"), Mention(14, 19, "company")),
    asked=("person", "company", "place", "date"),
    relations=(GoldRelation("runs", (0, 8), (14, 19)),),
    asked_relations=("runs", "owns"),
)


def test_words_are_joined_and_offsets_are_exact():
    example = example_from_gliner(ROW)
    assert example == EXAMPLE
    assert [example.text[m.start : m.end] for m in example.entities] == ["Tim Cook", "Apple"]


def test_a_text_that_is_given_keeps_its_spaces():
    text = "Tim  Cook runs\tApple."
    example = example_from_gliner(ROW | {"text": text})
    assert example.text == text
    assert [text[m.start : m.end] for m in example.entities] == ["Tim  Cook", "Apple"]
    assert text[slice(*example.relations[0].tail)] == "Apple"


def test_without_words_offsets_are_characters():
    row = {"text": "Tim runs Apple.", "ner": [[0, 3, "person"], [9, 14, "company"]]}
    example = example_from_gliner(row | {"relations": [[0, 1, "runs"]]})
    assert [example.text[m.start : m.end] for m in example.entities] == ["Tim", "Apple"]
    assert example.relations == (GoldRelation("runs", (0, 3), (9, 14)),)


def test_labels_that_are_given_are_all_that_was_asked():
    example = example_from_gliner(ROW | {"ner_labels": ["company", "city"], "rel_labels": []})
    assert example.asked == ("company", "city", "place", "date")
    assert [m.label for m in example.entities] == ["company"]
    assert (example.relations, example.asked_relations) == ((), ("owns",))


@given(st.lists(st.text(max_size=4), max_size=8), st.data())
def test_every_word_stands_where_its_offsets_say(words, data):
    spans = []
    for _ in range(3 if words else 0):
        first = data.draw(st.integers(0, len(words) - 1))
        spans.append((first, data.draw(st.integers(first, len(words) - 1))))
    spans = [(a, b) for a, b in spans if "".join(words[a : b + 1])]
    row = {"tokenized_text": words, "ner": [[a, b, str(i)] for i, (a, b) in enumerate(spans)]}
    example = example_from_gliner(row)
    for mention, (a, b) in zip(example.entities, spans, strict=True):
        assert example.text[mention.start : mention.end] == " ".join(words[a : b + 1])


@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.jsonl.gz", "data.json.gz"])
def test_lists_and_lines_are_recognized_and_read_everywhere(tmp_path, name):
    path = tmp_path / name
    rows = [ROW, {"tokenized_text": [], "ner": []}]
    content = (
        json.dumps(rows, indent=1) if ".jsonl" not in name else "\n".join(map(json.dumps, rows))
    )
    raw = ("\n " + content).encode()
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert format_of(path) is Format.GLINER
    assert list(read_any(path)) == list(read_any(path)) == [EXAMPLE, Example("")]


def test_what_is_written_is_read_back(tmp_path):
    examples = [EXAMPLE, Example("Käse\u200b — 10 %", (Mention(0, 5, "food"),), asked=("x",))]
    (tmp_path / "data.jsonl").write_text("\n".join(json.dumps(gliner_row(e)) for e in examples))
    assert list(read_any(tmp_path / "data.jsonl")) == [
        Example(
            e.text, e.entities, tuple(sorted(e.asked, key=lambda a: a in ("place", "date", "x"))),
            relations=e.relations, asked_relations=e.asked_relations,
        )
        for e in examples
    ]  # fmt: skip
    assert gliner_row(EXAMPLE)["tokenized_text"] == WORDS


@given(st.text("aB 東京-.\u0301", min_size=1), st.data())
def test_words_are_cut_where_an_entity_begins_or_ends(text, data):
    places = st.sampled_from([at for at, char in enumerate(text) if char != " "] or [0])
    ends = [sorted(data.draw(st.tuples(places, places))) for _ in range(3)]
    spans = {(start, end + 1) for start, end in ends if text[start] != " "}
    mentions = tuple(Mention(start, end, "x") for start, end in sorted(spans))
    row = gliner_row(Example(text, mentions))
    assert example_from_gliner(row).entities == mentions
    assert "".join(row["tokenized_text"]) == "".join(text.split())


def test_a_name_inside_a_text_without_blanks_is_written():
    row = gliner_row(Example("株式会社日本の東京", (Mention(7, 9, "city"),)))
    assert (row["tokenized_text"], row["ner"]) == (["株式会社日本の", "東京"], [[1, 1, "city"]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ner": [[0, 5, "person"]]}, "entity [0, 5, 'person'] must have 0 <= first word <= last"),
        ({"ner": [[2, 1, "person"]]}, "must have 0 <= first word <= last word < 5"),
        ({"ner": [[-1, 1, "person"]]}, "must have 0 <= first word"),
        ({"ner": [[0, "1", "person"]]}, "places in ner must be integers, but '1' was given"),
        ({"ner": [[0, 1]]}, "item of ner must be [first word, last word, label], but [0, 1]"),
        ({"ner": [[0, 1, " "]]}, "the label of an entity must not be empty"),
        ({"ner": {}}, "ner must be a list"),
        ({"tokenized_text": "Tim Cook"}, "tokenized_text must be a list"),
        ({"tokenized_text": [1]}, "a word of tokenized_text must be a string"),
        ({"tokenized_text": ["", " "], "ner": [[0, 0, "x"]]}, "word 0 of tokenized_text is empty"),
        ({"relations": [[0, 2, "runs"]]}, "the relation [0, 2, 'runs'] names entity 2, but ner"),
        ({"relations": [[0, 1]]}, "item of relations must be [index of the head"),
        ({"relations": [[True, 1, "runs"]]}, "places in relations must be integers"),
        ({"ner_negative": ["x"]}, "the row has the unknown key 'ner_negative'"),
        ({"ner_labels": ["x", 3]}, "an item of ner_labels must be a string"),
        ({"text": "Tim runs Apple."}, "word 1 of tokenized_text, 'Cook', is not the next one"),
        ({"text": 3}, "text must be a string"),
    ],
)
def test_wrong_rows_are_refused_by_number(tmp_path, change, message):
    row = ROW | {"relations": [], "ner": [[0, 0, "person"]]} | change
    lines, whole = tmp_path / "data.jsonl", tmp_path / "data.json"
    lines.write_text(json.dumps(ROW) + "\n\n" + json.dumps(row))
    whole.write_text(json.dumps([ROW, row]))
    with pytest.raises(InputError, match=re.escape("line 3: ")) as caught:
        list(read_any(lines))
    assert message in str(caught.value)
    with pytest.raises(InputError, match=re.escape("entry 2: ")) as caught:
        list(read_any(whole))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[{]", "is not valid JSON"),
        (b'[{"tokenized_text": ["\xff"]}]', "not UTF-8"),
        (b'[["Tim"]]', "entry 1: expected a JSON object, got list"),
        (b'[{"txt": "Tim"}]', "entry 1: the row has no 'text' (its keys: txt)"),
        (b'[{"tokenized_text": []}]', "entry 1: the row needs the key 'ner'"),
    ],
)
def test_broken_files_are_refused(tmp_path, content, message):
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)):
        list(read_any(path))


def test_a_damaged_gzip_file_is_refused(tmp_path):
    path = tmp_path / "data.json.gz"
    path.write_bytes(gzip.compress(json.dumps([ROW] * 9).encode())[:-12])
    with pytest.raises(InputError, match="gzip"):
        list(read_any(path))


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            Example("Bo", classifications=(GoldTask("t", ("a",), ("a",)),)),
            "holds entities and relations",
        ),
        (Example("Bo ran", (Mention(0, 3, "dog"),)), "at [0, 3], 'Bo ', begins or ends with white"),
        (
            Example("Bo ran", relations=(GoldRelation("r", (0, 2), (3, 6)),)),
            "has an end [0, 2] that is no entity",
        ),
    ],
)
def test_what_the_format_cannot_say_is_refused(example, message):
    with pytest.raises(InputError, match=re.escape(message)):
        gliner_row(example)
