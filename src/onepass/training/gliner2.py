"""GLiNER2 span checkpoints as a task for the training loop."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.network.checkpoint import load_network, read_json, save_network
from onepass.models.gliner2.network.loss import LossWeights, compute_loss
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.targets import Asked, Targets, ask, build_targets
from onepass.training.data import Mixture
from onepass.training.sampling import Sampler


@dataclass(frozen=True, slots=True)
class Gliner2Options:
    """Rates and batch sizes; the defaults are those of Table 5 of the GLiNER2 paper.

    Attributes:
        encoder_rate: learning rate of the backbone.
        head_rate: learning rate of everything else.
        weight_decay: on matrices; biases and normalizations have none.
        batch_pieces: padded pieces of one batch.
        max_batch: largest number of examples in a batch.
        max_pieces: longest sequence; the text is cut there.
        pool: examples that are sorted by length together.
        loss: weights of the loss terms.
    """

    encoder_rate: float = 1e-5
    head_rate: float = 2e-5
    weight_decay: float = 0.01
    batch_pieces: int = 4096
    max_batch: int = 64
    max_pieces: int = 512
    pool: int = 768
    loss: LossWeights = LossWeights()


class Gliner2Task:
    """A checkpoint that is trained on a mixture.

    Args:
        checkpoint: directory in the published layout to start from.
        mixture: where examples come from.
        sampler: what is asked of them.
        options: rates and batch sizes.
        scorer: held-out scores of a saved checkpoint's network, if any.
        seed: of the questions.
    """

    def __init__(
        self,
        checkpoint: Path,
        mixture: Mixture,
        sampler: Sampler,
        options: Gliner2Options,
        *,
        scorer: Callable[[Gliner2Network], Mapping[str, float]] | None = None,
        seed: int = 0,
    ) -> None:
        self.network = load_network(checkpoint)
        self.checkpoint = checkpoint
        self.encoder_config = read_json(checkpoint / "encoder_config" / "config.json")
        self.tokenizer = PieceTokenizer(checkpoint / "tokenizer.json")
        self.mixture, self.sampler, self.options, self.seed = mixture, sampler, options, seed
        self.scorer = scorer
        self._pool = 0  # number of the pool that is being consumed
        self._taken = 0  # batches of it that were handed out
        self._at_pool = mixture.state()

    def groups(self) -> list[dict[str, Any]]:
        """Return four groups: backbone and heads, each with and without weight decay."""
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            backbone, decays = name.startswith("backbone."), parameter.ndim > 1
            groups.setdefault((backbone, decays), []).append(parameter)
        options = self.options
        return [
            {
                "params": parameters,
                "lr": options.encoder_rate if backbone else options.head_rate,
                "weight_decay": options.weight_decay if decays else 0.0,
            }
            for (backbone, decays), parameters in groups.items()
        ]

    def batches(self) -> Iterator[Targets]:
        """Yield batches forever: pools of questions, sorted by length, batches in random order."""
        while True:
            self._at_pool = self.mixture.state()
            rng = random.Random(f"{self.seed}/{self._pool}")
            examples = self.mixture.draw(self.options.pool, rng)
            questions = [self.sampler.question(example, rng) for example in examples]
            asked = [
                ask(question, self.tokenizer, max_pieces=self.options.max_pieces)
                for question in questions
                if not question.schema.is_empty
            ]
            fitting = [
                one
                for one in asked
                if len(one.words) and one.reading.pieces <= self.options.max_pieces
            ]  # fmt: skip
            batches = self._split(fitting)
            rng.shuffle(batches)
            for batch in batches[self._taken :]:
                self._taken += 1
                yield build_targets(batch, self.network.config.max_width)
            self._pool += 1
            self._taken = 0

    def _split(self, asked: list[Asked]) -> list[list[Asked]]:
        asked.sort(key=lambda one: one.reading.pieces)
        batches: list[list[Asked]] = []
        for one in asked:
            longest = one.reading.pieces  # sorted: the newest is the longest
            if (
                not batches
                or (len(batches[-1]) + 1) * longest > self.options.batch_pieces
                or len(batches[-1]) >= self.options.max_batch
            ):
                batches.append([])
            batches[-1].append(one)
        return batches

    def loss(
        self, network: Gliner2Network, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self.options.loss)

    def score(self) -> Mapping[str, float]:
        """Return held-out scores, empty without a scorer."""
        return self.scorer(self.network) if self.scorer else {}

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout."""
        save_network(
            self.network,
            directory,
            encoder_config=self.encoder_config,
            tokenizer_from=self.checkpoint,
        )

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""
        return {"pool": self._pool, "taken": self._taken, "mixture": self._at_pool}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken."""
        self._pool, self._taken = int(state["pool"]), int(state["taken"])
        self.mixture.restore(state["mixture"])
