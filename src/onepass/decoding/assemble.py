"""From the findings of all windows and prompts of a text to its `Extraction`.

Values that a window saw cut give way to whole ones first. Findings of the prompts of one window are
joined (labels of one task may be spread over several prompts), then those of all windows; then
overlaps are resolved and words become characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.decoding.assemble_records import (
    Place,
    assemble_records,
    open_slots,
    settled,
    value_of,
)
from onepass.decoding.candidates import Candidates, RelationFind, SpanFind
from onepass.decoding.classes import ClassRules, answer_task, window_logits
from onepass.decoding.consistency import Fact, Pair, Wish, choose_together
from onepass.decoding.consistency_values import Slot
from onepass.decoding.entity_names import NamedEntities, join_entities
from onepass.decoding.findings import WindowFindings
from onepass.decoding.merge import (
    merge_candidates,
    merge_relations,
)
from onepass.decoding.overlap import Policy, Ties, resolve_overlaps
from onepass.decoding.result_limit import check_most
from onepass.decoding.specificity import label_rank
from onepass.decoding.window_edges import without_cut
from onepass.results.types import (
    Classification,
    Coverage,
    Entity,
    Extraction,
    LabelScore,
    Relation,
)
from onepass.schema import Schema
from onepass.schema.options import Solver
from onepass.text.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """How findings become results.

    Attributes:
        overlap: which entities may share words.
        class_thresholds: for each task, (labels,).
        class_floors: for each task that may abstain the least score of its best label, None for
            the others; empty if no task may.
        class_scale: (scale, shift) of the logits of labels that hold or not, each by itself.
        single_scale: factor on the logits of labels of which one holds.
        ties: which of two entities with one score is kept; with "first", as in GLiNER, it plays no
            part how general a label is.
        solver: how entities, relations and values of records are chosen that depend on each other.
    """

    overlap: Policy
    class_thresholds: tuple[Float32s, ...]
    class_floors: tuple[float | None, ...] = ()
    class_scale: tuple[float, float] = (1.0, 0.0)
    single_scale: float = 1.0
    ties: Ties = "longest"
    solver: Solver = "greedy"


class _Read(NamedTuple):
    """The findings of a text: what entities and records are taken from, and what relations are."""

    parts: Sequence[WindowFindings]
    paired: Sequence[WindowFindings]


def assemble(
    words: Words,
    schema: Schema,
    parts: Sequence[WindowFindings],
    choice: Choice,
    coverage: Coverage,
    closer: Sequence[WindowFindings] = (),
) -> Extraction:
    """Return what was found in a text.

    Args:
        words: of the whole text.
        schema: what was asked.
        parts: one an entry of the text's windows, in order.
        choice: overlap policy and thresholds of classes.
        coverage: what was read.
        closer: relations that were found in shorter windows.

    >>> from onepass.decoding.findings import Findings
    >>> from onepass.decoding.candidates import Candidates
    >>> from onepass.text.windows import Window
    >>> from onepass.text.words import split_words
    >>> found = Findings(Candidates([0], [2], [0.9], [0]))
    >>> parts = [WindowFindings(Window(0, 3), (found,))]
    >>> doc = assemble(
    ...     split_words("Tim Cook runs"), Schema().entities(["person"]), parts,
    ...     Choice("flat", ()), Coverage(13, 13, 1, False),
    ... )
    >>> [(entity.text, entity.start, entity.end) for entity in doc.entities]
    [('Tim Cook', 0, 8)]
    """
    paired = without_cut([*parts, *closer])
    parts = paired[: len(parts)]
    slots = open_slots(schema, parts, choice.solver)
    if slots or any(kind.is_ruled for kind in schema.relation_types):
        read = _Read(parts, paired)
        entities, relations, values = _together(words, schema, read, choice, slots=slots)
    else:
        entities = _entities(words, schema, parts, choice)
        relations, values = _relations(words, schema, paired), {}
    if any(findings.relations_of_entities for part in parts for findings in part.findings):
        answers = {question.name for question in schema.questions}
        places = {(one.start, one.end) for one in entities if one.label not in answers}
        relations = tuple(
            one
            for one in relations
            if {(one.head.start, one.head.end), (one.tail.start, one.tail.end)} <= places
        )
    return Extraction(
        text=words.text,
        entities=entities,
        classifications=_classifications(schema, parts, choice),
        records=assemble_records(words, schema, settled(schema, parts, values)),
        relations=relations,
        coverage=coverage,
    )


def _entities(
    words: Words, schema: Schema, parts: Sequence[WindowFindings], choice: Choice
) -> tuple[Entity, ...]:
    asked = [label.name for label in schema.span_labels]
    joined = _joined_entities(parts, asked)
    found = merge_candidates(joined.tables)
    if not len(found):
        return ()
    ranks = _ranks(joined, choice)
    entities = len(schema.entity_labels)
    if len(asked) == entities:
        return _as_entities(words, _without_overlaps(found, choice, ranks), joined)
    # Entities share the words of a text; the answers to a question leave those of others alone.
    group = np.where(found.labels < len(asked), np.maximum(found.labels - entities + 1, 0), 0)
    kept = merge_candidates(
        [
            _without_overlaps(found.take(np.flatnonzero(group == i)), choice, ranks)
            for i in np.unique(group)
        ]
    )
    return _as_entities(words, kept, joined)


def _together(
    words: Words,
    schema: Schema,
    read: _Read,
    choice: Choice,
    *,
    slots: Mapping[Place, Slot],
) -> tuple[tuple[Entity, ...], tuple[Relation, ...], dict[Place, tuple[SpanFind, ...]]]:
    """Return entities, relations and values chosen together; answers to questions aside.

    Args:
        words: of the whole text.
        schema: what was asked.
        read: the findings of its windows.
        choice: how.
        slots: fields whose values are open.
    """
    asked = [label.name for label in schema.span_labels]
    joined = _joined_entities(read.parts, asked)
    found = merge_candidates(joined.tables)
    entities = len(schema.entity_labels)
    answers = (found.labels >= entities) & (found.labels < len(asked))
    ranks = _ranks(joined, choice)
    ruled = any(kind.is_ruled for kind in schema.relation_types)
    pairs = _pairs(read.paired) if ruled else []
    wish = Wish(choice.overlap, choice.solver, ranks)
    alone = found.take(np.flatnonzero(~answers))
    chosen = choose_together(words, schema, alone, pairs, wish, slots=list(slots.values()))
    others = [
        _without_overlaps(found.take(np.flatnonzero(found.labels == label)), choice, ranks)
        for label in np.unique(found.labels[answers])
    ]
    whole = merge_candidates([chosen.entities, *others])
    relations = (
        tuple(_as_relation(words, one) for one in chosen.facts)
        if ruled
        else _relations(words, schema, read.paired)
    )
    values = dict(zip(slots, chosen.values, strict=True))
    return _as_entities(words, whole, joined), relations, values


def _pairs(parts: Sequence[WindowFindings]) -> list[Pair]:
    """Return the pairs of all windows in words of the document."""
    return [
        Pair(
            _moved_pair(pair, part.window.start),
            None if pair.instance < 0 else (window, prompt, pair.type, pair.instance),
            findings.relations_of_entities,
        )
        for window, part in enumerate(parts)
        for prompt, findings in enumerate(part.findings)
        for pair in findings.relations
    ]


def _as_relation(words: Words, fact: Fact) -> Relation:
    return Relation(fact.name, value_of(words, fact.head), value_of(words, fact.tail), fact.score)


def _joined_entities(parts: Sequence[WindowFindings], asked: list[str]) -> NamedEntities:
    readings = ((part.window.start, one) for part in parts for one in part.findings)
    return join_entities(readings, asked)


def _ranks(joined: NamedEntities, choice: Choice) -> Int64s | None:
    """Return how general each label is, or None if that plays no part."""
    if choice.overlap != "flat" or choice.ties != "longest":
        return None
    return np.array([label_rank(name) for name in joined.labels], dtype=np.int64)


def _as_entities(words: Words, kept: Candidates, joined: NamedEntities) -> tuple[Entity, ...]:
    check_most(len(kept))  # before each is made
    out = []
    for first, last, score, label in kept.rows():
        start, end = words.place(first, last)
        names = tuple(LabelScore(*one) for one in joined.of((first, last, label)))
        out.append(Entity(joined.labels[label], words.text[start:end], start, end, score, names))
    return tuple(out)


def _without_overlaps(found: Candidates, choice: Choice, ranks: Int64s | None) -> Candidates:
    return resolve_overlaps(found, policy=choice.overlap, ranks=ranks, ties=choice.ties)


def _classifications(
    schema: Schema, parts: Sequence[WindowFindings], choice: Choice
) -> dict[str, Classification]:
    answers = {}
    for number, task in enumerate(schema.classification_tasks):
        windows = [
            window_logits(
                number, len(task.labels), part.window.end - part.window.start, part.findings
            )
            for part in parts
        ]
        rules = ClassRules(
            choice.class_thresholds[number],
            choice.class_floors[number] if choice.class_floors else None,
            choice.class_scale,
            choice.single_scale,
        )
        answers[task.name] = answer_task(task, windows, rules)
    return answers


def _moved_pair(pair: RelationFind, words: int) -> RelationFind:
    head, tail = pair.head.shift(words), pair.tail.shift(words)
    return RelationFind(pair.type, head, tail, pair.score, pair.instance)


def _relations(
    words: Words, schema: Schema, parts: Sequence[WindowFindings]
) -> tuple[Relation, ...]:
    moved = [
        [
            _moved_pair(pair, part.window.start)
            for findings in part.findings
            for pair in findings.relations
        ]
        for part in parts
    ]
    return tuple(
        Relation(
            schema.relation_types[pair.type].name,
            value_of(words, pair.head),
            value_of(words, pair.tail),
            pair.score,
        )
        for pair in merge_relations(moved)
    )
