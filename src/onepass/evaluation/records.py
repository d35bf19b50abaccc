"""Scoring of records: field values under the best one-to-one matching of records.

Values are compared as words, wherever they stand. Whether a choice is right only its own record can
tell, since other records of the text may well have the same one. It knows nothing about models;
only structures and fields that were asked count.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from onepass.arrays import Float64s
from onepass.corpus.example import Example, GoldStructure, GoldValue
from onepass.decoding.matching import best_matching, best_total
from onepass.evaluation.counts import Counts, macro_f1
from onepass.evaluation.judged import Judged
from onepass.evaluation.reliability import Reliability
from onepass.results.types import Extraction, Record, Value

Row = frozenset[tuple[str, str]]  # (field, normalized value): a record
_SPAN = 1000.0  # what a span weighs beside a choice: choices decide between records that tie


def normalize(text: str) -> str:
    """Return a value as it is compared: case, white space and Unicode forms do not matter.

    >>> normalize(" New  YORK ")
    'new york'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(slots=True)
class _Structure:
    """What was counted of one record type."""

    values: Counts = field(default_factory=Counts)
    records: Counts = field(default_factory=Counts)
    texts: int = 0
    same_number: int = 0

    def add(self, found: Sequence[Row], wanted: Sequence[Row]) -> None:
        self.texts += 1
        self.same_number += len(found) == len(wanted)
        # The weight of a pair is the number of values that agree; which of several best matchings
        # is taken makes no difference to the counts.
        right = best_total(_weights([dict.fromkeys(row, 1) for row in found], wanted))
        self.values.add_counts(right, sum(map(len, found)), sum(map(len, wanted)))
        equal = Counter(found) & Counter(wanted)
        self.records.add_counts(equal.total(), len(found), len(wanted))

    def merge(self, other: _Structure) -> None:
        self.values.merge(other.values)
        self.records.merge(other.records)
        self.texts += other.texts
        self.same_number += other.same_number


class RecordScorer:
    """Counts field values and records.

    Predicted records are matched one to one with gold records so that as many values as possible
    agree. A value is right if the matched record has the same words (or choice) in that field; the
    same words twice in a field count once. A record is right if all its fields are.

    >>> from onepass.corpus.example import GoldField, GoldStructure
    >>> from onepass.results.types import Value
    >>> text, fields = "2 pens", (GoldField("item"), GoldField("number"))
    >>> rows = ({"item": (GoldValue(2, 6),), "number": (GoldValue(0, 1),)},)
    >>> gold = Example(text, structures=(GoldStructure("order", fields, rows),))
    >>> found = {"item": (Value("pens", 2, 6, 0.9),), "number": ()}
    >>> scorer = RecordScorer()
    >>> scorer.add(Extraction(text, records={"order": (found,)}), gold)
    >>> scorer.scores()["precision"], scorer.scores()["recall"]
    (1.0, 0.5)
    """

    def __init__(self) -> None:
        self.texts = 0
        self.reliability = Reliability()
        self._structures: dict[str, _Structure] = {}

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count one text."""
        self.texts += bool(gold.structures)
        for structure in gold.structures:
            names = {f.name for f in structure.fields}
            found = [_found(row, names) for row in prediction.records.get(structure.name, ())]
            wanted = [gold_row(row, gold.text) for row in structure.records]
            self._structures.setdefault(structure.name, _Structure()).add(found, wanted)
            facts = frozenset[tuple[str, str]]().union(*wanted)
            chosen = choice_fields(structure)
            self.reliability.add(
                (value.score, (name, normalize(value.text)) in facts)
                for row in prediction.records.get(structure.name, ())
                for name, value in asked_values(row, names - chosen)
            )
        self.reliability.add((one.score, one.right) for one in judged_choices(prediction, gold))

    def merge(self, other: RecordScorer) -> None:
        """Add what was counted on another part of the data."""
        self.texts += other.texts
        self.reliability.merge(other.reliability)
        for name, counted in other._structures.items():
            self._structures.setdefault(name, _Structure()).merge(counted)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return the right, found and gold values behind the score ``f1``."""
        return {"f1": self._total().values.triple()}

    def _total(self) -> _Structure:
        total = _Structure()
        for counted in self._structures.values():
            total.merge(counted)
        return total

    def scores(self) -> dict[str, float]:
        """Return scores over all structures.

        - ``precision``, ``recall``, ``f1``: of field values; ``macro_f1``: mean F1 over structures;
        - ``record_f1``: of whole records;
        - ``count_accuracy``: share of questions with the right number of records;
        - ``ece``: expected calibration error of values: of choices in the record that they stand
          in, of all others in any.
        """
        total = self._total()
        return {
            **total.values.scores(),
            "macro_f1": macro_f1(one.values for one in self._structures.values()),
            "record_f1": total.records.f1,
            "count_accuracy": total.same_number / total.texts if total.texts else 0.0,
            "ece": self.reliability.error,
        }

    def table(self) -> dict[str, dict[str, float]]:
        """Return the scores and counts of each structure."""
        return {
            name: {
                **counted.values.row(),
                "record_f1": counted.records.f1,
                "count_accuracy": counted.same_number / counted.texts,
                "texts": counted.texts,
            }
            for name, counted in sorted(self._structures.items())
        }


def _found(row: Record, names: set[str]) -> Row:
    return frozenset((name, normalize(value.text)) for name, value in asked_values(row, names))


def asked_values(row: Record, names: Container[str]) -> Iterator[tuple[str, Value]]:
    """Yield the values of a found record, with their fields.

    Args:
        row: as in `Extraction.records`.
        names: of the fields that count.
    """
    for name, held in row.items():
        for value in held if isinstance(held, tuple) else (held,):
            if value is not None and name in names:
                yield name, value


def gold_row(row: Mapping[str, tuple[GoldValue, ...]], text: str) -> Row:
    """Return a gold record as it is compared.

    Args:
        row: field to its values.
        text: that their places are in.

    >>> sorted(gold_row({"size": (GoldValue(0, 2),), "color": (GoldValue(choice="Red"),)}, "XL"))
    [('color', 'red'), ('size', 'xl')]
    """
    return frozenset(
        (name, normalize(_words(value, text))) for name, values in row.items() for value in values
    )


def _words(value: GoldValue, text: str) -> str:
    if value.start is not None and value.end is not None:
        return text[value.start : value.end]
    return value.choice if value.choice is not None else value.text or ""


def choice_fields(structure: GoldStructure) -> set[str]:
    """Return the names of the fields that have choices."""
    return {field.name for field in structure.fields if field.choices}


def judged_choices(prediction: Extraction, gold: Example) -> list[Judged]:
    """Return each choice that was found, judged by the gold record that its record matches.

    None is right in a record that matches no gold one, or where that leaves the field empty.

    Records are matched one to one, so that the sum of the scores of the values that agree is the
    largest; what a threshold would leave out makes little difference to that.

    Args:
        prediction: as found at any threshold.
        gold: what was annotated.

    >>> from onepass.corpus.example import GoldField, GoldValue
    >>> from onepass.results.types import Value
    >>> fields = (GoldField("item"), GoldField("size", choices=("S", "L")))
    >>> row = {"item": (GoldValue(0, 4),)}  # of no size that the text says
    >>> found = {"item": (Value("pens", 0, 4, 0.9),), "size": (Value("L", None, None, 0.7),)}
    >>> gold = Example("pens", structures=(GoldStructure("order", fields, (row,)),))
    >>> judged_choices(Extraction("pens", records={"order": (found,)}), gold)
    [Judged(score=0.7, answerable=False, right=False)]
    """
    judged = []
    for structure in gold.structures:
        chosen = choice_fields(structure)
        if not chosen:
            continue
        dtypes = {field.name: field.dtype for field in structure.fields}
        names = {*dtypes}
        wanted = [gold_row(row, gold.text) for row in structure.records]
        found = [_scored(row, names) for row in prediction.records.get(structure.name, ())]
        weighed = [
            {key: score * (1.0 if key[0] in chosen else _SPAN) for key, score in row.items()}
            for row in found
        ]
        pairs = dict(best_matching(_weights(weighed, wanted)))
        for number, row in enumerate(found):
            true: Row = wanted[pairs[number]] if number in pairs else frozenset()
            filled = {name for name, _ in true if dtypes[name] == "str"}
            judged += [
                Judged(score, key in true or key[0] in filled, key in true)
                for key, score in row.items()
                if key[0] in chosen
            ]
    return judged


def gold_choices(gold: Example) -> Sequence[tuple[str, str]]:
    """Return the field and the normalized choice of every gold value of a field with choices."""
    found: list[tuple[str, str]] = []
    for structure in gold.structures:
        chosen = choice_fields(structure)
        for row in structure.records:
            found += [key for key in gold_row(row, gold.text) if key[0] in chosen]
    return found


def _scored(row: Record, names: set[str]) -> dict[tuple[str, str], float]:
    """Return the values of a record as they are compared, each with its highest score."""
    best: dict[tuple[str, str], float] = {}
    for name, value in asked_values(row, names):
        key = name, normalize(value.text)
        best[key] = max(value.score, best.get(key, value.score))
    return best


def standing(wanted: Iterable[Row]) -> Mapping[tuple[str, str], Sequence[int]]:
    """Return for each gold value the numbers of the records that it stands in.

    >>> standing([frozenset({("size", "xl")}), frozenset({("size", "xl"), ("color", "red")})])[
    ...     "size", "xl"
    ... ]
    [0, 1]
    """
    found = defaultdict[tuple[str, str], list[int]](list)
    for number, row in enumerate(wanted):
        for key in row:
            found[key].append(number)
    return dict(found)


def _weights(found: Sequence[Mapping[tuple[str, str], float]], wanted: Sequence[Row]) -> Float64s:
    """Return (found, wanted) sums over the values that agree, of which each has a weight."""
    weights = np.zeros((len(found), len(wanted)))
    places = standing(wanted)
    for number, row in enumerate(found):
        for key, weight in row.items():
            if key in places:
                weights[number, places[key]] += weight
    return weights
