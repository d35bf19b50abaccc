"""Made-up examples: repeatable, consistent, varied, and true to what they say."""

from __future__ import annotations

from collections import Counter

import pytest

from onepass.corpus.checks import inside
from onepass.corpus.jsonl import example_from_dict, example_to_dict
from onepass.corpus.synthesis.compose import synthesize
from onepass.corpus.synthesis.layouts import LAYOUTS
from onepass.corpus.synthesis.scene import scene
from onepass.corpus.synthesis.scenes import SCENES
from onepass.corpus.synthesis.values import KINDS, Maker
from onepass.corpus.synthesis.words import LABELS
from onepass.errors import InputError

SALE = scene(
    "sale",
    {"item": "item: item", "buyer": "person: buyer", "state": "paid|open: state"},
    "{buyer} took the {item} ({state}).",
    relations="bought: buyer item",
)


@pytest.fixture(scope="module")
def examples():
    return list(synthesize(400, seed=7))


def test_the_same_seed_gives_the_same_examples(examples) -> None:
    assert list(synthesize(400, seed=7)) == examples
    assert list(synthesize(20, seed=8)) != examples[:20]


def test_examples_survive_the_file_format(examples) -> None:
    for example in examples[:100]:
        assert example_from_dict(example_to_dict(example)) == example


def test_every_value_is_in_the_text_and_every_choice_too(examples) -> None:
    for example in examples:
        for structure in example.structures:
            for record in structure.records:
                for value in (value for values in record.values() for value in values):
                    if value.span is not None:
                        inside(value.span, example.text, "a value")
                        assert example.text[slice(*value.span)].strip()
                    else:
                        assert value.choice in example.text


def test_values_of_an_entity_label_that_was_asked_are_all_annotated() -> None:
    for example in synthesize(100, seed=1, scenes=(SALE,)):
        (structure,) = example.structures
        people = {record["buyer"][0].span for record in structure.records if "buyer" in record}
        named = {(m.start, m.end) for m in example.entities if m.label in LABELS["person"]}
        assert named == people


def test_relations_join_values_of_one_record() -> None:
    joined = 0
    for example in synthesize(100, seed=2, scenes=(SALE,)):
        (structure,) = example.structures
        rows = [
            (record["buyer"][0].span, record["item"][0].span)
            for record in structure.records
            if "buyer" in record and "item" in record
        ]
        assert [(r.head, r.tail) for r in example.relations] == rows
        joined += len(rows)
    assert joined > 100


def test_there_are_texts_with_several_records_and_with_none(examples) -> None:
    counts = Counter(len(s.records) for e in examples for s in e.structures)
    assert counts[0] > 20
    assert min(counts[n] for n in range(1, 6)) > 15


def test_all_layouts_and_scenes_occur() -> None:
    assert len(LAYOUTS) == 5
    names = {s.name for e in synthesize(1500, seed=3) for s in e.structures}
    for one in SCENES:
        assert names & set(one.names), one.names


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_value_can_be_made_and_has_labels(kind: str) -> None:
    maker = Maker(5)
    made = [maker.make(kind) for _ in range(20)]
    assert all(value and value == " ".join(value.split()) for value in made)
    assert LABELS[kind]


def test_check_digits_of_account_and_card_numbers_hold() -> None:
    maker = Maker(11)
    for _ in range(50):
        iban = maker.make("iban").replace(" ", "")
        moved = iban[4:] + iban[:4]
        assert int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
        card = [int(c) for c in reversed(maker.make("card number"))]
        doubled = [sum(divmod(2 * d, 10)) for d in card[1::2]]
        assert (sum(card[::2]) + sum(doubled)) % 10 == 0


def test_unknown_kinds_and_slots_are_refused() -> None:
    with pytest.raises(InputError, match="'wine' is not a kind of value"):
        scene("sale", {"item": "wine"}, "{item}")
    with pytest.raises(InputError, match="no slot 'price'"):
        scene("sale", {"item": "item"}, "{item} for {price}")
    with pytest.raises(InputError, match="'wine' is not a kind of value"):
        Maker(0).make("wine")
