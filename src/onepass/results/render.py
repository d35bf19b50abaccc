"""Extractions for people to look at: an aligned table for a terminal, a page for a browser.

Both show foreign text, so nothing of it reaches the terminal or the page as anything but text. This
file knows nothing about files, terminals or notebooks; it returns strings.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from zlib import crc32

from onepass.results.types import Classification, Entity, Extraction, FieldValue, Value

# Paul Tol's "muted" scheme: told apart under the common kinds of color blindness.
PALETTE = (
    "#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee",
    "#882255", "#44aa99", "#999933", "#aa4499",
)  # fmt: skip
_LANES = 8  # underlines drawn below each other; what lies deeper is in the tooltip only
_CELL = 60  # columns of a terminal that one cell may take

_CSS = """
.onepass{font:15px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas;max-width:60rem}
.onepass h2{font-size:1rem;margin:1.2rem 0 .4rem}
.onepass .text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;text-align:start;
 line-height:calc(1.9em + var(--lanes)*4px);border:1px solid #8886;border-radius:4px;padding:.6rem}
.onepass mark{color:inherit;background:none;-webkit-box-decoration-break:clone;
 box-decoration-break:clone}
.onepass .tag::after{content:attr(data-label);font-size:.68em;font-weight:600;margin:0 .25em;
 padding:.1em .35em;border-radius:3px;border:1px solid var(--c);background:Canvas;
 unicode-bidi:isolate}
.onepass .key{display:inline-block;margin:0 .8em .3em 0;border-bottom:4px solid var(--c)}
.onepass table{border-collapse:collapse}
.onepass th,.onepass td{border:1px solid #8886;padding:.2rem .5rem;text-align:start;
 vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}
.onepass .bar{width:12rem}
.onepass .bar i{display:block;height:.8em;margin-top:.35em;background:#117733;width:var(--w)}
.onepass .arrow{color:#777;margin:0 .4em}
.onepass small{color:#777}
"""
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{title}</title><style>{css}</style></head>
<body>{body}</body></html>
"""

# Control characters, surrogates, line separators, and what turns the direction of a whole line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NOT_HTML = re.compile("[\x00\ud800-\udfff]")


def to_table(doc: Extraction) -> str:
    """Return an extraction as aligned plain text.

    Args:
        doc: what to show.

    Returns:
        One section for each kind of finding that is there, and a line that says what was read.
        Control characters are shown as escapes, long values are shortened.

    >>> from onepass.results.types import Classification, Entity
    >>> doc = Extraction("Tim Cook", entities=(Entity("person", "Tim Cook", 0, 8, 0.97),))
    >>> print(to_table(doc))
    Entities
      person  Tim Cook  0:8  0.970
    <BLANKLINE>
    0 of 0 characters read in 0 windows.
    """
    sections: list[list[str]] = []
    if doc.entities:
        rows = [(_called(e), e.text, f"{e.start}:{e.end}", f"{e.score:.3f}") for e in doc.entities]
        sections.append(["Entities", *_aligned(rows)])
    for task, answer in doc.classifications.items():
        chosen = {choice.label for choice in answer.labels}
        marks = [("*" if k in chosen else "", k, f"{s:.3f}") for k, s in answer.scores.items()]
        none = [f"  {words}"] if (words := _none_fits(answer)) else []
        sections.append([f"Class: {_printable(task)}", *none, *_aligned(marks)])
    for name, records in doc.records.items():
        columns = list(dict.fromkeys(key for record in records for key in record))
        cells = [[_joined(record.get(key)) or "-" for key in columns] for record in records]
        shown = _aligned([columns, *cells]) if records else ["  none"]
        sections.append([f"Records: {_printable(name)}", *shown])
    if doc.relations:
        pairs = [(r.head.text, r.type, r.tail.text, f"{r.score:.3f}") for r in doc.relations]
        arrows = [(head, f"-- {kind} ->", tail, score) for head, kind, tail, score in pairs]
        sections.append(["Relations", *_aligned(arrows)])
    sections.append(([] if sections else ["Nothing was found."]) + [_coverage(doc)])
    return "\n\n".join("\n".join(lines) for lines in sections)


def _called(entity: Entity) -> str:
    """Return the label of an entity, with its names where they say more."""
    names = [name.label for name in entity.names if name.label != entity.label]
    return f"{entity.label} ({', '.join(names)})" if names else entity.label


def _none_fits(answer: Classification) -> str:
    """Return the words for a task that abstained, nothing for others."""
    if answer.labels or answer.fit is None:
        return ""
    return f"none of these (the best fits {answer.fit:.3f})"


def _coverage(doc: Extraction) -> str:
    read = doc.coverage
    windows = "1 window" if read.windows == 1 else f"{read.windows} windows"
    cut = " The rest was cut off." if read.truncated else ""
    return f"{read.chars_read} of {read.chars} characters read in {windows}.{cut}"


def _values(held: FieldValue) -> tuple[Value, ...]:
    if isinstance(held, tuple):
        return held
    return () if held is None else (held,)


def _joined(held: FieldValue) -> str:
    return ", ".join(value.text for value in _values(held))


def _printable(text: str) -> str:
    """Show control characters as escapes, so that no text can steer a terminal."""
    shown = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
    return shown if len(shown) <= _CELL else shown[: _CELL - 1] + "…"


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    flat = (c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in flat)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    shown = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(_columns(cell) for cell in column) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        padded = (c + " " * (w - _columns(c)) for c, w in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(padded)).rstrip())
    return lines


def to_html(docs: Extraction | Iterable[Extraction], *, title: str = "onepass") -> str:
    """Return one self-contained page that shows extractions.

    The page loads nothing and runs nothing. Each text stands once, as it is; entities are
    underlined, those that overlap in lanes below each other. A label has the same color in every
    text of the page.

    Args:
        docs: one extraction, or several.
        title: the title of the page.

    Returns:
        The page. Characters that a page cannot hold (NUL, lone surrogates) show as U+FFFD.

    >>> "a &lt; b" in to_html(Extraction("a < b"))
    True
    """
    shown = [docs] if isinstance(docs, Extraction) else list(docs)
    colors = _colors(entity.label for doc in shown for entity in doc.entities)
    body = "\n".join(f'<div class="onepass">{_sections(doc, colors)}</div>' for doc in shown)
    return _PAGE.format(title=_escape(title), css=_CSS, body=body)


def to_fragment(doc: Extraction) -> str:
    """Return the same as `to_html` without the page around it, for a notebook.

    >>> to_fragment(Extraction("a")).startswith('<div class="onepass"><style>')
    True
    """
    colors = _colors(entity.label for entity in doc.entities)
    return f'<div class="onepass"><style>{_CSS}</style>{_sections(doc, colors)}</div>'


def _escape(text: str) -> str:
    """Make text safe between tags and in quoted attributes; a parser gives it back unchanged."""
    clean = _NOT_HTML.sub("\ufffd", text)
    return html.escape(clean, quote=True).replace("\r", "&#13;")  # a bare CR would become LF


def _colors(labels: Iterable[str]) -> dict[str, str]:
    """Give each label the color of its hash, or the next free one."""
    colors: dict[str, str] = {}
    free = list(range(len(PALETTE)))
    for label in sorted(set(labels)):
        free = free or list(range(len(PALETTE)))
        wanted = crc32(label.encode("utf-8", "surrogatepass")) % len(PALETTE)
        colors[label] = PALETTE[free.pop(next((i for i, c in enumerate(free) if c >= wanted), 0))]
    return colors


def _sections(doc: Extraction, colors: dict[str, str]) -> str:
    parts = [_legend(doc, colors), _highlight(doc, colors)]
    parts += [_classes_html(doc), _records_html(doc), _relations_html(doc)]
    return "".join(parts) + f"<p><small>{_coverage(doc)}</small></p>"


def _legend(doc: Extraction, colors: dict[str, str]) -> str:
    keys = (
        f'<span class="key" style="--c:{colors[label]}"><bdi>{_escape(label)}</bdi> '
        f"<small>{len(group)}</small></span>"
        for label, group in doc.entities_by_label().items()
    )
    return f'<div class="legend">{"".join(keys)}</div>'


def _lanes(doc: Extraction, rows: list[int]) -> dict[int, int]:
    """Give each entity the highest lane that is free over its whole length."""
    lanes: dict[int, int] = {}
    busy: list[tuple[int, int]] = []  # (end, lane)
    free: list[int] = []
    for row in rows:  # by start
        entity = doc.entities[row]
        while busy and busy[0][0] <= entity.start:
            heappush(free, heappop(busy)[1])
        lanes[row] = heappop(free) if free else len(busy)
        heappush(busy, (entity.end, lanes[row]))
    return lanes


def _highlight(doc: Extraction, colors: dict[str, str]) -> str:
    """The text, cut wherever an entity starts or ends; tags have no text of their own."""
    entities = doc.entities
    rows = [row for row, entity in enumerate(entities) if entity.start < entity.end]
    rows.sort(key=lambda row: (entities[row].start, -entities[row].end, entities[row].label))
    lanes = _lanes(doc, rows)
    starting: dict[int, list[int]] = defaultdict(list)
    ending: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        starting[entities[row].start].append(row)
        ending[entities[row].end].append(row)
    cuts = sorted({0, len(doc.text), *starting, *ending})
    active: list[int] = []
    out = []
    for cut, following in zip(cuts, [*cuts[1:], cuts[-1]], strict=True):
        for row in ending[cut]:
            active.remove(row)
            label, color = _escape(_called(entities[row])), colors[entities[row].label]
            out.append(f'<span class="tag" style="--c:{color}" data-label="{label}"></span>')
        active = sorted([*active, *starting[cut]], key=lanes.__getitem__)
        through = [(lanes[row], entities[row]) for row in active]
        out.append(_mark(_escape(doc.text[cut:following]), through, colors))
    depth = min(_LANES, 1 + max(lanes.values(), default=-1))
    return f'<div class="text" dir="auto" style="--lanes:{depth}">{"".join(out)}</div>'


def _mark(piece: str, active: Sequence[tuple[int, Entity]], colors: dict[str, str]) -> str:
    """A piece of text under the lines of the entities that run through it, given by lane."""
    if not active:
        return piece
    title = "; ".join(f"{_called(e)} {e.score:.3f} ({e.start}:{e.end})" for _, e in active)
    drawn = [(lane, colors[entity.label]) for lane, entity in active if lane < _LANES]
    depth = 4 * (1 + max((lane for lane, _ in drawn), default=0))  # pixels below the letters
    layers = [
        f"linear-gradient({c},{c}) 0 calc(100% - {depth - 4 * lane - 4}px)/100% 3px no-repeat"
        for lane, c in drawn
    ]
    layers += [f"linear-gradient({color}22,{color}22)" for _, color in drawn[:1]]  # a light tint
    style = f"padding-bottom:{depth}px;background:{','.join(layers)}"
    return f'<mark title="{_escape(title)}" style="{style}">{piece}</mark>'


def _classes_html(doc: Extraction) -> str:
    out = []
    for task, answer in doc.classifications.items():
        chosen = {choice.label for choice in answer.labels}
        rows = []
        for label, score in answer.scores.items():
            name = f"<bdi>{_escape(label)}</bdi>"
            name = f"<b>✓ {name}</b>" if label in chosen else name
            bar = f'<td class="bar"><i style="--w:{100 * score:.1f}%"></i></td>'
            rows.append(f"<tr><td>{name}</td>{bar}<td>{score:.3f}</td></tr>")
        none = (
            f"<p>{_none_fits(answer)}</p>" if not answer.labels and answer.fit is not None else ""
        )
        out.append(f"<h2>Class: {_escape(task)}</h2>{none}<table>{''.join(rows)}</table>")
    return "".join(out)


def _records_html(doc: Extraction) -> str:
    out = []
    for name, records in doc.records.items():
        columns = list(dict.fromkeys(key for record in records for key in record))
        head = "".join(f"<th><bdi>{_escape(column)}</bdi></th>" for column in columns)
        rows = (
            "".join(f"<td>{_cell(record.get(column))}</td>" for column in columns)
            for record in records
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        table = f"<table><tr>{head}</tr>{body}</table>" if records else "<p>none</p>"
        out.append(f"<h2>Records: {_escape(name)}</h2>{table}")
    return "".join(out)


def _cell(held: FieldValue) -> str:
    return ", ".join(_value_html(value) for value in _values(held))


def _value_html(value: Value) -> str:
    place = "choice" if value.start is None else f"{value.start}:{value.end}"
    return f'<bdi title="{value.score:.3f} ({place})">{_escape(value.text)}</bdi>'


def _relations_html(doc: Extraction) -> str:
    rows = "".join(
        f'<li>{_value_html(r.head)}<span class="arrow">— <bdi>{_escape(r.type)}</bdi> →</span>'
        f"{_value_html(r.tail)} <small>{r.score:.3f}</small></li>"
        for r in doc.relations
    )
    return f"<h2>Relations</h2><ul>{rows}</ul>" if rows else ""
