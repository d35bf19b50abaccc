"""What stands around a number and belongs to it: a minus, parentheses, the sign of a currency.

A minus is never lost: it counts, or the text is refused. This module reads no digits.
"""

from __future__ import annotations

import re
from itertools import pairwise

from onepass.typed.unreadable import UnreadableError

MINUS = "-−–‒‐‑﹣－➖˗"
# Marks of direction, of where a line may or must not end, and of how a sign is drawn. Between two
# letters or digits, and between a letter and a minus, they stay: they may be what parts them.
_UNSEEN = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff"
_UNSEEN_RUN = re.compile(
    rf"(?<![^\W_])(?<![{_UNSEEN}])[{_UNSEEN}]+|(?<=\d)[{_UNSEEN}]+(?=[{MINUS}])"
    rf"|[{_UNSEEN}]+(?![^\W_]|[{MINUS}{_UNSEEN}])"
)
_SYMBOL = "[$¢-¥֏؋৲৳฿៛\u20a0-\u20cf﷼＄￠￡￥￦]"
_CURRENCY = (
    f"(?:[^\\W\\d_]{{0,3}}{_SYMBOL}"
    "|(?<![^\\W_])(?:[A-Z]{3}|(?i:kr|fr|rs|sfr|kč|zł|euros?|dollars?|pounds?))(?![^\\W_])\\.?)"
)
_CURRENCY_LEFT = re.compile(rf"{_CURRENCY}\s*$")
_CURRENCY_RIGHT = re.compile(rf"\s*(?:{_CURRENCY}|%)")
_SIGN_LEFT = re.compile(rf"(?P<sign>[{MINUS}+]|(?<![^\W_])(?:minus|negative)(?=\s))\s*$", re.I)
_OPEN = re.compile(r"\(\s*$")
_MINUS_RIGHT = re.compile(rf"\s*[{MINUS}](?=\W|$)")
_MINUS_OUTSIDE = re.compile(
    rf"(?:(?<![{MINUS}—\w)\]%.])[{MINUS}]|(?<!\d\s)(?<![^\W_])(?i:minus)\s)(?:{_CURRENCY}\s?)?$"
)
_CENTS_MINUS = re.compile(rf"(?<=[.,]\d\d)[{MINUS}](?=\s|$)")
_FARTHEST = 16  # characters from a number to its minus
_BELOW = r"(?<![^\W_])(?:below|under|sub)[\s-](?:zero|freezing)\b"
_BELOW_ZERO = re.compile(_BELOW, re.IGNORECASE)
_BELOW_ZERO_OUTSIDE = re.compile(
    rf"\s?(?:°\s?[CF]?|degrees?(?:\s(?:celsius|fahrenheit))?)?\s?{_BELOW}", re.IGNORECASE
)
_MEANS_NOTHING = " \t\n.,;:!?"
_NO_CENTS = re.compile(rf"[.,]\s?[{MINUS}—]+")  # 20.- francs, 5,– euros
_NO_CENTS_OUTSIDE = re.compile(rf"(?<=\d)[.,][{MINUS}—]+(?!\w)")


def has_currency(text: str) -> bool:
    """Return whether a text holds the sign of a currency, such as $ or €.

    >>> has_currency("5 €"), has_currency("5 m")
    (True, False)
    """
    return re.search(_SYMBOL, text) is not None


def without_currency(text: str) -> str:
    """Return a text without the currency that it begins with.

    >>> without_currency(" € million"), without_currency(" million")
    (' million', ' million')
    """
    return re.sub(rf"^\s*{_CURRENCY}", "", text)


def no_cents(after: str) -> bool:
    """Return whether what follows digits says that they are whole: 1.299,- is more than a thousand.

    >>> no_cents(",- EUR"), no_cents("-"), no_cents(", two")
    (True, False, False)
    """
    return _NO_CENTS.match(after) is not None


def is_below_zero(after: str) -> bool:
    """Return whether what follows a number says in words that it is negative.

    >>> is_below_zero(" degrees below zero"), is_below_zero(" below the roof")
    (True, False)
    """
    return _BELOW_ZERO.search(after) is not None


def without_unseen(text: str) -> str:
    """Return a text without characters that nobody sees, which may stand between sign and number.

    >>> without_unseen("(\u200e75) \u2060EUR\u200f"), len(without_unseen("75\u200b80"))
    ('(75) EUR', 5)
    """
    return text if text.isascii() else _UNSEEN_RUN.sub("", text)


def with_minus(text: str, start: int, end: int) -> str:
    """Return the number at a place together with a minus that stands directly outside it.

    A span is made of words, and a model may leave out the sign before them. Parentheses around a
    span are no minus: most are an aside. The dash of an amount without cents is added as well, and
    so are words that say that it is below zero. Characters that nobody sees are left out.

    >>> text = "Balance -$75, limit $20, debt 1,299.50- EUR"
    >>> with_minus(text, 9, 12), with_minus(text, 20, 23), with_minus(text, 30, 38)
    ('-$75', '$20', '1,299.50-')
    >>> with_minus("for € 1.299,- only", 4, 11)
    '€ 1.299,-'
    """
    # Around the span more than a minus may be away is taken, since some of it is not seen.
    cuts = (max(0, start - 4 * _FARTHEST), start, end, end + 4 * _FARTHEST)
    left, inner, right = (without_unseen(text[first:last]) for first, last in pairwise(cuts))
    text, start, end = left + inner + right, len(left), len(left + inner)
    before = _MINUS_OUTSIDE.search(text, max(0, start - _FARTHEST), start)
    outside = (_CENTS_MINUS, _NO_CENTS_OUTSIDE, _BELOW_ZERO_OUTSIDE)
    after = next(filter(None, (one.match(text, end) for one in outside)), None)
    return text[before.start() if before else start : after.end() if after else end]


def read_sign(before: str, after: str, joined: str | None = None) -> tuple[bool, str, str]:
    """Return whether a number is negative, and what its text holds besides it.

    Args:
        before: the text up to the digits.
        after: the text from behind the number and its size.
        joined: letters, those of a currency, that may be joined to the number on its left.

    Returns:
        Whether it is negative; what stands before the number and its sign, currency included;
        what follows both.

    Raises:
        UnreadableError: if the number is joined to a letter, or a sign may or may not belong to it.

    >>> read_sign("balance -$", "."), read_sign("", "-"), read_sign("(", " EUR)")
    ((True, 'balance $', '.'), (True, '', ''), (True, '', ' EUR'))
    >>> read_sign("", "-year plan"), read_sign("(", " doors)")
    ((False, '', '-year plan'), (False, '(', ' doors)'))
    """
    signs: list[str] = []
    rest, currency, is_open = _peeled(before, signs, joined)
    tail = after
    cents = _NO_CENTS.match(tail)
    if cents is not None:
        tail = tail[cents.end() :]
    trailing = _MINUS_RIGHT.match(tail)
    unit = _CURRENCY_RIGHT.match(tail)
    if trailing is None and unit is not None:
        trailing = _MINUS_RIGHT.match(tail, unit.end())
    if trailing is not None:
        is_apart = trailing[0][0].isspace()
        is_last = not _bare(tail[trailing.end() :]).strip(")")
        if is_apart == is_last:  # "5 -" or "5- lamps"; "5 - lamps" has a dash, "5-" a minus
            raise UnreadableError("its minus may be a dash.")
        if is_last:
            signs.append(trailing[0])
            tail = tail[: trailing.start()] + tail[trailing.end() :]
    if is_open:
        inner, closed, outer = tail.partition(")")
        if not closed:
            raise UnreadableError("its parenthesis has no end.")
        if _bare(inner):  # words in parentheses, no amount of an account
            return _negative(signs), f"{rest}({currency}", tail
        if _bare(outer) or rest.strip(_MEANS_NOTHING):
            raise UnreadableError("its parentheses may be a minus or not.")
        signs.append("(")
        tail = inner + outer
    return _negative(signs), rest + currency, tail


def _bare(text: str) -> str:
    """Return what follows a number, a currency or a percent sign aside."""
    return _CURRENCY_RIGHT.sub("", text, count=1).strip(_MEANS_NOTHING)


def _negative(signs: list[str]) -> bool:
    if len(signs) > 1:
        raise UnreadableError("it has more than one sign.")
    return bool(signs) and signs[0] != "+"


def _peeled(before: str, signs: list[str], joined: str | None) -> tuple[str, str, bool]:
    """Return what is left of a text when signs, a currency and a parenthesis are taken off its end.

    The signs are added to ``signs``.
    """
    rest, currency, is_open, direct = before, "", False, True
    while True:
        if direct and re.search(r"\w$", rest):
            if not joined or currency or not rest.endswith(joined):
                raise UnreadableError("it is part of a word.")
            rest, currency = rest[: -len(joined)], joined
            continue
        sign = _SIGN_LEFT.search(rest)
        money = None if currency else _CURRENCY_LEFT.search(rest)
        opened = None if is_open else _OPEN.search(rest)
        if sign is not None:
            is_dash, gap = len(sign["sign"]) == 1, len(sign[0]) > 1
            rest = rest[: sign.start()]
            if is_dash and gap and rest.strip():
                raise UnreadableError("its minus may be a dash.")
            signs.append(sign["sign"])
            direct = is_dash
        elif money is not None:
            currency, rest = money[0], rest[: money.start()]
            direct = False
        elif opened is not None:
            rest, is_open = rest[: opened.start()], True
            direct = False
        else:
            break
    if rest.endswith("±") or re.match(rf"\s*[{MINUS}](?!\s)", rest):
        raise UnreadableError("its sign is not understood.")
    return rest, currency, is_open
