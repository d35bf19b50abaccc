"""GLiNER2 span checkpoints as a task for the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from onepass.hub.files import read_json
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.models.gliner2.network.loss import compute_loss
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.targets import LossWeights, Targets, build_targets
from onepass.training.stream import QuestionStream

Scorer = Callable[[Gliner2Network], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Gliner2Options:
    """Rates and weights; the defaults are those of Table 5 of the GLiNER2 paper.

    Attributes:
        encoder_rate: learning rate of the backbone.
        head_rate: learning rate of everything else.
        weight_decay: on matrices; biases and normalizations have none.
        loss: weights of the loss terms.
    """

    encoder_rate: float = 1e-5
    head_rate: float = 2e-5
    weight_decay: float = 0.01
    loss: LossWeights = field(default_factory=LossWeights)


class Gliner2Task:
    """A checkpoint that is trained on a stream of questions.

    Args:
        checkpoint: directory in the published layout to start from.
        stream: what is asked.
        options: rates and weights.
        scorer: held-out scores of the network, if any; ``score`` is the one that counts.
        device: where the network runs.

    Raises:
        CheckpointError: if the directory is not a checkpoint of this family.
    """

    def __init__(
        self,
        checkpoint: Path,
        stream: QuestionStream,
        options: Gliner2Options,
        *,
        scorer: Scorer | None = None,
        device: str = "cpu",
    ) -> None:
        self.network = load_network(checkpoint).to(device)
        self._checkpoint = checkpoint
        self._encoder_config = read_json(checkpoint / "encoder_config" / "config.json")
        self._stream, self._options, self._scorer = stream, options, scorer

    @property
    def seen(self) -> int:
        """Examples that were used so far."""
        return self._stream.seen

    def groups(self) -> list[dict[str, Any]]:
        """Return four groups: backbone and heads, each with and without weight decay."""
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            backbone, decays = name.startswith("backbone."), parameter.ndim > 1
            groups.setdefault((backbone, decays), []).append(parameter)
        options = self._options
        return [
            {
                "params": parameters,
                "lr": options.encoder_rate if backbone else options.head_rate,
                "weight_decay": options.weight_decay if decays else 0.0,
            }
            for (backbone, decays), parameters in groups.items()
        ]

    def batches(self) -> Iterator[Targets]:
        """Yield batches forever."""
        config = self.network.config
        for asked in self._stream.batches():
            yield build_targets(asked, config.max_width, pooling=config.pooling)

    def loss(
        self, network: Gliner2Network, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self._options.loss)

    def score(self) -> Mapping[str, float]:
        """Return held-out scores, empty without a scorer."""
        return self._scorer(self.network) if self._scorer else {}

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout."""
        save_network(
            self.network,
            directory,
            encoder_config=self._encoder_config,
            tokenizer_from=self._checkpoint,
        )

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""
        return self._stream.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken."""
        self._stream.restore(state)
