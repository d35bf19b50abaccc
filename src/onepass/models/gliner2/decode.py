"""From GLiNER2 logits to findings: spans, records, pairs, class logits of one reading.

Positions are words of the reading's own window; labels, fields and types are the schema's indices.
Where the reference library is wrong this module is right: choices are looked up by their place and
not by their spelling, a pair never joins a span with itself, and nothing that touches the full stop
that was added to the text is an answer.
"""

from __future__ import annotations

import numpy as np

from onepass.backends.base import Floats
from onepass.decoding.constrained import constrained_values, limited, value_options
from onepass.decoding.findings import NO_CANDIDATES, Findings
from onepass.decoding.finds import (
    Candidates,
    ChoiceFind,
    Find,
    RecordFind,
    RecordPart,
    RelationFind,
    SpanFind,
    ValueOption,
)
from onepass.decoding.merge import merge_records
from onepass.decoding.overlap import select
from onepass.decoding.pair_options import pair_options
from onepass.decoding.spans import best_span, candidates, distinct_spans
from onepass.models.family import Asking
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.score import ReadingScores
from onepass.models.thresholds import CHOICES, PLAIN, sigmoid
from onepass.schema import Schema

_KINDS = {Kind.ENTITIES: "entities", Kind.STRUCTURE: "records", Kind.RELATION: "relations"}


def decode(scores: ReadingScores, reading: Reading, asking: Asking, words: int) -> Findings:
    """Decode one reading.

    Args:
        scores: of the reading.
        reading: its prompt says what was asked.
        asking: the schema that the indices of the prompt point into, and its thresholds.
        words: the text's own words of the window; those after them were added.
    """
    schema, thresholds = asking.schema, asking.thresholds
    found: list[Candidates] = []
    records: dict[int, tuple[RecordFind, ...]] = {}
    relations: list[RelationFind] = []
    classes: dict[tuple[int, tuple[int, ...]], Floats] = {}
    spare: set[int] = set()
    for number, group in enumerate(reading.prompt.groups):
        if group.kind is Kind.CLASSES:
            classes[group.task, group.items] = scores.classes[number]
            continue
        spans = scores.spans[number]
        if spans.logits is None or not words:  # choices have scores even where nothing is read
            continue
        prefix = reading.prompt.prefix_words
        calibration = thresholds.calibration.get(_KINDS[group.kind], PLAIN)
        probs = sigmoid(spans.logits, calibration)  # (instances, items, words, width)
        text = probs[:, :, prefix : prefix + words]
        if group.kind is Kind.ENTITIES:
            limits = thresholds.entities[list(group.items)]
            one = candidates(text[0], limits)
            labels = np.array(group.items, dtype=np.int64)[one.labels]
            found.append(Candidates(one.starts, one.ends, one.scores, labels))
        elif group.kind is Kind.RELATION:
            limit = float(thresholds.relations[group.task])
            if schema.relation_types[group.task].is_ruled:
                relations += pair_options(text, group.task, limit)
            else:
                relations += _pairs(text, group.task, limit)
        else:
            chosen = probs[:, :, :prefix, 0]  # (instances, items, choice words)
            own = thresholds.calibration.get(CHOICES, calibration)
            if own != calibration:
                chosen = sigmoid(spans.logits[:, :, :prefix, 0], own)
            found_here = _records(
                (chosen, text), number, (reading, schema), thresholds.fields[group.task],
                distinct=spans.distinct,
            )  # fmt: skip
            if any(record.options for record in found_here):  # what is chosen may change
                spare |= {group.task} if spans.spare else set()
            elif spans.spare:  # what repeats a part of another record is no record of its own
                single = schema.structures[group.task].single
                found_here = merge_records([RecordPart(0, words, found_here)], single)
            records[group.task] = found_here
    return Findings(_joined(found), records, tuple(relations), classes, spare=frozenset(spare))


def _joined(parts: list[Candidates]) -> Candidates:
    if not parts:
        return NO_CANDIDATES
    if len(parts) == 1:
        return parts[0]
    return Candidates(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _pairs(text: Floats, kind: int, threshold: float) -> list[RelationFind]:
    """Return, for each instance, its best head with its best tail, as gliner2 chooses them.

    Where both are one span, gliner2 returns a pair that is none, and here the instance gives
    nothing. Rules choose among the best few pairs in any case, so there the next one may stand in.
    """
    pairs = []
    for instance in text:  # (2, words, width)
        head = best_span(instance[0], threshold)
        tail = best_span(instance[1], threshold)
        if head is None or tail is None or (head.start, head.end) == (tail.start, tail.end):
            continue
        pairs.append(RelationFind(kind, head, tail, min(head.score, tail.score)))
    return pairs


def _records(
    scores: tuple[Floats, Floats],
    number: int,
    asked: tuple[Reading, Schema],
    thresholds: Floats,
    *,
    distinct: bool,
) -> tuple[RecordFind, ...]:
    """Return the instances of a structure in which anything was found.

    Args:
        scores: of the words of choices, (instances, items, choice words), and of the spans of the
            text, (instances, items, words, width).
        number: of the group in the prompt.
        asked: the reading, and the schema that its prompt points into.
        thresholds: (fields,).
        distinct: whether values of a record share no word.
    """
    choices, text = scores
    reading, schema = asked
    group = reading.prompt.groups[number]
    structure = schema.structures[group.task]
    options = {
        item: value_options(
            text[:, line],
            float(thresholds[item]),
            structure.fields[item],
            reading.document,
            reading.first,
        )
        for line, item in enumerate(group.items)
        if structure.fields[item].is_ruled
    }
    ruled = {item: constrained_values(own, structure.fields[item]) for item, own in options.items()}
    single = [
        (line, item)
        for line, item in enumerate(group.items)
        if distinct and structure.fields[item].dtype == "str"
        and not structure.fields[item].choices and item not in ruled
    ]  # fmt: skip  # fields whose values share no word
    lines, items = [line for line, _ in single], [item for _, item in single]
    records = []
    for instance in range(len(text)):
        fields: list[tuple[Find, ...]] = [()] * len(structure.fields)
        for line, item in enumerate(group.items):
            field = structure.fields[item]
            threshold = float(thresholds[item])
            if field.choices:
                rows = reading.prompt.choices[number, item]
                chosen = _choices(choices[instance, line, rows], threshold, field.dtype)
                fields[item] = limited(chosen, field)
            elif item in ruled:
                fields[item] = ruled[item][instance]
            elif item not in items:
                fields[item] = _values(text[instance, line], threshold, field.dtype)
        if items:
            apart = distinct_spans(text[instance, lines], thresholds[items])
            for item, span in zip(items, apart, strict=True):
                fields[item] = () if span is None else (span,)
        own = _options_of(instance, len(fields), options)
        if any(fields) or any(own):
            records.append(RecordFind(tuple(fields), own))
    return tuple(records)


def _options_of(
    instance: int, fields: int, options: dict[int, list[tuple[ValueOption, ...]]]
) -> tuple[tuple[ValueOption, ...], ...]:
    """Return for each field what it may hold in one instance; nothing at all without rules."""
    if not options:
        return ()
    return tuple(options[item][instance] if item in options else () for item in range(fields))


def _choices(probs: Floats, threshold: float, dtype: str) -> tuple[Find, ...]:
    """Return every choice that holds, or the best one if it does."""
    chosen = np.flatnonzero(probs >= np.float32(threshold))
    if dtype == "str" and len(chosen):
        chosen = np.array([probs.argmax()])
    return tuple(ChoiceFind(int(c), float(probs[c])) for c in chosen)


def _values(probs: Floats, threshold: float, dtype: str) -> tuple[Find, ...]:
    """Return the spans that hold, without overlaps, or the best one."""
    if dtype == "str":
        best = best_span(probs, threshold)
        return () if best is None else (best,)
    if not (probs >= probs.dtype.type(threshold)).any():  # most fields of many, most of the time
        return ()
    found = candidates(probs[None], [threshold])
    kept = select(found.starts, found.ends, found.scores, found.labels, policy="flat")
    return tuple(
        SpanFind(int(found.starts[i]), int(found.ends[i]), float(found.scores[i])) for i in kept
    )
