"""Sentence encoders in torch: an encoder, a pooling, dense layers and normalizations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from onepass.models.embedding.config import DenseConfig, EmbeddingConfig
from onepass.models.embedding.network.pooling import pool
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import Entry, Rename, expand, with_prefix
from onepass.nn.network import Network


class Dense(nn.Module):
    """A linear layer with an activation.

    Args:
        config: of the layer.
    """

    def __init__(self, config: DenseConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(config.inputs, config.outputs, bias=config.bias)
        activations: dict[str, Callable[[], nn.Module]] = {
            "Identity": nn.Identity, "Tanh": nn.Tanh, "ReLU": nn.ReLU, "GELU": nn.GELU,
            "SiLU": nn.SiLU, "Sigmoid": nn.Sigmoid,
        }  # fmt: skip
        self.activation = activations[config.activation]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, outputs) of (batch, inputs)."""
        return self.activation(self.linear(x))


class EmbeddingNetwork(Network):
    """What makes a vector of a text.

    Args:
        config: which parts it has.
        pooler: whether the weights hold a BERT pooler, which is not used.
    """

    def __init__(self, config: EmbeddingConfig, *, pooler: bool = True) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(config.encoder, pooler=pooler)
        self.dense = nn.ModuleList(Dense(one) for one in config.dense)

    @property
    def hidden(self) -> int:
        """Size of the vectors of its encoder."""
        return self.backbone.hidden

    def embed(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (batch, size) vectors.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
        """
        vectors = pool(self.backbone(ids, mask), mask, self.config.poolings)
        layers = iter(self.dense)
        for one in self.config.behind:
            dense = one is not None
            vectors = next(layers)(vectors) if dense else functional.normalize(vectors, dim=-1)
        return vectors

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the function that `onepass.models.embedding.graphs.GRAPHS` describes."""
        return {"embed": self.embed}

    def encoder_keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names of the encoder and ours."""
        return with_prefix(expand(self.backbone.keys(), self.backbone.depth), "", "backbone.")

    def keys(self) -> tuple[Entry, ...]:
        """Return the whole table; the names of a dense layer stand below its folder."""
        entries = [*self.encoder_keys()]
        for number, one in enumerate(self.config.dense):
            kinds = ("weight", "bias") if one.bias else ("weight",)
            entries += [
                Rename(f"{one.folder}/linear.{kind}", f"dense.{number}.linear.{kind}")
                for kind in kinds
            ]
        return tuple(entries)
