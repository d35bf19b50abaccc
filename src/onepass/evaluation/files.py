"""A model on many annotated files, and the means that stand for it.

It knows file names and readers, and nothing about how scores are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from onepass.corpus.files import find_files
from onepass.corpus.formats import read_any
from onepass.errors import InputError
from onepass.evaluation.counts import mean
from onepass.evaluation.predict import Extracts
from onepass.evaluation.run import Report, evaluate
from onepass.evaluation.tables import mean_title, section_tables, speed_line
from onepass.schema.options import OnLong, Overlap, Solver, Threshold

FileProgress = Callable[[str, int], None]  # file name, texts of it that are done

# What a mean is over: files that were asked for this section alone, and this score of it.
_MEANS = {
    "ner_micro_f1": ("entities", "f1"),
    "cls_accuracy": ("classifications", "accuracy"),
    "cls_macro_f1": ("classifications", "macro_f1"),
}


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """Reports of several files.

    Attributes:
        reports: file name to its report.
        left_out: a sentence for each file of which rows were left out: how many, and why.

    >>> SuiteReport({}).to_dict()
    {'means': {}, 'files': {}}
    """

    reports: Mapping[str, Report]
    left_out: Sequence[str] = ()

    @property
    def skipped(self) -> int:
        """Examples of all files in which nothing was annotated."""
        return sum(report.skipped for report in self.reports.values())

    def means(self) -> dict[str, float]:
        """Return unweighted means over files.

        Returns:
            ``ner_micro_f1`` over files that have entities alone, ``cls_accuracy`` and
            ``cls_macro_f1`` over files that have classifications alone; a mean over no file is
            left out.
        """
        return {name: mean(values) for name, values in self._values().items() if values}

    def _values(self) -> dict[str, list[float]]:
        return {
            name: [
                report.scores[section][score]
                for report in self.reports.values()
                if list(report.scores) == [section] and score in report.scores[section]
            ]
            for name, (section, score) in _MEANS.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the means and the reports as plain dicts and numbers."""
        return {
            "means": self.means(),
            "files": {name: report.to_dict() for name, report in self.reports.items()},
        }

    def to_table(self) -> str:
        """Return the scores of every file as text: a table for each section, then the means.

        The report of a single file also shows its labels, tasks, structures and relation types.
        """
        lines = []
        for name, values in self._values().items():
            if values:
                files = "file" if len(values) == 1 else "files"
                lines.append(
                    f"mean {mean_title(name)} over {len(values)} {files}: {mean(values):.4f}"
                )
        texts = sum(report.texts for report in self.reports.values())
        seconds = sum(report.seconds for report in self.reports.values())
        lines.append(speed_line(texts, self.skipped, seconds))
        blocks = section_tables(self.reports)
        if len(self.reports) == 1:
            blocks += next(iter(self.reports.values())).more_tables()
        return "\n\n".join([*blocks, "\n".join(lines)])


def suite(
    model: Extracts,
    files: Mapping[str, Path],
    *,
    threshold: Threshold = None,
    overlap: Overlap = "flat",
    on_long: OnLong = "window",
    solver: Solver = "greedy",
    limit: int | None = None,
    progress: FileProgress | None = None,
) -> SuiteReport:
    """Evaluate a model on each of several files.

    Args:
        model: an `onepass.Extractor`, or anything with its ``extract``.
        files: name to file, in any format of `onepass.corpus.read_any`.
        threshold: as in `onepass.Extractor.extract`; None is what the checkpoint was calibrated to.
        overlap: as in `onepass.Extractor.extract`.
        on_long: as in `onepass.Extractor.extract`.
        solver: as in `onepass.Extractor.extract`.
        limit: the most examples of each file that are read; None for all.
        progress: a function that gets the name of a file and the number of its examples that are
            done.

    Returns:
        The report of every file.

    Raises:
        InputError: if a file cannot be read, or holds nothing that can be asked.

    >>> import json
    >>> from tempfile import TemporaryDirectory
    >>> from onepass import Extractor
    >>> city = {"start": 18, "end": 24, "label": "city"}
    >>> row = json.dumps({"text": "Curie was born in Warsaw.", "entities": [city]})
    >>> with TemporaryDirectory() as place:
    ...     file = Path(place, "cities.jsonl")
    ...     _ = file.write_text(row)
    ...     suite(Extractor(), {"cities": file}).reports["cities"].scores["entities"]["f1"]
    1.0
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, but {limit} was given.")
    reports, left_out = {}, list[str]()
    for name, path in files.items():
        told = None if progress is None else _of_file(progress, name)
        examples = islice(read_any(path, on_left_out=left_out.append), limit)
        report = evaluate(
            model,
            examples,
            threshold=threshold,
            overlap=overlap,
            on_long=on_long,
            solver=solver,
            progress=told,
        )
        if not report.texts:
            raise InputError(f"{path} has no annotated example; give a file that holds some.")
        reports[name] = report
    return SuiteReport(reports, tuple(left_out))


def _of_file(progress: FileProgress, name: str) -> Callable[[int], None]:
    return lambda done: progress(name, done)


def evaluate_paths(
    model: Extracts,
    paths: Sequence[Path],
    *,
    threshold: Threshold = None,
    overlap: Overlap = "flat",
    on_long: OnLong = "window",
    solver: Solver = "greedy",
    limit: int | None = None,
    progress: FileProgress | None = None,
) -> SuiteReport:
    """Evaluate a model on files and on all annotated files of directories; see `suite`.

    Args:
        model: an `onepass.Extractor`, or anything with its ``extract``.
        paths: files, and directories whose annotated files are read.
        threshold: as in `onepass.Extractor.extract`; None is what the checkpoint was calibrated to.
        overlap: as in `onepass.Extractor.extract`.
        on_long: as in `onepass.Extractor.extract`.
        solver: as in `onepass.Extractor.extract`.
        limit: the most examples of each file that are read; None for all.
        progress: a function that gets the name of a file and the number of its examples that are
            done.

    Raises:
        InputError: if a path does not exist, a directory has no such file, or a file cannot be
            read.

    >>> import json
    >>> from tempfile import TemporaryDirectory
    >>> from onepass import Extractor
    >>> city = {"start": 18, "end": 24, "label": "city"}
    >>> row = json.dumps({"text": "Curie was born in Warsaw.", "entities": [city]})
    >>> with TemporaryDirectory() as place:
    ...     file = Path(place, "cities.jsonl")
    ...     _ = file.write_text(row)
    ...     evaluate_paths(Extractor(), [file]).means()
    {'ner_micro_f1': 1.0}
    """
    return suite(
        model,
        find_files(paths),
        threshold=threshold,
        overlap=overlap,
        on_long=on_long,
        solver=solver,
        limit=limit,
        progress=progress,
    )
