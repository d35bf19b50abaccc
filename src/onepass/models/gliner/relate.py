"""Entities that hold, related to each other: which pairs are looked at, and how they score.

Every ordered pair of different entities, or those that the adjacency layer proposes. A span is one
entity here whatever number of labels it has, so no relation is said twice and none relates an
entity to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from onepass.arrays import Array, Float32s
from onepass.backends.base import Backend
from onepass.decoding.candidates import Candidates
from onepass.models.family import Asking
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.states import States, distinct_places
from onepass.models.kept import PLAIN
from onepass.models.thresholds import sigmoid

_PAIR_CELLS = 16_384  # (pair, type) that are scored at once, each with a vector of its own
# From here on a pair is looked at, whatever is asked: whether two entities are linked at all is a
# question of its own, answered where it is more likely than not. A threshold of the call would let
# one relation type decide for another. gliner takes that of entities, by default the same number.
_LINKED = 0.5
_SEE_ALL = ("attention", "gcn", "gat")  # whether two entities are near depends on all the others


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Ordered pairs of entities with the scores of all relation types.

    Attributes:
        heads: (pairs, 2) first word and word after the last.
        tails: (pairs, 2) likewise.
        head_scores: (pairs,) of the entities.
        tail_scores: (pairs,) likewise.
        scores: (pairs, types) probabilities.
    """

    heads: Array
    tails: Array
    head_scores: Float32s
    tail_scores: Float32s
    scores: Float32s


class Held(NamedTuple):
    """Entities of each reading.

    Attributes:
        every: all that hold; the adjacency layer sees them.
        kept: those that are kept; only they are paired.
    """

    every: Sequence[Candidates]
    kept: Sequence[Candidates]


def relate(
    readings: Sequence[Reading],
    states: States,
    held: Held,
    config: GlinerConfig,
    backend: Backend,
    asking: Asking,
) -> list[Pairs | None]:
    """Return the scored pairs of each reading, None where there is none.

    Args:
        readings: the rows.
        states: of the encoder.
        held: entities of each reading.
        config: of the checkpoint.
        backend: that runs its graphs.
        asking: of the call, with the calibration of relations.
    """
    every, kept = held
    if config.relations is not None and config.relations.adjacency not in _SEE_ALL:
        every = kept
    places, counts = distinct_places(every, [reading.before for reading in readings])
    if not places.shape[1]:
        return [None] * len(readings)
    inputs = {**states.of_spans, "places": places}
    (vectors,) = backend.run("span_states", inputs)  # (batch, spans, hidden)
    near = _near(vectors, counts, config, backend)
    out: list[Pairs | None] = []
    for row, reading in enumerate(readings):
        types = len(reading.prompt.types)
        if not types or states.types is None:  # a question, or a pass with labels only
            out.append(None)
            continue
        chosen, best = _best(kept[row], places[row, : counts[row]])
        pairs = near[row][np.ix_(chosen, chosen)]
        np.fill_diagonal(pairs, val=False)
        heads, tails = (chosen[side] for side in np.nonzero(pairs))
        if not len(heads):
            out.append(None)
            continue
        logits = _score_pairs(vectors[row], heads, tails, states.types[row, :types], backend)
        own = places[row] + [0, 1]
        score_of = dict(zip(chosen.tolist(), best.tolist(), strict=True))
        out.append(
            Pairs(
                own[heads],
                own[tails],
                np.array([score_of[i] for i in heads.tolist()], dtype=np.float32),
                np.array([score_of[i] for i in tails.tolist()], dtype=np.float32),
                sigmoid(logits, asking.thresholds.calibration.get("relations", PLAIN)),
            )
        )
    return out


def _near(vectors: Float32s, counts: list[int], config: GlinerConfig, backend: Backend) -> Array:
    """Return (batch, spans, spans): whether a pair is looked at."""
    spans = vectors.shape[1]
    assert config.relations is not None
    if config.relations.adjacency == "none":
        return np.ones((len(vectors), spans, spans), dtype=bool)
    inputs: dict[str, Array] = {
        "span_states": vectors,
        "span_counts": np.array(counts, dtype=np.int64),
    }
    (adjacency,) = backend.run("adjacency", inputs)
    near: Array = adjacency >= _LINKED
    return near


def _best(kept: Candidates, places: Array) -> tuple[Array, Float32s]:
    """Return the rows of the kept entities among the places, and the best score of each."""
    rows, scores = [], []
    where = {(start, last + 1): row for row, (start, last) in enumerate(places.tolist())}
    best: dict[int, float] = {}
    for start, end, score, _ in kept.rows():
        row = where[start, end]
        best[row] = max(score, best.get(row, 0.0))
    for row in sorted(best):
        rows.append(row)
        scores.append(best[row])
    return np.array(rows, dtype=np.int64), np.array(scores, dtype=np.float32)


def _score_pairs(
    vectors: Float32s, heads: Array, tails: Array, types: Float32s, backend: Backend
) -> Float32s:
    """Return (pairs, types) logits."""
    logits = []
    step = max(1, _PAIR_CELLS // len(types))
    for first in range(0, len(heads), step):
        part = slice(first, first + step)
        inputs = {
            "heads": vectors[heads[part]],
            "tails": vectors[tails[part]],
            "relations": np.repeat(types[None], len(heads[part]), axis=0),
        }
        logits.append(backend.run("pairs", inputs)[0])
    out: Float32s = np.concatenate(logits)
    return out
