"""From an encoder's published configuration to its network: the one place that knows the names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.bert import KINDS as BERT_KINDS
from onepass.nn.backbones.bert import BertBackbone, BertConfig
from onepass.nn.backbones.own_code import refuse_own_code
from onepass.nn.backbones.t5_config import KINDS as T5_KINDS
from onepass.nn.backbones.t5_config import T5Config


def build_backbone(config: Mapping[str, Any], *, pooler: bool = True) -> Backbone:
    """Return the network of an encoder configuration, with random weights.

    Args:
        config: the content of ``encoder_config/config.json``.
        pooler: whether the published weights hold a BERT pooler.

    Raises:
        CheckpointError: for an encoder that is not supported, or one that brings its own code.

    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2}
    >>> layers = {"num_hidden_layers": 1, "intermediate_size": 16}
    >>> build_backbone({"model_type": "bert"} | sizes | layers).hidden
    8
    """
    refuse_own_code(config)
    kind = config.get("model_type")
    if kind in BERT_KINDS:
        return BertBackbone(BertConfig.from_dict(config), pooler=pooler)
    if kind == "deberta-v2":
        from onepass.nn.backbones.deberta import DebertaBackbone, DebertaConfig

        return DebertaBackbone(DebertaConfig.from_dict(config))
    if kind == "modernbert":
        from onepass.nn.backbones.modernbert import ModernBertBackbone, ModernBertConfig

        return ModernBertBackbone(ModernBertConfig.from_dict(config))
    if kind in T5_KINDS:
        from onepass.nn.backbones.t5 import T5Backbone

        return T5Backbone(T5Config.from_dict(config))
    from onepass.nn.backbones.foreign import ForeignBackbone

    return ForeignBackbone(config)


def build_decoder(config: Mapping[str, Any]) -> Backbone:
    """Return the network of a language model that reads from left to right, with random weights.

    Args:
        config: the content of its ``config.json``.

    Raises:
        CheckpointError: for what is no such model, or brings its own code.

    >>> sizes = {"vocab_size": 9, "n_embd": 8, "n_head": 2, "n_layer": 1}
    >>> build_decoder({"model_type": "gpt2", "bos_token_id": 0, "eos_token_id": 0} | sizes).hidden
    8
    """
    from onepass.nn.backbones.causal import CausalBackbone

    return CausalBackbone(config)
