"""The flags of the command line, read as a schema."""

from __future__ import annotations

import pytest

from onepass.errors import SchemaError
from onepass.schema import Field, Schema
from onepass.schema.flags import schema_from_flags


def test_all_flags_together() -> None:
    schema = schema_from_flags(
        ["person", "company=legal name of a firm", "city, country"],
        ["sentiment=positive,negative", "topics*=a, b"],
        ["works for", "owns=has bought it, in full"],
        ["product: name::str, price, category::[a|b]::str"],
    )
    assert schema == (
        Schema()
        .entities(
            {"person": None, "company": "legal name of a firm", "city": None, "country": None}
        )
        .classification("sentiment", ["positive", "negative"])
        .classification("topics", ["a", "b"], multi_label=True)
        .relations({"works for": None, "owns": "has bought it, in full"})
        .structure("product", ["name::str", "price", "category::[a|b]::str"])
    )


def test_no_flags_give_an_empty_schema() -> None:
    assert schema_from_flags([], [], [], []).is_empty


def test_escapes_and_brackets() -> None:
    schema = schema_from_flags(
        [r"Doe\, J.", r"a\=b=x=y"],
        [r"rate\*=1\,5,2", "two = a , b"],
        [],
        [r"p: x::str::one\, two, y::[a,b|c], z\:q::str::see http://u", r"a\:b:n"],
    )
    assert [(label.name, label.description) for label in schema.entity_labels] == [
        ("Doe, J.", None),
        ("a=b", "x=y"),
    ]
    first, second = schema.classification_tasks
    assert (first.name, [label.name for label in first.labels]) == ("rate*", ["1,5", "2"])
    assert not first.multi_label
    assert (second.name, [label.name for label in second.labels]) == ("two", ["a", "b"])
    assert schema.structures[0].fields == (
        Field("x", "str", description="one, two"),
        Field("y", "str", ("a,b", "c")),
        Field("z:q", "str", description="see http://u"),
    )
    assert schema.structures[1].name == "a:b"


def test_commas_inside_brackets_do_not_separate() -> None:
    schema = schema_from_flags(
        ["a [b, c], d", r"low \[0,e\]", "gas[x,y]=a gas"],
        ["t=m [n, o], p", r"u[abstain]=q\[,r"],
        ["in [s,t], on"],
        [],
    )
    entities, relations = schema.entity_labels, schema.relation_types
    assert [one.name for one in entities] == ["a [b, c]", "d", "low [0", "e]", "gas[x,y]"]
    assert [one.name for one in relations] == ["in [s,t]", "on"]
    labels = [[label.name for label in task.labels] for task in schema.classification_tasks]
    assert labels == [["m [n, o]", "p"], ["q[", "r"]]
    for flags in ((["a[b"], []), ([], ["t=a[b,c"])):
        with pytest.raises(SchemaError, match=r"a '\[' without its '\]'"):
            schema_from_flags(*flags, [], [])


def test_options_of_a_classification() -> None:
    values = [
        "tone[abstain]=calm,angry",
        r" mood [ abstain = 0.4, window_scores=max ] = good, bad\=x",
        "topics*[window_scores=mean]=a[1],b",
        r"size \[cm\]=s,m",
        "a]=x",
    ]
    assert schema_from_flags([], values, [], []) == (
        Schema()
        .classification("tone", ["calm", "angry"], abstain=True)
        .classification("mood", ["good", "bad=x"], abstain=0.4, window_scores="max")
        .classification("topics", ["a[1]", "b"], multi_label=True, window_scores="mean")
        .classification("size [cm]", ["s", "m"])
        .classification("a]", ["x"])
    )


def test_labels_of_a_classification_with_descriptions() -> None:
    values = [r"topic*=billing=invoices\, refunds,login = passwords=lost,other"]
    task = schema_from_flags([], values).classification_tasks[0]
    assert [(label.name, label.description) for label in task.labels] == [
        ("billing", "invoices, refunds"),
        ("login", "passwords=lost"),
        ("other", None),
    ]
    named = schema_from_flags([r"a=b, c\=d"], structures=[r"p: x\=y::str::z=1"])
    assert named.entity_labels[0].description == "b, c=d"
    assert named.structures[0].fields == (Field("x=y", "str", description="z=1"),)


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        (
            "-e",
            "a=x,b=y",
            "In -e 'a=x,b=y': a description takes all that stands behind its '=', commas included; "
            r"give the next name its own flag, or write a '=' of the description as '\='.",
        ),
        (
            "-c",
            "t=a=,b",
            "In -c 't=a=,b': there is no description after '='; remove the '=' or write one.",
        ),
        (
            "-s",
            "p: name=the name, price",
            "In -s 'p: name=the name, price': the name of the field 'name=the name' holds a '='; "
            "write a description behind '::', as in 'name::str::full name', or a '=' of the name "
            r"as '\='.",
        ),
        (
            "-s",
            "p: size::[s,m]",
            "In -s 'p: size::[s,m]': The field 'size::[s,m]' has one choice, 's,m'; write several "
            r"as '[a|b]', or a comma that belongs to a choice as '\,'.",
        ),
        ("-e", "", "In -e '': A label must not be empty, but '' was given."),
        ("-e", "a,,b", "In -e 'a,,b': A label must not be empty, but '' was given."),
        ("-e", "=x", "In -e '=x': A label must not be empty, but '' was given."),
        (
            "-e",
            "a=",
            "In -e 'a=': there is no description after '='; remove the '=' or write one.",
        ),
        (
            "-e",
            "a,b=x",
            "In -e 'a,b=x': a description belongs to one name; give each name with a description "
            r"its own flag, or write a comma that belongs to the name as '\,'.",
        ),
        ("-e", "a,a", "In -e 'a,a': Entity labels must be distinct, but 'a' was given twice."),
        (
            "-c",
            "tone",
            "In -c 'tone': a classification is written task=label,label; write it so.",
        ),
        (
            "-c",
            "=a,b",
            "In -c '=a,b': a classification is written task=label,label; write it so.",
        ),
        (
            "-c",
            "*=a,b",
            "In -c '*=a,b': The name of a classification task must not be empty, but '' was given.",
        ),
        (
            "-c",
            "tone[abstian]=a",
            "In -c 'tone[abstian]=a': a classification has no option 'abstian'; it has abstain, "
            "abstain=NUMBER and window_scores=WORD, and a bracket that belongs to its name is "
            r"written '\['.",
        ),
        (
            "-c",
            "tone[abstain=half]=a",
            "In -c 'tone[abstain=half]=a': abstain must be a number from 0 to 1, "
            "but 'half' was given.",
        ),
        (
            "-c",
            "tone*[abstain]=a",
            "In -c 'tone*[abstain]=a': abstain is for tasks with one answer, but task 'tone' has "
            "multi_label=True and may answer with no label anyway; leave abstain out.",
        ),
        (
            "-c",
            "tone[window_scores=mean]*=a",
            "In -c 'tone[window_scores=mean]*=a': the asterisk of a classification stands before "
            "its options, as in 'task*[window_scores=mean]=label,label'; write it so.",
        ),
        (
            "-c",
            "tone[abstain=a,b",
            "In -c 'tone[abstain=a,b': there is a '[' without its ']'; close it, "
            r"or write it as '\['.",
        ),
        ("-c", "tone=", "In -c 'tone=': A label must not be empty, but '' was given."),
        ("-r", " ", "In -r ' ': A relation type must not be empty, but '' was given."),
        (
            "-s",
            "product",
            "In -s 'product': a structure is written 'name: field, field'; write it so.",
        ),
        (
            "-s",
            "name::str, price",
            "In -s 'name::str, price': a structure is written 'name: field, field'; write it so.",
        ),
        (
            "-s",
            "p: a,,b",
            "In -s 'p: a,,b': there is an empty field; remove the comma or write a field there.",
        ),
        (
            "-s",
            "p: a::[x|y, b",
            r"In -s 'p: a::[x|y, b': there is a '[' without its ']'; close it, "
            r"or write it as '\['.",
        ),
        (
            "-s",
            "p: a::int",
            "In -s 'p: a::int': The type of a field must be str or list, but 'int' was given in "
            "'a::int'; for a description write '::str::int'.",
        ),
    ],
)
def test_malformed_flags(flag: str, value: str, sentence: str) -> None:
    values = {name: [value] if name == flag else [] for name in ("-e", "-c", "-r", "-s")}
    with pytest.raises(SchemaError) as refused:
        schema_from_flags(values["-e"], values["-c"], values["-r"], values["-s"])
    assert str(refused.value) == sentence


def test_the_same_name_in_two_flags_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"^In -s 'p: b': Structures must be distinct"):
        schema_from_flags([], [], [], ["p: a", "p: b"])
