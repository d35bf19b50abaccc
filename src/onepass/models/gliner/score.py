"""The GLiNER program: from a batch of readings to scores, over any backend.

The encoder runs once; then spans or tokens meet the labels, and, where relations are asked, the
entities that hold meet each other. Thresholds come in only where a later step reads what an earlier
one found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onepass.arrays import Float32s
from onepass.backends.base import Backend, Rows
from onepass.decoding.candidates import NO_CANDIDATES, Candidates
from onepass.decoding.findings import Names
from onepass.decoding.overlap import resolve_overlaps
from onepass.decoding.spans import candidates
from onepass.decoding.tokens import token_candidates
from onepass.models.family import Asking
from onepass.models.finite import check_finite
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.encode import Reading, collate
from onepass.models.gliner.naming import Namer, name_found
from onepass.models.gliner.prompt import Kind, Prompt
from onepass.models.gliner.relate import Held, Pairs, relate
from onepass.models.gliner.states import States, distinct_places
from onepass.models.kept import PLAIN
from onepass.models.thresholds import sigmoid


@dataclass(frozen=True, slots=True, eq=False)
class ReadingScores:
    """The answers of one reading.

    Attributes:
        spans: of the text that hold; labels are those of the prompt, by their place in it.
        pairs: of the entities that are kept, with the score of every relation type.
        choices: (classes,) probabilities of what can be chosen in the instruction.
        names: of each span; none if they are not asked for.
        bare: whether the best name stands for the label.
    """

    spans: Candidates
    pairs: Pairs | None = None
    choices: Float32s | None = None
    names: tuple[Names, ...] = ()
    bare: bool = False


def score(
    readings: Sequence[Reading],
    config: GlinerConfig,
    backend: Backend,
    asking: Asking,
    namer: Namer | None = None,
) -> list[ReadingScores]:
    """Return the scores of each reading of a batch.

    Args:
        readings: the rows.
        config: of the checkpoint.
        backend: that runs the graphs of `onepass.models.gliner.graphs`.
        asking: thresholds and overlap policy of the call.
        namer: writes names if they are asked for.
    """
    states = _encode(readings, config, backend)
    check_finite(states.labels)
    states = _in_context(readings, states, config, backend)
    probs = _probabilities(readings, states, config, backend, asking)
    found = [
        _holding(reading, own, config, asking) for reading, own in zip(readings, probs, strict=True)
    ]
    if config.represent_spans:
        found = score_again(readings, states, found, backend, asking)
    pairs: list[Pairs | None] = [None] * len(readings)
    if config.relations is not None and any(reading.prompt.types for reading in readings):
        kept = [resolve_overlaps(one, policy=asking.overlap, ties="first") for one in found]
        pairs = relate(readings, states, Held(found, kept), config, backend, asking)
    choices = [
        _choices(reading, own, config) if reading.prompt.kind is Kind.CLASSES else None
        for reading, own in zip(readings, probs, strict=True)
    ]
    names: list[tuple[Names, ...]] = [()] * len(readings)
    if namer is not None and asking.schema.naming is not None:
        names = name_found(readings, states, found, namer, backend, asking)
    return [
        ReadingScores(*one, bare=config.bare_prompt)
        for one in zip(found, pairs, choices, names, strict=True)
    ]


def _encode(readings: Sequence[Reading], config: GlinerConfig, backend: Backend) -> States:
    arrays = collate(readings, config)
    counts = arrays["word_counts"]
    out = backend.run("encode", arrays)
    if not config.labels_apart:
        return States(out[0], counts, out[1], out[2] if len(out) > 2 else None)
    words, labels = out[0], label_rows(readings)
    if config.fusion:
        asked = np.array([len(reading.prompt.texts) for reading in readings], dtype=np.int64)
        labels = _for_all(labels, len(readings))
        words, labels = backend.run(
            "fuse",
            {
                "word_states": words,
                "word_counts": counts,
                "label_states": labels,
                "label_counts": asked,
            },
        )
    return States(words, counts, labels, None)


def _in_context(
    readings: Sequence[Reading], states: States, config: GlinerConfig, backend: Backend
) -> States:
    """Return the states with the words as the layer of spans reads them, if it will read any."""
    related = any(reading.prompt.types for reading in readings)
    if config.context is None or (config.tokens and not config.represent_spans and not related):
        return states
    return replace(states, in_context=backend.run("context", states.of_spans)[0])


def label_rows(readings: Sequence[Reading]) -> Float32s:
    """Return the label vectors of each reading, (batch or 1, labels, hidden)."""
    vectors = []
    for reading in readings:
        if reading.prompt.vectors is None:
            raise ValueError("The labels of a prompt have no vectors yet.")
        vectors.append(reading.prompt.vectors)
    if all(one is vectors[0] for one in vectors):
        return vectors[0][None]
    out = np.zeros((len(vectors), max(map(len, vectors)), vectors[0].shape[1]), dtype=np.float32)
    for row, own in enumerate(vectors):
        out[row, : len(own)] = own
    return out


# Kinds of calibration; that of classes follows where they are chosen, as in other families.
_CALIBRATED_AS = {Kind.SPANS: "entities", Kind.TAILS: "relations"}
_SPAN_CELLS = 20_000_000  # scores of one run, 4 bytes each
_TOKEN_CELLS = 20_000  # (word, label) pairs that meet at once; each takes 16 hidden bytes


def _probabilities(
    readings: Sequence[Reading],
    states: States,
    config: GlinerConfig,
    backend: Backend,
    asking: Asking,
) -> list[Float32s]:
    """Return, for each reading, (labels, words, width) of spans or (labels, words, 3) of tokens."""
    rows = len(readings)
    queries = _queries(readings, states, config, backend)
    if config.tokens:
        logits = _token_logits(states.words, _for_all(queries, rows), backend)
    else:
        logits = _span_logits(states, queries, config.max_width, backend)
    probs = _shares(logits, readings, asking)
    return [
        probs[row, : len(reading.prompt.texts), : len(reading.lengths)]
        for row, reading in enumerate(readings)
    ]


def _shares(logits: Float32s, readings: Sequence[Reading], asking: Asking) -> Float32s:
    """Return (batch, ...) probabilities, by the calibration of what each prompt asks for."""
    known = asking.thresholds.calibration
    of_kind = {kind: known.get(name, PLAIN) for kind, name in _CALIBRATED_AS.items()}
    lines = [of_kind.get(one.prompt.kind, PLAIN) for one in readings]
    if len(set(lines)) == 1:
        return sigmoid(logits, lines[0])
    return np.stack([sigmoid(own, line) for own, line in zip(logits, lines, strict=True)])


def _queries(
    readings: Sequence[Reading], states: States, config: GlinerConfig, backend: Backend
) -> Float32s:
    """Return (batch or 1, labels, hidden) label vectors as the heads read them."""
    if config.tokens and config.relations is None:
        return states.labels
    ready = [reading.prompt.queries for reading in readings]
    if ready[0] is not None and all(one is ready[0] for one in ready):
        return ready[0][None]
    queries: Float32s = backend.run("queries", {"label_states": states.labels})[0]
    return queries


def _span_logits(states: States, queries: Float32s, width: int, backend: Backend) -> Float32s:
    """Return (batch, labels, words, width), a few rows at a time where there are many labels."""
    rows, words = states.words.shape[:2]
    step = max(1, _SPAN_CELLS // max(1, queries.shape[1] * words * width))
    parts = []
    for first in range(0, rows, step):
        part = slice(first, first + step)
        own = queries if len(queries) == 1 else queries[part]
        inputs = {name: array[part] for name, array in states.of_spans.items()}
        inputs["queries"] = _for_all(own, len(states.counts[part]))
        parts.append(backend.run("spans", inputs)[0])
    logits: Float32s = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return logits


def _token_logits(words: Rows, labels: Float32s, backend: Backend) -> Float32s:
    """Return (batch, labels, words, 3), a few labels at a time: each needs much memory a word."""
    step = max(1, _TOKEN_CELLS // max(1, words.shape[0] * words.shape[1]))
    parts = [
        backend.run("tokens", {"word_states": words, "label_states": labels[:, i : i + step]})[0]
        for i in range(0, max(1, labels.shape[1]), step)
    ]
    logits: Float32s = np.concatenate(parts, axis=1)
    return logits


def _for_all(rows: Float32s, batch: int) -> Float32s:
    """Return (batch, ...) where all rows share one."""
    if len(rows) == batch:
        return rows
    return np.repeat(rows, batch, axis=0)


def _holding(reading: Reading, probs: Float32s, config: GlinerConfig, asking: Asking) -> Candidates:
    """Return the spans of the text that reach their thresholds; its words count from 0."""
    if reading.prompt.kind is Kind.CLASSES:
        return NO_CANDIDATES
    find = token_candidates if config.tokens else candidates
    return find(probs[:, reading.before :], label_limits(reading.prompt, asking))


def label_limits(prompt: Prompt, asking: Asking) -> Float32s:
    """Return (labels,) thresholds."""
    thresholds = asking.thresholds
    limits = thresholds.relations if prompt.kind is Kind.TAILS else thresholds.entities
    return limits[list(prompt.items)]


def _choices(reading: Reading, probs: Float32s, config: GlinerConfig) -> Float32s:
    """Return (classes,) probabilities of the spans of the instruction that can be chosen."""
    own = probs[0]
    first, last = reading.prompt.instruction.places.T
    if not config.tokens:  # longer than any span that is scored: no evidence for it
        width = last - first
        inside = own[first, np.minimum(width, own.shape[1] - 1)]
        none: Float32s = np.where(width < own.shape[1], inside, 0.0).astype(np.float32)
        return none
    lowest = [own[a : b + 1, 2].min() for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    chosen: Float32s = np.minimum(np.minimum(own[first, 0], own[last, 1]), lowest)
    return chosen


def score_again(
    readings: Sequence[Reading],
    states: States,
    proposed: Sequence[Candidates],
    backend: Backend,
    asking: Asking,
) -> list[Candidates]:
    """Return proposed spans with the labels that hold for them as spans."""
    places, counts = distinct_places(proposed, [reading.before for reading in readings])
    if not places.shape[1]:
        return list(proposed)
    inputs = {**states.of_spans, "places": places}
    (vectors,) = backend.run("span_states", inputs)  # (batch, spans, hidden)
    logits = vectors @ _for_all(states.labels, len(readings)).transpose(0, 2, 1)
    probs = _shares(logits, readings, asking)
    found = []
    for row, reading in enumerate(readings):
        if reading.prompt.kind is Kind.CLASSES:
            found.append(NO_CANDIDATES)
            continue
        own = probs[row, : counts[row], : len(reading.prompt.texts)]  # (spans, labels)
        spans, labels = np.nonzero(own >= label_limits(reading.prompt, asking))
        own_places = places[row, spans] - reading.before
        scores = own[spans, labels].astype(np.float64)
        found.append(Candidates(own_places[:, 0], own_places[:, 1] + 1, scores, labels))
    return found
