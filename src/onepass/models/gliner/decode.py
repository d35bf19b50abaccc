"""From the scores of a reading to its findings: places become those of the schema."""

from __future__ import annotations

import numpy as np

from onepass.arrays import Array, Float32s
from onepass.decoding.candidates import Candidates, RelationFind, SpanFind
from onepass.decoding.findings import Findings
from onepass.decoding.merge import merge_candidates
from onepass.decoding.overlap import resolve_overlaps
from onepass.models.family import Asking, Seen
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.prompt import Kind, Prompt
from onepass.models.gliner.relate import Pairs
from onepass.models.gliner.score import ReadingScores


def decode(scores: ReadingScores, reading: Reading, asking: Asking, words: int) -> Findings:
    """Decode one reading.

    Args:
        scores: of the reading.
        reading: its prompt says what was asked.
        asking: thresholds of the call.
        words: of the window.
    """
    prompt, found = reading.prompt, scores.spans
    if scores.choices is not None:
        return Findings(classes={(prompt.task, prompt.items): _logits(scores.choices)})
    if prompt.kind is Kind.TAILS:
        return Findings(relations=_tails(found, prompt), relations_of_entities=True)
    labels = np.array(prompt.items, dtype=np.int64)[found.labels]
    pairs = () if scores.pairs is None else _relations(scores.pairs, reading, asking)
    return Findings(
        found.labeled(labels),
        relations=pairs,
        relations_of_entities=True,
        names=scores.names,
        names_are_labels=scores.bare,
    )


def _logits(probs: Float32s) -> Float32s:
    """Return the logits of probabilities, finite even where rounding has made one 0 or 1."""
    inside = np.clip(probs.astype(np.float64), 1e-9, 1 - 1e-7)
    logits: Float32s = np.log(inside / (1 - inside)).astype(np.float32)
    return logits


def _tails(found: Candidates, prompt: Prompt) -> tuple[RelationFind, ...]:
    """Return what was found for ``entity <> type`` as relations of that entity."""
    relations = []
    for start, end, score, label in resolve_overlaps(found, policy="label", ties="first").rows():
        head = prompt.heads[label]
        if (head.start, head.end) != (start, end):
            tail = SpanFind(start, end, score)
            relations.append(RelationFind(prompt.items[label], head, tail, score))
    return tuple(relations)


def _relations(pairs: Pairs, reading: Reading, asking: Asking) -> tuple[RelationFind, ...]:
    """Return the pairs that reach the threshold of a relation type."""
    types = np.array(reading.prompt.types, dtype=np.int64)
    rows, columns = np.nonzero(pairs.scores >= asking.thresholds.relations[types])
    return tuple(
        RelationFind(
            int(types[column]),
            _span(pairs.heads[row], pairs.head_scores[row]),
            _span(pairs.tails[row], pairs.tail_scores[row]),
            float(pairs.scores[row, column]),
        )
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    )


def _span(place: Array, score: np.float32) -> SpanFind:
    return SpanFind(int(place[0]), int(place[1]), float(score))


def heads_of(seen: Seen, asking: Asking) -> list[tuple[str, SpanFind]]:
    """Return the entities of a window whose relations are asked next, each name once.

    Args:
        seen: a window with the findings of the first prompts.
        asking: overlap policy of the call.

    Returns:
        Each name as it stands in the text, with its best mention in words of the window.
    """
    labels = len(asking.schema.entity_labels)
    found = merge_candidates([findings.entities for findings in seen.findings])
    found = found.take(np.flatnonzero(found.labels < labels))
    kept = resolve_overlaps(found, policy=asking.overlap, ties="first")
    words = seen.text.words
    best: dict[str, SpanFind] = {}
    for start, end, score, _ in kept.rows():
        first, last = seen.window.start + start, seen.window.start + end - 1
        name = words.text[int(words.starts[first]) : int(words.ends[last])]
        if name not in best or best[name].score < score:
            best[name] = SpanFind(start, end, score)
    return list(best.items())
