"""The GLiClass program: a batch of readings to logits, over any backend, and to findings."""

from __future__ import annotations

from collections.abc import Sequence

from onepass.arrays import Float32s
from onepass.backends.base import Backend
from onepass.decoding.findings import Findings
from onepass.models.family import Asking
from onepass.models.finite import check_finite
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.encode import Reading, collate


def score(readings: Sequence[Reading], config: GliclassConfig, backend: Backend) -> list[Float32s]:
    """Return the (labels,) logits of each reading.

    Args:
        readings: a batch.
        config: which parts the checkpoint has.
        backend: that runs the graphs of `onepass.models.gliclass.graphs`.
    """
    (logits,) = backend.run("classify", collate(readings, config))
    check_finite(logits)
    return [row[: len(one.prompt.items)] for row, one in zip(logits, readings, strict=True)]


def decode(scores: Float32s, reading: Reading, asking: Asking, words: int) -> Findings:
    """Return what one reading says: logits of one task, which are compared elsewhere.

    Args:
        scores: (labels,) logits.
        reading: that they are of.
        asking: what is asked, beside the prompt.
        words: of the window.
    """
    prompt = reading.prompt
    return Findings(classes={(prompt.task, prompt.items): scores})
