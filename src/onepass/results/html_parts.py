"""The parts of a page that shows an extraction: its text, classes, records and relations.

Foreign text is escaped, always. What can be hidden by its score says so in ``data-score``.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush

from onepass.results.arcs import LINE, Drawing, draw_arcs
from onepass.results.types import Entity, Extraction, FieldValue, Value
from onepass.results.values import values_in
from onepass.results.wording import called, none_fits

_LANES = 8  # underlines drawn below each other; what lies deeper is in the tooltip only
_NOT_HTML = re.compile("[\x00\ud800-\udfff]")


def escape(text: str) -> str:
    """Make text safe between tags and in quoted attributes; a parser gives it back unchanged."""
    clean = _NOT_HTML.sub("\ufffd", text)
    return html.escape(clean, quote=True).replace("\r", "&#13;")  # a bare CR would become LF


def legend(doc: Extraction, colors: dict[str, str]) -> str:
    """The labels, each with its color and how often it was found."""
    keys = (
        f'<span class="key" style="--c:{colors[label]}"><bdi>{escape(label)}</bdi> '
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


def highlight(doc: Extraction, colors: dict[str, str]) -> str:
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
            label, color = escape(called(entities[row])), colors[entities[row].label]
            score = f'data-score="{entities[row].score:.3f}"'
            out.append(
                f'<span class="tag" {score} style="--c:{color}" data-label="{label}"></span>'
            )
        active = sorted([*active, *starting[cut]], key=lanes.__getitem__)
        through = [(lanes[row], entities[row]) for row in active]
        out.append(_mark(escape(doc.text[cut:following]), through, colors))
    depth = min(_LANES, 1 + max(lanes.values(), default=-1))
    return f'<div class="text" dir="auto" style="--lanes:{depth}">{"".join(out)}</div>'


def _mark(piece: str, active: Sequence[tuple[int, Entity]], colors: dict[str, str]) -> str:
    """A piece of text under the lines of the entities that run through it, given by lane."""
    if not active:
        return piece
    title = "; ".join(f"{called(e)} {e.score:.3f} ({e.start}:{e.end})" for _, e in active)
    drawn = [(lane, entity) for lane, entity in active if lane < _LANES]
    depth = 4 * (1 + max((lane for lane, _ in drawn), default=0))  # pixels below the letters
    layers = [
        f"linear-gradient(var(--l{n}),var(--l{n})) "
        f"0 calc(100% - {depth - 4 * lane - 4}px)/100% 3px no-repeat"
        for n, (lane, _) in enumerate(drawn)
    ]
    layers += ["linear-gradient(var(--t),var(--t))"] if drawn else []  # a light tint
    style = "".join(f"--l{n}:{colors[entity.label]};" for n, (_, entity) in enumerate(drawn))
    style += "".join(f"--t:{colors[entity.label]}22;" for _, entity in drawn[:1])
    style += f"padding-bottom:{depth}px;background:{','.join(layers)}"
    scores = " ".join(f"{entity.score:.3f}" for _, entity in drawn)
    return f'<mark title="{escape(title)}" data-scores="{scores}" style="{style}">{piece}</mark>'


def classes_html(doc: Extraction) -> str:
    """The answers about the whole text, with a bar for each score."""
    out = []
    for task, answer in doc.classifications.items():
        chosen = {choice.label for choice in answer.labels}
        rows = []
        for label, score in answer.scores.items():
            name = f"<bdi>{escape(label)}</bdi>"
            name = f"<b>✓ {name}</b>" if label in chosen else name
            bar = f'<td class="bar"><i style="--w:{100 * score:.1f}%"></i></td>'
            rows.append(f"<tr><td>{name}</td>{bar}<td>{score:.3f}</td></tr>")
        none = f"<p>{none_fits(answer)}</p>" if not answer.labels and answer.fit is not None else ""
        out.append(f"<h2>Class: {escape(task)}</h2>{none}<table>{''.join(rows)}</table>")
    return "".join(out)


def records_html(doc: Extraction) -> str:
    """A table for each structure."""
    out = []
    for name, records in doc.records.items():
        columns = list(dict.fromkeys(key for record in records for key in record))
        head = "".join(f"<th><bdi>{escape(column)}</bdi></th>" for column in columns)
        rows = (
            "".join(f"<td>{_cell(record.get(column))}</td>" for column in columns)
            for record in records
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        table = f"<table><tr>{head}</tr>{body}</table>" if records else "<p>none</p>"
        out.append(f"<h2>Records: {escape(name)}</h2>{table}")
    return "".join(out)


def _cell(held: FieldValue) -> str:
    return ", ".join(_value_html(value) for value in values_in(held))


def _value_html(value: Value) -> str:
    place = "choice" if value.start is None else f"{value.start}:{value.end}"
    score = f"{value.score:.3f}"
    return f'<bdi title="{score} ({place})" data-score="{score}">{escape(value.text)}</bdi>'


def relations_html(doc: Extraction, colors: dict[str, str]) -> str:
    """The relations as arcs over their places, and as a list."""
    rows = "".join(
        f'<li data-score="{r.score:.3f}">{_value_html(r.head)}'
        f'<span class="arrow">— <bdi>{escape(r.type)}</bdi> →</span>'
        f"{_value_html(r.tail)} <small>{r.score:.3f}</small></li>"
        for r in doc.relations
    )
    return f"<h2>Relations</h2>{_svg(draw_arcs(doc), doc, colors)}<ul>{rows}</ul>" if rows else ""


def _svg(drawing: Drawing, doc: Extraction, colors: dict[str, str]) -> str:
    if not drawing.arcs:
        return ""
    labels = {(entity.start, entity.end): entity.label for entity in doc.entities}
    parts = []
    for node in drawing.nodes:
        x, half, y = node.x, node.width / 2, drawing.base + LINE
        label = labels.get((node.start, node.end))
        line = "" if label is None else (
            f'<path d="M{x - half:.1f} {y + 5} H{x + half:.1f}" style="--c:{colors[label]}"/>'
        )  # fmt: skip
        parts.append(f'<g>{line}<text x="{x:.1f}" y="{y}">{escape(node.text)}</text></g>')
    for arc in drawing.arcs:
        y, top = drawing.base, drawing.base - arc.height
        middle, bend = (arc.start + arc.end) / 2, drawing.base - arc.height * 4 / 3
        parts.append(
            f'<g class="arc" data-score="{arc.score:.3f}"><title>{escape(arc.label)} '
            f"{arc.score:.3f}</title>"
            f'<path d="M{arc.start:.1f} {y} C{arc.start:.1f} {bend:.1f} {arc.end:.1f} {bend:.1f} '
            f'{arc.end:.1f} {y}"/>'
            f'<path class="tip" d="M{arc.end:.1f} {y + 2} l-4 -8 h8 z"/>'
            f'<text x="{middle:.1f}" y="{top - 3:.1f}">{escape(arc.label)}</text></g>'
        )
    width, height = drawing.width, drawing.base + LINE + 10
    return (
        f'<div class="arcs"><svg width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">{"".join(parts)}</svg></div>'
    )
