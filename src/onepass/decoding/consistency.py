"""Entities, relations and values of records, chosen together under what a schema allows.

A relation whose type names labels holds between entities: it is kept only with an entity of such a
label at either end, whose span it takes over. So a sure relation can decide which of two labels a
name has, and an entity that is not kept takes its relations with it. Two mentions of one spelling
are one thing: limits count them once, and no relation holds between them. Values of records whose
fields name labels are held to entities in the same way (`onepass.decoding.consistency_values`).
This module does not know where scores come from, nor how constraints are solved
(`onepass.decoding.consistency_solve`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field, replace

import numpy as np

from onepass.arrays import Int64s
from onepass.decoding.candidates import Candidates, RelationFind, SpanFind
from onepass.decoding.consistency_solve import Limit, Problem, solve
from onepass.decoding.consistency_spans import EntitySpans, entity_conflicts, entity_weights
from onepass.decoding.consistency_types import Decision, decisions
from onepass.decoding.consistency_values import Slot, Values
from onepass.decoding.overlap import Policy
from onepass.schema import Schema
from onepass.schema.options import Solver
from onepass.text.words import Words

Source = tuple[int, int, int, int]  # window, prompt, type, instance
_Key = tuple[int, int, int, int, int]  # decision, head, tail
_APART = 1e-5  # of weights: more than an exact solver takes for equal


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A relation that may hold, in words of the document.

    Attributes:
        find: type, head, tail and score.
        source: pairs of one source are alternatives, of which it stands for one; None for no
            alternatives. Several sources may stand for the same pair.
        of_entities: whether it holds only between entities, of any label.
    """

    find: RelationFind
    source: Source | None = None
    of_entities: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A relation that was chosen, under the name of one type."""

    name: str
    head: SpanFind
    tail: SpanFind
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What is kept: entities, relations, and for each slot the values that fill it."""

    entities: Candidates
    facts: tuple[Fact, ...]
    values: list[tuple[SpanFind, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """How the choice is made.

    Attributes:
        policy: which entities may share words.
        solver: greedy or exact.
        ranks: how general each label is, (labels,); None if that plays no part.
    """

    policy: Policy
    solver: Solver = "greedy"
    ranks: Int64s | None = None


def choose_together(
    words: Words,
    schema: Schema,
    found: Candidates,
    pairs: Sequence[Pair],
    wish: Wish,
    *,
    slots: Sequence[Slot] = (),
) -> Chosen:
    """Return the entities, relations and values that are kept.

    Args:
        words: of the document.
        schema: what was asked.
        found: candidates of entity labels in words of the document, each place and label once.
        pairs: of all windows.
        wish: how to choose.
        slots: fields of records that depend on each other or on entities.

    Raises:
        MissingExtra: if the exact solver is asked for and not installed.

    >>> from onepass.text.words import split_words
    >>> schema = Schema().entities(["person", "fruit", "company"])
    >>> schema = schema.relations({"works for": {"head": ["person"], "tail": ["company"]}})
    >>> found = Candidates([0, 3, 3], [1, 4, 4], [0.9, 0.6, 0.55], [0, 1, 2])
    >>> pair = Pair(RelationFind(0, SpanFind(0, 1, 0.9), SpanFind(3, 4, 0.9), 0.9))
    >>> words = split_words("Ann works for Apple")
    >>> chosen = choose_together(words, schema, found, [pair], Wish("flat"))
    >>> chosen.entities.labels.tolist(), [fact.name for fact in chosen.facts]
    ([0, 2], ['works for'])
    """
    related = _Relations(words, schema, found, pairs)
    labels = {label.name: number for number, label in enumerate(schema.entity_labels)}
    values = Values(words, found, labels, slots)
    chosen = solve(_problem(related, values, wish), wish.solver)
    first, last = len(found), len(found) + len(related.options)  # of the relations
    rows = np.array([one for one in chosen if one < first], dtype=np.int64)
    held = _distinct(related.options[one - first] for one in chosen if first <= one < last)
    filled = values.chosen(one - last for one in chosen if one >= last)
    return Chosen(found.take(rows), tuple(_facts(related, held)), filled)


def _problem(related: _Relations, values: Values, wish: Wish) -> Problem:
    """Return entities, then relations, then values, with all that holds between them."""
    found = related.found
    first, last = len(found), len(found) + len(related.options)
    ranks = wish.ranks if wish.policy == "flat" else None
    return Problem(
        (*entity_weights(found, ranks), *related.weights(), *values.weights()),
        tuple(entity_conflicts(found, wish.policy)),
        (
            *((first + i, rows) for i, one in enumerate(related.options) for rows in one.rows),
            *((last + i, one.rows) for i, one in enumerate(values.options) if one.rows),
        ),
        (
            *(_moved(limit, first) for limit in related.limits()),
            *(_moved(limit, last) for limit in values.limits()),
        ),
        frozenset(last + i for i, one in enumerate(values.options) if one.late),
        tuple(tuple(first + i for i in own) for own in related.sources),
        tuple(tuple(first + i for i in own) for own in related.repeated()),
    )


@dataclass(frozen=True, slots=True)
class _Option:
    """One relation between definite spans."""

    decision: int
    head: SpanFind
    tail: SpanFind
    score: float
    rows: tuple[tuple[int, ...], ...]  # of each end that has to be an entity, the candidates for it

    @property
    def key(self) -> _Key:
        head, tail = self.head, self.tail
        return self.decision, head.start, head.end, tail.start, tail.end


@dataclass(slots=True, eq=False)
class _Relations:
    """The relations that may hold, put together from the pairs of all windows.

    Each source has options of its own: what another one may stand for, too, is not taken from it.
    """

    words: Words
    schema: Schema
    found: Candidates
    pairs: InitVar[Sequence[Pair]]
    options: list[_Option] = field(default_factory=list)
    sources: list[range] = field(default_factory=list)  # places of their options, best first
    decided: list[Decision] = field(init=False)
    _places: list[tuple[int, bool]] = field(init=False)
    _labels: dict[str, int] = field(init=False)
    _spans: EntitySpans = field(init=False)

    def __post_init__(self, pairs: Sequence[Pair]) -> None:
        self._spans = EntitySpans(self.found)
        self.decided, self._places = decisions(self.schema.relation_types)
        self._labels = {label.name: i for i, label in enumerate(self.schema.entity_labels)}
        given: dict[object, dict[_Key, _Option]] = defaultdict(dict)
        for pair in pairs:
            own = given[pair if pair.source is None else pair.source]
            for option in self._options_of(pair):
                _keep(own, option)
        # Sources of one best option are one finding, of several windows perhaps.
        joined: dict[_Key, dict[_Key, _Option]] = defaultdict(dict)
        for own in given.values():
            if not own:
                continue
            best = max(own.values(), key=lambda option: option.score)
            for option in (best, *own.values()):  # the best stays before its equals
                _keep(joined[best.key], option)
        for own in joined.values():
            ranked = sorted(own.values(), key=lambda option: -option.score)
            self.sources.append(range(len(self.options), len(self.options) + len(ranked)))
            self.options += ranked

    def _options_of(self, pair: Pair) -> Iterable[_Option]:
        """Yield what a pair can stand for."""
        number, turned = self._places[pair.find.type]
        decision = self.decided[number]
        head, tail = (pair.find.head, pair.find.tail)[:: -1 if turned else 1]
        for one, its_rows in self._ends(head, decision.head, pair.of_entities):
            for two, rows in self._ends(tail, decision.tail, pair.of_entities):
                if self._spelling(one) == self._spelling(two):
                    continue  # a thing and itself
                needed = tuple(part for part in (its_rows, rows) if part)
                ends = (one, two)
                if decision.symmetric and (two.start, two.end) < (one.start, one.end):
                    ends = (two, one)
                yield _Option(number, *ends, pair.find.score, needed)

    def repeated(self) -> Iterable[list[int]]:
        """Yield the options of several sources that are one relation."""
        places: dict[_Key, list[int]] = defaultdict(list)
        for place, option in enumerate(self.options):
            places[option.key].append(place)
        return (own for own in places.values() if len(own) > 1)

    def weights(self) -> Iterable[float]:
        """Yield the weight of each option: its score, a little less where another one equals it.

        So of equal alternatives, a weak end common to both, the first is the best of its source.
        """
        for own in self.sources:
            weight = math.inf
            for place in own:
                weight = min(self.options[place].score, weight * (1 - _APART))
                yield weight

    def _ends(
        self, span: SpanFind, labels: tuple[str, ...], of_entities: bool
    ) -> list[tuple[SpanFind, tuple[int, ...]]]:
        """Return the spans that an end of a pair can stand for, with the entities that allow it."""
        if not labels and not of_entities:
            return [(span, ())]
        return self._spans.of(span, [self._labels[label] for label in labels])

    def limits(self) -> Iterable[Limit]:
        """Yield what holds between the options."""
        for own in self.sources:
            if len(own) > 1:
                yield Limit(1, tuple((one,) for one in own))
        heads: dict[tuple[int, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        tails: dict[tuple[int, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, option in enumerate(self.options):
            head, tail = self._spelling(option.head), self._spelling(option.tail)
            symmetric = self.decided[option.decision].symmetric
            heads[option.decision, head][tail].append(place)
            (heads if symmetric else tails)[option.decision, tail][head].append(place)
        for number, decision in enumerate(self.decided):
            yield from _limits(number, decision.max_tails, heads)
            yield from _limits(number, decision.max_heads, tails)

    def _spelling(self, span: SpanFind) -> str:
        start, end = self.words.place(span.start, span.end)
        return " ".join(self.words.text[start:end].casefold().split())


def _keep(options: dict[_Key, _Option], option: _Option) -> None:
    """Add an option; of two between the same spans the better is kept."""
    if option.key not in options or option.score > options[option.key].score:
        options[option.key] = option


def _distinct(held: Iterable[_Option]) -> list[_Option]:
    """Return each relation once that several sources may stand for."""
    best: dict[_Key, _Option] = {}
    for option in held:
        _keep(best, option)
    return list(best.values())


def _limits(
    decision: int, most: int | None, ends: dict[tuple[int, str], dict[str, list[int]]]
) -> Iterable[Limit]:
    """Yield how many partners each thing may have."""
    if most is None:
        return
    for (number, _), partners in ends.items():
        if number == decision and len(partners) > most:
            yield Limit(most, tuple(tuple(own) for own in partners.values()))


def _moved(limit: Limit, by: int) -> Limit:
    groups = tuple(tuple(one + by for one in group) for group in limit.groups)
    return replace(limit, groups=groups)


def _facts(related: _Relations, held: Sequence[_Option]) -> list[Fact]:
    """Return relations under the names of their types, in the order of the text."""
    facts = []
    for option in held:
        decision = related.decided[option.decision]
        facts.append(Fact(decision.name, option.head, option.tail, option.score))
        if decision.inverse is not None:
            facts.append(Fact(decision.inverse, option.tail, option.head, option.score))
    names = [kind.name for kind in related.schema.relation_types]
    order = {name: place for place, name in enumerate(names)}
    facts.sort(
        key=lambda one: (
            one.head.start, one.tail.start, order.get(one.name, len(order)), one.name,
            one.head.end, one.tail.end,
        )
    )  # fmt: skip
    return facts
