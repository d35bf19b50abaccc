"""Scoring of relations, as facts: a type, the words of the head and the words of the tail.

A fact said of "Ann" is the same wherever "Ann" stands, so any occurrence of the words counts, and a
fact that was found or annotated several times counts once. It knows nothing about models; only
types that were asked count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from onepass.corpus.example import Example
from onepass.decoding.matching import most_pairs
from onepass.evaluation.counts import Counts, macro_f1
from onepass.evaluation.reliability import Reliability
from onepass.evaluation.touching import Touching
from onepass.results.types import Extraction

_Span = tuple[int, int]
_Pair = tuple[_Span, _Span]
_Fact = tuple[str, str, str]  # type, words of the head, words of the tail


class RelationScorer:
    """Counts relations in three ways.

    - strict: type and words of both ends are equal;
    - relaxed: the fact is equal, or types are and both ends overlap an occurrence of the gold words
      or what was annotated; each fact is matched with at most one;
    - placed: type and offsets of both ends are equal to the annotated ones.

    >>> from onepass.corpus.example import GoldRelation
    >>> from onepass.results.types import Relation, Value
    >>> text = "Ann runs Acme. Ann smiles."
    >>> gold = Example(text, relations=(GoldRelation("runs", (0, 3), (9, 13)),))
    >>> head, tail = Value("Ann", 15, 18, 0.9), Value("Acme", 9, 13, 0.9)
    >>> scorer = RelationScorer()
    >>> scorer.add(Extraction(text, relations=(Relation("runs", head, tail, 0.9),)), gold)
    >>> scorer.scores()["f1"], scorer.scores()["placed_f1"]
    (1.0, 0.0)
    """

    def __init__(self) -> None:
        self.texts = 0
        self.reliability = Reliability()
        self._strict: dict[str, Counts] = {}  # by type
        self._relaxed = Counts()
        self._placed = Counts()

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count one text."""
        types = gold.asked_relations
        if not types:
            return
        self.texts += 1
        wanted = [(r.type, (r.head, r.tail)) for r in gold.relations]
        found = [
            (r.type, ((r.head.start, r.head.end), (r.tail.start, r.tail.end)))
            for r in prediction.relations
            if r.type in types and r.head.start is not None and r.head.end is not None
            if r.tail.start is not None and r.tail.end is not None
        ]
        self._placed.add(set(found), set(wanted))
        facts, gold_facts = _facts(prediction.text, found), _facts(gold.text, wanted)
        self.reliability.add(
            (r.score, (r.type, r.head.text, r.tail.text) in gold_facts)
            for r in prediction.relations
            if r.type in types
        )
        for name in types:
            mine = {fact: pairs for fact, pairs in facts.items() if fact[0] == name}
            theirs = {fact: pairs for fact, pairs in gold_facts.items() if fact[0] == name}
            if mine or theirs:
                self._strict.setdefault(name, Counts()).add(mine.keys(), theirs.keys())
                matched = _matched(gold.text, mine, theirs)
                self._relaxed.add_counts(matched, len(mine), len(theirs))

    def merge(self, other: RelationScorer) -> None:
        """Add what was counted on another part of the data."""
        self.texts += other.texts
        self._relaxed.merge(other._relaxed)
        self._placed.merge(other._placed)
        self.reliability.merge(other.reliability)
        for name, counts in other._strict.items():
            self._strict.setdefault(name, Counts()).merge(counts)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return the right, found and gold facts behind the score ``f1``."""
        return {"f1": self._total().triple()}

    def _total(self) -> Counts:
        strict = Counts()
        for counts in self._strict.values():
            strict.merge(counts)
        return strict

    def scores(self) -> dict[str, float]:
        """Return strict precision, recall, F1 and macro F1 over types, relaxed and placed F1.

        ``ece`` is the expected calibration error of the facts that were found.
        """
        strict = self._total()
        return {
            **strict.scores(),
            "macro_f1": macro_f1(self._strict.values()),
            "relaxed_f1": self._relaxed.f1,
            "placed_f1": self._placed.f1,
            "ece": self.reliability.error,
        }

    def table(self) -> dict[str, dict[str, float]]:
        """Return the strict scores and counts of each type that is gold or was predicted."""
        return {name: counts.row() for name, counts in sorted(self._strict.items())}


def _facts(text: str, pairs: Iterable[tuple[str, _Pair]]) -> dict[_Fact, list[_Pair]]:
    """Group pairs that say the same."""
    facts: dict[_Fact, list[_Pair]] = defaultdict(list)
    for name, (head, tail) in pairs:
        facts[name, text[slice(*head)], text[slice(*tail)]].append((head, tail))
    return facts


def _matched(
    text: str, found: Mapping[_Fact, list[_Pair]], wanted: Mapping[_Fact, list[_Pair]]
) -> int:
    """Return how many facts of one type can be matched one to one by overlap."""
    heads = Touching(
        (*span, fact)
        for fact, pairs in wanted.items()
        for span in {*_occurrences(text, fact[1]), *(head for head, _ in pairs)}
    )
    tails = Touching(
        (*span, fact)
        for fact, pairs in wanted.items()
        for span in {*_occurrences(text, fact[2]), *(tail for _, tail in pairs)}
    )
    near = {
        mine: {
            fact
            for head, tail in pairs
            for fact in {one for *_, one in heads.of(*head)} & {one for *_, one in tails.of(*tail)}
        }
        | ({mine} & wanted.keys())
        for mine, pairs in found.items()
    }
    return most_pairs(near)


@lru_cache(maxsize=1024)
def _occurrences(text: str, words: str) -> tuple[_Span, ...]:
    """Return where the words stand as words of their own, else wherever they stand."""
    spans = [match.span() for match in re.finditer(re.escape(words), text)]
    whole = [span for span in spans if _is_whole(text, *span)]
    return tuple(whole or spans)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Say whether no word goes on beyond the span."""
    return not (
        (start > 0 and text[start - 1].isalnum() and text[start].isalnum())
        or (end < len(text) and text[end - 1].isalnum() and text[end].isalnum())
    )
