"""Sequences of pieces: how long an encoder's may be, and rows padded to one length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.options import Options
from onepass.errors import CheckpointError

LONGEST = 2048  # pieces, for encoders without a limit of their own

_POSITIONS = "max_position_embeddings"
# Decoders of another name for it, which transformers reads where that one is not there.
_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("codegen", "ctrl", "gpt-sw3", "gpt2", "gpt_bigcode", "gptj", "openai-gpt"), "n_positions"
    ),
    **dict.fromkeys(("dbrx", "mpt"), "max_seq_len"),
}
# What transformers takes where a configuration says nothing, of kinds with less than LONGEST.
_DEFAULTS: Mapping[str, int] = {
    kind: positions
    for positions, kinds in {
        256: "ctrl",
        510: "nystromformer",
        512: "albert bert bert-generation bros camembert convbert data2vec-text deberta deberta-v2 "
        "distilbert electra ernie flaubert fnet ibert layoutlm lilt longformer luke markuplm "
        "megatron-bert mobilebert mpnet mra openai-gpt rembert roberta roberta-prelayernorm "
        "roc_bert splinter squeezebert xlm xlm-roberta xmod",
        514: "xlm-roberta-xl",
        1024: "biogpt gpt-sw3 gpt2 gpt_bigcode tapas",
        1026: "esm",
        1536: "roformer",
    }.items()
    for kind in kinds.split()
}
# These count positions from behind the padding piece's id, which takes rows from their table.
OFFSET_POSITIONS = frozenset(
    {
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "lilt",
        "longformer",
        "luke",
        "markuplm",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)


def encoder_limit(encoder: Mapping[str, Any]) -> int:
    """Return the longest sequence that an encoder reads.

    Args:
        encoder: its transformers configuration.

    Raises:
        CheckpointError: for a number of positions that is none, or leaves no room for a piece.

    >>> encoder_limit({"model_type": "bert", "max_position_embeddings": 512})
    512
    >>> encoder_limit({"model_type": "gpt2"})
    1024
    """
    given = encoder.get("model_type")
    options, kind = Options(encoder, f"the encoder {given!r}"), str(given)
    key = _POSITIONS if _POSITIONS in encoder else _OTHER_NAMES.get(kind, _POSITIONS)
    default = _DEFAULTS.get(kind, LONGEST)
    positions = options.whole(key, default, null=LONGEST, least=1)  # null: without a limit
    if kind == "deberta-v2" and options.flag("relative_attention", False):
        return LONGEST if not options.flag("position_biased_input", True) else positions
    if kind in OFFSET_POSITIONS:
        first = options.whole("pad_token_id", 1, least=0) + 1
        if first >= positions:
            raise CheckpointError(
                f"{_POSITIONS} of the encoder {kind!r} is {positions}, of which its pad_token_id "
                f"takes {first}, so that no position is left for a piece; download it again."
            )
        positions -= first
    return min(positions, LONGEST)


def padded(rows: Sequence[Int64s]) -> tuple[Int64s, Int64s]:
    """Return rows padded with 0 on the right, and which places are real, both (rows, longest).

    >>> padded([np.array([7, 8]), np.array([9])])[1].tolist()
    [[1, 1], [1, 0]]
    """
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(int(lengths.max(initial=0))) < lengths[:, None]
    out = np.zeros(mask.shape, dtype=np.int64)
    out[mask] = np.concatenate(rows) if len(rows) else 0
    return out, mask.astype(np.int64)
