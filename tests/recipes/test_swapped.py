"""Values of a text are swapped for others, and everything annotated stays where it belongs."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from swapped import Values, other_digits, shape, swapped

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldValue,
    Mention,
)

PEOPLE = ["Ann Lee", "Bo Katz", "Cem Oral", "Dag Moe", "Eva Ruiz", "Finn Ek"]
LENT = [Example(f"{name} left.", (Mention(0, len(name), "person"),)) for name in PEOPLE]


def order() -> Example:
    text = "Mo Farah paid Io Sands 25 euros; Io Sands kept WEB-780."
    places = {part: (text.index(part), text.index(part) + len(part))
              for part in ("Mo Farah", "Io Sands", "25 euros", "WEB-780")}  # fmt: skip
    payer, payee, sum_of, code = (GoldValue(*span) for span in places.values())
    again = text.rindex("Io Sands")
    paid = ({"payer": (payer,), "payee": (payee,), "sum": (sum_of,), "code": (code,)},)
    fields = tuple(map(GoldField, ("payer", "payee", "sum", "code", "state")))
    return Example(
        text,
        (
            Mention(*places["Mo Farah"], "person"),
            Mention(*places["Io Sands"], "person"),
            Mention(again, again + 8, "person"),
        ),
        structures=(GoldStructure("payment", fields, paid),),
        relations=(GoldRelation("paid", places["Mo Farah"], places["Io Sands"]),),
        source="mine",
    )


def test_every_annotation_moves_along() -> None:
    values = Values(LENT, {})
    (made,) = swapped([order()], values, random.Random(0), share=1)
    (payer, payee, again) = (made.text[one.start : one.end] for one in made.entities)
    assert {payer, payee} < set(PEOPLE)
    assert again == payee != payer
    (record,) = made.structures[0].records
    found = {name: made.text[slice(*value.span)] for name, (value,) in record.items()}
    assert (found["payer"], found["payee"]) == (payer, payee)
    assert found["sum"].endswith(" euros")
    assert found["code"].startswith("WEB-")
    assert found["code"] != "WEB-780"
    pair = made.relations[0]
    assert (made.text[slice(*pair.head)], made.text[slice(*pair.tail)]) == (payer, payee)
    expected = "{payer} paid {payee} {sum}; {payee} kept {code}.".format(**found)
    assert made.text == expected
    assert made.source == "mine with other values"


def test_values_of_a_more_general_label_are_lent_too() -> None:
    text = "Mo Farah sang."
    asked = Example(text, (Mention(0, 8, "Singer"),))
    assert not list(swapped([asked], Values(LENT, {}), random.Random(0), share=1))
    singers = [Example(e.text, (Mention(0, e.entities[0].end, "singer"),)) for e in LENT]
    poet = Example(text, (Mention(0, 8, "poet"),))
    general = {"singer": "person", "poet": "person"}
    (made,) = swapped([poet], Values(singers, general), random.Random(0), share=1)
    assert made.text.removesuffix(" sang.") in PEOPLE


@pytest.mark.parametrize(
    "example",
    [
        Example("Mo Farah and Mo Farah", (Mention(0, 8, "person"),)),  # the second is no mention
        Example("Mo Farah ran", (Mention(0, 8, "person"), Mention(3, 8, "name"))),  # one in another
        Example("Mo Farah ran", (Mention(0, 8, "person"),), relations=(
            GoldRelation("is", (0, 12), (9, 12)),)),  # across
        Example("Ms Mo Farah ran", (Mention(0, 11, "person"),)),  # no other of this shape
        Example("a runner ran", (Mention(0, 8, "person"),)),
    ],
)  # fmt: skip
def test_some_values_stay(example: Example) -> None:
    assert not list(swapped([example], Values(LENT, {}), random.Random(0), share=1))


def test_plain_words_are_lent_under_their_own_name_alone() -> None:
    words = ["elm", "oak", "ash", "fir", "yew"]
    lent = [Example(word, (Mention(0, 3, "wood"),)) for word in words]
    values = Values(lent, {"wood": "thing", "cloth": "thing"})
    assert values.other(["wood"], "tin", random.Random(0)) in words
    assert values.other(["cloth"], "tin", random.Random(0)) is None


def test_capitals_are_lent_under_a_more_general_name() -> None:
    makers = [
        Example(name, (Mention(0, len(name), "maker"),)) for name in ("ABB", "IBM", "KLM", "SAP")
    ]
    values = Values(makers, {"maker": "firm", "buyer": "firm"})
    assert values.other(["buyer"], "NEC", random.Random(0)) in {"ABB", "IBM", "KLM", "SAP"}


def test_no_share_is_no_swap() -> None:
    assert not list(swapped([order()], Values(LENT, {}), random.Random(0), share=0))


@pytest.mark.parametrize(
    ("value", "form"),
    [("£1,250.00", "£9,999.99"), ("NASA", "B"), ("I", "A"), ("McKay", "A"), ("no. 5", "a. 9")],
)  # fmt: skip
def test_shape(value: str, form: str) -> None:
    assert shape(value) == form


@given(st.text("0123456789:/ -€a", max_size=14), st.integers(0, 99))
def test_numbers_keep_their_shape(value: str, seed: int) -> None:
    other = other_digits(value, random.Random(seed))
    assert shape(other) == shape(value)
    assert len(other) == len(value)


def test_hours_and_years_stay_such() -> None:
    others = [other_digits("1987, 09:45", random.Random(seed)) for seed in range(200)]
    assert {other[:2] for other in others} == {"19"}
    assert all(1 <= int(other[6:8]) <= 9 and int(other[9:]) <= 59 for other in others)
