"""Tiny random classifiers of entailment, made and saved by transformers itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from tests.tiny_tokenizers import save_tokenizer

TEMPLATE = "This example is {}."
# The orders of labels that published checkpoints have.
TWO = ("entailment", "not_entailment")
THREE = ("contradiction", "neutral", "entailment")
FIRST = ("entailment", "neutral", "contradiction")
MIDDLE = ("contradiction", "entailment", "neutral")
UPPER = ("CONTRADICTION", "NEUTRAL", "ENTAILMENT")
ORDERS = (TWO, THREE, FIRST, MIDDLE, UPPER)

_SIZES = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40,
    "max_position_embeddings": 130, "pad_token_id": 0,
}  # fmt: skip
_DEBERTA = {
    "relative_attention": True, "position_buckets": 16, "max_relative_positions": -1,
    "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "type_vocab_size": 0, "position_biased_input": False,
}  # fmt: skip
_BART = {
    "d_model": 24, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 40, "decoder_ffn_dim": 40,
    "max_position_embeddings": 130, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    "decoder_start_token_id": 2, "forced_eos_token_id": 2,
}  # fmt: skip
_BYTES = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
_DISTIL = {
    "dim": 24, "n_layers": 2, "n_heads": 4, "hidden_dim": 40, "max_position_embeddings": 130,
    "pad_token_id": 0,
}  # fmt: skip
_MODERN = {
    "global_attn_every_n_layers": 2, "local_attention": 8, "bos_token_id": 2, "eos_token_id": 3,
    "cls_token_id": 2, "sep_token_id": 3,
}  # fmt: skip

# Name to tokenizer and configuration.
KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "bert": ("wordpiece", _SIZES | {"model_type": "bert"}),
    "deberta-v3": ("unigram", _SIZES | _DEBERTA | {"model_type": "deberta-v2"}),
    "deberta-v2": (
        "unigram",
        _SIZES | _DEBERTA | {"model_type": "deberta-v2", "share_att_key": False,
        "position_buckets": -1, "max_relative_positions": 64, "conv_kernel_size": 3,
        "conv_act": "gelu", "norm_rel_ebd": "none", "pooler_hidden_act": "tanh"},
    ),
    "deberta-typed": (
        "unigram", _SIZES | _DEBERTA | {"model_type": "deberta-v2", "type_vocab_size": 2}
    ),
    "albert": ("unigram", _SIZES | {"model_type": "albert", "embedding_size": 12}),
    "bart": ("byte pairs", _BART | {"model_type": "bart"}),
    "camembert": ("byte pairs", _SIZES | _BYTES | {"model_type": "camembert"}),
    "deberta": (
        "byte pairs",
        _SIZES | {"model_type": "deberta", "relative_attention": True, "max_relative_positions": 16,
        "pos_att_type": ["c2p", "p2c"], "type_vocab_size": 0},
    ),
    "distilbert": ("wordpiece", _DISTIL | {"model_type": "distilbert"}),
    "electra": ("wordpiece", _SIZES | {"model_type": "electra", "embedding_size": 12}),
    "modernbert": ("wordpiece", _SIZES | _MODERN | {"model_type": "modernbert"}),
    "modernbert-mean": (
        "wordpiece",
        _SIZES | _MODERN | {"model_type": "modernbert", "classifier_pooling": "mean"},
    ),
    "mpnet": ("wordpiece", _SIZES | {"model_type": "mpnet", "pad_token_id": 0}),
    "roberta": ("byte pairs", _SIZES | _BYTES | {"model_type": "roberta"}),
    "xlm-roberta": ("unigram", _SIZES | _BYTES | {"model_type": "xlm-roberta"}),
}  # fmt: skip
_TYPED = ("bert", "deberta-typed", "electra", "albert")  # told which text a piece is of


def make_nli(
    directory: Path, kind: str = "bert", labels: Sequence[str] = THREE, *, seed: int = 0
) -> PreTrainedModel:
    """Make a checkpoint with transformers, save it with it, and return its model.

    Args:
        directory: receives the checkpoint.
        kind: one of `KINDS`.
        labels: of its classes.
        seed: of all weights.
    """
    tokenizer, config = KINDS[kind]
    pieces = save_tokenizer(directory, tokenizer, typed=kind in _TYPED)
    settings = AutoConfig.for_model(
        **config,
        vocab_size=pieces,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_config(settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += (0.3 if parameter.ndim > 1 else 0.1) * torch.randn_like(parameter)
    model.eval().save_pretrained(str(directory))
    return model


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON file, which need not be there."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(content | changes), encoding="utf-8")
