"""The script of a text is told by its letters alone."""

import pytest

from onepass.text.alphabets import main_script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", "Latin"),
        ("\u00c6r\u00f8, Stra\u00dfe, \u0141\u00f3d\u017a, Vi\u1ec7t", "Latin"),
        ("\uff21\uff22\uff23", "Latin"),  # wide letters
        ("\U0001d400\U0001d401", "Latin"),  # bold ones of formulas
        ("12:30 - 5 \u20ac!", "Latin"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430 is big", "Cyrillic"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430 is a city", "Latin"),
        ("\u0391\u03b8\u03ae\u03bd\u03b1", "Greek"),
        ("\u0627\u0644\u0642\u0627\u0647\u0631\u0629", "Arabic"),
        ("\u5317\u4eac", "Chinese"),
        ("\u6771\u4eac\u306b\u884c\u3063\u305f", "Chinese"),  # as much kana as Han, and no Latin
        ("\uc11c\uc6b8", "Hangul"),
        ("x" * 2_000 + "\u0436" * 9_000, "Latin"),  # what is behind that is not looked at
    ],
)
def test_script(text: str, script: str):
    assert main_script(text) == script
