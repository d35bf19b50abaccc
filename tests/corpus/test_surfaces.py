import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.surfaces import Surfaces, _gap, closest_pair, closest_to
from onepass.text.words import split_words

texts = st.text(st.sampled_from("aAbB é.-\n1́"), max_size=30)


@given(texts, texts)
def test_every_run_of_equal_words_is_found(text, surface):
    words, wanted = split_words(text), [w.lower() for w in split_words(surface).forms()]
    forms = [form.lower() for form in words.forms()]
    expected = [
        (words.starts[i], words.ends[i + len(wanted) - 1])
        for i in range(len(forms) - len(wanted) + 1)
        if wanted and forms[i : i + len(wanted)] == wanted
    ]
    assert Surfaces(text).find(surface) == expected


def test_white_space_does_not_matter():
    assert Surfaces("Tim \n Cook left").find(" tim cook ") == [(0, 10)]


def test_scripts_without_blanks_have_no_borders_of_words():
    text = "库克在巴黎，Tim在東京。นายสมชายไป"
    found = [Surfaces(text).find(surface) for surface in ("库克", "巴黎", "tim", "東京", "สมชาย")]
    assert [[text[slice(*span)] for span in spans] for spans in found] == [
        ["库克"], ["巴黎"], ["Tim"], ["東京"], ["สมชาย"],
    ]  # fmt: skip
    assert Surfaces("Timur在").find("Tim") == []  # Latin letters have some
    assert Surfaces("ที่").find("ท") == []  # a letter without its marks is another one


@pytest.mark.parametrize("link", ["https://x.org/a", "www.y.org/Rust_(language)"])
@pytest.mark.parametrize("text", ["see {}.", "(see {})", "„{}“, she said", "在{}。", "{}"])
def test_a_link_is_found_without_the_marks_behind_it(text, link):
    text = text.format(link)
    (span,) = Surfaces(text).find(link)
    assert text[slice(*span)] == link
    assert Surfaces(text).find(f"{link}.") == [span]


def test_a_head_and_a_tail_with_the_same_name_stand_apart():
    places = [(0, 5), (10, 15)]
    assert closest_pair(places, places) == ((0, 5), (10, 15))
    assert closest_pair([(0, 5)], [(0, 5)]) == ((0, 5), (0, 5))


def test_what_lies_between_counts_not_where_spans_start():
    long, late = (0, 7), (22, 29)
    assert closest_pair([long, late], [(12, 14)]) == (long, (12, 14))


def test_the_middle_place_decides():
    assert closest_to([(0, 5), (50, 55), (90, 95)], [0, 52, 60]) == (50, 55)


@given(texts, texts, texts)
def test_the_closest_places_are_found_among_a_few(text, first, second):
    surfaces = Surfaces(text)
    heads, tails = surfaces.find(first), surfaces.find(second)
    if heads and tails:
        every = [(head, tail) for head in heads for tail in tails]
        best = min(every, key=lambda pair: (pair[0] == pair[1], _gap(*pair), pair))
        assert closest_pair(heads, tails) == best
        middle = len(text) // 2
        assert closest_to(heads, [middle]) == min(heads, key=lambda s: (abs(s[0] - middle), s))
