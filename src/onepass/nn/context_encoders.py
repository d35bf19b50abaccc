"""Encoders of vectors that are there already: words, each with what stands around it.

They know neither pieces nor spans. Padding on the right changes nothing. Formulas: the context
encoders of GLiNER, which are layers of DeBERTa or ModernBERT, or an LSTM, between two projections.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from onepass.nn.backbones.deberta import DebertaConfig, DebertaEncoder
from onepass.nn.backbones.modernbert import ModernBertBackbone, ModernBertConfig
from onepass.nn.keymap import Entry, linear, with_prefix
from onepass.nn.places import within
from onepass.nn.word_lstm import WordLstm


class ContextEncoder(nn.Module, abc.ABC):
    """Vectors in; as many of the same size, each of which knows the others, out.

    Args:
        size: of the vectors.
        inner: size of those that the layers read.
    """

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.inward = nn.Linear(size, inner) if inner != size else None
        self.outward = nn.Linear(inner, size) if inner != size else None

    def forward(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return (batch, length, size), 0 past the counts.

        Args:
            states: (batch, length, size).
            counts: (batch,) vectors of each row.
        """
        real = within(counts, states.shape[1])[..., None]  # (batch, length, 1)
        inner = states if self.inward is None else self.inward(states)
        inner = self.encode(inner * real, counts)
        return (inner if self.outward is None else self.outward(inner)) * real

    @abc.abstractmethod
    def encode(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return (batch, length, inner); those past the counts mean nothing.

        Args:
            states: (batch, length, inner), 0 past the counts.
            counts: (batch,) vectors of each row.
        """

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        self.eval()

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours."""
        entries = [*with_prefix(self.encoder_keys(), "encoder.", "encoder.")]
        if self.inward is not None:
            entries += linear("input_projection", "inward")
            entries += linear("output_projection", "outward")
        return tuple(entries)

    @abc.abstractmethod
    def encoder_keys(self) -> tuple[Entry, ...]:
        """Return the table of the layers."""


class DebertaContext(ContextEncoder):
    """Layers of DeBERTa, which read vectors in place of pieces."""

    def __init__(self, config: DebertaConfig, size: int) -> None:
        super().__init__(size, config.hidden)
        self.encoder = DebertaEncoder(config)

    def encode(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        return self.encoder(states, within(counts, states.shape[1]).to(torch.int64))

    def prepare(self) -> None:
        self.encoder.prepare()

    def encoder_keys(self) -> tuple[Entry, ...]:
        return self.encoder.keys()


class ModernBertContext(ContextEncoder):
    """A ModernBERT that is given vectors in place of those of pieces."""

    def __init__(self, config: ModernBertConfig, size: int) -> None:
        super().__init__(size, config.hidden)
        self.encoder = ModernBertBackbone(config)
        self.encoder.word_embeddings.requires_grad_(False)  # of no piece that is ever read

    def encode(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        mask = within(counts, states.shape[1]).to(torch.int64)
        return self.encoder(mask, mask, words=states)

    def prepare(self) -> None:
        self.encoder.prepare()

    def encoder_keys(self) -> tuple[Entry, ...]:
        return self.encoder.keys()


class LstmContext(ContextEncoder):
    """Layers of an LSTM, which read forwards, or both ways."""

    def __init__(self, config: Mapping[str, Any], size: int) -> None:
        inner, layers = config["hidden_size"], config["num_hidden_layers"]
        super().__init__(size, inner)
        dropout, both_ways = config["dropout"], config["bidirectional"]
        self.encoder = WordLstm(inner, layers, both_ways=both_ways, dropout=dropout)

    def encode(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        return self.encoder(states, counts)

    def encoder_keys(self) -> tuple[Entry, ...]:
        return self.encoder.keys()


def build_context_encoder(config: Mapping[str, Any], size: int) -> ContextEncoder:
    """Return the encoder of a configuration, with random weights.

    Args:
        config: whole, as `onepass.models.gliner.context.context_config` returns it.
        size: of the vectors.

    Raises:
        CheckpointError: for a wrong value.

    >>> config = {"model_type": "rnn", "hidden_size": 6, "num_hidden_layers": 1}
    >>> encoder = build_context_encoder(config | {"bidirectional": True, "dropout": 0.0}, 8)
    >>> encoder(torch.ones(2, 5, 8), torch.tensor([5, 3])).shape
    torch.Size([2, 5, 8])
    """
    if config["model_type"] == "deberta-v2":
        return DebertaContext(DebertaConfig.from_dict(config), size)
    if config["model_type"] == "modernbert":
        return ModernBertContext(ModernBertConfig.from_dict(config), size)
    return LstmContext(config, size)
