"""From a checkpoint directory to what is trained: the one place that knows which families can be.

The network's modules are loaded only for the family that is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from onepass.errors import CheckpointError, InputError
from onepass.hub import Checkpoint
from onepass.models.gliner.complete import complete
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.training.config import TrainConfig
from onepass.training.trainee import Trainee

TRAINED = ("gliner2", "gliner")


def loss_options(config: TrainConfig) -> LossWeights | GlinerLoss:
    """Return the options of the loss of a run, those of the family where none are given.

    Self-training smooths the targets of a GLiNER checkpoint, unless the options do so already.

    Raises:
        InputError: if the options are those of another family.
        CheckpointError: if the checkpoint is of no family that is trained.
    """
    kind = _kind(Path(config.model))
    expected = GlinerLoss if kind == "gliner" else LossWeights
    loss = config.loss or expected()
    if not isinstance(loss, expected):
        raise InputError(
            f"The options under 'loss' are not those of a {kind} checkpoint, which {config.model} "
            "is; leave 'loss' out for its defaults."
        )
    if isinstance(loss, GlinerLoss) and config.self_train is not None and not loss.smoothing:
        return replace(loss, smoothing=config.self_train.smoothing)
    return loss


def open_trainee(
    directory: Path, loss: LossWeights | GlinerLoss | None = None, *, device: str = "cpu"
) -> Trainee:
    """Open a checkpoint to be trained.

    Args:
        directory: in the published layout of its family; what an old GLiNER checkpoint leaves to
            its base model is taken from there.
        loss: options of the family's loss; None for the defaults.
        device: where the network runs.

    Raises:
        CheckpointError: if the checkpoint is broken, or of no family that is trained.
    """
    if _kind(directory) == "gliner":
        from onepass.training.gliner import GlinerTrainee

        whole = complete(Checkpoint(directory, str(directory), None)).directory
        return GlinerTrainee(whole, loss if isinstance(loss, GlinerLoss) else None, device=device)
    from onepass.training.gliner2 import Gliner2Trainee

    return Gliner2Trainee(directory, loss if isinstance(loss, LossWeights) else None, device=device)


def _kind(directory: Path) -> str:
    kind = Checkpoint(directory, str(directory), None).kind
    if kind not in TRAINED:
        raise CheckpointError(
            f"{directory} is a {kind} checkpoint, which cannot be trained yet; "
            f"those of {' and '.join(TRAINED)} can."
        )
    return kind
