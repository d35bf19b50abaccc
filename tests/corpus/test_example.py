import re

import pytest

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.errors import InputError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mention(2, 2, "dog"), "must have 0 <= start < end, but start 2 and end 2"),
        (lambda: Mention(-1, 2, "dog"), "start -1"),
        (lambda: Mention(0, True, "dog"), "must be integers"),
        (lambda: Mention(0, 2, " "), "must not be empty"),
        (lambda: Mention(0, 2, "\ud800"), "lone surrogate"),
        (lambda: GoldTask("tone", (), ()), "needs at least one label"),
        (lambda: GoldTask("tone", ("a", "a"), ()), "'a' was given twice"),
        (lambda: GoldTask("tone", ("a", "b"), ("c",)), "'c' of task 'tone' is not one of"),
        (lambda: GoldTask("tone", ("a", "b"), ("a", "b")), "2 true labels but is not multi_label"),
        (lambda: GoldTask("t", ("a",), (), examples=(("x", "b"),)), "example label 'b'"),
        (
            lambda: GoldTask("t", ("a", "b"), (), examples=(("x", ("a", "b")),)),
            "an example of task 't' has 2 labels, but needs one.",
        ),
        (
            lambda: GoldTask("t", ("a",), (), True, examples=(("x", ()),)),
            "an example of task 't' has 0 labels, but needs one or more.",
        ),
        (lambda: GoldTask("t", ("a",), (), examples=(("x",),)), "must be [text, label] or"),
        (lambda: GoldValue(), "must be one of a span"),
        (lambda: GoldValue(0, 1, choice="red"), "must be one of a span"),
        (lambda: GoldValue(start=3), "must be integers"),
        (lambda: GoldField("size", choices=("s", "s")), "'s' was given twice"),
        (lambda: GoldField("size", dtype="int"), "must be 'str' or 'list', but 'int'"),
        (lambda: GoldStructure("car", (), ()), "needs at least one field"),
        (lambda: GoldStructure("car", (GoldField("x"),) * 2, ()), "'x' was given twice"),
        (
            lambda: GoldStructure("car", (GoldField("x"),), ({"y": ()},)),
            "the field 'y', which structure 'car' does not have",
        ),
        (
            lambda: GoldStructure(
                "car", (GoldField("x", choices=("a",)),), ({"x": (GoldValue(choice="b"),)},)
            ),
            "the choice 'b', which is not one of the choices of the field 'x'",
        ),
        (
            lambda: GoldStructure("car", (GoldField("x"),), ({"x": (GoldValue(choice="b"),)},)),
            "the choice 'b', which is not one of the choices of the field 'x'",
        ),
        (
            lambda: GoldStructure(
                "car", (GoldField("x", dtype="str"),), ({"x": (GoldValue(0, 1),) * 2},)
            ),
            "2 values of the field 'x', whose dtype 'str' allows one",
        ),
        (
            lambda: Example("Bo", classifications=(GoldTask("t", ("a",), ()),) * 2),
            "the tasks of a text must be distinct, but 't' was given twice",
        ),
        (
            lambda: Example("Bo", structures=(GoldStructure("s", (GoldField("x"),), ()),) * 2),
            "the structures of a text must be distinct, but 's' was given twice",
        ),
        (lambda: GoldRelation("bites", (0, 2), (4, 3)), "the tail of the relation 'bites'"),
        (lambda: Example("Bo", (Mention(0, 3, "dog"),)), "[0, 3) of an entity 'dog' lies outside"),
        (
            lambda: Example("Bo", relations=(GoldRelation("is", (0, 2), (2, 4)),)),
            "of a relation 'is' lies outside the text of 2 characters",
        ),
        (
            lambda: Example(
                "Bo",
                structures=(
                    GoldStructure("dog", (GoldField("name"),), ({"name": (GoldValue(0, 9),)},)),
                ),
            ),
            "[0, 9) of a value of 'name' lies outside",
        ),
    ],
)
def test_contradictions_are_refused(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()


def test_what_was_found_counts_as_asked():
    example = Example(
        "Bo bit Al",
        (Mention(7, 9, "man"), Mention(0, 2, "dog")),
        asked=("dog", "dog", "cat"),
        relations=(GoldRelation("bit", (0, 2), (7, 9)),),
        asked_relations=("fed",),
    )
    assert example.asked == ("dog", "cat", "man")
    assert example.asked_relations == ("fed", "bit")


def test_a_task_may_have_no_true_label_or_several():
    assert GoldTask("tone", ("a", "b"), ()).true == ()
    assert GoldTask("topics", ("a", "b"), ("a", "b"), multi_label=True).true == ("a", "b")
