"""General label names are told from specific ones, however they are spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.specificity import label_rank


@pytest.mark.parametrize(
    ("general", "specific"),
    [
        ("person", "politician"),
        ("person", "researcher"),
        ("person", "musical artist"),
        ("person", "fictional character"),
        ("location", "country"),
        ("location", "city"),
        ("geopolitical entity", "country"),
        ("organization", "university"),
        ("organization", "company"),
        ("organization", "political party"),
        ("organization", "band"),
        ("group", "band"),
        ("creative work", "song"),
        ("creative work", "album"),
        ("product", "programming language"),
        ("event", "election"),
        ("event", "conference"),
        ("date", "date of birth"),
        ("number", "phone number"),
        ("address", "email address"),
        ("name", "first name"),
        ("animal", "dog breed"),
        ("miscellaneous", "event"),
        ("miscellaneous", "award"),
        ("other", "person"),
        ("entity", "organization"),
        ("thing", "product"),
    ],
)
def test_the_general_label_ranks_above_the_specific_one(general: str, specific: str) -> None:
    assert label_rank(general) > label_rank(specific)


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("Person", 1),
        ("PERSONS", 1),
        ("people", 1),
        ("PER", 1),
        ("organisations", 1),
        ("work_of_art", 1),
        ("WORK-OF-ART", 1),
        ("  Creative   Works ", 1),
        ("facilities", 1),
        ("person name", 1),
        ("person_names", 1),
        ("organization entity", 1),
        ("other person", 1),
        ("MISC", 2),
        ("Miscellaneous", 2),
        ("Entities", 2),
        ("misc entity", 2),
        ("general", 2),
        ("address", 1),
        ("company", 0),
        ("company name", 0),
        ("file name", 0),
        ("businesswoman", 0),
        ("glass", 0),
        ("s", 0),
        ("политик", 0),
        ("!?", 0),
    ],
)
def test_spelling_does_not_matter(name: str, rank: int) -> None:
    assert label_rank(name) == rank


@given(st.text())
def test_any_name_has_a_rank(name: str) -> None:
    assert label_rank(name) in (0, 1, 2)
    assert label_rank(name) == label_rank(f"  {name} ")
