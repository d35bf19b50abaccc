"""The cells of this benchmark: what is asked of which texts, and which systems are asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.speed.peers import DEFAULT_BATCH  # noqa: E402
from benchmarks.speed.question import TASKS, Question  # noqa: E402
from benchmarks.speed.wording import make_batch, make_text  # noqa: E402

# The tasks that are asked of each kind of checkpoint.
ASKED: Mapping[str, tuple[str, ...]] = {
    "gliner2": TASKS,
    "gliner": ("entities",),
    "gliner-relations": ("relations",),
    "gliclass": ("classes",),
}
# Batch sizes of each library on a batch: one by one, which is its best, and its default.
BATCHES: Mapping[str, tuple[int, ...]] = {
    "gliner2": (1, DEFAULT_BATCH),
    "gliner": (1,),
    "gliclass": (1,),
}
MIDDLE = 200  # words, where tasks are compared


@dataclass(frozen=True)
class Grid:
    """What is measured.

    Attributes:
        labels: their numbers.
        words: of a text that is read alone.
        mixed: texts of a batch.
        long: words of a text that is read in windows.
        whole: whether all numbers of labels go with all lengths; else the smallest number goes with
            all lengths, and all numbers go with the middle one.
        middle: words where tasks are compared.
    """

    labels: tuple[int, ...] = (5, 20, 50, 128)
    words: tuple[int, ...] = (30, 200, 500)
    mixed: int = 64
    long: int = 5000
    whole: bool = False
    middle: int = MIDDLE


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        part: "one", "mixed" or "long".
        kind: of checkpoint.
        task: one of `TASKS`.
        labels: how many.
        words: of the text; of a mixed batch its mean.
        texts: how many.
        batches: sizes that the peer is asked with.
    """

    part: str
    kind: str
    task: str
    labels: int
    words: int
    texts: int = 1
    batches: tuple[int, ...] = (1,)

    @property
    def question(self) -> Question:
        """Return what is asked, before its threshold is settled."""
        return Question(self.task, self.labels, related=self.kind == "gliner-relations")

    def read(self) -> list[str]:
        """Return the texts."""
        return make_batch(self.texts) if self.part == "mixed" else [make_text(self.words)]


def cells(part: str, kind: str, library: str, grid: Grid) -> Iterator[Cell]:
    """Yield the cells of a part for one kind of checkpoint, small ones first."""
    first = grid.labels[0]
    if part == "one":
        for task in ASKED[kind]:
            for words in grid.words:
                for labels in grid.labels:
                    if grid.whole or labels == first or words == grid.middle:
                        yield Cell(part, kind, task, labels, words)
    elif part == "mixed" and kind != "gliner-relations":
        mean = sum(len(text.split()) for text in make_batch(grid.mixed)) // grid.mixed
        batches = BATCHES[library]
        yield Cell(part, kind, ASKED[kind][0], first, mean, grid.mixed, batches)
    elif part == "long" and kind == "gliner2":
        for task in ("entities", "classes"):
            yield Cell(part, kind, task, first, grid.long)


def about(cell: Cell) -> Sequence[str]:
    """Return what a person is told of a cell.

    >>> " ".join(about(Cell("one", "gliner2", "entities", 5, 200)))
    'one gliner2 entities: 5 labels, 200 words'
    """
    several = f", {cell.texts} texts" if cell.texts > 1 else ""
    return cell.part, cell.kind, f"{cell.task}: {cell.labels} labels, {cell.words} words{several}"
