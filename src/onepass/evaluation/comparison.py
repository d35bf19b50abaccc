"""Several models on the same files: what stands side by side, and which differences are real.

It knows nothing about how scores are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from onepass.evaluation.bootstrap import Difference, paired, rows_of
from onepass.evaluation.files import SuiteReport
from onepass.evaluation.pertext import Key
from onepass.evaluation.run import Report
from onepass.evaluation.tables import mean_title, section_tables, skipped_line, table

Differences = dict[str, dict[Key, Difference]]  # file to (section, score) to what was found


def differences(first: SuiteReport, second: SuiteReport) -> Differences:
    """Return how much better the second model is on each file, for each score that is a sum.

    Args:
        first: of the model that is compared with.
        second: of another model, on the same files.

    Raises:
        InputError: if the files held other texts.
    """
    return {file: _of_file(report, second.reports[file]) for file, report in first.reports.items()}


def _of_file(first: Report, second: Report) -> dict[Key, Difference]:
    none = rows_of([])
    return {
        key: paired(rows, second.per_text.rows.get(key, none))
        for key, rows in first.per_text.rows.items()
    }


def compared(reports: Mapping[str, SuiteReport]) -> str:
    """Return what several models score as text: a table a section, a row a file and model.

    Below it, each later model is compared with the first one.

    Args:
        reports: name of a model to what it scored; all of them on the same files.
    """
    first, *others = reports
    files = reports[first].reports
    rows = {
        name if len(files) == 1 else f"{file}, {name}": report.reports[file]
        for file in files
        for name, report in reports.items()
    }
    blocks = section_tables(rows)
    for other in others:
        lines = {
            f"{file}, {section} {score.replace('_', ' ')}": asdict(found)
            for file, own in differences(reports[first], reports[other]).items()
            for (section, score), found in own.items()
        }
        blocks.append(f"{other} against {first}\n" + table("", lines))
    lasts = []
    for name, report in reports.items():
        own_means = [f"mean {mean_title(key)} {value:.4f}" for key, value in report.means().items()]
        lasts += [f"{name}: {', '.join(own_means)}"] if own_means else []
    skipped = reports[first].skipped
    lasts += [f"texts: {skipped_line(skipped)}"] if skipped else []
    return "\n\n".join([*blocks, *(["\n".join(lasts)] if lasts else [])])


def compared_dict(reports: Mapping[str, SuiteReport]) -> dict[str, Any]:
    """Return the reports of several models as plain dicts, by name.

    All but the first one have ``against``: the name of the first, and for each file, section and
    score the ``difference``, its interval (``low``, ``high``) and a ``p_value``.

    Args:
        reports: name of a model to its scores; all of them on the same files.

    >>> compared_dict({"old": SuiteReport({}), "new": SuiteReport({})})["new"]["against"]
    {'old': {}}
    """
    first = next(iter(reports))
    out = {name: report.to_dict() for name, report in reports.items()}
    for name, report in reports.items():
        if name == first:
            continue
        found: dict[str, Any] = {}
        for file, own in differences(reports[first], report).items():
            for (section, score), one in own.items():
                found.setdefault(file, {}).setdefault(section, {})[score] = asdict(one)
        out[name]["against"] = {first: found}
    return out
