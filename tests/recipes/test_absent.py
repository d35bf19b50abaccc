"""Choices that no text makes are asked, and have no answer."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from absent import with_absent_choices

from onepass.corpus.example import Example, GoldField, GoldStructure, GoldValue


def test_choices_of_other_texts_are_asked_where_no_text_makes_them() -> None:
    sizes = GoldField("size", choices=("small", "large"))
    cup = GoldStructure("cup", (GoldField("what"), sizes), ({"what": (GoldValue(0, 3),)},))
    shelf = Example(
        "Bo",
        structures=(GoldStructure("shelf", (GoldField("name"),), ({"name": (GoldValue(0, 2),)},)),),
    )
    every = [
        Example("mug, tin", structures=(cup,)),
        shelf,
        replace(shelf, text="Bo is a large shelf"),  # which makes the choice
        replace(shelf, structures=(replace(shelf.structures[0], records=()),)),
    ]
    made = list(with_absent_choices(every, random.Random(0)))
    assert [example.text for example in made] == ["Bo"]
    (structure,) = made[0].structures
    assert structure.fields == (GoldField("name"), sizes)
    assert structure.records == shelf.structures[0].records
