"""Windows of a text that is longer than is read at once, and what they leave unread.

It knows lengths and limits, neither prompts nor what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.errors import TextTooLong
from onepass.models.family import Closer, Text
from onepass.results.coverage import Coverage
from onepass.schema.options import OnLong
from onepass.text.windows import Window, plan_windows

_WINDOW_PIECES = 640  # of a text that does not fit at once: attention costs grow with the square
_OVERLAP_WORDS = 48
_LONGER = 1.25  # times the words of a shorter window, from which on those pay


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Texts with the windows in which they are read.

    Attributes:
        texts: in words and pieces.
        whole: of each text the windows in which everything is asked.
        closer: of each text those in which something is asked once more.
    """

    texts: Sequence[Text]
    whole: Sequence[list[Window]]
    closer: Sequence[list[Window]]

    @property
    def windows(self) -> list[list[Window]]:
        """Of each text both, in this order."""
        return [[*own, *more] for own, more in zip(self.whole, self.closer, strict=True)]


def cut_texts(
    texts: Sequence[Text],
    room: int,
    most: int | None,
    on_long: OnLong,
    closer: Closer | None,
    first: int | None,
) -> Cut:
    """Return texts with their windows.

    Args:
        texts: in words and pieces.
        room: pieces that are left beside the longest prompt.
        most: words of a window; None where only pieces count.
        on_long: "window", "error" or "truncate", see `Extractor.extract`.
        closer: what is asked once more; None if nothing is.
        first: number of the first text, by which errors name texts; None if it is the only one.

    Raises:
        TextTooLong: see `windows_of`.
    """
    numbers = [None] * len(texts) if first is None else range(first, first + len(texts))
    whole = [
        windows_of(text, room, most, on_long, number)
        for text, number in zip(texts, numbers, strict=True)
    ]
    more = [
        closer_windows(text, own[-1].end, room, closer)
        for text, own in zip(texts, whole, strict=True)
    ]
    return Cut(texts, whole, more)


def windows_of(
    text: Text, room: int, most: int | None, on_long: OnLong, number: int | None = None
) -> list[Window]:
    """Return the windows of a text.

    Args:
        text: in words and pieces.
        room: pieces that are left beside the longest prompt.
        most: words of a window; None where only pieces count.
        on_long: "window", "error" or "truncate", see `Extractor.extract`.
        number: of the text among several, as errors name it.

    Raises:
        TextTooLong: for a text that is not read at once, or not whole, if that is an error.
    """
    unread = int(text.cut.sum())
    name = "The text" if number is None else f"Text {number}"
    if on_long == "error" and unread:
        raise TextTooLong(
            f"{name} has words that are too long to be read whole ({unread} characters in "
            "all); break them with blanks, or read all but them with on_long='window'.",
            number,
        )
    longest = int(text.lengths.max(initial=0))  # a word is never cut between windows
    size = max(min(room, _WINDOW_PIECES), longest)
    windows = plan_windows(text.lengths, size, overlap=_OVERLAP_WORDS, whole=room, most=most)
    if len(windows) == 1 or on_long == "window":
        return windows
    if on_long == "error":
        words = "" if most is None else f" and {len(text.lengths)} words"
        limit = "" if most is None else f" pieces and {most} words"
        raise TextTooLong(
            f"{name} has {int(text.lengths.sum())} pieces{words}, but {room}{limit} fit "
            "beside this schema; shorten it, or read it with on_long='window'.",
            number,
        )
    fits = int(np.searchsorted(np.cumsum(text.lengths), room, side="right"))
    return [Window(0, fits if most is None else min(fits, most))]


def closer_windows(text: Text, end: int, room: int, closer: Closer | None) -> list[Window]:
    """Return the windows in which something is asked once more; none for a short text.

    A window has half as many words as the longest of its prompts has pieces, at least: of shorter
    ones, reading the prompts again and again would be most of the work.

    Args:
        text: in words and pieces.
        end: of the words that are read.
        room: pieces that are left beside the longest prompt.
        closer: what is asked once more; None if nothing is.
    """
    if closer is None:
        return []
    words = max(closer.words, *(prompt.pieces // 2 for prompt in closer.prompts))
    if end <= words * _LONGER:
        return []
    return plan_windows(text.lengths[:end], room, overlap=words // 3, most=words)


WindowKey = tuple[bool, str, bytes, bytes, bool]


def window_keys(cut: Cut, number: int) -> list[WindowKey]:
    """Return all that the findings of each window of a text can depend on, but for what is asked.

    That is whether it is one of those in which something is asked once more, its characters with
    the blanks around them, its words and their pieces, and whether the text ends with it.

    Args:
        cut: texts with their windows.
        number: of the text, from 0.
    """
    text, whole = cut.texts[number], len(cut.whole[number])
    words = text.words
    keys = []
    for w, window in enumerate(cut.windows[number]):
        own, last = slice(window.start, window.end), window.end == len(words)
        start = int(words.ends[window.start - 1]) if window.start else 0
        end = len(words.text) if last else int(words.starts[window.end])
        places = np.concatenate([words.starts[own], words.ends[own]]) - start
        pieces = np.concatenate([text.lengths[own], text.cut[own]])
        chars = words.text[start:end]
        keys.append((w < whole, chars, places.tobytes(), pieces.tobytes(), last))
    return keys


def coverage_of(text: Text, windows: Sequence[Window]) -> Coverage:
    """Return how much of a text its windows read."""
    words = text.words
    chars, end = len(words.text), windows[-1].end
    unread, whole = int(text.cut[:end].sum()), end == len(words)
    reached = chars if whole else int(words.ends[end - 1]) if end else 0
    return Coverage(chars, reached - unread, len(windows), not whole or unread > 0)
