"""From a checkpoint to what is trained: the one place that knows which families can be.

The network's modules are loaded only for the family that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from onepass.builtin import named
from onepass.corpus.example import Example
from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.models.complete import complete
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.models.weighted import with_weights
from onepass.text.words import Splitter
from onepass.training.config import TrainConfig
from onepass.training.sections import Loss, read_loss
from onepass.training.trainee import Trainee

LOSSES: Mapping[str, type[Loss]] = {
    "gliner2": LossWeights,
    "gliner": GlinerLoss,
    "gliclass": GliclassLoss,
}
TRAINED = tuple(LOSSES)


def loss_options(config: TrainConfig) -> Loss:
    """Return the options of the loss of a run, those of the family where none are given.

    Self-training smooths the targets of a GLiNER checkpoint, unless the options do so already.

    Raises:
        InputError: if an option is wrong, or none of the family.
        CheckpointError: if the checkpoint is of no family that is trained.
    """
    kind = _located(config.model).kind
    loss = read_loss(config.loss, LOSSES[kind], f"the {kind} checkpoint {config.model!r}")
    if isinstance(loss, GlinerLoss) and config.self_train is not None and not loss.smoothing:
        return replace(loss, smoothing=config.self_train.smoothing)
    return loss


def answered(model: str | Path) -> Callable[[Example], Example]:
    """Return what keeps of an example only the annotations that a checkpoint can learn.

    Raises:
        CheckpointError: if the checkpoint is of no family that is trained.
    """
    match _located(model).kind:
        case "gliclass":
            return lambda one: Example(one.text, classifications=one.classifications)
        case "gliner":
            return lambda one: replace(one, structures=())
    return lambda one: one


def open_trainee(
    model: str | Path,
    loss: Loss | None = None,
    *,
    device: str = "cpu",
    splitter: Splitter | None = None,
) -> Trainee:
    """Open a checkpoint to be trained.

    Args:
        model: a directory in the published layout of its family, a hub id or "builtin"; what an old
            GLiNER checkpoint leaves to its base model is taken from there.
        loss: options of the family's loss; None for the defaults.
        device: where the network runs.
        splitter: of words, in place of the one that the checkpoint names.

    Raises:
        CheckpointError: if there is no such checkpoint, or it is broken or of no family that is
            trained, or the cache cannot be written.
    """
    checkpoint = _located(model)
    if checkpoint.kind == "gliner":
        from onepass.training.gliner import GlinerTrainee

        whole = complete(checkpoint).directory
        own_loss = loss if isinstance(loss, GlinerLoss) else None
        return GlinerTrainee(whole, own_loss, device=device, splitter=splitter)
    if checkpoint.kind == "gliclass":
        from onepass.training.gliclass import GliclassTrainee

        given = loss if isinstance(loss, GliclassLoss) else None
        whole = complete(checkpoint).directory
        return GliclassTrainee(whole, given, device=device, splitter=splitter)
    from onepass.training.gliner2 import Gliner2Trainee

    own = loss if isinstance(loss, LossWeights) else None
    weights = with_weights(checkpoint).directory
    return Gliner2Trainee(
        checkpoint.directory, own, device=device, weights=weights, splitter=splitter
    )


def _located(model: str | Path) -> Checkpoint:
    """Return a checkpoint that can be trained, fetched from the hub if it is not here."""
    checkpoint = named(model)
    if checkpoint.kind not in TRAINED:
        raise CheckpointError(
            f"{model} is a {checkpoint.kind} checkpoint, which cannot be trained yet; "
            f"those of {', '.join(TRAINED)} can."
        )
    return checkpoint
