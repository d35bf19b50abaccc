"""Record scores against counts made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from onepass.corpus.example import Example, GoldField, GoldStructure, GoldValue
from onepass.evaluation.records import RecordScorer, judged_choices, normalize
from onepass.results.types import Extraction, Value

TEXT = "2 red pens at $3, 5 blue pens at $4; red  Pens are best."
SIZE = GoldField("size", choices=("Small", "Large"))
FIELDS = (GoldField("item"), GoldField("number"), GoldField("colors"), SIZE)


def spot(words: str) -> GoldValue:
    start = TEXT.index(words)
    return GoldValue(start, start + len(words))


def value(words: str) -> Value:
    start = TEXT.index(words)
    return Value(words, start, start + len(words), 0.9)


def scored(
    found: Sequence[Mapping[str, object]], wanted: Sequence[Mapping[str, tuple[GoldValue, ...]]]
) -> dict[str, float]:
    scorer = RecordScorer()
    scorer.add(
        Extraction(TEXT, records={"order": tuple(found)}),
        Example(TEXT, structures=(GoldStructure("order", FIELDS, tuple(wanted)),)),
    )
    return scorer.scores()


RED = {"item": (spot("red pens"),), "number": (spot("2"),)}
BLUE = {"item": (spot("blue pens"),), "number": (spot("5"),)}


def test_values_count_under_the_matching_of_records():
    scores = scored(
        [
            {"item": value("blue pens"), "number": value("5")},
            {"item": value("red pens"), "number": value("5"), "size": value("$3")},
        ],
        [RED, BLUE],
    )
    # blue: 2 right; red: item right, number wrong, size too much. 3 right of 5 found and 4 gold.
    assert scores["precision"] == pytest.approx(3 / 5)
    assert scores["recall"] == pytest.approx(3 / 4)
    assert scores["record_f1"] == pytest.approx(0.5)
    assert scores["count_accuracy"] == 1.0


def test_matching_is_the_best_over_all_records_not_the_first_that_fits():
    # The first record fits both gold ones equally in item; only the second gold one has number 5.
    same = {"item": (spot("pens"),)}
    gold = [{**same, "number": (spot("2"),)}, {**same, "number": (spot("5"),)}]
    found = [{"item": value("pens")}, {"item": value("pens"), "number": value("2")}]
    assert scored(found, gold)["recall"] == pytest.approx(3 / 4)
    assert scored(list(reversed(found)), gold)["recall"] == pytest.approx(3 / 4)


def test_order_of_records_does_not_matter():
    found = [{"item": value("red pens"), "number": value("2")}]
    assert scored(found, [RED, BLUE]) == scored(found, [BLUE, RED])


def test_right_words_in_the_wrong_field_are_wrong():
    scores = scored([{"item": value("2"), "number": value("red pens")}], [RED])
    assert scores["f1"] == 0.0


def test_right_values_spread_over_two_records_count_for_one():
    scores = scored([{"item": value("red pens")}, {"number": value("2")}], [RED])
    assert scores["precision"] == 0.5
    assert scores["count_accuracy"] == 0.0


def test_any_occurrence_of_the_words_is_right():
    late = Value("red  Pens", 37, 46, 0.9)
    assert scored([{"item": (late,), "number": value("2")}], [RED])["f1"] == 1.0


def test_values_whose_place_is_not_known_and_choices_go_by_their_words():
    gold = {"item": (GoldValue(text="Red Pens"),), "size": (GoldValue(choice="Large"),)}
    found = {"item": value("red pens"), "size": Value("Large", None, None, 0.7)}
    assert scored([found], [gold])["f1"] == 1.0
    assert scored([{**found, "size": Value("Small", None, None, 0.7)}], [gold])["f1"] == 0.5


def test_lists_count_each_value_once():
    gold = {"colors": (spot("red"), spot("blue"))}
    found = {"colors": (value("red"), Value("red", 37, 40, 0.8), value("$3")), "item": ()}
    scores = scored([found], [gold])
    assert (scores["precision"], scores["recall"]) == (0.5, 0.5)


def test_missing_and_empty_fields_are_equal():
    found = {"item": value("red pens"), "number": value("2"), "size": None, "colors": ()}
    assert scored([found], [RED])["record_f1"] == 1.0


def test_fields_that_were_not_asked_do_not_count():
    found = {"item": value("red pens"), "number": value("2"), "price": value("$3")}
    assert scored([found], [RED])["precision"] == 1.0


def test_no_records_where_there_are_none():
    scores = scored([], [])
    assert (scores["count_accuracy"], scores["f1"]) == (1.0, 0.0)
    assert scored([{"item": value("red pens")}], [])["count_accuracy"] == 0.0


def test_equal_records_are_counted_as_often_as_they_occur():
    one = {"item": value("red pens"), "number": value("2")}
    scores = scored([one, one, one], [RED, RED])
    assert scores["record_f1"] == pytest.approx(2 * 2 / (3 + 2))
    assert scores["recall"] == 1.0


def test_table_has_a_row_for_each_structure():
    scorer = RecordScorer()
    structures = (GoldStructure("order", FIELDS, (RED,)), GoldStructure("refund", FIELDS, ()))
    scorer.add(Extraction(TEXT), Example(TEXT, structures=structures))
    table = scorer.table()
    assert table["order"]["gold"] == 2
    assert table["refund"]["count_accuracy"] == 1.0
    assert scorer.scores()["count_accuracy"] == 0.5
    assert scorer.texts == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("New York", " new\n york "), ("ﬁve", "five"), ("Straße", "STRASSE"), ("１２", "12")],
)
def test_normalize(one, other):
    assert normalize(one) == normalize(other)
    assert normalize("3") != normalize("$3")


def test_a_choice_is_judged_by_the_record_that_it_stands_in():
    def choice(word: str, score: float) -> Value:
        return Value(word, None, None, score)

    found = (
        {"item": value("red pens"), "size": choice("Small", 0.8)},
        {"item": value("blue pens"), "size": choice("Small", 0.7)},
        {"item": value("$4"), "size": choice("small", 0.6)},
    )
    fields = (GoldField("item"), GoldField("size", choices=("Small", "Large"), dtype="str"))

    def judged(*rows: Mapping[str, tuple[GoldValue, ...]]) -> list[tuple[float, bool, bool]]:
        gold = Example(TEXT, structures=(GoldStructure("order", fields, rows),))
        return [
            tuple(one) for one in judged_choices(Extraction(TEXT, records={"order": found}), gold)
        ]

    red, blue = {"item": RED["item"]}, {"item": BLUE["item"]}
    small, large = {"size": (GoldValue(choice="Small"),)}, {"size": (GoldValue(choice="Large"),)}
    # Another record is small, but blue pens have no size, and the last record does not exist.
    assert judged(blue, red | small) == [
        (0.8, True, True),
        (0.7, False, False),
        (0.6, False, False),
    ]
    assert judged(red | large)[0] == (0.8, True, False)
    assert judged()[0] == (0.8, False, False)
