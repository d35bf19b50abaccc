"""From GLiNER2 logits to findings: spans, records, pairs, class logits of one reading.

Positions are words of the reading's own window; labels, fields and types are the schema's indices.
Where the reference library is wrong this module is right: choices are looked up by their place and
not by their spelling, a pair never joins a span with itself, and nothing that touches the full stop
that was added to the text is an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.decoding.candidates import (
    Candidates,
    ChoiceFind,
    Find,
    RecordFind,
    RecordPart,
    RelationFind,
    SpanFind,
    ValueOption,
)
from onepass.decoding.constrained import (
    apart_values,
    constrained_values,
    limited,
    plain_options,
    value_options,
)
from onepass.decoding.findings import Findings
from onepass.decoding.merge import merge_records
from onepass.decoding.overlap import resolve_overlaps
from onepass.decoding.pair_options import pair_options
from onepass.decoding.spans import best_span, candidates, distinct_spans, whole_spans
from onepass.models.family import Asking
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import SECTION_OF, Kind
from onepass.models.gliner2.score import ReadingScores
from onepass.models.kept import PLAIN
from onepass.models.thresholds import CHOICES, sigmoid
from onepass.schema import Structure
from onepass.text.forms import whole_forms

_NO_RUNS = np.zeros((0, 2), dtype=np.int64)


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
    classes: dict[tuple[int, tuple[int, ...]], Float32s] = {}
    spare: set[int] = set()
    runs = _runs(reading, words) if any(one.whole for one in scores.spans.values()) else _NO_RUNS
    for number, group in enumerate(reading.prompt.groups):
        if group.kind is Kind.CLASSES:
            classes[group.task, group.items] = scores.classes[number]
            continue
        spans = scores.spans[number]
        if spans.logits is None or not words:  # choices have scores even where nothing is read
            continue
        prefix = reading.prompt.prefix_words
        calibration = thresholds.calibration.get(SECTION_OF[group.kind], PLAIN)
        probs = sigmoid(spans.logits, calibration)  # (instances, items, words, width)
        text = probs[:, :, prefix : prefix + words]
        text = whole_spans(text, runs)
        if group.kind is Kind.ENTITIES:
            limits = thresholds.entities[list(group.items)]
            one = candidates(text[0], limits)
            labels = np.array(group.items, dtype=np.int64)[one.labels]
            found.append(one.labeled(labels))
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
            structure, limits = schema.structures[group.task], thresholds.fields[group.task]
            asked = AskedRecords(
                choices=chosen, text=text, reading=reading, number=number,
                structure=structure, thresholds=limits, distinct=spans.distinct,
            )  # fmt: skip
            found_here = asked.records()
            if any(record.options for record in found_here):  # what is chosen may change
                spare |= {group.task} if spans.spare else set()
            elif spans.spare:  # what repeats a part of another record is no record of its own
                parts = [RecordPart(0, words, found_here)]
                found_here = merge_records(parts, structure.single)
            records[group.task] = found_here
    return Findings(
        Candidates.joined(found), records, tuple(relations), classes, spare=frozenset(spare)
    )


def _runs(reading: Reading, words: int) -> Int64s:
    """Return the runs of words that no finding cuts, in words of the window, (runs, 2)."""
    first = reading.first
    return whole_forms(reading.document, first, first + words) - first


def _pairs(text: Float32s, kind: int, threshold: float) -> list[RelationFind]:
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


@dataclass(frozen=True, slots=True, eq=False)
class AskedRecords:
    """A group that asks for records, with its scores.

    Attributes:
        choices: (instances, items, choice words) of the words of choices.
        text: (instances, items, words, width) of the spans of the text.
        reading: one window, in whose prompt the group is.
        number: of the group in the prompt.
        structure: that it asks for.
        thresholds: (fields,).
        distinct: whether values of a record share no word.
    """

    choices: Float32s
    text: Float32s
    reading: Reading
    number: int
    structure: Structure
    thresholds: Float32s
    distinct: bool

    @property
    def items(self) -> tuple[int, ...]:
        """Fields that are asked, in the order of the scores."""
        return self.reading.prompt.groups[self.number].items

    def records(self) -> tuple[RecordFind, ...]:
        """Return the instances in which anything was found."""
        fields = self.structure.fields
        options = {
            item: self._options(line, item)
            for line, item in enumerate(self.items)
            if fields[item].is_ruled
        }
        apart = self._apart()
        ruled = {
            item: constrained_values(own, fields[item])
            for item, own in options.items()
            if item not in apart
        }
        records = []
        for instance in range(len(self.text)):
            held = self._held(instance, ruled, self._values_apart(instance, apart, options))
            own = _options_of(instance, len(fields), options)
            if any(held) or any(own):
                records.append(RecordFind(held, own))
        return tuple(records)

    def _options(self, line: int, item: int) -> list[tuple[ValueOption, ...]]:
        """Return what a field with rules may hold in each instance."""
        reading, threshold = self.reading, float(self.thresholds[item])
        field, scores = self.structure.fields[item], self.text[:, line]
        return value_options(scores, threshold, field, reading.document, reading.first)

    def _apart(self) -> dict[int, int]:
        """Return the fields whose values share no word, with their lines in the scores.

        Not those that are chosen beside other findings: labels, and other records.
        """
        fields = self.structure.fields
        return {
            item: line
            for line, item in enumerate(self.items)
            if self.distinct and fields[item].dtype == "str" and not fields[item].choices
            and not fields[item].rules.labels and not fields[item].rules.exclusive
        }  # fmt: skip

    def _values_apart(
        self,
        instance: int,
        apart: Mapping[int, int],
        options: Mapping[int, Sequence[tuple[ValueOption, ...]]],
    ) -> dict[int, SpanFind | None]:
        """Return what the fields whose values share no word hold in one instance."""
        if not apart:
            return {}
        lines, limits = list(apart.values()), self.thresholds[list(apart)]
        if options.keys().isdisjoint(apart):
            spans = distinct_spans(self.text[instance, lines], limits)
        else:
            spans = apart_values(
                [
                    options[item][instance]
                    if item in options
                    else plain_options(self.text[instance, line], float(limit))
                    for (item, line), limit in zip(apart.items(), limits, strict=True)
                ]
            )
        return dict(zip(apart, spans, strict=True))

    def _held(
        self,
        instance: int,
        ruled: Mapping[int, Sequence[tuple[Find, ...]]],
        apart: Mapping[int, SpanFind | None],
    ) -> tuple[tuple[Find, ...], ...]:
        """Return what each field holds in one instance."""
        out: list[tuple[Find, ...]] = [()] * len(self.structure.fields)
        for line, item in enumerate(self.items):
            field, threshold = self.structure.fields[item], float(self.thresholds[item])
            if field.choices:
                rows = self.reading.prompt.choices[self.number, item]
                chosen = _choices(self.choices[instance, line, rows], threshold, field.dtype)
                out[item] = limited(chosen, field)
            elif item in ruled:
                out[item] = ruled[item][instance]
            elif item in apart:
                span = apart[item]
                out[item] = () if span is None else (span,)
            else:
                out[item] = _values(self.text[instance, line], threshold, field.dtype)
        return tuple(out)


def _options_of(
    instance: int, fields: int, options: dict[int, list[tuple[ValueOption, ...]]]
) -> tuple[tuple[ValueOption, ...], ...]:
    """Return for each field what it may hold in one instance; nothing at all without rules."""
    if not options:
        return ()
    return tuple(options[item][instance] if item in options else () for item in range(fields))


def _choices(probs: Float32s, threshold: float, dtype: str) -> tuple[Find, ...]:
    """Return every choice that holds, or the best one if it does."""
    chosen = np.flatnonzero(probs >= np.float32(threshold))
    if dtype == "str" and len(chosen):
        chosen = np.array([probs.argmax()])
    return tuple(ChoiceFind(int(c), float(probs[c])) for c in chosen)


def _values(probs: Float32s, threshold: float, dtype: str) -> tuple[Find, ...]:
    """Return the spans that hold, without overlaps, or the best one."""
    if dtype == "str":
        best = best_span(probs, threshold)
        return () if best is None else (best,)
    if not (probs >= probs.dtype.type(threshold)).any():  # most fields of many, most of the time
        return ()
    kept = resolve_overlaps(candidates(probs[None], [threshold]), policy="flat")
    return tuple(kept.spans())
