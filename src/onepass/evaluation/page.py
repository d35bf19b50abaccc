"""Reports as one page for a browser: tables and SVG plots; nothing is loaded from outside.

It knows nothing about how scores are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from onepass.evaluation.comparison import differences
from onepass.evaluation.files import SuiteReport
from onepass.evaluation.run import Report
from onepass.evaluation.tables import format_number, mean_title, skipped_line
from onepass.results.wording import counted

_SIDE = 240  # of a plot's square, pixels
_PAD = 32
_ROWS = 60  # labels of a section that are shown

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>onepass eval</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem;
 color:CanvasText;background:Canvas}}
.wide{{overflow-x:auto}}table{{border-collapse:collapse;margin:.5rem 0 1.5rem}}
th,td{{padding:.15rem .7rem;border-bottom:1px solid #8886;text-align:right}}
th:first-child,td:first-child{{text-align:left;overflow-wrap:anywhere;min-width:7rem;
 max-width:24rem}}
.plots{{display:flex;flex-wrap:wrap;gap:1rem}}figure{{margin:0}}figcaption{{font-size:.85em}}
svg text{{font-size:11px;fill:CanvasText}}
</style></head><body><h1>onepass eval</h1>
{body}
</body></html>
"""


def report_page(reports: Mapping[str, SuiteReport]) -> str:
    """Return the reports of one or several models as a self-contained page.

    Args:
        reports: name of a model to what it scored; all of them on the same files.
    """
    first, *others = reports
    parts = list(_means(reports))
    for file, report in reports[first].reports.items():
        parts.append(f"<h2>{escape(file)}</h2>")
        if report.skipped:
            parts.append(f"<p>{counted(report.texts, 'text')}, {skipped_line(report.skipped)}</p>")
        for section in report.scores:
            scored = {
                name: own.reports[file]
                for name, own in reports.items()
                if section in own.reports[file].scores
            }
            rows = {
                name: {"texts": one.asked[section], **one.scores[section]}
                for name, one in scored.items()
            }
            parts.append(f"<h3>{escape(section)}</h3>{_table('model', rows)}")
            for name, one in scored.items():
                if others:
                    parts.append(f"<h4>{escape(name)}</h4>")
                parts += _about(one, section)
    for other in others:
        rows = {
            f"{file}, {section} {score}": {
                "difference": one.difference, "low": one.low, "high": one.high,
                "p value": one.p_value,
            }
            for file, own in differences(reports[first], reports[other]).items()
            for (section, score), one in own.items()
        }  # fmt: skip
        parts.append(f"<h2>{escape(other)} against {escape(first)}</h2>{_table('', rows)}")
    return _PAGE.format(body="\n".join(parts))


def _means(reports: Mapping[str, SuiteReport]) -> Iterator[str]:
    rows = {
        name: {f"mean {mean_title(key)}": value for key, value in report.means().items()}
        for name, report in reports.items()
    }
    if any(rows.values()):
        yield _table("model", rows)


def _about(report: Report, section: str) -> list[str]:
    """Return intervals, plots and details of one section of one file."""
    parts = []
    for score, (low, high) in report.per_text.intervals().get(section, {}).items():
        parts.append(
            f"<p>{escape(score)}: {low:.3f} to {high:.3f} in 95 % of the resampled sets of "
            "texts.</p>"
        )
    plots = [
        _bars(score, size, rows)
        for size, rows in report.per_text.breakdowns().get(section, {}).items()
        for score in sorted({score for row in rows.values() for score in row} - {"texts"})
    ]
    curve = report.reliability.get(section)
    if curve:
        plots.insert(0, _reliability(curve))
    parts.append(f'<div class="plots">{"".join(plots)}</div>')
    details = dict(list(report.details[section].items())[:_ROWS])
    if details:
        more = len(report.details[section]) - len(details)
        rest = f"<p>... and {more} more</p>" if more else ""
        parts.append(f"<details><summary>One by one</summary>{_table('', details)}{rest}</details>")
    return parts


def _table(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    head = "".join(f"<th>{escape(column.replace('_', ' '))}</th>" for column in (title, *columns))
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{format_number(row.get(column))}</td>" for column in columns)
        + "</tr>"
        for name, row in rows.items()
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _reliability(curve: Sequence[Mapping[str, float]]) -> str:
    """Return the share of right findings over their scores; honest scores lie on the diagonal."""
    most = max(one["findings"] for one in curve)
    dots = "".join(
        f'<circle cx="{_x(one["score"]):.1f}" cy="{_y(one["right"]):.1f}" '
        f'r="{3 + 7 * (one["findings"] / most) ** 0.5:.1f}" fill="#5b5bd6" fill-opacity="0.7">'
        f"<title>{one['findings']} findings with scores near {one['score']:.2f}: "
        f"{one['right']:.2f} are right</title></circle>"
        for one in curve
    )
    diagonal = (
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#888" '
        'stroke-dasharray="4"/>'
    )
    return _figure("share that is right, by score", diagonal + dots)


def _bars(score: str, size: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return one score of each range that has it as a bar."""
    rows = {name: row for name, row in rows.items() if score in row}
    wide = _SIDE / len(rows)
    parts = []
    for place, (name, row) in enumerate(rows.items()):
        value = row[score]
        left = _PAD + place * wide
        parts.append(
            f'<rect x="{left + 2:.1f}" y="{_y(value):.1f}" width="{wide - 4:.1f}" '
            f'height="{_y(0) - _y(value):.1f}" fill="#44aa99"><title>{escape(name)}: '
            f"{escape(score)} {value:.3f}, {int(row['texts'])} texts</title></rect>"
            f'<text x="{left + wide / 2:.1f}" y="{_y(0) + 14}" text-anchor="middle">'
            f"{escape(name.replace('over ', '>'))}</text>"
        )
    return _figure(f"{score.replace('_', ' ')} by {size}", "".join(parts), ticks=False)


def _figure(title: str, inside: str, *, ticks: bool = True) -> str:
    size = _SIDE + 2 * _PAD
    frame = (
        f'<rect x="{_PAD}" y="{_PAD}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#888"/>'
    )
    marks = "".join(
        f'<text x="{_PAD - 4}" y="{_y(at) + 4}" text-anchor="end">{at:g}</text>'
        + (f'<text x="{_x(at)}" y="{_y(0) + 14}" text-anchor="middle">{at:g}</text>' * ticks)
        for at in (0, 0.5, 1)
    )
    return (
        f'<figure><svg width="{size}" height="{size}" role="img" aria-label="{escape(title)}">'
        f"{frame}{marks}{inside}</svg><figcaption>{escape(title)}</figcaption></figure>"
    )


def _x(value: float) -> float:
    return _PAD + value * _SIDE


def _y(value: float) -> float:
    return _PAD + (1 - value) * _SIDE
