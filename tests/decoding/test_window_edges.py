"""Values at the borders of windows: what is cut gives way to what was seen whole."""

from collections.abc import Callable

from tests.linear import assert_grows_in_proportion

from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.candidates import Candidates, RecordFind, RelationFind, SpanFind
from onepass.decoding.findings import Findings, WindowFindings
from onepass.decoding.window_edges import without_cut
from onepass.results.types import Coverage
from onepass.schema import Schema
from onepass.text.windows import Window
from onepass.text.words import split_words

FIRST, SECOND = Window(0, 20), Window(14, 34)  # of a text of 34 words
TEXT = " ".join(f"w{i}" for i in range(34))


def spans(*found: tuple[int, int, float], window: Window, label: int = 0) -> WindowFindings:
    """Return entities at words of the document."""
    starts, ends, scores = zip(*found, strict=True)
    here = Candidates(starts, ends, scores, [label] * len(found)).shift(-window.start)
    return WindowFindings(window, (Findings(here),))


def places(parts: list[WindowFindings]) -> list[list[tuple[int, int]]]:
    """Return the places of entities of each window in words of the document."""
    moved = [part.findings[0].entities.shift(part.window.start) for part in parts]
    return [list(zip(one.starts.tolist(), one.ends.tolist(), strict=True)) for one in moved]


def read(schema: Schema, *parts: WindowFindings):
    """Return what the windows say of the text."""
    coverage = Coverage(len(TEXT), len(TEXT), len(parts), False)
    return assemble(split_words(TEXT), schema, parts, Choice("flat", ()), coverage)


def test_what_a_window_begins_inside_of_is_left_to_the_one_before():
    whole = spans((12, 17, 0.5), window=FIRST)
    half = spans((14, 17, 0.9), window=SECOND)
    assert places(without_cut([whole, half])) == [[(12, 17)], []]
    assert [one.text for one in read(Schema().entities(["a"]), whole, half).entities] == [
        "w12 w13 w14 w15 w16"
    ]


def test_what_a_window_ends_inside_of_is_left_to_the_one_behind():
    half = spans((18, 20, 0.9), window=FIRST)
    whole = spans((18, 23, 0.5), window=SECOND)
    assert places(without_cut([half, whole])) == [[], [(18, 23)]]


def test_the_last_word_before_the_edge_may_be_none_of_the_value():
    half = spans((16, 19, 0.9), window=FIRST)  # word 19 is an "of"
    whole = spans((16, 22, 0.5), window=SECOND)
    assert places(without_cut([half, whole])) == [[], [(16, 22)]]


def test_labels_of_a_half_do_not_count():
    whole = spans((12, 17, 0.5), window=FIRST)
    half = spans((14, 17, 0.9), window=SECOND, label=1)
    assert places(without_cut([whole, half])) == [[(12, 17)], []]


def test_a_value_that_both_windows_saw_stays_with_its_better_score():
    first = spans((12, 18, 0.4), (15, 18, 0.6), window=FIRST)
    second = spans((15, 18, 0.9), window=SECOND)
    kept = without_cut([first, second])
    assert places(kept) == [[(12, 18), (15, 18)], []]  # the first one saw it in the whole, too


def test_a_half_of_which_nothing_more_was_found_stays():
    half = spans((14, 17, 0.9), window=SECOND)
    nothing = spans((3, 5, 0.5), (11, 16, 0.5), window=FIRST)  # which overlaps it
    assert places(without_cut([nothing, half])) == [[(3, 5), (11, 16)], [(14, 17)]]


def test_a_value_at_the_edge_of_the_text_is_not_cut():
    first = spans((0, 3, 0.5), (0, 5, 0.4), window=FIRST)
    last = spans((30, 34, 0.4), (32, 34, 0.5), window=SECOND)
    assert places(without_cut([first, last])) == places([first, last])


def test_names_stay_with_their_entities():
    whole = spans((12, 17, 0.5), window=FIRST)
    here = Candidates([0, 6], [3, 8], [0.9, 0.8], [0, 0])
    named = Findings(here, names=((("half", 0.9),), (("own", 0.8),)))
    kept = without_cut([whole, WindowFindings(SECOND, (named,))])
    assert kept[1].findings[0].names == ((("own", 0.8),),)


def record(window: Window, name: tuple[int, int], price: tuple[int, int] | None) -> WindowFindings:
    """Return a record with two values at words of the document."""
    held = [
        () if one is None else (SpanFind(*one, 0.9).shift(-window.start),) for one in (name, price)
    ]
    return WindowFindings(window, (Findings(records={0: (RecordFind(tuple(held)),)}),))


def test_a_record_with_half_a_value_is_the_one_with_the_whole():
    schema = Schema().structure("item", fields=["name::str", "price::str"])
    for cut, whole in (
        (record(FIRST, (17, 20), (15, 16)), record(SECOND, (17, 22), (15, 16))),
        (record(SECOND, (14, 16), (18, 19)), record(FIRST, (12, 16), (17, 18))),
    ):
        found = read(schema, *sorted((cut, whole), key=lambda part: part.window.start))
        names = {one["name"].text for one in found.records["item"]}
        (right,) = read(schema, whole).records["item"]
        assert names == {right["name"].text}


def test_half_a_value_of_a_list_is_the_whole_one_once():
    schema = Schema().structure("item", fields=["names"])
    many = (SpanFind(15, 17, 0.9), SpanFind(17, 19, 0.9), SpanFind(17, 20, 0.8))
    cut = WindowFindings(FIRST, (Findings(records={0: (RecordFind((many,)),)}),))
    whole = WindowFindings(
        SECOND, (Findings(records={0: (RecordFind(((SpanFind(3, 8, 0.5),),)),)}),)
    )
    (found,) = read(schema, cut, whole).records["item"]
    assert [one.text for one in found["names"]] == ["w15 w16", "w17 w18 w19 w20 w21"]


def pair(window: Window, head: tuple[int, int], tail: tuple[int, int], **more) -> WindowFindings:
    """Return a pair at words of the document."""
    ends = [SpanFind(*one, 0.9).shift(-window.start) for one in (head, tail)]
    return WindowFindings(window, (Findings(relations=(RelationFind(0, *ends, 0.9),), **more),))


def test_ends_of_relations_are_whole():
    schema = Schema().relations(["knows"])
    cut, whole = pair(FIRST, (15, 16), (18, 20)), pair(SECOND, (15, 16), (18, 22))
    (found,) = read(schema, cut, whole).relations
    assert (found.head.text, found.tail.text) == ("w15", "w18 w19 w20 w21")


def test_the_other_end_of_a_pair_is_no_measure():
    cut, other = pair(FIRST, (15, 16), (18, 20)), pair(SECOND, (18, 22), (15, 16))
    assert without_cut([cut, other])[0].findings[0].relations == cut.findings[0].relations


def test_ends_that_are_entities_become_the_whole_entity():
    schema = Schema().entities(["a"]).relations(["knows"])
    entities = Candidates([15, 18], [16, 20], [0.9, 0.9], [0, 0])
    cut = pair(FIRST, (15, 16), (18, 20), entities=entities, relations_of_entities=True)
    behind = Candidates([1, 4, 10], [2, 8, 11], [0.9, 0.6, 0.5], [0, 0, 0])
    whole = pair(SECOND, (15, 16), (24, 25), entities=behind, relations_of_entities=True)
    found = read(schema, cut, whole)
    assert [one.tail.text for one in found.relations] == ["w18 w19 w20 w21", "w24"]


def test_one_window_is_left_as_it_is():
    part = spans((0, 3, 0.5), (17, 20, 0.4), window=FIRST)
    assert without_cut([part]) == [part]


def test_ends_of_thousands_of_pairs_are_looked_through_once_a_span():
    whole = RelationFind(0, SpanFind(38, 42, 0.5), SpanFind(30, 31, 0.5), 0.5)
    cut = RelationFind(0, SpanFind(0, 2, 0.9), SpanFind(9, 10, 0.9), 0.9)

    def cutting(number: int) -> Callable[[], None]:
        parts = [
            WindowFindings(Window(0, 60), (Findings(relations=(whole,) * number),)),
            WindowFindings(Window(40, 100), (Findings(relations=(cut,) * number),)),
        ]

        def run() -> None:
            first, second = without_cut(parts)
            assert first.findings[0].relations == (whole,) * number
            heads = {(one.head.start, one.head.end) for one in second.findings[0].relations}
            assert heads == {(-2, 2)}

        return run

    assert_grows_in_proportion(cutting, 1_000)


def test_cut_values_of_a_long_text_look_at_what_is_near_them():
    def long(windows: int) -> Callable[[], None]:
        whole = RelationFind(0, SpanFind(2, 3, 0.9), SpanFind(4, 6, 0.9), 0.9)
        cut = RelationFind(0, SpanFind(2, 3, 0.9), SpanFind(8, 10, 0.9), 0.9)
        here = Findings(relations=(whole, cut))
        parts = [WindowFindings(Window(8 * i, 8 * i + 10), (here,)) for i in range(windows)]

        def run() -> None:
            assert len(without_cut(parts)) == windows

        return run

    assert_grows_in_proportion(long, 2_000)
