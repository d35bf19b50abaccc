"""Decoders as encoders: language models that read from left to right, run through transformers.

What one says of a piece depends on the pieces before it alone, so padding on the right changes
nothing, and need not be told from pieces. It writes nothing: the layer that chooses the next piece
is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.jit._trace import is_tracing  # of this thread
from transformers.models.auto import modeling_auto

from onepass.errors import BackendError, CheckpointError
from onepass.nn.backbones.foreign import ForeignBackbone, given

# Graphs of these are compared with torch by the tests. Others may take a length for a constant.
EXPORTED = frozenset(
    {
        "bloom", "falcon", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo", "gpt_neox", "gptj",
        "granite", "llama", "mistral", "modernbert-decoder", "olmo2", "opt", "phi", "phi3", "qwen2",
        "qwen3", "smollm3", "starcoder2",
    }
)  # fmt: skip

# These look for padding among the ids of a batch that comes without a mask.
_LOOKS_FOR_PADDING = frozenset({"gpt2"})

# Listed among the decoders of transformers, but they read both ways unless they are told not to.
_BOTH_WAYS = frozenset({"bert-generation", "xlnet"})

# Reads bytes in patches of many lengths, which are chosen by a network of their own.
_IN_PATCHES = frozenset({"blt"})

# What the number of positions is called.
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")

# Parts of the names of nested configurations that only networks of several inputs have: a network
# of text alone nests at most those of its layers.
_INPUTS = ("text", "image", "vision", "video", "audio")


class CausalBackbone(ForeignBackbone):
    """A decoder of transformers (GPT-2, Llama, Qwen, ...), with random fp32 weights.

    Args:
        config: the content of its ``config.json``.

    Raises:
        CheckpointError: for remote code, an unknown ``model_type``, values that transformers
            refuses, or what is no decoder.

    >>> sizes = {"vocab_size": 9, "n_embd": 8, "n_head": 2, "n_layer": 1}
    >>> ends = {"bos_token_id": 0, "eos_token_id": 0}
    >>> backbone = CausalBackbone({"model_type": "gpt2"} | sizes | ends)
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    part = "decoder"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.model.config.use_cache = False  # all is read at once

    @property
    def max_pieces(self) -> int | None:
        """Longest sequence that can be read, None where there is no limit."""
        options = self.config.to_dict()
        return next((options[name] for name in _POSITIONS if name in options), None)

    def inputs(
        self, ids: torch.Tensor, mask: torch.Tensor, words: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return no mask: padding is behind all that is read, so none has to be made.

        Where operations are recorded, transformers needs one to be sure that no row holds several
        texts.
        """
        if is_tracing() or torch.compiler.is_compiling():
            return super().inputs(ids, mask, words)
        if words is None and self.config.model_type in _LOOKS_FOR_PADDING:
            words = self.word_vectors(ids)
        return given(ids, words)

    def check_kind(self) -> None:
        """Refuse networks that are no decoders.

        Raises:
            CheckpointError: that says what was expected.
        """
        self.check_alone()
        kind = self.config.model_type
        nested = self.config.sub_configs
        if any(part in name for name in nested for part in _INPUTS):
            raise CheckpointError(
                f"The decoder {kind!r} reads more than text, which is not supported; expected a "
                "language model of text alone."
            )
        causal = kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        masked = kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
        told = self.config.to_dict().get("use_bidirectional_attention", False)
        if not causal or masked or told or kind in _BOTH_WAYS:
            raise CheckpointError(
                f"The decoder {kind!r} reads in both directions; expected a language model that "
                "reads from left to right."
            )
        if kind in _IN_PATCHES:
            raise CheckpointError(
                f"The decoder {kind!r} reads bytes in patches, which is not supported; expected a "
                "language model that reads one piece after the other."
            )

    def check_traced(self) -> None:
        """Refuse to become a graph that nobody has compared with torch."""
        kind = self.config.model_type
        if is_tracing() and kind not in EXPORTED:
            raise BackendError(
                f"Graphs of the decoder {kind!r} are not known to be right, so none are written; "
                "open it with backend='torch'."
            )
