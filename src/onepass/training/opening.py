"""The checkpoints of a run, opened: the one that is trained, and the one that teaches it.

It knows the configuration, and neither the loop nor what is scored.
"""

from __future__ import annotations

from collections.abc import Callable

from onepass.errors import InputError
from onepass.training.borders import tell_of_borders
from onepass.training.config import TrainConfig
from onepass.training.families import answered, loss_options, open_trainee, splitter_of
from onepass.training.rl.policy import open_policy
from onepass.training.rl.run import Reinforcement
from onepass.training.sources import Sources
from onepass.training.teaching.taught import Taught
from onepass.training.trainee import Trainee

Report = Callable[[str], None]


def open_learner(
    config: TrainConfig, sources: Sources, *, device: str, report: Report
) -> tuple[Trainee, Reinforcement | None]:
    """Return what is trained, without the teacher that it may have.

    Args:
        config: of the run, with the options of its loss.
        sources: what is learned from.
        device: where the network runs.
        report: is told what of the data rewards can judge, and how many values stand inside words
            of the checkpoint.

    Returns:
        The checkpoint, and what takes the place of supervised training, None where nothing does.

    Raises:
        InputError: if the checkpoint reads fewer pieces than ``max_pieces``, a reward is wrong, or
            nothing is learned from the data.
        CheckpointError: if there is no such checkpoint, or it is of no family that is trained so.
    """
    rl = None
    if config.rl is None:
        trainee = open_trainee(
            config.model, loss_options(config),
            device=device, splitter=config.word_splitter, revision=config.revision,
        )  # fmt: skip
        own = splitter_of(config.model, config.revision)
        if config.word_splitter is None and own is None:
            tell_of_borders(sources, answered(config.model, config.revision), report)
    else:
        trainee = policy = open_policy(
            config.model, device=device, splitter=config.word_splitter, revision=config.revision
        )
        rl = Reinforcement(policy, config.rl, threads=config.threads)
        rl.check(sources, report)
    _check_window(trainee, config.max_pieces)
    return trainee, rl


def with_teacher(trainee: Trainee, config: TrainConfig, *, device: str) -> Trainee:
    """Return a checkpoint with the teacher that its run names, itself if there is none.

    Args:
        trainee: the checkpoint that is trained.
        config: of the run.
        device: where the network of the teacher runs.

    Raises:
        InputError: if the two do not go together.
        CheckpointError: if there is no such teacher, or it is of no family that is trained.
    """
    if config.distill is None:
        return trainee
    teacher = open_trainee(config.distill.teacher, device=device, splitter=config.word_splitter)
    return Taught(trainee, teacher, config.distill)


def _check_window(trainee: Trainee, max_pieces: int) -> None:
    longest = trainee.longest
    if longest is not None and max_pieces > longest:
        raise InputError(
            f"max_pieces is {max_pieces}, but this checkpoint reads at most {longest} pieces; "
            f"give {longest} or less."
        )
