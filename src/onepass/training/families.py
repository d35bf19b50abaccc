"""From a checkpoint to what is trained: the one place that knows which families can be.

The network's modules are loaded only for the family that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from onepass.builtin import named
from onepass.corpus.example import Example
from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.models.boundary.targets import BoundaryLoss
from onepass.models.complete import complete
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.models.registry import family_of
from onepass.models.restored_weights import with_weights
from onepass.models.settings import own_splitter
from onepass.text.splitters import load_splitter
from onepass.text.words import Splitter
from onepass.training.config import TrainConfig
from onepass.training.sections import Loss, read_loss
from onepass.training.trainee import Trainee

if TYPE_CHECKING:
    from onepass.training.rl.policy import Decides

Own = TypeVar("Own", bound=Loss)


@dataclass(frozen=True, slots=True)
class TrainedFamily:
    """How checkpoints of a family are trained.

    Args:
        loss: the options of its loss.
        open: returns what is trained, given a checkpoint, options of the loss (None for the
            defaults), a device and a word splitter (None for that of the checkpoint).
        answered: keeps of an example only the annotations that the family can learn.
        decides: returns how its networks decide which labels hold, for reinforcement; None where
            they cannot be reinforced.
    """

    loss: type[Loss]
    open: Callable[[Checkpoint, Loss | None, str, Splitter | None], Trainee]
    answered: Callable[[Example], Example] = lambda one: one
    decides: Callable[[], Decides] | None = None


def _open_gliner2(
    found: Checkpoint, loss: Loss | None, device: str, splitter: Splitter | None
) -> Trainee:
    from onepass.training.gliner2 import Gliner2Trainee

    own, weights = _own(loss, LossWeights), with_weights(found).directory
    return Gliner2Trainee(found.directory, own, device=device, weights=weights, splitter=splitter)


def _open_boundary(
    found: Checkpoint, loss: Loss | None, device: str, splitter: Splitter | None
) -> Trainee:
    from onepass.training.boundary import BoundaryTrainee

    own = _own(loss, BoundaryLoss)
    return BoundaryTrainee(found.directory, own, device=device, splitter=splitter)


def _open_gliner(
    found: Checkpoint, loss: Loss | None, device: str, splitter: Splitter | None
) -> Trainee:
    from onepass.training.gliner import GlinerTrainee

    own, whole = _own(loss, GlinerLoss), complete(found, family_of(found)).directory
    return GlinerTrainee(whole, own, device=device, splitter=splitter)


def _open_gliclass(
    found: Checkpoint, loss: Loss | None, device: str, splitter: Splitter | None
) -> Trainee:
    from onepass.training.gliclass import GliclassTrainee

    own, whole = _own(loss, GliclassLoss), complete(found, family_of(found)).directory
    return GliclassTrainee(whole, own, device=device, splitter=splitter)


def _own(loss: Loss | None, kind: type[Own]) -> Own | None:
    if loss is None or isinstance(loss, kind):
        return loss
    raise TypeError(f"The options of the loss are {type(loss).__name__}, not {kind.__name__}.")


def _gliner2_decides() -> Decides:
    from onepass.training.rl.gliner2 import Gliner2Decides

    return Gliner2Decides()


def _gliclass_decides() -> Decides:
    from onepass.training.rl.gliclass import GliclassDecides

    return GliclassDecides()


TRAINED: Mapping[str, TrainedFamily] = {
    "gliner2": TrainedFamily(LossWeights, _open_gliner2, decides=_gliner2_decides),
    "gliner2-boundary": TrainedFamily(BoundaryLoss, _open_boundary),
    "gliner": TrainedFamily(GlinerLoss, _open_gliner, lambda one: replace(one, structures=())),
    "gliclass": TrainedFamily(
        GliclassLoss,
        _open_gliclass,
        lambda one: Example(one.text, classifications=one.classifications),
        _gliclass_decides,
    ),
}


def loss_options(config: TrainConfig) -> Loss:
    """Return the options of the loss of a run, those of the family where none are given.

    Self-training smooths the targets of a GLiNER checkpoint, unless the options do so already.

    Raises:
        InputError: if an option is wrong, or none of the family.
        CheckpointError: if the checkpoint is of no family that is trained.
    """
    kind = _located(config.model, config.revision).kind
    loss = read_loss(config.loss, TRAINED[kind].loss, f"the {kind} checkpoint {config.model!r}")
    if isinstance(loss, GlinerLoss) and config.self_train is not None and not loss.smoothing:
        return replace(loss, smoothing=config.self_train.smoothing)
    return loss


def answered(model: str | Path, revision: str | None = None) -> Callable[[Example], Example]:
    """Return what keeps of an example only the annotations that a checkpoint can learn.

    Raises:
        CheckpointError: if the checkpoint is of no family that is trained.
    """
    return TRAINED[_located(model, revision).kind].answered


def splitter_of(model: str | Path, revision: str | None = None) -> Splitter | None:
    """Return the splitter of words that a checkpoint names; None for the words of its family.

    Raises:
        CheckpointError: if the checkpoint is of no family that is trained, or names another.
    """
    located = _located(model, revision)
    return own_splitter(located.directory, family_of(located))


def open_trainee(
    model: str | Path,
    loss: Loss | None = None,
    *,
    device: str = "cpu",
    splitter: Splitter | None = None,
    revision: str | None = None,
) -> Trainee:
    """Open a checkpoint to be trained.

    Args:
        model: a directory in the published layout of its family, a hub id or "builtin"; what an old
            GLiNER checkpoint leaves to its base model is taken from there.
        loss: options of the family's loss; None for the defaults.
        device: where the network runs.
        splitter: of words, in place of the one that the checkpoint names.
        revision: branch, tag or commit on the hub.

    Raises:
        CheckpointError: if there is no such checkpoint, or it is broken or of no family that is
            trained, or the cache cannot be written.
        MissingExtra: if the library of its words is not installed.
    """
    checkpoint = _located(model, revision)
    words = splitter or own_splitter(checkpoint.directory, family_of(checkpoint))
    if words is not None:  # what it needs is told before weights are read
        load_splitter(words)
    return TRAINED[checkpoint.kind].open(checkpoint, loss, device, words)


def _located(model: str | Path, revision: str | None) -> Checkpoint:
    """Return a checkpoint that can be trained, fetched from the hub if it is not here."""
    checkpoint = named(model, revision)
    if checkpoint.kind not in TRAINED:
        raise CheckpointError(
            f"{model} is a {checkpoint.kind} checkpoint, which cannot be trained yet; "
            f"those of {', '.join(TRAINED)} can."
        )
    return checkpoint
