import pytest

from onepass.text.placing import Placer
from onepass.text.words import Words, split_words

TEXT = "Ann lives in Oslo \n"


@pytest.mark.parametrize("end", [17, 18, 19])
def test_white_space_behind_the_last_word_cuts_no_span(end):
    place = Placer(split_words(TEXT), 0, 8)
    assert place.cell(13, end) == (3, 0)
    assert not place.is_cut(end)


def test_white_space_alone_has_no_cell():
    assert Placer(split_words(TEXT), 0, 8).cell(17, 19) is None
    assert Placer(split_words("  "), 0, 8).cell(0, 2) is None


def test_a_span_that_the_window_cuts_has_no_cell():
    words = split_words(TEXT)
    place = Placer(Words(TEXT, words.starts[:3], words.ends[:3]), 0, 8)
    assert place.cell(10, 13) == (2, 0)  # "in "
    assert place.cell(10, 19) is None
    assert place.is_cut(14)


def test_invisible_characters_behind_the_last_word_cut_no_span():
    text = "Ann lives in Oslo\u200b\ufeff"
    words = split_words(text)
    seen = words.only(words.starts < 17)  # as a reader leaves out what has no pieces
    place = Placer(seen, 0, 8)
    assert place.cell(13, 19) == (3, 0)
    assert not place.is_cut(19)
