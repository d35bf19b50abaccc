"""Sequence classifiers in torch: pairs of texts to a logit a class, as transformers computes them.

BERT and DeBERTa-v2 run on our own encoders; every other architecture is the classifier of
transformers itself.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from onepass.errors import CheckpointError
from onepass.models.nli.config import NliConfig
from onepass.nn.backbones.bert import BertBackbone, BertConfig
from onepass.nn.backbones.deberta import DebertaBackbone, DebertaConfig
from onepass.nn.backbones.deberta_config import ACTIVATIONS
from onepass.nn.backbones.foreign import read_config
from onepass.nn.keymap import Entry, Rename, linear, with_prefix


class NliNetwork(nn.Module, abc.ABC):
    """A sequence classifier.

    Args:
        config: of the checkpoint.
    """

    def __init__(self, config: NliConfig) -> None:
        super().__init__()
        self.config = config

    @property
    @abc.abstractmethod
    def hidden(self) -> int:
        """Size of the vectors of its encoder."""

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

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        self.eval()

    def graphs(self) -> dict[str, Callable[..., Any]]:
        """Return the function that `onepass.models.nli.graphs` describes."""
        return {"classify": self.classify}


class OwnNetwork(NliNetwork):
    """BERT or DeBERTa-v2: an encoder of ours, a pooler over the first piece, and a classifier.

    Args:
        config: of the checkpoint.
    """

    def __init__(self, config: NliConfig) -> None:
        super().__init__(config)
        raw = config.raw
        self.backbone: BertBackbone | DebertaBackbone
        if config.model_type == "bert":
            self.backbone = BertBackbone(BertConfig.from_dict(raw), pooler=False)
            activation = "tanh"
        else:
            self.backbone = DebertaBackbone(DebertaConfig.from_dict(raw))
            activation = str(raw.get("pooler_hidden_act", "gelu"))
        if activation not in ACTIVATIONS:
            raise CheckpointError(
                f"pooler_hidden_act {activation!r} of this classifier is not supported; "
                f"{', '.join(ACTIVATIONS)} are."
            )
        self.activation = ACTIVATIONS[activation]
        self.pooler = nn.Linear(self.backbone.hidden, self.backbone.hidden)
        self.classifier = nn.Linear(self.backbone.hidden, len(config.labels))

    @property
    def hidden(self) -> int:
        return self.backbone.hidden

    @property
    def depth(self) -> int:
        return self.backbone.depth

    def classify(
        self, ids: torch.Tensor, mask: torch.Tensor, second: torch.Tensor | None = None
    ) -> torch.Tensor:
        words = None if second is None else self._words(ids, second)
        states = self.backbone(ids, mask, words)
        return self.classifier(self.activation(self.pooler(states[:, 0])))

    def _words(self, ids: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, size) vectors of the pieces, moved from the first to their type.

        The encoder adds the vector of the first type to all of them.
        """
        words = self.backbone.word_vectors(ids)
        if self.backbone.type_embeddings is None:
            return words
        types = self.backbone.type_embeddings.weight
        return words + (types[second] - types[0])

    def prepare(self) -> None:
        self.eval()
        self.backbone.prepare()

    def keys(self) -> tuple[Entry, ...]:
        bert = self.config.model_type == "bert"
        return (
            *with_prefix(self.backbone.keys(), "bert." if bert else "deberta.", "backbone."),
            *linear("bert.pooler.dense" if bert else "pooler.dense", "pooler"),
            *linear("classifier", "classifier"),
        )


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
    own = config.model_type in ("bert", "deberta-v2")
    return OwnNetwork(config) if own else ForeignNetwork(config)


def _build(config: NliConfig, settings: Any) -> PreTrainedModel:
    settings.num_labels = len(config.labels)
    try:
        return AutoModelForSequenceClassification.from_config(settings, trust_remote_code=False)
    except Exception as error:  # each transformers version has exceptions of its own for this
        raise CheckpointError(
            f"transformers cannot build the classifier {config.model_type!r} from its config.json: "
            f"{error}"
        ) from error
