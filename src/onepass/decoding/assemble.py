"""From the findings of all windows and prompts of a text to its `Extraction`.

Findings of the prompts of one window are joined first (labels of one task may be spread over
several prompts), then those of all windows; then overlaps are resolved and words become characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onepass.decoding.classes import ClassRules, answer_task, window_logits
from onepass.decoding.consistency import Fact, Pair, Wish, choose_together
from onepass.decoding.consistency_solve import Solver
from onepass.decoding.findings import Findings
from onepass.decoding.finds import (
    Candidates,
    ChoiceFind,
    Find,
    RecordFind,
    RecordPart,
    RelationFind,
    SpanFind,
)
from onepass.decoding.merge import (
    merge_candidates,
    merge_records,
    merge_relations,
)
from onepass.decoding.naming import NamedEntities, join_entities
from onepass.decoding.overlap import Policy, Ties, select
from onepass.decoding.specificity import label_rank
from onepass.results.types import (
    Classification,
    Coverage,
    Entity,
    Extraction,
    FieldValue,
    LabelScore,
    Record,
    Relation,
    Value,
)
from onepass.schema import Field, Schema
from onepass.text.windows import Window
from onepass.text.words import Words

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class WindowFindings:
    """A window with the findings of each prompt under which it was read."""

    window: Window
    findings: tuple[Findings, ...]


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
        solver: how entities and relations are chosen that depend on each other.
    """

    overlap: Policy
    class_thresholds: tuple[Floats, ...]
    class_floors: tuple[float | None, ...] = ()
    class_scale: tuple[float, float] = (1.0, 0.0)
    single_scale: float = 1.0
    ties: Ties = "longest"
    solver: Solver = "greedy"


def assemble(
    words: Words,
    schema: Schema,
    parts: Sequence[WindowFindings],
    choice: Choice,
    coverage: Coverage,
) -> Extraction:
    """Return what was found in a text.

    Args:
        words: of the whole text.
        schema: what was asked.
        parts: one an entry of the text's windows, in order.
        choice: overlap policy and thresholds of classes.
        coverage: what was read.

    >>> from onepass.decoding.finds import Candidates
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
    if any(kind.is_ruled for kind in schema.relation_types):
        entities, relations = _together(words, schema, parts, choice)
    else:
        entities = _entities(words, schema, parts, choice)
        relations = _relations(words, schema, parts)
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
        records=_records(words, schema, parts),
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
    # Entities share the words of a text; the answers to a question leave those of others alone.
    entities = len(schema.entity_labels)
    group = np.where(found.labels < len(asked), np.maximum(found.labels - entities + 1, 0), 0)
    kept = merge_candidates(
        [
            _without_overlaps(found.take(np.flatnonzero(group == i)), choice, ranks)
            for i in np.unique(group)
        ]
    )
    return _as_entities(words, kept, joined)


def _together(
    words: Words, schema: Schema, parts: Sequence[WindowFindings], choice: Choice
) -> tuple[tuple[Entity, ...], tuple[Relation, ...]]:
    """Return entities and relations that were chosen together; answers to questions aside."""
    asked = [label.name for label in schema.span_labels]
    joined = _joined_entities(parts, asked)
    found = merge_candidates(joined.tables)
    entities = len(schema.entity_labels)
    answers = (found.labels >= entities) & (found.labels < len(asked))
    ranks = _ranks(joined, choice)
    pairs = [
        Pair(
            _moved_pair(pair, part.window.start),
            None if pair.instance < 0 else (window, prompt, pair.type, pair.instance),
            findings.relations_of_entities,
        )
        for window, part in enumerate(parts)
        for prompt, findings in enumerate(part.findings)
        for pair in findings.relations
    ]
    wish = Wish(choice.overlap, choice.solver, ranks)
    kept, facts = choose_together(words, schema, found.take(np.flatnonzero(~answers)), pairs, wish)
    others = [
        _without_overlaps(found.take(np.flatnonzero(found.labels == label)), choice, ranks)
        for label in np.unique(found.labels[answers])
    ]
    whole = merge_candidates([kept, *others])
    return _as_entities(words, whole, joined), tuple(_as_relation(words, one) for one in facts)


def _as_relation(words: Words, fact: Fact) -> Relation:
    return Relation(fact.name, _value(words, fact.head), _value(words, fact.tail), fact.score)


def _joined_entities(parts: Sequence[WindowFindings], asked: list[str]) -> NamedEntities:
    readings = ((part.window.start, one) for part in parts for one in part.findings)
    return join_entities(readings, asked)


def _ranks(joined: NamedEntities, choice: Choice) -> NDArray[np.int64] | None:
    """Return how general each label is, or None if that plays no part."""
    if choice.overlap != "flat" or choice.ties != "longest":
        return None
    return np.array([label_rank(name) for name in joined.labels], dtype=np.int64)


def _as_entities(words: Words, kept: Candidates, joined: NamedEntities) -> tuple[Entity, ...]:
    out = []
    for first, last, label, score in zip(
        kept.starts.tolist(),
        kept.ends.tolist(),
        kept.labels.tolist(),
        kept.scores.tolist(),
        strict=True,
    ):
        start, end = int(words.starts[first]), int(words.ends[last - 1])
        names = tuple(LabelScore(*one) for one in joined.of((first, last, label)))
        out.append(Entity(joined.labels[label], words.text[start:end], start, end, score, names))
    return tuple(out)


def _without_overlaps(
    found: Candidates, choice: Choice, ranks: NDArray[np.int64] | None
) -> Candidates:
    return found.take(
        select(
            found.starts,
            found.ends,
            found.scores,
            found.labels,
            policy=choice.overlap,
            ranks=ranks,
            ties=choice.ties,
        )
    )


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


def _records(
    words: Words, schema: Schema, parts: Sequence[WindowFindings]
) -> dict[str, tuple[Record, ...]]:
    answers: dict[str, tuple[Record, ...]] = {}
    for number, structure in enumerate(schema.structures):
        windows = []
        for part in parts:
            whole = _joined_records([f.records.get(number, ()) for f in part.findings])
            moved = tuple(_moved(record, part.window.start) for record in whole)
            windows.append(RecordPart(part.window.start, part.window.end, moved))
        # Windows overlap and repeat each other; what one window says is taken as it is.
        found = merge_records(windows) if len(windows) > 1 else windows[0].records
        answers[structure.name] = tuple(
            {
                field.name: _field_value(words, field, finds)
                for field, finds in zip(structure.fields, record.fields, strict=True)
            }
            for record in found
        )
    return answers


def _joined_records(passes: Sequence[tuple[RecordFind, ...]]) -> tuple[RecordFind, ...]:
    """Join records whose fields were asked in several prompts: the n-th of each is one record."""
    filled = [records for records in passes if records]
    if len(filled) < 2:
        return filled[0] if filled else ()
    joined = []
    for place in range(max(map(len, filled))):
        same = [records[place] for records in filled if place < len(records)]
        fields = zip(*(record.fields for record in same), strict=True)
        joined.append(RecordFind(tuple(next((f for f in held if f), ()) for held in fields)))
    return tuple(joined)


def _moved(record: RecordFind, words: int) -> RecordFind:
    return RecordFind(
        tuple(tuple(_moved_find(find, words) for find in finds) for finds in record.fields)
    )


def _moved_find(find: Find, words: int) -> Find:
    return find if isinstance(find, ChoiceFind) else _moved_span(find, words)


def _moved_span(find: SpanFind, words: int) -> SpanFind:
    return SpanFind(find.start + words, find.end + words, find.score)


def _moved_pair(pair: RelationFind, words: int) -> RelationFind:
    head, tail = _moved_span(pair.head, words), _moved_span(pair.tail, words)
    return RelationFind(pair.type, head, tail, pair.score, pair.instance)


def _field_value(words: Words, field: Field, finds: tuple[Find, ...]) -> FieldValue:
    values = tuple(
        Value(field.choices[find.choice], None, None, find.score)
        if isinstance(find, ChoiceFind)
        else _value(words, find)
        for find in finds
    )
    if field.dtype == "list":
        return values
    return values[0] if values else None


def _value(words: Words, find: SpanFind) -> Value:
    start, end = int(words.starts[find.start]), int(words.ends[find.end - 1])
    return Value(words.text[start:end], start, end, find.score)


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
            _value(words, pair.head),
            _value(words, pair.tail),
            pair.score,
        )
        for pair in merge_relations(moved)
    )
