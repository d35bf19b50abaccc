"""GLiClass checkpoints of every architecture as what is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from onepass.corpus.question import Question
from onepass.encoding.sequences import encoder_limit
from onepass.models.gliclass.family import GLICLASS
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.checkpoint import load_network, save_network
from onepass.models.gliclass.network.loss import (
    compute_loss,
    loss_of,
    run_network,
    seen_states,
)
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.models.gliclass.style import PROMPTS
from onepass.models.gliclass.targets import Asked, Targets, ask, build_targets
from onepass.models.settings import own_settings, own_splitter, write_settings
from onepass.models.splitting import splitter_kept
from onepass.text.words import Splitter
from onepass.training.parts import LABEL_ENCODER, TEXT_ENCODER
from onepass.training.tally import Tally
from onepass.training.trainee import Reach


class GliclassTrainee:
    """A checkpoint in the published layout.

    Args:
        checkpoint: its directory.
        loss: options of the loss.
        device: where the network runs.
        splitter: of words, in place of the one that the checkpoint names; see `onepass.text.words`.

    Raises:
        CheckpointError: if the directory is not a checkpoint of this family.
    """

    def __init__(
        self,
        checkpoint: Path,
        loss: GliclassLoss | None = None,
        *,
        device: str = "cpu",
        splitter: Splitter | None = None,
    ) -> None:
        self._checkpoint, self._options = checkpoint, loss or GliclassLoss()
        self.splitter = splitter or own_splitter(checkpoint)
        self._settings = GLICLASS.read_config(checkpoint, own_settings(checkpoint))
        self._tokenizer = GLICLASS.open_tokenizer(checkpoint, self._settings)
        self.network = load_network(checkpoint).to(device)

    @property
    def longest(self) -> int | None:
        """Return the most pieces that the network reads at once."""
        return encoder_limit(self._settings.config.encoder)

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the encoders."""
        config = self._settings.config
        if config.two_sequences:
            return {TEXT_ENCODER: "transformer."}
        if config.label_vectors:
            return {TEXT_ENCODER: "backbone.", LABEL_ENCODER: "label_backbone."}
        return {TEXT_ENCODER: "backbone."}

    def ask(self, question: Question, max_pieces: int) -> Sequence[Asked]:
        """Return the passes that ask the tasks of a question."""
        return ask(
            question,
            self._tokenizer,
            self._settings,
            max_pieces=max_pieces,
            splitter=self.splitter,
        )

    def reach(self, asked: Asked) -> Sequence[Reach]:
        """Return nothing: labels are of the whole text, whatever part of it is read."""
        return ()

    def build(self, asked: Sequence[Asked]) -> Targets:
        """Return the batch of several passes, with its gold answers."""
        return build_targets(asked, self._settings)

    def loss(
        self, network: GliclassNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self._options)

    def answer(
        self, network: GliclassNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float], torch.Tensor]:
        """Return what `loss` returns, and the (batch, labels) logits that it was computed from."""
        with seen_states(network) as seen:
            logits = run_network(network, batch)
        return *loss_of(logits, seen, batch, self._options), logits

    def tally(self, network: GliclassNetwork, asked: Sequence[Asked], tally: Tally) -> None:
        """Count what the network answers to a batch."""
        logits = run_network(network, self.build(asked)).float().cpu().numpy()
        for one, row in zip(asked, logits, strict=True):
            tally.add_task(row[: len(one.true)], one.true, several=not one.single, at=0.0)

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout, read with the same prompts and words."""
        save_network(self.network, directory, tokenizer_from=self._checkpoint)
        own = own_settings(self._checkpoint)  # thresholds and calibration are of the old weights
        prompts = {key: own[key] for key in PROMPTS if key in own}
        write_settings(directory, prompts | splitter_kept(self.splitter))
