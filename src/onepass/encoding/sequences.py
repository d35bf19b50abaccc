"""Sequences of pieces: how long an encoder's may be, and rows padded to one length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 2048  # pieces, for encoders without a limit of their own

Ints = NDArray[np.int64]
# Encoders whose positions start behind the padding id.
_OFFSET = ("roberta", "xlm-roberta", "camembert", "mpnet")


def encoder_limit(encoder: Mapping[str, Any]) -> int:
    """Return the longest sequence that an encoder reads.

    Args:
        encoder: its transformers configuration.

    >>> encoder_limit({"model_type": "bert", "max_position_embeddings": 512})
    512
    """
    positions = int(encoder.get("max_position_embeddings", LONGEST))
    kind = encoder.get("model_type")
    if kind == "deberta-v2" and encoder.get("relative_attention", False):
        return LONGEST if not encoder.get("position_biased_input", True) else positions
    if kind in _OFFSET:
        positions -= int(encoder.get("pad_token_id", 1)) + 1
    return min(positions, LONGEST)


def padded(rows: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Return rows padded with 0 on the right, and which places are real, both (rows, longest).

    >>> padded([np.array([7, 8]), np.array([9])])[1].tolist()
    [[1, 1], [1, 0]]
    """
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(int(lengths.max(initial=0))) < lengths[:, None]
    out = np.zeros(mask.shape, dtype=np.int64)
    out[mask] = np.concatenate(rows) if len(rows) else 0
    return out, mask.astype(np.int64)
