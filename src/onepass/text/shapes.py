"""Shapes of words: what lower case and pieces do not keep, as one small number a word.

A shape says which kind of characters a word has (capitals, digits, signs) and what stands before it
(nothing, a space, a wider gap, the end of a line, an empty line). Encoders whose vocabulary has no
capitals and no line breaks are told of both this way. This module knows nothing about tokenizers or
models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onepass.text.words import Words

KINDS = ("sign", "number", "code", "lower", "title", "upper", "mixed")
GAPS = ("none", "space", "wide", "line", "paragraph")
SHAPES = len(KINDS) * len(GAPS)
SIGN = 0  # a sign that nothing separates from the word before it, such as a full stop

_UPPER, _LOWER, _LETTER, _DIGIT = 1, 2, 4, 8  # letters without case have the third alone
_BREAK, _TAB, _SPACE = 16, 32, 64
_UNKNOWN = 255
_BREAKS = "\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_RETURN, _NEWLINE = ord("\r"), ord("\n")
_table = np.full(0x110000, _UNKNOWN, dtype=np.uint8)  # what each character is, as they come

Bits = NDArray[np.uint8]


def word_shapes(words: Words) -> NDArray[np.int64]:
    r"""Return the shapes of the words of a text.

    Args:
        words: all words of the text, but for those that are not to be seen.

    Returns:
        (words,) numbers below `SHAPES`: the number of the gap before the word among `GAPS` times
        the number of `KINDS`, plus the number of its kind. The first word of a text begins a line.

    >>> from onepass.text.words import split_words
    >>> words = split_words("IBM paid $3.\n\nTim  left 3M")
    >>> [f"{GAPS[n // 7]} {KINDS[n % 7]}" for n in word_shapes(words)]
    ['line upper', 'space lower', 'space sign', 'none number', 'none sign', 'paragraph title',
     'wide lower', 'space code']
    """
    bits, starts, ends = _bits(words.text), words.starts, words.ends
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    return _gaps(bits, starts, ends) * len(KINDS) + _kinds(bits, starts, ends)


def _kinds(bits: Bits, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (words,) numbers of kinds."""
    uppers = _counts(bits & _UPPER != 0, starts, ends)
    lowers = _counts(bits & _LOWER != 0, starts, ends)
    letters = uppers + lowers + _counts(bits & _LETTER != 0, starts, ends) > 0
    digits = _counts(bits & _DIGIT != 0, starts, ends) > 0
    title = (uppers == 1) & (bits[starts] & _UPPER != 0)
    cases = [~letters & ~digits, ~letters, digits, uppers == 0, title, lowers == 0]
    kinds: NDArray[np.int64] = np.select(cases, range(len(cases)), default=len(cases))
    return kinds


def _gaps(bits: Bits, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (words,) numbers of gaps."""
    before = np.concatenate([starts[:1], ends[:-1]])  # where the gap before each word begins
    breaks = _counts(bits & _BREAK != 0, before, starts)
    spaces = _counts(bits & _SPACE != 0, before, starts)
    wide = (spaces > 1) | (_counts(bits & _TAB != 0, before, starts) > 0)
    cases = [breaks > 1, breaks == 1, wide, spaces == 1]
    gaps: NDArray[np.int64] = np.select(cases, (4, 3, 2, 1), default=0)
    gaps[0] = GAPS.index("line")
    return gaps


def _counts(
    marks: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many marks stand in each half-open range."""
    sums: NDArray[np.int64] = np.concatenate([[0], np.cumsum(marks)])
    return np.asarray(sums[ends] - sums[starts])


def _bits(text: str) -> Bits:
    """Return (characters,) what each character is."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    bits: Bits = _table[codes]
    new = bits == _UNKNOWN
    if new.any():
        for code in set(codes[new].tolist()):
            _table[code] = _bits_of(chr(code))
        bits = _table[codes]
    lone = (codes == _RETURN) & (np.append(codes[1:], 0) != _NEWLINE)
    bits[lone] = _BREAK
    return bits


def _bits_of(char: str) -> int:
    if char.isupper():
        return _UPPER
    if char.islower():
        return _LOWER
    if char.isalpha():
        return _LETTER
    if char.isdigit():
        return _DIGIT
    if char in _BREAKS:
        return _BREAK
    if char == "\t":
        return _TAB
    return _SPACE if char.isspace() else 0
