"""How many pieces an encoder knows: as many as it has vectors, whatever its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

_EMBEDDINGS = (  # names under which encoders keep the vectors of their pieces
    "embeddings.word_embeddings.weight", "embeddings.tok_embeddings.weight", "shared.weight",
    "embed_tokens.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
    "wte.weight", "embed_in.weight", "word_embeddings.weight",
)  # fmt: skip


def with_vocabulary(
    encoder: Mapping[str, Any], state: Mapping[str, torch.Tensor], prefix: str
) -> Mapping[str, Any]:
    """Return the configuration of an encoder, with as many pieces as it has vectors.

    Markers are added to a vocabulary after an encoder was configured.

    Args:
        encoder: as transformers writes it.
        state: published names to tensors.
        prefix: of the names of the encoder.

    >>> with_vocabulary({"vocab_size": 9}, {"a.shared.weight": torch.zeros(12, 4)}, "a.")
    {'vocab_size': 12}
    """
    for name in _EMBEDDINGS:
        if prefix + name in state:
            return {**encoder, "vocab_size": state[prefix + name].shape[0]}
    return encoder
