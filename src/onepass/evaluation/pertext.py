"""What was counted in each text: for intervals, paired tests, and scores by length and labels.

It knows the names of sections and scores, and nothing about how they are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onepass.corpus.example import Example
from onepass.evaluation.bootstrap import Rows, interval, rows_of, score_of

Counted = tuple[int, int, int]  # right, predicted, gold
Key = tuple[str, str]  # section, score

# Upper ends of the ranges that texts are told apart by; the last range has none.
_ENDS = {"words": (25, 50, 100, 200, 500), "labels": (2, 5, 10, 20, 50)}


@dataclass(frozen=True, slots=True, eq=False)
class PerText:
    """Counts of each text that was asked for a section.

    Attributes:
        rows: (section, score) to (texts, 3) counts.
        sizes: (section, score) to (texts, 2): words of the text, labels that were asked of it.
    """

    rows: Mapping[Key, Rows]
    sizes: Mapping[Key, NDArray[np.int64]]

    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Return the 95 % bootstrap interval of each score, by section and score."""
        out: dict[str, dict[str, tuple[float, float]]] = {}
        for (section, score), rows in self.rows.items():
            out.setdefault(section, {})[score] = interval(rows)
        return out

    def breakdowns(self) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """Return scores of texts of some length, and of texts that were asked some labels.

        Returns:
            Section to "words" or "labels" to range ("26-50") to scores and number of ``texts``;
            ranges without a text are left out.
        """
        out: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        for (section, score), rows in self.rows.items():
            for column, (size, ends) in enumerate(_ENDS.items()):
                places = np.searchsorted(ends, self.sizes[section, score][:, column])
                table = out.setdefault(section, {}).setdefault(size, {})
                for place in np.unique(places):
                    chosen = rows[places == place]
                    row = table.setdefault(_range(ends, int(place)), {"texts": len(chosen)})
                    row[score] = float(score_of(chosen.sum(axis=0)))
        return out


class Tally:
    """Gathers the counts of one text after the other.

    >>> tally = Tally()
    >>> tally.add(Example("Bo ran", asked=("dog",)), {("entities", "f1"): (1, 1, 1)})
    >>> tally.done().breakdowns()["entities"]["labels"]
    {'1-2': {'texts': 1, 'f1': 1.0}}
    """

    def __init__(self) -> None:
        self._rows: dict[Key, list[Counted]] = defaultdict(list)
        self._sizes: dict[Key, list[tuple[int, int]]] = defaultdict(list)

    def add(self, example: Example, counted: Mapping[Key, Counted]) -> None:
        """Note what a text added to the counts of the sections that it was asked for."""
        words = len(example.text.split())
        for key, one in counted.items():
            self._rows[key].append(one)
            self._sizes[key].append((words, _labels(example, key[0])))

    def done(self) -> PerText:
        """Return what was gathered."""
        return PerText(
            {key: rows_of(rows) for key, rows in self._rows.items()},
            {
                key: np.asarray(sizes, dtype=np.int64).reshape(-1, 2)
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
