"""Leaks and statistics, on their own."""

from __future__ import annotations

from onepass.corpus import contradictions
from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.inspection import SHINGLE, Known, Statistics, inspect_files
from onepass.corpus.jsonl import write_examples

WORDS = [f"w{number}" for number in range(100)]


def known(text: str) -> Known:
    held = Known()
    held.add(Example(text))
    return held


def test_half_of_a_text_is_a_leak_and_less_is_none():
    dev = known(" ".join(WORDS[:40]))
    assert dev.holds(" ".join(WORDS[20 : 20 + SHINGLE]))
    assert dev.holds(" ".join(WORDS[:60]).upper())  # 29 of its 49 sequences
    assert not dev.holds(" ".join(WORDS[25:80]))  # 4 of its 44
    assert not dev.holds(" ".join(WORDS[: SHINGLE - 1]))  # too short to say, and not the same


def test_counts_of_records_and_relations():
    fields = (GoldField("item"), GoldField("price"))
    rows = ({"item": (GoldValue(0, 3), GoldValue(4, 7))}, {"item": (GoldValue(0, 3),)})
    statistics = Statistics()
    statistics.add(
        Example(
            "one two",
            structures=(GoldStructure("order", fields, rows),),
            relations=(GoldRelation("before", (0, 3), (4, 7)),),
            asked_relations=("after",),
            source="made",
        )
    )
    report = statistics.to_dict()
    assert report["records"] == {"order": {"records": 2, "values": {"item": 3, "price": 0}}}
    assert report["relations"] == {"before": 1, "after": 0}
    assert report["sources"] == {"made": 1}


def test_files_of_another_offset_are_no_conflict(tmp_path):
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_examples(one, [Example("a dog", asked=("dog",))])
    write_examples(other, [Example("A dog", asked=("dog",))])
    assert [p.kind for p in inspect_files([one, other])] == ["duplicate"]


def test_white_space_at_an_end_of_a_span_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    text = "Ann lives in Oslo  "
    field, value = GoldField("who"), GoldValue(3, 9)
    fine = Example(text, (Mention(0, 3, "person"), Mention(0, 9, "person")))
    odd = Example(
        "! " + text,
        (Mention(15, 20, "city"), Mention(19, 21, "city")),
        structures=(GoldStructure("stay", (field,), ({"who": (value,)},)),),
        relations=(GoldRelation("in", (2, 5), (14, 19)),),
    )
    write_examples(path, [fine, odd])
    found = [p for p in inspect_files([path]) if p.kind == "space"]
    assert {p.place for p in found} == {"line 2"}
    assert [p.message for p in found] == [
        "The span [14, 19) ' Oslo' begins or ends with white space.",
        "The span [15, 20) 'Oslo ' begins or ends with white space.",
        "The span [19, 21) '  ' holds nothing but white space.",
    ]


def test_a_span_that_begins_or_ends_inside_a_word_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    text = "Ann met Mr. Tanaka's aunt in \u6771\u4eac\u90fd, see (https://y.org/z)."
    fine = [(0, 3), (8, 18), (12, 18), (29, 31), (39, 54), (0, len(text)), (3, 8), (54, 55)]
    off_by_one = [(1, 4), (9, 19), (29, 30), (45, 54)]
    spans = [Mention(*span, "any") for span in fine + off_by_one]
    write_examples(path, [Example(text, tuple(spans))])
    found = [p.message for p in inspect_files([path]) if p.kind == "cut"]
    assert found == [
        "The span [1, 4) 'nn ' begins or ends inside a word of 'Ann '.",
        'The span [9, 19) "r. Tanaka\'" begins or ends inside a word of "Mr. Tanaka\'".',
        "The span [45, 54) '//y.org/z' begins or ends inside a word of 'https://y.org/z'.",
    ]


def test_a_name_that_is_written_in_two_ways_is_named_once(tmp_path):
    path = tmp_path / "a.jsonl"
    task = GoldTask("tone", ("good", "bad"), ("bad",))
    first = Example("Ann ran", (Mention(0, 3, "first name"),), classifications=(task,))
    task = GoldTask("tone", ("Good", "bad"), ("bad",))
    other = Example("Bo", asked=("First_Name", "name"), classifications=(task,))
    fields = (GoldField("first_name"),)  # of a structure, which is another name
    write_examples(
        path, [first, other, Example("Al", structures=(GoldStructure("tone", fields, ()),)), other]
    )
    found = [(p.place, p.message) for p in inspect_files([path]) if p.kind == "spelling"]
    assert found == [
        ("line 2", f"The entity label 'First_Name' is written 'first name' in {path}, line 1."),
        ("line 2", f"The label 'Good' of 'tone' is written 'good' in {path}, line 1."),
    ]


def test_a_mention_that_is_there_twice_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    ann, other = Mention(0, 3, "person"), Mention(0, 3, "name")
    write_examples(path, [Example("Ann ran", (ann, other)), Example("Ann left", (ann, other, ann))])
    found = [(p.place, p.kind, p.message) for p in inspect_files([path])]
    message = "The entity 'person' at [0, 3), 'Ann', is there 2 times."
    assert found == [("line 2", "repeat", message)]


def kinds(tmp_path, *examples: Example) -> list[str]:
    write_examples(tmp_path / "a.jsonl", examples)
    return [problem.kind for problem in inspect_files([tmp_path / "a.jsonl"])]


def test_relations_contradict_each_other_where_both_asked(tmp_path):
    def example(*relations: GoldRelation, asked: str = "runs") -> Example:
        return Example("Ann runs Acme", relations=relations, asked_relations=(asked,))

    runs, turned = GoldRelation("runs", (0, 3), (9, 13)), GoldRelation("runs", (9, 13), (0, 3))
    assert kinds(tmp_path, example(runs), example(turned)) == ["conflict"]
    assert kinds(tmp_path, example(runs), example()) == ["conflict"]
    assert kinds(tmp_path, example(runs), example(asked="owns")) == ["duplicate"]
    assert kinds(tmp_path, example(runs), example(runs)) == ["duplicate"]


def test_records_contradict_each_other_where_both_asked(tmp_path):
    def example(*values: GoldValue, name: str = "firm", more: str = "age") -> Example:
        fields = (GoldField("who"), GoldField(more))
        records = ({"who": values},) if values else ()
        return Example("Ann runs Acme", structures=(GoldStructure(name, fields, records),))

    ann, acme = GoldValue(0, 3), GoldValue(9, 13)
    assert kinds(tmp_path, example(ann), example(acme)) == ["conflict"]
    assert kinds(tmp_path, example(ann), example()) == ["conflict"]
    assert kinds(tmp_path, example(ann, acme), example(acme, ann)) == ["duplicate"]
    assert kinds(tmp_path, example(ann), example(GoldValue(text="Ann"), more="b")) == ["duplicate"]
    assert kinds(tmp_path, example(ann), example(acme, name="person")) == ["duplicate"]


def test_a_row_is_compared_with_every_earlier_one(tmp_path):
    def entities(*mentions: Mention, asked: str) -> Example:
        return Example("Ann runs Acme", mentions, (asked,))

    first = entities(asked="city")
    second, third = entities(asked="dog"), entities(Mention(0, 3, "dog"), asked="dog")
    assert kinds(tmp_path, first, second, third) == ["duplicate", "conflict"]
    (tmp_path / "a.jsonl").unlink()
    assert kinds(tmp_path, first, *[second] * 3) == ["duplicate"] * 3


def test_many_rows_of_one_text_are_read_in_one_pass(tmp_path, monkeypatch):
    looked = 0
    differs = contradictions._differ

    def counted(*records) -> bool:
        nonlocal looked
        looked += 1
        return differs(*records)

    monkeypatch.setattr(contradictions, "_differ", counted)
    rows = [
        Example(
            "!" * 12,
            structures=(GoldStructure("firm", (GoldField("a"),), ({"a": (GoldValue(0, n),)},)),),
        )
        for n in range(1, 13)
    ]
    assert kinds(tmp_path, *rows) == ["conflict"] * 11
    assert looked == 11


def test_tasks_contradict_each_other_over_the_labels_that_both_have(tmp_path):
    def task(*true: str, labels: tuple[str, ...]) -> Example:
        return Example("Fine.", classifications=(GoldTask("tone", labels, true, True),))

    one = task("good", labels=("good", "bad"))
    assert kinds(tmp_path, one, task("calm", labels=("good", "calm"))) == ["conflict"]
    assert kinds(tmp_path, one, task("good", "calm", labels=("good", "calm"))) == ["duplicate"]
    assert kinds(tmp_path, one, task("calm", labels=("calm", "cold"))) == ["duplicate"]
