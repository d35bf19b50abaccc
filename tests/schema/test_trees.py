"""Trees of labels, in all the ways in which they may be written."""

from __future__ import annotations

from typing import Any

import pytest

from onepass.errors import SchemaError
from onepass.schema import ClassificationTask, Label, Schema
from onepass.schema.task import path_name
from onepass.schema.trees import read_tree

LABELS = tuple(map(Label, "abc"))


def test_nodes_come_in_the_order_of_a_walk() -> None:
    tree = {"sport": ["ball", "water"], "science": {"physics": ["optics"], "life": []}, "art": None}
    task = Schema().classification("topic", tree).classification_tasks[0]
    assert list(zip(task.result_names, task.parents, strict=True)) == [
        ("sport", -1),
        ("sport/ball", 0),
        ("sport/water", 0),
        ("science", -1),
        ("science/physics", 3),
        ("science/physics/optics", 4),
        ("science/life", 3),
        ("art", -1),
    ]
    assert [label.name for label in task.labels][4:6] == ["physics", "optics"]
    assert task.paths[5] == ("science", "physics", "optics")


def test_a_list_has_no_parents() -> None:
    for flat in (["a", "b"], {"a": "x", "b": None}, {"a": [], "b": []}, {"a": {}, "b": {}}):
        task = Schema().classification("t", flat).classification_tasks[0]  # type: ignore[arg-type]
        assert (task.parents, task.result_names) == ((), ("a", "b"))
    assert Schema().classification("t", ["a/b"]).classification_tasks[0].result_names == ("a/b",)


def test_options_of_nodes() -> None:
    tree = {
        "sport": {
            "description": "games",
            "threshold": 0.3,
            "labels": {"ball": "round", "ice": None},
        },
        "law": {"threshold": 0.7},
        "art": {"film": {"threshold": 0.1}},
        "science": [Label("physics", "matter"), "life"],
    }
    labels, parents = read_tree(tree, "labels")
    assert labels == (
        Label("sport", "games", 0.3),
        Label("ball", "round"),
        Label("ice"),
        Label("law", threshold=0.7),
        Label("art"),
        Label("film", threshold=0.1),
        Label("science"),
        Label("physics", "matter"),
        Label("life"),
    )
    assert parents == (-1, 0, 0, -1, -1, 4, -1, 6, 6)


def test_one_name_may_stand_in_several_branches() -> None:
    task = Schema().classification("t", {"a": ["a", "x"], "b": ["x"]}).classification_tasks[0]
    assert task.result_names == ("a", "a/a", "a/x", "b", "b/x")


def test_names_with_slashes_cannot_be_confused() -> None:
    paths = [("a/b",), ("a", "b"), ("a\\", "b"), ("a\\/b",), ("a", "/b"), ("a/", "b")]
    assert len({path_name(path) for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (
            {"a": ["x"], "b": "about b"},
            "labels mix branches ('a') with descriptions ('b'); write ['about b'] for a label "
            "below 'b', or {\"description\": 'about b'}.",
        ),
        (
            {"a": {"labels": {"x": ["y"], "b": "z"}}},
            "The labels below 'a' mix branches ('x') with descriptions ('b'); write ['z'] for a "
            "label below 'b', or {\"description\": 'z'}.",
        ),
        (
            {"a": {"desc": "x"}},
            "The label 'a' is given 'x' for 'desc', which is neither one of description, "
            "threshold, labels nor a label with a list of labels below it.",
        ),
        (
            {"a": {"description": "x", "labls": ["y"]}},
            "The label 'a' has no key 'labls'; did you mean 'labels'?",
        ),
        (
            {"a": {"x": 0.5}},
            "The label 'a' is given 0.5 for 'x', which is neither one of description, "
            "threshold, labels nor a label with a list of labels below it.",
        ),
        (
            {"a": ["x"], "b": 0.5},
            "The labels below 'b' must be a list or a mapping, but 0.5 (float) was given.",
        ),
        (
            {"a": {"x"}},
            "The labels below 'a' must be a list, but a set was given, which has no order; "
            "give sorted(...) of it.",
        ),
        (
            {"a": ["x", "x"]},
            "The labels below 'a' of task 't' must be distinct, but 'x' was given twice.",
        ),
        ({"a": [["x"]]}, "A label must be a string, but ['x'] (list) was given."),
        ({"a": ["x"], 7: []}, "A label must be a string, but 7 (int) was given."),
    ],
)
def test_what_is_no_tree(tree: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Schema().classification("t", tree)
    assert str(refused.value) == sentence


def test_a_tree_without_an_end_is_refused() -> None:
    tree: dict[str, Any] = {}
    tree["a"] = tree
    with pytest.raises(SchemaError, match="would be more than 32 levels deep; flatten the tree"):
        Schema().classification("t", tree)


@pytest.mark.parametrize(
    "parents",
    [(-1, 0), (-1, 0, 3), (0, -1, -1), (-1, -2, 0), (-1, 1, 0), (-1, 0, True), "abc", (-1, -1, 0)],
)
def test_parents_that_are_no_walk_are_refused(parents: Any) -> None:
    with pytest.raises(SchemaError, match=r"^The parents of task 't' must "):
        ClassificationTask("t", LABELS, parents=parents)


def test_parents_of_a_list_are_none() -> None:
    assert ClassificationTask("t", LABELS, parents=(-1, -1, -1)).parents == ()
    assert ClassificationTask("t", LABELS, parents=(-1, 0, 0)).parents == (-1, 0, 0)


def test_examples_name_any_nodes() -> None:
    schema = Schema().classification("t", {"a": ["x"]}, examples=[("text", ["a", "x"])])
    assert schema.classification_tasks[0].examples == (("text", ("a", "x")),)
    with pytest.raises(SchemaError, match="has the label 'a/x', which is not one of its labels"):
        Schema().classification("t", {"a": ["x"]}, examples=[("text", "a/x")])
