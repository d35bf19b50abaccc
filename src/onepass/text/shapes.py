"""Shapes of words: what lower case and pieces do not keep, as one small number a word.

A shape says which kind of characters a word has (capitals, digits, signs) and what stands before it
(nothing, a space, a wider gap, the end of a line, an empty line). Encoders whose vocabulary has no
capitals and no line breaks are told of both this way. This module knows nothing about tokenizers or
models.
"""

from __future__ import annotations

import numpy as np

from onepass.arrays import Array, Int64s, Uint8s
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


def word_shapes(words: Words) -> Int64s:
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


def _kinds(bits: Uint8s, starts: Int64s, ends: Int64s) -> Int64s:
    """Return (words,) numbers of kinds."""
    whole = _reduced(np.bitwise_or, bits, starts, ends)
    rest = _reduced(np.bitwise_or, bits, starts + 1, ends)  # without the first character
    only_first = bits[starts] & ~rest & _UPPER  # 1 where no other is upper
    kinds: Int64s = _KIND_OF[only_first, whole & (_UPPER | _LOWER | _LETTER | _DIGIT)]
    return kinds


def _gaps(bits: Uint8s, starts: Int64s, ends: Int64s) -> Int64s:
    """Return (words,) numbers of gaps."""
    before = np.concatenate([starts[:1], ends[:-1]])  # where the gap before each word begins
    breaks = _reduced(np.add, (bits & _BREAK != 0).astype(np.int64), before, starts)
    spaces = _reduced(np.add, (bits & _SPACE != 0).astype(np.int64), before, starts)
    wide = (spaces > 1) | (_reduced(np.bitwise_or, bits, before, starts) & _TAB != 0)
    gaps: Int64s = np.where(wide, 2, spaces)
    gaps = np.where(breaks > 0, np.minimum(breaks, 2) + 2, gaps)
    gaps[0] = GAPS.index("line")
    return gaps


def _reduced(ufunc: np.ufunc, values: Array, starts: Int64s, ends: Int64s) -> Array:
    """Return what a ufunc makes of each half-open range of values, 0 of an empty one.

    Args:
        ufunc: such as `np.add`.
        values: one more than the ranges reach to.
        starts: (ranges,) in ascending order.
        ends: (ranges,).
    """
    edges = np.stack((starts, ends), axis=1).ravel()
    return np.where(starts < ends, ufunc.reduceat(values, edges)[::2], 0).astype(values.dtype)


def _kind_of(bits: int, only_first: bool) -> int:
    """Return the number of the kind of a word.

    Args:
        bits: of all its characters.
        only_first: whether the first character is upper, and no other.
    """
    if not bits & (_UPPER | _LOWER | _LETTER):
        return KINDS.index("number" if bits & _DIGIT else "sign")
    if bits & _DIGIT:
        return KINDS.index("code")
    if not bits & _UPPER:
        return KINDS.index("lower")
    if only_first:
        return KINDS.index("title")
    return KINDS.index("mixed" if bits & _LOWER else "upper")


_KIND_OF = np.array([[_kind_of(bits, first) for bits in range(16)] for first in (False, True)])


def _bits(text: str) -> Uint8s:
    """Return (characters + 1,) what each character is; the last stands for the end."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    bits: Uint8s = _table[codes]
    new = bits == _UNKNOWN
    if new.any():
        for code in set(codes[new].tolist()):
            _table[code] = _bits_of(chr(code))
        bits = _table[codes]
    lone = (codes == _RETURN) & (np.append(codes[1:], 0) != _NEWLINE)
    bits[lone] = _BREAK
    return np.append(bits, np.uint8(0))


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
