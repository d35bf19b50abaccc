"""From batches of pairs to class logits, by the formulas of the usual zero-shot pipeline.

A label of a single-label task is weighed against the other labels by its entailment; a label that
stands by itself is weighed against its own contradiction, and the sigmoid of the difference is the
softmax of the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onepass.arrays import Float32s
from onepass.backends.base import Backend
from onepass.decoding.findings import Findings
from onepass.models.family import Asking
from onepass.models.finite import check_finite
from onepass.models.nli.config import NliConfig
from onepass.models.nli.encode import Reading, collate


def score(readings: Sequence[Reading], config: NliConfig, backend: Backend) -> list[Float32s]:
    """Return (2,) logits of contradiction and entailment of each reading.

    Args:
        readings: pairs of a text and a hypothesis.
        config: of the checkpoint.
        backend: that runs the graph of `onepass.models.nli.graphs`.
    """
    (logits,) = backend.run("classify", collate(readings, types=config.types > 1))
    check_finite(logits)
    return list(logits[:, [config.contradiction, config.entailment]])


def decode(scores: Float32s, reading: Reading, asking: Asking, words: int) -> Findings:
    """Return the logit of one label.

    Args:
        scores: of the reading.
        reading: its prompt says of which label.
        asking: the schema that the prompt points into.
        words: of the window; they play no part.
    """
    prompt = reading.prompt
    contradiction, entailment = scores
    asked = prompt.task, (prompt.label,)
    alone = np.array([entailment - contradiction], dtype=np.float32)
    if asking.schema.classification_tasks[prompt.task].multi_label:
        return Findings(classes={asked: alone})
    own = np.array([entailment], dtype=np.float32)
    return Findings(classes={asked: own}, classes_alone={asked: alone})
