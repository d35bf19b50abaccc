"""What was counted in each text: for intervals, paired tests, and scores by length and labels.

It knows the names of sections and scores, and nothing about how they are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from onepass.arrays import Int64s
from onepass.corpus.example import Example
from onepass.evaluation.bootstrap import Rows, interval, rows_of, score_of

Counted = tuple[int, int, int]  # right, predicted, gold
Key = tuple[str, str]  # section, score

# Upper ends of the ranges that texts are told apart by; the last range has none.
_ENDS = {"words": (25, 50, 100, 200, 500), "labels": (2, 5, 10, 20, 50)}


@dataclass(frozen=True, eq=False)
class PerText:
    """Counts of each text that was asked for a section.

    Attributes:
        rows: (section, score) to (texts, 3) counts.
        sizes: (section, score) to (texts, 3): words of the text, labels that were asked of it, and
            its number.
    """

    rows: Mapping[Key, Rows]
    sizes: Mapping[Key, Int64s]

    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Return the 95 % bootstrap interval of each score, by section and score."""
        return self._intervals

    @cached_property
    def _intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        out: dict[str, dict[str, tuple[float, float]]] = {}
        for (section, score), rows in self.rows.items():
            out.setdefault(section, {})[score] = interval(rows)
        return out

    def breakdowns(self) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """Return scores of texts of some length, and of texts that were asked some labels.

        Returns:
            Section to "words" or "labels" to range ("26-50", in order) to scores and number of
            ``texts``; ranges without a text are left out, and so are scores without one.
        """
        return {
            section: {
                size: self._breakdown(section, column, ends)
                for column, (size, ends) in enumerate(_ENDS.items())
            }
            for section in dict.fromkeys(section for section, _ in self.rows)
        }

    def _breakdown(
        self, section: str, column: int, ends: tuple[int, ...]
    ) -> dict[str, dict[str, float]]:
        """Return the scores of one section in ranges of one size."""
        own = {key: rows for key, rows in self.rows.items() if key[0] == section}
        texts = np.unique(np.concatenate([self.sizes[key] for key in own]), axis=0)
        held = np.searchsorted(ends, texts[:, column])
        table: dict[str, dict[str, float]] = {}
        for place in np.unique(held):
            row: dict[str, float] = {"texts": int((held == place).sum())}
            for key, rows in own.items():
                chosen = rows[np.searchsorted(ends, self.sizes[key][:, column]) == place]
                if len(chosen):
                    row[key[1]] = float(score_of(chosen.sum(axis=0)))
            table[_range(ends, int(place))] = row
        return table


class Tally:
    """Gathers the counts of one text after the other.

    >>> tally = Tally()
    >>> tally.add(Example("Bo ran", asked=("dog",)), {("entities", "f1"): (1, 1, 1)})
    >>> tally.done().breakdowns()["entities"]["labels"]
    {'1-2': {'texts': 1, 'f1': 1.0}}
    """

    def __init__(self) -> None:
        self._rows: dict[Key, list[Counted]] = defaultdict(list)
        self._sizes: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
        self._texts = 0

    def add(self, example: Example, counted: Mapping[Key, Counted]) -> None:
        """Note what a text added to the counts of the sections that it was asked for."""
        words = len(example.text.split())
        for key, one in counted.items():
            self._rows[key].append(one)
            self._sizes[key].append((words, _labels(example, key[0]), self._texts))
        self._texts += 1

    def done(self) -> PerText:
        """Return what was gathered."""
        return PerText(
            {key: rows_of(rows) for key, rows in self._rows.items()},
            {
                key: np.asarray(sizes, dtype=np.int64).reshape(-1, 3)
                for key, sizes in self._sizes.items()
            },
        )


def _labels(example: Example, section: str) -> int:
    """Return how many labels, fields or types a text was asked for."""
    if section == "entities":
        return len(example.asked)
    if section == "classifications":
        return sum(len(task.labels) for task in example.classifications)
    if section == "records":
        return sum(len(structure.fields) for structure in example.structures)
    return len(example.asked_relations)


def _range(ends: tuple[int, ...], place: int) -> str:
    if place == len(ends):
        return f"over {ends[-1]}"
    return f"{ends[place - 1] + 1 if place else 1}-{ends[place]}"
