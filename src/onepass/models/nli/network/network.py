"""Sequence classifiers in torch: pairs of texts to a logit a class, as transformers computes them.

BERT, RoBERTa, DeBERTa-v2 and ModernBERT run on our own encoders; every other architecture is the
classifier of transformers itself.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from onepass.encoding.options import Options
from onepass.errors import CheckpointError
from onepass.models.nli.config import NliConfig
from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.build import build_backbone
from onepass.nn.backbones.foreign import in_one_line, read_config
from onepass.nn.keymap import Entry, Rename, linear, with_prefix
from onepass.nn.network import Network


class NliNetwork(Network):
    """A sequence classifier.

    Args:
        config: of the checkpoint.
    """

    def __init__(self, config: NliConfig) -> None:
        super().__init__()
        self.config = config

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over."""
        return 0

    @abc.abstractmethod
    def classify(
        self, ids: torch.Tensor, mask: torch.Tensor, second: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (batch, classes) logits.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
            second: (batch, pieces), 1 at the pieces of the second text; None if it plays no part.
        """

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the function that `onepass.models.nli.graphs` describes."""
        return {"classify": self.classify}


@dataclass(frozen=True, slots=True)
class _Published:
    """How the parts of a classifier are called in its file, and what it computes by default."""

    encoder: str
    pooler: str
    classifier: str
    activation: tuple[str, str] = ("", "tanh")  # option and default; no option: always that one


_ROBERTA = _Published("roberta.", "classifier.dense", "classifier.out_proj")
_OWN = {
    "bert": _Published("bert.", "bert.pooler.dense", "classifier"),
    "camembert": _ROBERTA,
    "deberta-v2": _Published(
        "deberta.", "pooler.dense", "classifier", ("pooler_hidden_act", "gelu")
    ),
    "modernbert": _Published(
        "model.", "head.dense", "classifier", ("classifier_activation", "gelu")
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}


class OwnNetwork(NliNetwork):
    """An encoder of ours, a pooler over the first piece or the mean of all, and a classifier.

    Args:
        config: of the checkpoint.

    Raises:
        CheckpointError: for an option that this network does not compute.
    """

    def __init__(self, config: NliConfig) -> None:
        super().__init__(config)
        raw, self.published = config.raw, _OWN[config.model_type]
        modern = config.model_type == "modernbert"
        self.backbone = build_backbone(raw, pooler=False)
        option, default = self.published.activation
        own = Options(raw, "this classifier")
        self.activation = ACTIVATIONS[own.one_of(option, ACTIVATIONS, default)]
        pooling = own.one_of("classifier_pooling", ("cls", "mean"), "cls") if modern else "cls"
        self.mean = pooling == "mean"
        hidden = self.backbone.hidden
        bias = not modern or own.flag("classifier_bias", False)
        self.pooler = nn.Linear(hidden, hidden, bias=bias)
        self.norm = (
            nn.LayerNorm(hidden, own.number("norm_eps", 1e-5), bias=own.flag("norm_bias", False))
            if modern
            else None
        )
        self.classifier = nn.Linear(hidden, len(config.labels))

    @property
    def hidden(self) -> int:
        return self.backbone.hidden

    @property
    def depth(self) -> int:
        return self.backbone.depth

    def classify(
        self, ids: torch.Tensor, mask: torch.Tensor, second: torch.Tensor | None = None
    ) -> torch.Tensor:
        kept = None if self.mean else torch.zeros_like(ids[:, :1])  # the first piece
        states = self.backbone(ids, mask, kept=kept, types=second)  # (batch, pieces or 1, hidden)
        if self.mean:
            real = mask[..., None].to(states.dtype)
            pooled = (states * real).sum(1) / real.sum(1)
        else:
            pooled = states[:, 0]
        pooled = self.activation(self.pooler(pooled))  # (batch, hidden)
        return self.classifier(pooled if self.norm is None else self.norm(pooled))

    def keys(self) -> tuple[Entry, ...]:
        names = self.published
        entries = [*with_prefix(self.backbone.keys(), names.encoder, "backbone.")]
        pooler = linear(names.pooler, "pooler")
        entries += pooler if self.pooler.bias is not None else pooler[:1]
        if self.norm is not None:
            norm = linear("head.norm", "norm")
            entries += norm if self.norm.bias is not None else norm[:1]
        return (*entries, *linear(names.classifier, "classifier"))


class ForeignNetwork(NliNetwork):
    """A classifier of transformers, with random fp32 weights.

    Args:
        config: of the checkpoint.

    Raises:
        CheckpointError: for remote code, or values that transformers refuses.
    """

    def __init__(self, config: NliConfig) -> None:
        super().__init__(config)
        self.settings = read_config(config.raw, "classifier")
        self.model = _build(config, self.settings)

    @property
    def hidden(self) -> int:
        return int(self.settings.hidden_size)

    def classify(
        self, ids: torch.Tensor, mask: torch.Tensor, second: torch.Tensor | None = None
    ) -> torch.Tensor:
        options = {} if second is None else {"token_type_ids": second}
        if self.config.model_type == "bart":  # its own head looks for the last piece by its id
            body, head = (self.model.get_submodule(x) for x in ("model", "classification_head"))
            states = body(ids, attention_mask=mask).last_hidden_state
            rows = torch.arange(ids.shape[0], device=ids.device)
            return head(states[rows, mask.sum(1) - 1])
        return self.model(input_ids=ids, attention_mask=mask, **options).logits

    def keys(self) -> tuple[Entry, ...]:
        return tuple(Rename(name, f"model.{name}") for name in self.model.state_dict())


def build_network(config: NliConfig) -> NliNetwork:
    """Return the network of a configuration, with random weights."""
    return OwnNetwork(config) if config.model_type in _OWN else ForeignNetwork(config)


def _build(config: NliConfig, settings: Any) -> PreTrainedModel:
    settings.num_labels = len(config.labels)
    try:
        return AutoModelForSequenceClassification.from_config(settings, trust_remote_code=False)
    except Exception as error:  # each transformers version has exceptions of its own for this
        raise CheckpointError(
            f"transformers cannot build the classifier {config.model_type!r} from its config.json: "
            f"{in_one_line(error)}"
        ) from error
