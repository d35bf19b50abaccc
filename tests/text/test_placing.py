import numpy as np
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
    place = Placer(split_words(TEXT), 0, 8, kept=3)
    assert place.cell(10, 13) == (2, 0)  # "in "
    assert place.cell(10, 19) is None
    assert place.is_cut(14)


@pytest.mark.parametrize("behind", ["\u200b\ufeff", "\ufffd\ufffd", " \u0301"])
def test_what_is_not_read_behind_a_word_cuts_no_span(behind):
    text = f"Ann lives in Oslo{behind}"
    words = split_words(text)
    seen = words.only(words.starts < 17)  # as a reader leaves out what has no pieces
    place = Placer(seen, 0, 8)
    assert place.cell(13, len(text)) == (3, 0)
    assert not place.is_cut(len(text))
    more = Words(
        f"{text} now", np.append(seen.starts, len(text) + 1), np.append(seen.ends, len(text) + 4)
    )
    place = Placer(more, 0, 8, kept=4)
    assert place.cell(13, len(text) + 1) == (3, 0)
    assert place.cell(13, len(text) + 2) is None
    assert place.is_cut(len(text) + 2)


def test_a_window_without_words_cuts_every_word():
    place = Placer(split_words(" Ann"), 0, 8, kept=0)
    assert not place.is_cut(1)
    assert place.is_cut(2)
    assert place.cell(0, 4) is None
