"""The ways to read a text in which patterns look for values, and the places of what they find.

A text is read as it is, in ASCII, without invisible characters, and over the ends of its lines. It
does not know what is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps

from onepass.redact.checks import DASHES
from onepass.redact.plain import HIDING, plain, visible

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]

_NEAR = 64  # characters on both sides of a line's end: more than a value with groups has
# A line goes on behind blanks, and in a mail that is quoted behind its marks.
_NEXT_LINE = re.compile(r"\r?\n[ \t>]{0,20}(?=[0-9A-Za-z])")
_CUT_GROUP = re.compile(rf"(?:[0-9A-Z]{{4}}|[A-Za-z]{{2}}[0-9]{{2}}|[0-9A-Z]{{2}}[{DASHES}])$")
_LONGEST_CUT = 4
_DASH = re.compile(f"[{DASHES}]")


def plainly(what: re.Pattern[str]) -> Callable[[Finder], Finder]:
    """Return a decorator with which a finder reads a text also as it looks: see `plain`, `visible`.

    It reads it as it is, too: wide signs and invisible ones beside a value may be borders that
    those of ASCII are not.

    Args:
        what: is read as ASCII, see `plain`.
    """

    def decorated(find: Finder) -> Finder:
        @wraps(find)
        def find_all(text: str) -> Iterator[Span]:
            if text.isascii():
                yield from find(text)
                return
            found = {*find(text)}
            other = plain(text, what)
            if other != text:
                found.update(find(other))
            if HIDING.search(text):
                shown, places = visible(text)
                for one in {shown, plain(shown, what)}:
                    found.update((places[start], places[end - 1] + 1) for start, end in find(one))
            yield from sorted(found)

        return find_all

    return decorated


def _always(_before: str, _value: str) -> bool:
    return True


def over_lines(
    begun: re.Pattern[str],
    is_sure: Callable[[str, str], bool] = _always,
) -> Callable[[Finder], Finder]:
    """Return a decorator with which a finder also finds what begins on a line and ends on the next.

    Args:
        begun: matches at the end of each line on which a value may have begun; others are not read
            again, since rows of numbers are many.
        is_sure: tells from what stands before a value on its line, and from the value as it would
            be on one line, whether that is no accident of what two lines hold.
    """

    def decorated(find: Finder) -> Finder:
        @wraps(find)
        def find_all(text: str) -> Iterator[Span]:
            yield from find(text)
            for match in _NEXT_LINE.finditer(text):
                first = max(0, match.start() - _NEAR)
                first = max(first, text.rfind("\n", first, match.start()) + 1)
                head = text[first : match.start()].rstrip(" \t")
                if not _CUT_GROUP.search(head[-_LONGEST_CUT:]) or not begun.search(head):
                    continue
                tail = text[match.end() : match.end() + _NEAR].partition("\n")[0]
                joint = "" if _DASH.match(head[-1]) else " "
                whole, next_one = head + joint + tail, len(head) + len(joint)
                for start, end in find(whole):
                    over = start < len(head) and next_one < end
                    if over and is_sure(whole[:start], whole[start:end]):
                        yield first + start, match.end() + end - next_one

        return find_all

    return decorated


def together(*finders: Finder) -> Finder:
    """Return a finder of what any of some finders finds."""

    def find(text: str) -> Iterator[Span]:
        for one in finders:
            yield from one(text)

    return find
