"""The table of letters that stand without blanks agrees with the names of the characters."""

from __future__ import annotations

import re
import unicodedata

from onepass.text.marks import mark_class, range_class
from onepass.text.scripts import LETTER_RANGES, STACKERS, TRAILING

NAMES = (
    "THAI ", "LAO ", "MYANMAR ", "KHMER ", "HIRAGANA ", "KATAKANA ", "KATAKANA-HIRAGANA ",
    "HALFWIDTH KATAKANA", "HENTAIGANA ", "VERTICAL KANA ", "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH", "IDEOGRAPHIC ", "VERTICAL IDEOGRAPHIC ", "HANGZHOU NUMERAL",
    "MASU MARK",
)  # fmt: skip


def test_letters_are_those_of_the_scripts() -> None:
    letters = re.compile(f"[{range_class(LETTER_RANGES)}]")
    for char in map(chr, range(0x110000)):
        kind = unicodedata.category(char)
        named = unicodedata.name(char, "").startswith(NAMES)
        if kind in ("Lo", "Lm", "Nl"):
            assert (letters.match(char) is not None) == named, hex(ord(char))
        else:  # no mark, no digit, no sign; of what is not assigned yet, some
            assert letters.match(char) is None or kind == "Cn", hex(ord(char))


def test_parts_of_clusters_are_letters_or_marks() -> None:
    assert re.fullmatch(f"[{range_class(LETTER_RANGES)}]+", TRAILING)
    assert re.fullmatch(f"[{mark_class()}]+", STACKERS)
