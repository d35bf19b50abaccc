"""Prompts are what the reference page says, ask every label once, and hold no marker from text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from tests.models.gliner2.random_schemas import schemas

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.prompt import (
    MARKERS,
    SPECIAL_TOKENS,
    Group,
    Kind,
    Prompt,
    all_groups,
    encode_prompt,
)


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


def test_an_example_goes_with_its_label(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification(
        "tone", ["calm", "angry"], examples=[("not bad", "calm"), ("bad", "angry")]
    )
    prompt = encode_prompt(schema, [Group(Kind.CLASSES, 0, (1,))], tokenizer)
    assert Counter(prompt.ids.tolist())[tokenizer.id_of("[EXAMPLE]")] == 1


def test_special_tokens_are_in_the_order_of_their_ids(tokenizer: PieceTokenizer) -> None:
    ids = [tokenizer.id_of(token) for token in SPECIAL_TOKENS]
    assert ids == sorted(ids)
    assert SPECIAL_TOKENS[:7] == ("[SEP_STRUCT]", "[SEP_TEXT]", "[P]", "[C]", "[E]", "[R]", "[L]")
