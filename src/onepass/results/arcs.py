"""Where the arcs of relations go: mentions on one line, an arc for each relation above them.

It computes places in a drawing and knows nothing about how they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from onepass.results.types import Extraction, Relation
from onepass.results.wording import columns

LINE = 18.0  # pixels from the feet of the arcs to the letters below
_LETTER = 7.9  # pixels of a letter of 13 px in a font of equal widths
_LABEL = 6.7  # and of one of 11 px
_GAP = 24.0  # between mentions
_LEVEL = 24.0  # between arcs over each other
_MOST = 40  # relations that are drawn; all are listed
_LONGEST = 24  # letters of a mention, of a label


@dataclass(frozen=True, slots=True)
class Node:
    """A mention: where it is in the text, its letters, its middle and its width in pixels."""

    start: int
    end: int
    text: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Arc:
    """A relation: from the x of its head to that of its tail, so many pixels high."""

    start: float
    end: float
    height: float
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Mentions and arcs; all arcs stand on the line ``base`` pixels below the top."""

    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    width: float
    base: float


def draw_arcs(doc: Extraction) -> Drawing:
    """Return where to draw the relations that have two places; the first 40 of them.

    >>> from onepass.results.types import Value
    >>> head, tail = Value("Bo", 0, 2, 0.9), Value("Al", 7, 9, 0.9)
    >>> drawing = draw_arcs(Extraction("Bo saw Al", relations=(Relation("saw", head, tail, 0.5),)))
    >>> [node.text for node in drawing.nodes], [arc.label for arc in drawing.arcs]
    (['Bo', 'Al'], ['saw'])
    """
    drawn = [(r, ends) for r in doc.relations if (ends := _ends(r)) is not None][:_MOST]
    places = sorted({place for _, ends in drawn for place in ends})
    if not places:
        return Drawing((), (), 0.0, 0.0)
    number = {place: n for n, place in enumerate(places)}
    pairs = [(number[head], number[tail], _shown(r.type)) for r, (head, tail) in drawn]
    texts = [_shown(doc.text[start:end]) for start, end in places]
    widths = [_LETTER * max(1, columns(text)) for text in texts]
    middles = _middles(widths, pairs)
    levels = _levels(pairs)
    arcs = tuple(
        Arc(middles[head], middles[tail], _LEVEL * level, label, r.score)
        for (r, _), (head, tail, label), level in zip(drawn, pairs, levels, strict=True)
    )
    nodes = tuple(
        Node(*place, text, x, width)
        for place, text, x, width in zip(places, texts, middles, widths, strict=True)
    )
    return Drawing(nodes, arcs, middles[-1] + widths[-1] / 2 + _GAP, _LEVEL * max(levels) + LINE)


def _ends(relation: Relation) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the places of head and tail, if both have one and they are two."""
    head, tail = relation.head, relation.tail
    if head.start is None or head.end is None or tail.start is None or tail.end is None:
        return None
    ends = (head.start, head.end), (tail.start, tail.end)
    return None if ends[0] == ends[1] else ends


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def _middles(widths: list[float], pairs: list[tuple[int, int, str]]) -> list[float]:
    """Place mentions from left to right, with room for the label between each pair."""
    middles: list[float] = []
    for n, width in enumerate(widths):
        x = _GAP + width / 2 if not n else middles[-1] + (widths[n - 1] + width) / 2 + _GAP
        for head, tail, label in pairs:
            if max(head, tail) == n:
                x = max(x, middles[min(head, tail)] + _LABEL * columns(label) + _GAP)
        middles.append(x)
    return middles


def _levels(pairs: list[tuple[int, int, str]]) -> list[int]:
    """Give each arc the least level above all shorter ones that share a stretch with it."""
    levels = [0] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda n: abs(pairs[n][0] - pairs[n][1]))
    for at, n in enumerate(order):
        low, high = sorted(pairs[n][:2])
        below = [
            levels[m] for m in order[:at] if min(pairs[m][:2]) < high and max(pairs[m][:2]) > low
        ]
        levels[n] = 1 + max(below, default=0)
    return levels
