"""Encoders of vectors that are there already: what a configuration says of one.

GLiNER puts one in front of the layer that makes vectors of spans (``span_encoder_config``). What
such a configuration leaves out is filled in as GLiNER does, not as transformers does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.encoding.options import LAYERS, SIZE, Options
from onepass.errors import CheckpointError

DEBERTA, MODERNBERT, LSTM = CONTEXTS = ("deberta-v2", "modernbert", "rnn")
_HEAD = 64  # numbers of an attention head, where the size divides so


def context_config(
    options: Options, key: str, *, hidden: int, dropout: float, layers: int = 1
) -> Mapping[str, Any] | None:
    """Return the whole configuration of an encoder of vectors; None where there is no such encoder.

    Args:
        options: of the checkpoint.
        key: of the configuration.
        hidden: size of the vectors that are read.
        dropout: of the checkpoint.
        layers: what an absent number of layers means.

    Raises:
        CheckpointError: for an unknown kind, or a wrong value.

    >>> options = Options({"span_encoder_config": {"model_type": "rnn"}}, "this checkpoint")
    >>> found = context_config(options, "span_encoder_config", hidden=512, dropout=0.4)
    >>> found["hidden_size"], found["num_hidden_layers"], found["bidirectional"]
    (512, 1, True)
    """
    found = options.mapping(key)
    if found is None:
        return None
    own = Options(found, f"the {key} of {options.owner}")
    kind = own.one_of("model_type", CONTEXTS)
    size = own.whole("hidden_size", hidden, least=1, most=SIZE)
    own.whole("num_hidden_layers", layers, least=1, most=LAYERS)
    filled: dict[str, Any] = {"hidden_size": size, "num_hidden_layers": layers}
    if kind == LSTM:
        filled |= {"dropout": dropout, "bidirectional": True, "rnn_type": "lstm"}
        return _checked_lstm(Options(filled | dict(found), own.owner))
    filled |= {"num_attention_heads": _heads(size), "intermediate_size": 4 * size}
    if kind == DEBERTA:
        filled |= dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), dropout)
        filled |= {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
        return filled | {"max_relative_positions": 512} | dict(found)
    filled |= dict.fromkeys(("attention_dropout", "embedding_dropout", "mlp_dropout"), dropout)
    return filled | dict(found) | {"vocab_size": 1}  # it has one piece, which is never read


def _heads(size: int) -> int:
    """Return the heads of an encoder that does not say how many it has."""
    return next(heads for heads in range(max(1, size // _HEAD), 0, -1) if size % heads == 0)


def _checked_lstm(own: Options) -> Mapping[str, Any]:
    own.share("dropout")
    kind = own.text("rnn_type")
    if kind.lower() != "lstm":
        raise CheckpointError(f"rnn_type {kind!r:.80} of {own.owner} is not known; lstm is.")
    size = own.whole("hidden_size")
    if own.flag("bidirectional") and size % 2:
        raise own.wrong("hidden_size", "an even number, since it reads both ways", size)
    return own.config
