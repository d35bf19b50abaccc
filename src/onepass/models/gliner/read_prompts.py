"""Prompts whose label vectors depend on no text: each is read once, by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.encode import Reading, collate, padded_places
from onepass.models.gliner.prompt import Prompt

_NOTHING: Int64s = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PromptPlaces:
    """Where the prompts of a batch stand in what `encode` reads.

    Attributes:
        places: (batch, pieces) of all pieces of each prompt; what is behind a prompt means nothing.
        counts: (batch,) pieces of each prompt.
        labels: (batch, labels) of the markers.
    """

    places: Int64s
    counts: Int64s
    labels: Int64s


def prompt_places(prompts: Sequence[Prompt]) -> PromptPlaces:
    """Return the places of prompts that stand in front of all else."""
    counts = np.array([len(prompt.ids) for prompt in prompts], dtype=np.int64)
    places = np.tile(np.arange(counts.max()), (len(prompts), 1))
    return PromptPlaces(places, counts, padded_places([one.label_places for one in prompts]))


def read_prompts(
    prompts: Sequence[Prompt], config: GlinerConfig, backend: Backend
) -> tuple[Prompt, ...]:
    """Return the prompts with the vectors of their labels; equal ones share them.

    Prompts are read one by one, so what is asked beside a prompt changes nothing.

    Args:
        prompts: what is asked.
        config: of the checkpoint.
        backend: that runs its graphs.
    """
    read: dict[bytes, tuple[Float32s, Float32s]] = {}
    ready = []
    for prompt in prompts:
        key = prompt.ids.tobytes()
        if key not in read:
            read[key] = _read(prompt, config, backend)
        ready.append(prompt.with_vectors(*read[key]))
    return tuple(ready)


def _read(prompt: Prompt, config: GlinerConfig, backend: Backend) -> tuple[Float32s, Float32s]:
    """Return vectors and queries of the labels of a prompt, both (labels, hidden)."""
    own = prompt_places([prompt])
    inputs = collate([Reading(prompt, _NOTHING, _NOTHING)], config) | {"labels": own.places}
    _, states = backend.run("encode", inputs)  # (1, pieces, hidden)
    asked = {"prompt_states": states, "piece_counts": own.counts, "labels": own.labels}
    (vectors,) = backend.run("read_prompt", asked)  # (1, labels, hidden)
    (queries,) = backend.run("queries", {"label_states": vectors})
    return vectors[0], queries[0]
