"""GLiNER checkpoints of every architecture as what is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from onepass.arrays import Array, Float32s
from onepass.corpus.question import Question
from onepass.decoding.candidates import Candidates
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError
from onepass.models.family import Asking
from onepass.models.gliner.decoder_targets import LabelWriting
from onepass.models.gliner.family import GLINER, prepare
from onepass.models.gliner.graphs import graphs
from onepass.models.gliner.label_batch import LabelReader
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner.network.checkpoint import load_network, save_network
from onepass.models.gliner.network.loss import compute_loss, loss_of
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.network.outputs import Outputs, run_network
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.relate import Pairs
from onepass.models.gliner.score import ReadingScores
from onepass.models.gliner.targets import Targets, build_targets, fits, pair_fits
from onepass.models.gliner.training_passes import Asked, ask
from onepass.models.settings import own_settings, own_splitter, write_settings
from onepass.models.splitting import splitter_kept
from onepass.models.thresholds import Thresholds
from onepass.schema import Schema
from onepass.text.words import Splitter
from onepass.training.live import LiveBackend
from onepass.training.parts import DECODER, LABEL_ENCODER, TEXT_ENCODER
from onepass.training.tally import Tally
from onepass.training.trainee import Reach

_HALF = 0.5  # score from which an answer counts


class GlinerTrainee:
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
        loss: GlinerLoss | None = None,
        *,
        device: str = "cpu",
        splitter: Splitter | None = None,
    ) -> None:
        self._checkpoint, self.options = checkpoint, loss or GlinerLoss()
        self.splitter = splitter or own_splitter(checkpoint, GLINER)
        self._settings = GLINER.read_config(checkpoint, own_settings(checkpoint))
        self._tokenizer = PieceTokenizer(checkpoint / "tokenizer.json")
        self.network = load_network(checkpoint).to(device)
        config = self.network.config
        if config.fixed is not None:
            raise CheckpointError(
                f"The GLiNER checkpoint {checkpoint} has its labels compressed into it, and is not "
                "trained; train the checkpoint that it was made from."
            )
        self._writing = None
        namer = self._settings.namer
        if namer is not None:
            bare, full = config.bare_prompt, namer.full_context
            self._writing = LabelWriting(namer.tokenizer, namer.end, bare=bare, full_context=full)
        self._labels = None
        if self._settings.label_tokenizer is not None:
            limit = encoder_limit(config.label_encoder or {})
            self._labels = LabelReader(self._settings.label_tokenizer, limit, self.options.in_batch)

    @property
    def longest(self) -> int | None:
        """Return the most pieces that the network reads at once."""
        return encoder_limit(self.network.encoder)

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the encoders, and the decoder if there is one."""
        parts = {TEXT_ENCODER: "backbone."}
        if self.network.label_backbone is not None:
            parts[LABEL_ENCODER] = "label_backbone."
        if self.network.decoder is not None:
            parts[DECODER] = "decoder."
        return parts

    def ask(self, question: Question, max_pieces: int) -> Sequence[Asked]:
        """Return the passes that ask a question."""
        return ask(
            question,
            self._tokenizer,
            self.network.config,
            max_pieces=max_pieces,
            splitter=self.splitter,
            reads=_everything if self._labels is None else self._labels.reads,
        )

    def reach(self, asked: Asked) -> Iterator[Reach]:
        """Yield how many gold answers of a pass can be learned."""
        kind, config = asked.reading.prompt.kind, self.network.config
        if kind is Kind.CLASSES:
            return
        wide = sum(not fits(first, last, config) for _, first, last in asked.gold)
        answers = len(asked.gold) + asked.behind
        yield Reach(_section(kind), answers, behind=asked.behind, wide=wide)
        if asked.reading.prompt.types:
            pairs = len(asked.pairs) + asked.pairs_behind
            wide = sum(not pair_fits(pair, config) for pair in asked.pairs)
            yield Reach("relations", pairs, behind=asked.pairs_behind, wide=wide)

    def build(self, asked: Sequence[Asked]) -> Targets:
        """Return the batch of several passes, with its gold answers."""
        config = self.network.config
        ratio = self.options.candidate_ratio(config.raw)
        return build_targets(
            asked, config, labels=self._labels, writing=self._writing, candidates=ratio
        )

    def loss(
        self, network: GlinerNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        return compute_loss(network, batch, self.options)

    def answer(
        self, network: GlinerNetwork, batch: Targets
    ) -> tuple[torch.Tensor, Mapping[str, float], Outputs]:
        """Return what `loss` returns, and the logits that it was computed from."""
        outputs = run_network(network, batch)
        return *loss_of(network, outputs, batch, self.options), outputs

    def tally(self, network: GlinerNetwork, asked: Sequence[Asked], tally: Tally) -> None:
        """Count what the network answers to a batch, decoded as at inference."""
        backend = LiveBackend(network.graphs(), graphs(network.config), network)
        prompts = prepare([one.reading.prompt for one in asked], self._settings, backend, None)
        readings = [
            replace(one.reading, prompt=prompt) for one, prompt in zip(asked, prompts, strict=True)
        ]
        scores = GLINER.score(readings, self._settings, backend, _asking(asked))
        for one, own in zip(asked, scores, strict=True):
            _count(one, own, tally)

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout; it reads the same words."""
        save_network(self.network, directory, tokenizer_from=self._checkpoint)
        # Thresholds and calibration are of the old weights.
        named = self.splitter == GLINER.named_splitter(directory)
        write_settings(directory, {} if named else splitter_kept(self.splitter))


def _everything(text: str) -> bool:
    """Return that a label is read whole: with no encoder of its own it is part of the prompt."""
    return True


def _asking(asked: Sequence[Asked]) -> Asking:
    """Return thresholds of one half for every label and type that any of the passes asks."""

    def halves(count: int) -> Float32s:
        return np.full(count, _HALF, dtype=np.float32)

    prompts = [one.reading.prompt for one in asked]
    labels = max((item + 1 for prompt in prompts for item in prompt.items), default=0)
    types = max((kind + 1 for prompt in prompts for kind in prompt.types), default=0)
    thresholds = Thresholds(halves(labels), (), (), halves(max(labels, types)))
    return Asking(Schema(), thresholds, "flat")


def _count(one: Asked, scores: ReadingScores, tally: Tally) -> None:
    """Count the answers of one pass."""
    if scores.choices is not None:
        _count_task(one, scores.choices, tally)
        return
    before = one.reading.before
    gold = {(label, first - before, last + 1 - before) for label, first, last in one.gold}
    unsure = {(label, first - before, last + 1 - before) for label, first, last in one.unsure}
    found = _found(scores.spans) - (unsure - gold)
    tally.add(
        _section(one.reading.prompt.kind),
        right=len(found & gold),
        predicted=len(found),
        gold=len(gold) + one.behind,
    )
    if one.reading.prompt.types:
        pairs = _found_pairs(scores.pairs)
        right = {
            (kind, ends[0] - before, ends[1] + 1 - before, ends[2] - before, ends[3] + 1 - before)
            for kind, *ends in one.pairs
        }
        every = len(right) + one.pairs_behind
        tally.add("relations", right=len(pairs & right), predicted=len(pairs), gold=every)


def _section(kind: Kind) -> str:
    """Return what the spans of a pass are."""
    return "relations" if kind is Kind.TAILS else "entities"


def _found(spans: Candidates) -> set[tuple[int, int, int]]:
    return {(label, start, end) for start, end, _, label in spans.rows()}


def _found_pairs(pairs: Pairs | None) -> set[tuple[int, ...]]:
    """Return (type, head, tail) of the pairs that reach one half, half-open words."""
    if pairs is None:
        return set()
    rows, kinds = np.nonzero(pairs.scores >= _HALF)
    return {
        (kind, *pairs.heads[row].tolist(), *pairs.tails[row].tolist())
        for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True)
    }


def _count_task(one: Asked, choices: Array, tally: Tally) -> None:
    """Note whether the labels of a classification, or those of one pass of it, are chosen."""
    prompt = one.reading.prompt
    true = one.question.classes[prompt.task]
    gold = np.array([item in true for item in prompt.items])
    several = one.question.schema.classification_tasks[prompt.task].multi_label
    tally.add_task(choices, gold, several=several, at=_HALF)
