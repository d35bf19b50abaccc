"""What a reduced precision loses on annotated texts.

It knows two readers of the same checkpoint, and nothing about how one was made from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example
from onepass.corpus.files import find_files
from onepass.corpus.formats import read_any
from onepass.errors import BackendError, InputError
from onepass.evaluation.files import FileProgress, SuiteReport, evaluate_paths
from onepass.evaluation.gold_schema import schema_of
from onepass.evaluation.predict import predict
from onepass.models.reader import Reader
from onepass.results.types import Extraction
from onepass.results.wording import counted
from onepass.schema import Schema
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold

SAMPLE = 64  # texts that are read to see what inputs look like


@dataclass(frozen=True, slots=True)
class ReaderModel:
    """A reader as what evaluation asks; see `onepass.evaluation.predict.Extracts`."""

    reader: Reader

    def extract(
        self,
        text: list[str],
        schema: Schema,
        /,
        *,
        threshold: Threshold,
        overlap: Overlap,
        on_long: OnLong,
        solver: Solver,
    ) -> list[Extraction]:
        """Return one extraction for each text."""
        options = CallOptions(threshold, overlap, on_long, solver)
        return self.reader.read(text, self.reader.ask(schema, options))


def sample_texts(paths: Sequence[Path], count: int = SAMPLE) -> Callable[[Reader], None]:
    """Return a function that lets a reader read texts of files one by one, as many of each file.

    Args:
        paths: as `onepass.corpus.files.find_files` takes them.
        count: texts in all; at least one of each file.

    Raises:
        InputError: as `onepass.evaluation.files.evaluate_paths` does.
    """
    files = find_files(paths)
    each = max(count // len(files), 1)
    examples: list[Example] = []
    for path in files.values():
        asked = (one for one in read_any(path) if not schema_of(one).is_empty)
        found = list(islice(asked, each))
        if not found:
            raise InputError(f"{path} has no annotated example; give a file that holds some.")
        examples += found
    return lambda reader: read_one_by_one(reader, examples)


def read_one_by_one(reader: Reader, examples: Iterable[Example]) -> None:
    """Let a reader read examples without padding, each asked what was annotated in it."""
    for example in examples:
        for _ in predict(ReaderModel(reader), [example]):
            pass


def loss_check(
    paths: Sequence[Path],
    *,
    most: float,
    limit: int | None = None,
    progress: FileProgress | None = None,
) -> Callable[[Reader, Reader], dict[str, Any]]:
    """Return a function that measures what one reader loses against another on annotated files.

    Args:
        paths: as `onepass.corpus.files.find_files` takes them.
        most: points of F1 that may be lost on a section of a file: entities, records and relations
            by micro-averaged F1, classifications by macro-averaged F1.
        limit: read only the first examples of each file, this many.
        progress: as in `onepass.evaluation.files.suite`.

    Returns:
        A function of the exact and of the reduced reader. It returns ``data`` (names of the files),
        ``texts``, ``exact`` and ``reduced`` (file to section to F1 in points) and ``loss`` (the
        largest of a section of a file); it raises BackendError if that is more than ``most``.
    """

    def check(exact: Reader, reduced: Reader) -> dict[str, Any]:
        reports = [
            evaluate_paths(ReaderModel(reader), paths, limit=limit, progress=progress)
            for reader in (exact, reduced)
        ]
        before, after = (_points(report) for report in reports)
        losses = {
            (file, section): points - after[file][section]
            for file, sections in before.items()
            for section, points in sections.items()
        }
        (file, section), loss = max(losses.items(), key=lambda item: item[1])
        if loss > most:
            texts = reports[0].reports[file].texts
            raise BackendError(
                f"int8 loses {loss:.2f} points of F1 on the {section} of {file} "
                f"({before[file][section]:.2f} -> {after[file][section]:.2f}), and at most "
                f"{most:g} may be lost, so nothing was written. Rounding for many typical texts "
                "(sample, --sample) and products=False (--weights-only) lose less; most "
                f"(--max-loss) allows more. This was measured on {counted(texts, 'text')}: on few, "
                "much of it is chance."
            )
        texts = sum(report.texts for report in reports[0].reports.values())
        return {
            "data": list(before),
            "texts": texts,
            "exact": before,
            "reduced": after,
            "loss": round(loss, 2),
        }

    return check


def _points(report: SuiteReport) -> dict[str, dict[str, float]]:
    """Return the F1 of each section of each file, in points."""
    return {
        name: {
            section: round(100 * scores["f1" if "f1" in scores else "macro_f1"], 2)
            for section, scores in one.scores.items()
        }
        for name, one in report.reports.items()
    }
