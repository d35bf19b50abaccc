"""Prompts are what the reference page says, ask every label once, and hold no marker from text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiny import tiny_tokenizer

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliner2.prompt import (
    MARKERS,
    SPECIAL_TOKENS,
    Group,
    Kind,
    Prompt,
    all_groups,
    encode_prompt,
    split_groups,
)
from onepass.schema.types import Field


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().save(str(path))
    return PieceTokenizer(path)


def whole(schema: Schema, tokenizer: PieceTokenizer) -> Prompt:
    return encode_prompt(schema, all_groups(schema), tokenizer)


def ids_of(elements: Sequence[str], tokenizer: PieceTokenizer) -> list[int]:
    ids: list[int] = tokenizer.flat(elements)[0].tolist()
    return ids


# What the reference page prescribes, one element an entry.
WORDED = {
    "entities": (
        lambda: Schema().entities(["person", "place"]),
        ["(", "[P]", "entities", "(", "[E]", "person", "[E]", "place", ")", ")", "[SEP_TEXT]"],
    ),
    "descriptions": (
        lambda: Schema().entities({"person": "a name", "place": None, "company": "of apple"}),
        ["(", "[P]",
         "entities [DESCRIPTION] person: a name [DESCRIPTION] company: of apple",
         "(", "[E]", "person", "[E]", "place", "[E]", "company", ")", ")", "[SEP_TEXT]"],
    ),
    "classification": (
        lambda: Schema().classification(
            "tone", {"calm": "good", "angry": None}, prompt="it is",
            examples=[("not bad", "calm"), ("bad", "angry")],
        ),
        ["(", "[P]",
         "tone: it is [DESCRIPTION] calm: good [EXAMPLE] not bad [OUTPUT] calm "
         "[EXAMPLE] bad [OUTPUT] angry",
         "(", "[L]", "calm", "[L]", "angry", ")", ")", "[SEP_TEXT]"],
    ),
    "examples with several labels": (
        lambda: Schema().classification(
            "tone", ["calm", "red"], multi_label=True, examples=[("not bad", ["calm", "red"])]
        ),
        ["(", "[P]",
         "tone [EXAMPLE] not bad [OUTPUT] calm [EXAMPLE] not bad [OUTPUT] red",
         "(", "[L]", "calm", "[L]", "red", ")", ")", "[SEP_TEXT]"],
    ),
    "relation": (
        lambda: Schema().relations({"works for": "in a company"}),
        ["(", "[P]", "works for: in a company", "(", "[R]", "head", "[R]", "tail", ")", ")",
         "[SEP_TEXT]"],
    ),
    "structure": (
        lambda: Schema().structure("product", ["name::str::the name", "price"]),
        ["(", "[P]", "product [DESCRIPTION] name: the name", "(", "[C]", "name", "[C]", "price",
         ")", ")", "[SEP_TEXT]"],
    ),
    "choices": (
        lambda: Schema().structure("product", ["color::[red|not blue]", "name", "tone::[calm]"]),
        ["(", "[P]", "product", "(", "[C]", "color", "[C]", "name", "[C]", "tone", ")", ")",
         "[SEP_TEXT]", "(", "product:", "color", "(", "red", "|", "not blue", ")", ",",
         "tone", "(", "calm", ")", ")"],
    ),
    "in the family's order": (
        lambda: (
            Schema().classification("tone", ["calm"]).relations(["in"]).entities(["person"])
            .structure("product", ["name"])
        ),
        ["(", "[P]", "product", "(", "[C]", "name", ")", ")", "[SEP_STRUCT]",
         "(", "[P]", "entities", "(", "[E]", "person", ")", ")", "[SEP_STRUCT]",
         "(", "[P]", "in", "(", "[R]", "head", "[R]", "tail", ")", ")", "[SEP_STRUCT]",
         "(", "[P]", "tone", "(", "[L]", "calm", ")", ")", "[SEP_TEXT]"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDED)
def test_wording(name: str, tokenizer: PieceTokenizer) -> None:
    build, elements = WORDED[name]
    prompt = whole(build(), tokenizer)
    assert prompt.ids.tolist() == ids_of(elements, tokenizer)
    assert prompt.pieces == len(prompt.ids)


@pytest.mark.parametrize("name", WORDED)
def test_positions_point_at_the_markers(name: str, tokenizer: PieceTokenizer) -> None:
    schema = WORDED[name][0]()
    prompt = whole(schema, tokenizer)
    assert prompt.ids[prompt.parents].tolist() == [tokenizer.id_of("[P]")] * len(prompt.groups)
    for group, places in zip(prompt.groups, prompt.markers, strict=True):
        assert prompt.ids[places].tolist() == [tokenizer.id_of(MARKERS[group.kind])] * len(
            group.items
        )


def test_choice_rows_point_at_the_choices(tokenizer: PieceTokenizer) -> None:
    schema = (
        Schema()
        .structure("color", ["color::[color|red]", "name", "product::[red|blue|color]"])
        .structure("tone", ["calm::[calm]"])
    )
    prompt = whole(schema, tokenizer)
    for (number, item), rows in prompt.choices.items():
        field = schema.structures[prompt.groups[number].task].fields[item]
        for choice, row in zip(field.choices, rows.tolist(), strict=True):
            first = prompt.prefix_places[row]
            pieces = prompt.ids[first : first + prompt.prefix_lengths[row]].tolist()
            assert pieces == ids_of([choice], tokenizer)
    assert sorted(prompt.choices) == [(0, 0), (0, 2), (1, 0)]
    assert prompt.prefix_words == len(prompt.prefix_places) == len(prompt.prefix_lengths)


# -- schemas at random ---------------------------------------------------------------------------

names = st.one_of(
    st.sampled_from([*SPECIAL_TOKENS, "person", "( [E] x )", "\u200b", "|", "a b", "[CLS]"]),
    st.text(st.characters(exclude_categories=("Cs", "Z", "Cc")), min_size=1, max_size=5),
).filter(str.strip)
labels = st.dictionaries(names, st.one_of(st.none(), names), min_size=1, max_size=6)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    schema = Schema()
    if draw(st.booleans()):
        schema.entities(draw(labels))
    for name in draw(st.lists(names, unique=True, max_size=2)):
        schema.classification(name, draw(labels), prompt=draw(st.one_of(st.none(), names)))
    for name in draw(st.lists(names, unique=True, max_size=2)):
        fields = [
            Field(
                field, choices=tuple(draw(st.lists(names, unique=True, max_size=3))), description=d
            )
            for field, d in draw(labels).items()
        ]
        schema.structure(name, fields)
    if draw(st.booleans()) or schema.is_empty:
        schema.relations(draw(labels))
    return schema


def asked(groups: Iterator[Group]) -> Counter[tuple[Kind, int, int]]:
    return Counter((group.kind, group.task, item) for group in groups for item in group.items)


@given(schemas(), st.integers(130, 230))
@settings(max_examples=60)
def test_passes_ask_everything_exactly_once(
    tokenizer: PieceTokenizer, schema: Schema, budget: int
) -> None:
    whole_schema = asked(iter(all_groups(schema)))
    assert set(whole_schema.values()) == {1}
    assert len(whole_schema) == (
        len(schema.entity_labels)
        + sum(len(task.labels) for task in schema.classification_tasks)
        + sum(len(structure.fields) for structure in schema.structures)
        + 2 * len(schema.relation_types)
    )
    passes = split_groups(schema, tokenizer, budget)
    assert asked(group for groups in passes for group in groups) == whole_schema
    for groups in passes:
        assert 0 < encode_prompt(schema, groups, tokenizer).pieces <= budget
        assert len({(group.kind, group.task) for group in groups}) == len(groups)


def test_fields_of_a_structure_in_one_prompt_are_of_one_record(tokenizer: PieceTokenizer) -> None:
    lengths = {"role": 36, "name": 18, "company": 18, "city": 36}
    fields = [f"{name}::{'of it ' * (pieces // 2)}" for name, pieces in lengths.items()]
    schema = Schema().structure("job", fields)
    passes = split_groups(schema, tokenizer, 60)
    assert [[group.items for group in groups] for groups in passes] == [[(0,)], [(1, 2)], [(3,)]]


@given(schemas())
@settings(max_examples=60)
def test_markers_come_from_the_structure_alone(tokenizer: PieceTokenizer, schema: Schema) -> None:
    prompt = whole(schema, tokenizer)
    found = Counter(prompt.ids.tolist())
    groups = prompt.groups
    for kind, marker in MARKERS.items():
        expected = sum(len(group.items) for group in groups if group.kind is kind)
        assert found[tokenizer.id_of(marker)] == expected
    assert found[tokenizer.id_of("[P]")] == len(groups)
    assert found[tokenizer.id_of("[SEP_TEXT]")] == 1
    assert found[tokenizer.id_of("[SEP_STRUCT]")] == len(groups) - 1
    for outside in ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "[EXAMPLE]", "[OUTPUT]"):
        assert found[tokenizer.id_of(outside)] == 0
    described = [
        *schema.entity_labels,
        *(label for task in schema.classification_tasks for label in task.labels),
        *(field for structure in schema.structures for field in structure.fields),
    ]
    assert found[tokenizer.id_of("[DESCRIPTION]")] == sum(1 for d in described if d.description)
    places = np.concatenate([prompt.parents, *prompt.markers])
    assert len(set(places.tolist())) == len(places)


def test_a_schema_that_fits_is_one_pass(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities([f"person {i}" for i in range(40)]).relations(["in"])
    pieces = whole(schema, tokenizer).pieces
    assert split_groups(schema, tokenizer, pieces) == [all_groups(schema)]
    assert len(split_groups(schema, tokenizer, pieces - 1)) == 2


def test_one_budget_takes_several_small_groups(tokenizer: PieceTokenizer) -> None:
    schema = Schema().relations([f"in {i}" for i in range(100)])
    passes = split_groups(schema, tokenizer, 256)
    assert len(passes) < 12


def test_an_example_goes_with_its_label(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification(
        "tone", ["calm", "angry"], examples=[("not bad", "calm"), ("bad", "angry")]
    )
    prompt = encode_prompt(schema, [Group(Kind.CLASSES, 0, (1,))], tokenizer)
    assert Counter(prompt.ids.tolist())[tokenizer.id_of("[EXAMPLE]")] == 1


@pytest.mark.parametrize(
    ("schema", "title"),
    [
        (Schema().entities({"person": "a " * 300}), "The entity label 'person'"),
        (Schema().relations({"in": "a " * 300}), "The relation type 'in'"),
        (
            Schema().structure("s", [{"name": "f", "description": "a " * 300}]),
            "The field 'f' of 's'",
        ),
        (Schema().classification("t", {"calm": "a " * 300}), "The label 'calm' of task 't'"),
        (Schema().ask({"q": "a " * 300}), "The question 'q'"),
        (Schema().structure("a " * 300, ["f"]), "The name of the structure '(a )+.*"),
        (
            Schema().structure("s", [{"name": "f", "choices": [f"a {i}" for i in range(300)]}]),
            "The list of choices of the field 'f' of 's'",
        ),
        (
            Schema().classification("t", ["calm", "angry"], prompt="a " * 300),
            "The prompt of task 't'",
        ),
        (Schema().classification("a " * 300, ["calm"]), "The name of task '(a )+.*"),
        (
            Schema().classification("t", ["calm", "angry"], examples=[("a " * 300, "angry")]),
            "The list of examples of task 't'",
        ),
    ],
)
def test_what_is_too_long_for_any_pass_is_named(
    tokenizer: PieceTokenizer, schema: Schema, title: str
) -> None:
    with pytest.raises(SchemaError, match=rf"^{title} takes \d+ pieces .* may have 100; shorten"):
        split_groups(schema, tokenizer, 100)


def test_special_tokens_are_in_the_order_of_their_ids(tokenizer: PieceTokenizer) -> None:
    ids = [tokenizer.id_of(token) for token in SPECIAL_TOKENS]
    assert ids == sorted(ids)
    assert SPECIAL_TOKENS[:7] == ("[SEP_STRUCT]", "[SEP_TEXT]", "[P]", "[C]", "[E]", "[R]", "[L]")
