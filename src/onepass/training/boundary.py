"""GLiNER2 boundary checkpoints as what is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

import torch

from onepass.arrays import Int64s
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.hub.files import read_json
from onepass.models.boundary.network.checkpoint import load_network, save_network
from onepass.models.boundary.network.loss import compute_loss, loss_of
from onepass.models.boundary.network.network import BoundaryNetwork
from onepass.models.boundary.network.outputs import Outputs, run_network
from onepass.models.boundary.targets import BoundaryLoss, Targets, build_targets
from onepass.models.gliner2.prompt import SECTION_OF, Kind
from onepass.models.gliner2.targets import Asked, ask_if_it_fits
from onepass.models.settings import own_splitter, write_settings
from onepass.models.splitting import splitter_kept
from onepass.text.words import Splitter
from onepass.training.group_reach import reach_of_groups
from onepass.training.parts import TEXT_ENCODER
from onepass.training.tally import Tally
from onepass.training.trainee import Reach


class BoundaryTrainee:
    """A checkpoint in the published layout.

    Args:
        checkpoint: its directory.
        loss: weights of the loss terms.
        device: where the network runs.
        splitter: of words, in place of the one that the checkpoint names; see `onepass.text.words`.

    Raises:
        CheckpointError: if the directory is not a checkpoint of this family.
    """

    parts: Mapping[str, str] = {TEXT_ENCODER: "backbone."}

    def __init__(
        self,
        checkpoint: Path,
        loss: BoundaryLoss | None = None,
        *,
        device: str = "cpu",
        splitter: Splitter | None = None,
    ) -> None:
        self._checkpoint, self.weights = checkpoint, loss or BoundaryLoss()
        self.splitter = splitter or own_splitter(checkpoint)
        self._tokenizer = PieceTokenizer(checkpoint / "tokenizer.json")
        self.network = load_network(checkpoint).to(device)
        self._encoder_config = read_json(checkpoint / "encoder_config" / "config.json")

    @property
    def longest(self) -> int | None:
        """Return the most pieces that the network reads at once."""
        return self.network.backbone.max_pieces

    def ask(self, question: Question, max_pieces: int) -> Sequence[Asked]:
        """Return the one pass that asks a question, if it asks something and a word fits in."""
        return ask_if_it_fits(question, self._tokenizer, max_pieces, self.splitter)

    def reach(self, asked: Asked) -> Iterable[Reach]:
        """Return how many gold answers of a pass can be learned."""
        return [own for _, own in reach_of_groups(asked, None)]

    def build(self, asked: Sequence[Asked]) -> Targets:
        """Return the batch of several passes, with its gold spans."""
        return build_targets(asked, pooling=self.network.config.pooling)

    def loss(
        self, network: BoundaryNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self.weights)

    def answer(
        self, network: BoundaryNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float], Outputs]:
        """Return what `loss` returns, and the logits that it was computed from."""
        outputs = run_network(network, batch)
        return *loss_of(outputs, batch, self.weights), outputs

    def tally(self, network: BoundaryNetwork, asked: Sequence[Asked], tally: Tally) -> None:
        """Count the spans, pairs and tasks of a batch that ``network`` answers by itself."""
        targets = self.build(asked)
        outputs = run_network(network, targets, told=False)
        _count_spans(outputs, targets, tally)
        if outputs.classes is not None:
            for own, group in zip(outputs.classes.cpu().numpy(), targets.classes, strict=True):
                scores, true = own[: group.items], group.true > 0
                tally.add_task(scores, true, several=group.multi_label, at=0.0)
        for one in asked:
            for own in self.reach(one):
                tally.add(own.section, right=0, predicted=0, gold=own.behind)

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout; it reads as this one does."""
        save_network(
            self.network,
            directory,
            encoder_config=self._encoder_config,
            tokenizer_from=self._checkpoint,
        )
        # Thresholds and calibration are of the old weights.
        write_settings(directory, splitter_kept(self.splitter))


def _count_spans(outputs: Outputs, targets: Targets, tally: Tally) -> None:
    """Count what holds of each section: pairs of relations, else spans."""
    for number, group in enumerate(targets.groups):
        if group.kind is Kind.RELATION:
            pairs = {(*head, *tail) for head, tail in group.pairs}
            found = _pairs(*outputs.pairs[number]) if number in outputs.pairs else set()
            _count(tally, group.kind, found, pairs)
            continue
        logits, places = outputs.spans[group.row].cpu().numpy(), outputs.places[group.row]
        begin, stop = targets.own[group.row].tolist()
        for item, spans in enumerate(group.spans):
            query = group.first + item
            if targets.closed[group.row, query]:
                continue
            own = places[query][logits[query] > 0].tolist()
            first, last = (0, begin) if item in group.choices else (begin, stop)
            said = {(start, end) for start, end in own if first <= start < end <= last}
            unsure = {span for one, span in targets.ignored[group.row] if one == query}
            _count(tally, group.kind, said - unsure, spans)


def _pairs(places: Int64s, logits: torch.Tensor) -> set[tuple[int, ...]]:
    """Return the pairs that hold, of (pairs, 4) places and (pairs,) logits."""
    return {tuple(pair) for pair in places[logits.cpu().numpy() > 0].tolist()}


def _count(
    tally: Tally, kind: Kind, said: Set[tuple[int, ...]], gold: Set[tuple[int, ...]]
) -> None:
    tally.add(SECTION_OF[kind], right=len(said & gold), predicted=len(said), gold=len(gold))
