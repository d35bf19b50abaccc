"""Our own examples are expanded to a form that onepass reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from written import main, places

from onepass.corpus.example import GoldRelation, Mention
from onepass.corpus.formats import read_any


def test_expanded_files_are_read(tmp_path: Path):
    row = {
        "t": "Bo runs Acme.",
        "e": {"person": ["Bo"]},
        "n": ["city"],
        "r": [["Bo", "runs", "Acme"]],
        "rn": ["left"],
    }
    absent = {"t": "Bo did not leave.", "rn": ["left"]}
    (tmp_path / "some.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(absent)}\n")
    main(tmp_path, tmp_path / "expanded")
    first, second = read_any(tmp_path / "expanded")
    assert (first.entities, first.asked) == ((Mention(0, 2, "person"),), ("person", "city"))
    assert first.relations == (GoldRelation("runs", (0, 2), (8, 12)),)
    assert (first.asked_relations, second.asked_relations) == (("runs", "left"), ("left",))


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("four of forty-four, Four", "four", [[0, 4]]),
        ("forty-four", "four", [[6, 10]]),
        ("a_b and b", "b", [[8, 9]]),
        ("Bart", "art", [[1, 4]]),
        ("9-0 by 9", "9", [[7, 8]]),
        ("\u00a3-5 or \u00a35", "\u00a35", [[7, 9]]),
        ("well-\nknown known", "known", [[6, 11], [12, 17]]),
        ("(US) US-based", "US", [[1, 3]]),
        ("-- x -- x", "-- x", [[0, 4], [5, 9]]),
        ("nothing", "no such", []),
    ],
)
def test_places_are_no_parts_of_words_where_that_can_be(
    text: str, value: str, found: list[list[int]]
):
    assert places(text, value) == found
