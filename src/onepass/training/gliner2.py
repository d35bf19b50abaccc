"""GLiNER2 span checkpoints as what is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from onepass.arrays import Float32s
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.hub.files import read_json
from onepass.models.gliner2.instances import Instances
from onepass.models.gliner2.names import Names
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.models.gliner2.network.loss import compute_loss, loss_of
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import Outputs, run_network
from onepass.models.gliner2.prompt import SECTION_OF, Kind
from onepass.models.gliner2.targets import (
    Asked,
    LossWeights,
    Targets,
    ask_if_it_fits,
    build_targets,
)
from onepass.models.settings import own_settings, own_splitter, write_settings
from onepass.models.splitting import splitter_kept
from onepass.text.words import Splitter
from onepass.training.group_reach import reach_of_groups
from onepass.training.parts import TEXT_ENCODER
from onepass.training.tally import Tally
from onepass.training.trainee import Reach


class Gliner2Trainee:
    """A checkpoint in the published layout.

    Args:
        checkpoint: its directory.
        loss: weights of the loss terms.
        device: where the network runs.
        weights: another directory, which the network is read from
            (`onepass.models.restored_weights`); it may be gone when the checkpoint is saved.
        splitter: of words, in place of the one that the checkpoint names; see `onepass.text.words`.

    Raises:
        CheckpointError: if the directory is not a checkpoint of this family.
    """

    parts: Mapping[str, str] = {TEXT_ENCODER: "backbone."}

    def __init__(
        self,
        checkpoint: Path,
        loss: LossWeights | None = None,
        *,
        device: str = "cpu",
        weights: Path | None = None,
        splitter: Splitter | None = None,
    ) -> None:
        self._checkpoint, self._weights = checkpoint, loss or LossWeights()
        self.splitter = splitter or own_splitter(checkpoint)
        self._names = Names.from_dict(own_settings(checkpoint), str(checkpoint))
        self._tokenizer = PieceTokenizer(checkpoint / "tokenizer.json")
        self.network = load_network(weights or checkpoint).to(device)
        if self.network.reranker is not None:  # learns by itself, from what the others say
            self.network.reranker.requires_grad_(False)
        self._encoder_config = read_json(checkpoint / "encoder_config" / "config.json")

    @property
    def longest(self) -> int | None:
        """Return the most pieces that the network reads at once."""
        return self.network.backbone.max_pieces

    def ask(self, question: Question, max_pieces: int) -> Sequence[Asked]:
        """Return the one pass that asks a question, if it asks something and a word fits in."""
        return ask_if_it_fits(question, self._tokenizer, max_pieces, self.splitter, self._names)

    def reach(self, asked: Asked) -> Iterable[Reach]:
        """Return how many gold answers of a pass can be learned."""
        return [own for _, own in reach_of_groups(asked, self.network.config.max_width)]

    def build(self, asked: Sequence[Asked]) -> Targets:
        """Return the batch of several passes, with its gold cells."""
        config = self.network.config
        return build_targets(
            asked,
            config.max_width,
            pooling=config.pooling,
            shapes=config.shapes,
            slots=self._weights.slots > 0,
        )

    def loss(
        self, network: Gliner2Network, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self._weights)

    def answer(
        self, network: Gliner2Network, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float], Outputs]:
        """Return what `loss` returns, and the logits that it was computed from."""
        outputs = run_network(network, batch)
        return *loss_of(outputs, batch, self._weights), outputs

    def tally(self, network: Gliner2Network, asked: Sequence[Asked], tally: Tally) -> None:
        """Count the cells and tasks of a batch that ``network`` answers."""
        targets = self.build(asked)
        outputs = run_network(network, targets)
        if outputs.spans is not None:
            _count_spans(outputs.spans.cpu().numpy(), targets, tally)
        if outputs.classes is not None:
            _count_tasks(outputs.classes.cpu().numpy(), targets, tally)
        for one in asked:
            for kind, own in reach_of_groups(one, self.network.config.max_width):
                cells = 2 if kind is Kind.RELATION else 1  # of an answer: a pair has two
                missed = cells * (own.behind + own.wide)
                tally.add(own.section, right=0, predicted=0, gold=missed)

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout; it reads as this one does."""
        save_network(
            self.network,
            directory,
            encoder_config=self._encoder_config,
            tokenizer_from=self._checkpoint,
        )
        start = self._checkpoint
        instances = Instances.from_dict(own_settings(start), str(start))
        # Thresholds and calibration are of the old weights.
        read = self._names.to_dict() | splitter_kept(self.splitter)
        write_settings(directory, instances.to_dict() | read)


def _count_spans(logits: Float32s, targets: Targets, tally: Tally) -> None:
    """Count the cells of each section.

    Args:
        logits: (batch, queries, words, width).
        targets: the gold.
        tally: is added to.
    """
    gold = np.zeros(logits.shape, dtype=bool)
    gold[targets.gold.index()] = True
    said = (logits > 0) & targets.weight
    used = dict.fromkeys(range(len(logits)), 0)  # queries of each row that were counted
    for group in targets.spans:
        first = used[group.row]
        used[group.row] = first + group.instances * group.items
        cells = (group.row, slice(first, used[group.row]))
        tally.add(
            SECTION_OF[group.kind],
            right=int((said[cells] & gold[cells]).sum()),
            predicted=int(said[cells].sum()),
            gold=int(gold[cells].sum()),
        )


def _count_tasks(logits: Float32s, targets: Targets, tally: Tally) -> None:
    """Note for each task whether its labels were chosen exactly; logits are (tasks, items)."""
    for own, group in zip(logits, targets.classes, strict=True):
        tally.add_task(own[: group.items], group.true > 0, several=group.multi_label, at=0.0)
