"""The loop of reinforcement: batches, schedule, held-out rewards, checkpoints, resume.

A step is a batch, with all updates that are made of its answers. It knows neither the model nor the
formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from onepass.training.checkpoints import Checkpoints
from onepass.training.failures import Failures, where_failed
from onepass.training.loop import LoopOptions, Outcome, outcome_of, save_scored, told_if_stopped
from onepass.training.progress import LOG, Progress
from onepass.training.rl.learner import Learner
from onepass.training.rl.value import still
from onepass.training.task import TrainingTask


class Saved:
    """What is saved of a run: policy, value model, and the position in the data.

    Args:
        task: policy and data.
        network: policy and value model.
    """

    def __init__(self, task: TrainingTask, network: torch.nn.Module) -> None:
        self._task, self.network = task, network

    def save(self, directory: Path) -> None:
        """Write the policy as a checkpoint that the library can load."""
        self._task.save(directory)

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""
        return self._task.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue the data where a `state` was taken."""
        self._task.restore(state)


def reinforce(
    task: TrainingTask,
    learner: Learner,
    options: LoopOptions,
    directory: Path,
    *,
    save_every: int | None = None,
    resume: bool = False,
    report: Callable[[str], None] = lambda line: None,
    begun: Callable[[], None] = lambda: None,
) -> Outcome:
    """Train a policy until the first of the limits is reached.

    Args:
        task: policy and data, for scores and checkpoints.
        learner: of the same policy.
        options: how long and how often; steps are batches.
        directory: receives ``step-N`` checkpoints, ``final``, ``best`` and ``log.jsonl``.
        save_every: batches between checkpoints, beside those of ``options.score_every``.
        resume: continue from the newest ``step-N`` in ``directory``.
        report: receives lines of progress.
        begun: is called before the first step, when nothing can be refused any more.

    Raises:
        InputError: if there is nothing to resume, an earlier run would be overwritten, or more
            batches fail than may, naming their rows.
    """
    checkpoints = Checkpoints(directory, keep=options.keep)
    progress = Progress(directory / LOG, options.limits(), options.log_every, report)
    saved = Saved(task, learner.network)
    if resume:
        progress.restore(checkpoints.load(saved, learner.optimizers), task.seen)
    else:
        checkpoints.refuse_old()
    begun()
    batches = task.batches()
    failures = Failures(options.skip_bad_batches, report)

    def save(*, scored: bool) -> None:
        save_scored(
            lambda: scored and _scored(task, progress),
            lambda is_best: checkpoints.save(
                saved, learner.optimizers, progress.state(), is_best=is_best
            ),
        )

    due = options.scores_at(progress.step) and not progress.is_scored()
    with told_if_stopped(progress, checkpoints, report):
        if resume and due and not progress.over():  # its score was stopped, or failed
            save(scored=True)
        while not progress.over():
            batch, first = next(batches), progress.step == 0
            terms = failures.attempt(
                partial(learner.learn, batch.asked, progress.rate(), first=first),
                partial(where_failed, batch.places, progress.step + 1),
            )
            if terms is None:
                continue
            progress.stepped(terms, task.seen)
            scored = options.scores_at(progress.step)
            kept = bool(save_every) and progress.step % (save_every or 1) == 0
            if (scored or kept) and not progress.over():
                save(scored=scored)
        save_scored(
            lambda: not progress.is_scored() and _scored(task, progress),
            lambda is_best: checkpoints.save_final(saved, progress.state(), is_best=is_best),
        )
    return outcome_of(progress, task.seen, failures.count)


def _scored(task: TrainingTask, progress: Progress) -> bool:
    """Score the network as it is used, show what it says, and return whether it is the best."""
    task.network.eval()
    scores, samples = task.score(), task.samples()
    still(task.network)
    return progress.scored(scores, samples)
