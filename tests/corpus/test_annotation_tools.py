"""Exports of Prodigy and Label Studio, through the reader that knows all formats."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.formats import read_any, read_each
from onepass.errors import InputError

TEXT = "Ann runs Acme."
ANN, ACME = (0, 3), (9, 13)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def span(place: tuple[int, int], label: str) -> dict[str, object]:
    return {"start": place[0], "end": place[1], "label": label, "token_start": 0, "token_end": 0}


def test_prodigy_spans(tmp_path):
    path = lines(
        tmp_path / "ner.jsonl",
        {"text": TEXT, "spans": [span(ANN, "PERSON")], "answer": "accept", "_input_hash": 1},
        {"text": "Acme", "spans": [span((0, 4), "ORG")], "answer": "accept", "_input_hash": 2},
        {"text": "bad", "spans": [], "answer": "reject"},
        {"text": "hm", "spans": [], "answer": "ignore"},
    )
    first, second = read_any(path)
    assert first.entities == (Mention(*ANN, "PERSON"),)
    assert first.asked == second.asked == ("ORG", "PERSON")


def test_prodigy_relations(tmp_path):
    relation = {"head_span": span(ANN, "P"), "child_span": span(ACME, "O"), "label": "RUNS"}
    row = {"text": TEXT, "spans": [], "relations": [relation], "answer": "accept"}
    (example,) = read_any(lines(tmp_path / "rel.jsonl", row))
    assert example.relations == (GoldRelation("RUNS", ANN, ACME),)


def test_prodigy_choices_and_binary_questions(tmp_path):
    options = [{"id": 1, "text": "good"}, {"id": 2, "text": "bad"}]
    path = lines(
        tmp_path / "choice.jsonl",
        {"text": "a", "options": options, "accept": [2], "answer": "accept"},
        {"text": "b", "label": "SPAM", "answer": "reject"},
        {"text": "c", "label": "SPAM", "answer": "accept"},
    )
    one, no, yes = (example.classifications[0] for example in read_any(path))
    assert one == GoldTask("class", ("good", "bad"), ("bad",))
    assert (no.true, yes.true) == ((), ("SPAM",))


def test_spans_of_prodigy_that_show_what_a_pattern_matched(tmp_path):
    shown = {"text": "Ann", "start": 0, "end": 3, "pattern": 3}
    rows = [
        {"text": TEXT, "label": "FIRMS", "spans": [shown], "answer": "accept"},
        {"text": TEXT, "label": "FIRMS", "spans": [shown], "answer": "reject"},
        {"text": TEXT, "label": "FIRMS", "spans": [], "answer": "accept"},
    ]
    read = list(read_any(lines(tmp_path / "teach.jsonl", GOOD, *rows)))[1:]
    assert [example.classifications[0].true for example in read] == [("FIRMS",), (), ("FIRMS",)]
    assert [(example.entities, example.asked) for example in read] == [((), ())] * 3


GOOD = {"text": TEXT, "spans": [span(ANN, "PERSON")], "answer": "accept"}
OPTIONS = [{"id": "a", "text": "good"}]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spans": [span(ANN, ["PERSON"])]}, "the label of an entity"),
        ({"spans": [3]}, "an item of spans must be an object"),
        ({"spans": 3}, "spans must be a list"),
        ({"relations": [{"label": ["x"]}]}, "needs the key 'head_span'"),
        ({"relations": "x"}, "relations must be a list"),
        ({"options": [{"id": ["a"]}]}, "the id of an option must be a string or a number"),
        ({"options": [{"id": None}]}, "the id of an option must be a string or a number"),
        ({"options": OPTIONS, "config": "x"}, "config must be an object"),
        ({"options": OPTIONS, "accept": [["a"]]}, "the id of an option must be a string or a"),
        ({"options": OPTIONS, "accept": [{"id": "a"}]}, "the id of an option must be a string"),
        (
            {"label": "SPAM", "answer": "rejected"},
            "must be one of accept, reject, ignore, but 'rej",
        ),
        ({"answer": None}, "the answer must be one of accept, reject, ignore, but None"),
        ({"answer": ["accept"]}, "the answer must be one of accept, reject, ignore"),
    ],
)
def test_a_wrong_row_of_prodigy_spoils_no_other(tmp_path, bad, message):
    path = lines(tmp_path / "ner.jsonl", GOOD, {"text": "Bo", "answer": "accept", **bad}, GOOD)
    first, (place, error), last = read_each(path)
    assert isinstance(first[1], Example)
    assert first[1] == last[1]
    assert first[1].asked == ("PERSON",)
    assert place == "line 2"
    assert message in str(error)


def studio(text: str, *results: dict[str, object], **more: object) -> dict[str, object]:
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": list(results), **more}]}


def labeled(
    place: tuple[int, int], label: str, said: str | None, name: str = "x"
) -> dict[str, object]:
    value = {"start": place[0], "end": place[1], "text": said, "labels": [label]}
    return {"id": name, "from_name": "label", "type": "labels", "value": value}


def test_label_studio(tmp_path):
    rows = [
        studio(
            TEXT,
            labeled(ANN, "PER", "Ann", "a"),
            labeled(ACME, "ORG", "Acme", "b"),
            {"type": "relation", "from_id": "b", "to_id": "a", "direction": "left",
             "labels": ["runs"]},
            {"type": "choices", "from_name": "tone", "value": {"choices": ["calm"]}},
        ),
        studio("Hm", {"type": "choices", "from_name": "tone", "value": {"choices": ["angry"]}}),
        studio("no", was_cancelled=True),
        {"data": {"text": "none"}, "annotations": []},
    ]  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(rows))
    first, second = read_any(path)
    assert first.entities == (Mention(*ANN, "PER"), Mention(*ACME, "ORG"))
    assert first.relations == (GoldRelation("runs", ANN, ACME),)
    assert first.classifications == (GoldTask("tone", ("angry", "calm"), ("calm",)),)
    assert second.asked == ("ORG", "PER")
    assert second.classifications[0].true == ("angry",)


def test_ground_truth_comes_first(tmp_path):
    row = studio(TEXT, labeled(ANN, "PER", "Ann"))
    right = {"result": [labeled(ACME, "ORG", "Acme")], "ground_truth": True}
    row["annotations"].append(right)
    (example,) = read_any(lines(tmp_path / "export.jsonl", row))
    assert example.entities == (Mention(*ACME, "ORG"),)


def test_places_in_a_browser_are_utf_16(tmp_path):
    text = "😀 Ann"
    (example,) = read_any(lines(tmp_path / "e.jsonl", studio(text, labeled((3, 6), "P", "Ann"))))
    assert [text[m.start : m.end] for m in example.entities] == ["Ann"]


def test_a_half_of_a_character_in_a_browser_is_all_of_it(tmp_path):
    labels = labeled((1, 2), "P", None), labeled((0, 4), "Q", None, name="y")
    (example,) = read_any(lines(tmp_path / "e.jsonl", studio("a😀b", *labels)))
    assert example.entities == (Mention(1, 2, "P"), Mention(0, 3, "Q"))
    with pytest.raises(InputError, match=r"span \[2, 8\)"):
        list(read_any(lines(tmp_path / "e.jsonl", studio("a😀b", labeled((2, 9), "P", None)))))


@pytest.mark.parametrize(
    ("text", "place", "said", "marked"),
    [
        ("1 Main St\nBoston now", (0, 16), "1 Main StBoston", "1 Main St\nBoston"),
        ("1 Main St\r\nBoston now", (0, 17), "1 Main St\n\nBoston", "1 Main St\r\nBoston"),
        ("1  Main St", (0, 10), "1 Main St", "1  Main St"),
        ("😀 Ann\nLee", (3, 10), "AnnLee", "Ann\nLee"),
        ("😀 Ann\nLee", (2, 9), "AnnLee", "Ann\nLee"),  # counts characters
    ],
)
def test_white_space_of_a_label_may_differ(tmp_path, text, place, said, marked):
    (example,) = read_any(lines(tmp_path / "e.jsonl", studio(text, labeled(place, "P", said))))
    assert [text[m.start : m.end] for m in example.entities] == [marked]


@pytest.mark.parametrize("said", ["aa", None])
def test_places_that_could_be_read_both_ways_are_utf_16(tmp_path, said):
    row = studio("😀aaaa", labeled((2, 4), "P", said))
    (example,) = read_any(lines(tmp_path / "e.jsonl", row))
    assert example.entities == (Mention(1, 3, "P"),)


def test_places_that_count_characters_are_told_by_their_text(tmp_path):
    row = studio("😀 Ann", labeled((2, 5), "P", "Ann"))
    (example,) = read_any(lines(tmp_path / "e.jsonl", row))
    assert example.entities == (Mention(2, 5, "P"),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (studio(TEXT, labeled((1, 4), "P", "Ann")), "should mark 'Ann'"),
        (studio(TEXT, labeled((-4, 3), "P", "Ann")), "which are no places"),
        (studio(TEXT, labeled(("0", 3), "P", "Ann")), "which are no places"),
        (
            studio(TEXT, {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["r"]}),
            "names 'a'",
        ),
        ({"data": {"a": "x", "b": "y"}, "annotations": [{"result": []}]}, "2 strings"),
        ({"text": TEXT, "spans": [{"label": "P", "start": 0}], "answer": "accept"}, "'end'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, row, message):
    path = lines(tmp_path / "bad.jsonl", row, row)
    with pytest.raises(InputError, match=f"line 1: .*{message}"):
        list(read_any(path))
    assert [place for place, _ in read_each(path)] == ["line 1", "line 2"]


def told(path: Path) -> list[str | None]:
    """Return the error of every row, None for one that can be read."""
    return [str(found) if isinstance(found, InputError) else None for _, found in read_each(path)]


NAMED = labeled(ANN, "PERSON", "Ann", "1")
STUDIO = studio(TEXT, NAMED)


@pytest.mark.parametrize("good", [GOOD, STUDIO])
@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        '{"text": 1' + "0" * 5000 + "}",
        json.dumps({"text": TEXT, "spans": [span(ANN, "\ud800")]}),
    ],
)
def test_a_damaged_line_is_an_error_of_its_own(tmp_path, good, bad):
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(good)}\n{bad}\n{json.dumps(good)}\n")
    before, error, behind = told(path)
    assert before is None
    assert error is not None
    assert error.startswith(f"{path}, line 2: ")
    assert behind is None


def test_a_file_that_ends_too_early_is_read_up_to_there(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    rows = "".join(json.dumps({**GOOD, "text": f"{TEXT} {number}"}) + "\n" for number in range(999))
    path.write_bytes(gzip.compress(rows.encode())[:-12])
    examples = []
    with pytest.raises(InputError, match="not a complete gzip file"):
        examples += [found for _, found in read_each(path)]
    assert not any(isinstance(found, InputError) for found in examples)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"data": {"text": TEXT}}, "a task needs the key 'annotations', which is missing."),
        (
            {"annotations": [{"result": []}]},
            "a task needs the key 'data', which is missing.",
        ),
        (
            studio(TEXT, {"type": "choices", "value": {}}),
            "the value of choices needs the key 'choices', which is missing.",
        ),
        (
            studio(TEXT, {"type": "choices", "from_name": ["a"], "value": {"choices": ["b"]}}),
            "the from_name of choices must be a string, but ['a'] (list) was given.",
        ),
        (
            studio(TEXT, {"type": "choices", "value": {"choices": [None]}}),
            "an item of choices must be a string, but None (NoneType) was given.",
        ),
        (
            studio(TEXT, {"type": "labels", "value": {"start": 0, "end": 3, "labels": None}}),
            "labels must be a list, but None (NoneType) was given.",
        ),
        (
            studio(
                TEXT, {"type": "labels", "id": {}, "value": {"start": 0, "end": 3, "labels": []}}
            ),
            "the id of a label must be a string or an integer, but {} was given.",
        ),
        (
            studio(TEXT, {"type": "relation", "from_id": [], "to_id": "1", "labels": ["a"]}),
            "the from_id of a relation must be a string or an integer, but [] was given.",
        ),
        (
            studio(TEXT, NAMED, {"type": "relation", "from_id": "1", "to_id": "1", "labels": True}),
            "the labels of a relation must be a list, but True (bool) was given.",
        ),
        (
            studio(
                TEXT, NAMED, {"type": "relation", "from_id": "1", "to_id": "1", "labels": [None]}
            ),
            "an item of the labels of a relation must be a string, but None (NoneType) was given.",
        ),
        (
            studio(
                TEXT,
                {"type": "labels", "id": "a", "value": {"start": 0, "end": 3, "labels": ["x"]}},
                {"type": "labels", "id": "a", "value": {"start": 4, "end": 6, "labels": ["y"]}},
            ),
            "two labels at different places have the id 'a'; expected one id for each place.",
        ),
    ],
)
def test_odd_tasks_get_one_sentence_and_spoil_no_other(tmp_path, row, sentence):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([STUDIO, row, STUDIO]))
    assert told(path) == [None, f"{path}, entry 2: {sentence}", None]


def test_a_relation_without_labels_is_asked_of_every_text(tmp_path):
    pair = {"type": "relation", "from_id": "1", "to_id": "1", "labels": None}
    first, second = read_any(lines(tmp_path / "rows.jsonl", STUDIO, studio(TEXT, NAMED, pair)))
    assert first.asked_relations == second.asked_relations == ("related",)


def test_what_prodigy_accepted_must_be_an_option(tmp_path):
    row = {"text": "a", "options": [{"id": "x"}], "accept": ["zz"], "answer": "accept"}
    (error,) = told(lines(tmp_path / "rows.jsonl", row))
    assert error is not None
    assert error.endswith("accept names 'zz', which is no option; the options are 'x'.")


def region(kind: str, **value: object) -> dict[str, object]:
    return {"type": kind, "from_name": "gender", "value": {"start": 0, "end": 3, **value}}


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ([region("choices", choices=["female"])], "choices of 'gender' are about a part"),
        ([region("hypertextlabels", hypertextlabels=["P"])], "the type 'hypertextlabels'"),
        ([region("paragraphlabels", paragraphlabels=["P"])], "the type 'paragraphlabels'"),
        ([region("taxonomy", taxonomy=[["P"]])], "the type 'taxonomy'"),
        ([region("textarea", text=["Ann"])], "the type 'textarea'"),
        ([{"type": "labels"}], "a result needs the key 'value'"),
        (
            [{"type": "choices", "from_name": "tone", "value": {"choices": ["calm"]}}] * 2,
            "the question 'tone' has two results",
        ),
    ],
)
def test_results_of_label_studio_that_would_be_lost_are_refused(tmp_path, results, sentence):
    before, error, behind = told(
        lines(tmp_path / "rows.jsonl", STUDIO, studio(TEXT, NAMED, *results), STUDIO)
    )
    assert (before, behind) == (None, None)
    assert error is not None
    assert sentence in error


MIN = {"text": TEXT, "id": 1, "annotator": 1, "annotation_id": 1, "lead_time": 2.5}


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": [{"start": 0, "end": 3, "text": "Ann", "labels": ["P"]}], "id": 1},
        {"body": TEXT, "ner": [{"start": 0, "end": 3, "text": "Ann", "labels": ["P"]}], "id": 1},
        MIN,
        {**MIN, "sentiment": "calm"},
    ],
)
def test_the_smaller_export_of_label_studio_is_named(tmp_path, row):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([row]))
    for read in (read_any, read_any):
        with pytest.raises(InputError, match="JSON-MIN, but only its export JSON is read; export"):
            list(read(path))


def test_other_results_about_the_whole_text_are_not_read(tmp_path):
    more = {"type": "textarea", "from_name": "note", "value": {"text": ["fine"]}}
    first, second = read_any(lines(tmp_path / "rows.jsonl", STUDIO, studio(TEXT, NAMED, more)))
    assert first == second


@pytest.mark.parametrize(
    ("direction", "pairs"),
    [
        ("right", [(ANN, ACME)]),
        ("left", [(ACME, ANN)]),
        ("bi", [(ANN, ACME), (ACME, ANN)]),
        (None, [(ANN, ACME)]),
        (["left"], [(ANN, ACME)]),
    ],
)
def test_the_direction_of_a_relation(tmp_path, direction, pairs):
    pair = {"type": "relation", "from_id": "a", "to_id": "b", "direction": direction}
    row = studio(TEXT, labeled(ANN, "P", "Ann", "a"), labeled(ACME, "O", "Acme", "b"), pair)
    (example,) = read_any(lines(tmp_path / "rows.jsonl", row))
    assert [(r.head, r.tail) for r in example.relations] == pairs


@pytest.mark.parametrize("text", ["Ann ran", "\U0001f600 ran"])
def test_a_label_that_ends_behind_the_text_is_refused(tmp_path, text):
    (error,) = told(lines(tmp_path / "rows.jsonl", studio(text, labeled((4, 99), "P", None))))
    assert error is not None
    assert f"lies outside the text of {len(text)} characters" in error


def test_whether_several_options_may_hold_is_decided_once_a_file(tmp_path):
    options = [{"id": 1}, {"id": 2.5}]
    rows = [
        {"text": "a", "options": options, "accept": accept, "answer": "accept"}
        for accept in ([1], [], [1, 2.5])
    ]
    tasks = [one.classifications[0] for one in read_any(lines(tmp_path / "a.jsonl", *rows))]
    assert {task.multi_label for task in tasks} == {True}
    assert [task.true for task in tasks] == [("1",), (), ("1", "2.5")]
    (alone,) = read_any(lines(tmp_path / "b.jsonl", rows[0]))
    assert not alone.classifications[0].multi_label


def test_a_row_of_prodigy_with_nothing_but_an_answer_is_a_negative(tmp_path):
    choice = {"text": "c", "options": OPTIONS, "accept": ["a"], "answer": "accept"}
    path = lines(tmp_path / "ner.jsonl", GOOD, {"text": "no", "answer": "accept"}, choice)
    assert [example.asked for example in read_any(path)] == [("PERSON",), ("PERSON",), ()]
