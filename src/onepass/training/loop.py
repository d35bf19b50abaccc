"""The training loop: optimizer, schedule, held-out scores, checkpoints, resume.

It does not know the model: a `Task` hands it batches, a loss, parameter groups and a score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from onepass.errors import InputError
from onepass.training.averaging import Average
from onepass.training.checkpoints import Checkpoints
from onepass.training.failures import Failures, where_failed
from onepass.training.memory import EVERY, give_back
from onepass.training.processes import ALONE, Processes
from onepass.training.progress import LOG, Limits, Progress
from onepass.training.samples import Sample
from onepass.training.updating import Updates
from onepass.training.working import Working


class Task(Protocol):
    """What the loop needs to know of a model and its data."""

    @property
    def network(self) -> torch.nn.Module:
        """Return the module that is trained."""

    @property
    def seen(self) -> int:
        """Return how many examples were used so far."""

    def groups(self) -> list[dict[str, Any]]:
        """Return optimizer groups with ``params``, ``lr`` and ``weight_decay``."""

    def batches(self) -> Iterator[Any]:
        """Yield batches forever."""

    def loss(self, network: Any, batch: Any) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""

    def places(self, batch: Any) -> Sequence[str]:
        """Return where the rows of a batch stand, for messages."""

    def score(self) -> Mapping[str, float]:
        """Return held-out scores; ``score`` is the one that counts, if there is one."""

    def samples(self) -> Sequence[Sample]:
        """Return what the network says of a few held-out texts."""

    def save(self, directory: Path) -> None:
        """Write a checkpoint that the library can load."""

    def state(self) -> dict[str, Any]:
        """Return the position in the data, as JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue the data where a `state` was taken."""


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How long and how often; at least one of steps, examples and minutes must be given.

    The learning rates fall over whichever of the limits comes first.

    Attributes:
        steps: optimizer steps in all.
        examples: examples in all.
        minutes: wall time in all, earlier sessions of a resumed run included.
        warmup: steps of linear warm-up; None for 1000, but at most a tenth of the run.
        clip: largest gradient norm.
        optimizer: "adamw" or "muon".
        betas: of AdamW.
        precision: "bf16", "fp16" (gradients are scaled; for GPUs) or "fp32".
        log_every: steps between progress lines.
        score_every: steps between held-out scores and checkpoints; 0 for only at the end.
        patience: held-out scores in a row without a new best one that end the run.
        ema: decay of a running mean of the weights that is scored and saved; None for none.
        quantize: whether steps are computed as the graphs in eight bits will.
        keep: newest checkpoints that stay.
        skip_bad_batches: batches that may fail before the run stops; each is reported.
    """

    steps: int | None = None
    examples: int | None = None
    minutes: float | None = None
    warmup: int | None = None
    clip: float = 1.0
    optimizer: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.98)
    precision: str = "bf16"
    log_every: int = 50
    score_every: int = 1000
    patience: int | None = None
    ema: float | None = None
    quantize: bool = False
    keep: int = 2
    skip_bad_batches: int = 0

    def __post_init__(self) -> None:
        if not (self.steps or self.examples or self.minutes):
            raise InputError("A run needs an end; give one of steps, examples and minutes.")
        if self.precision not in ("bf16", "fp16", "fp32"):
            raise InputError(f"The precision must be bf16, fp16 or fp32, not {self.precision!r}.")

    def limits(self) -> Limits:
        """Return where the run ends."""
        return Limits(self.steps, self.examples, self.minutes, self.warmup, self.patience)

    def scores_at(self, step: int) -> bool:
        """Return whether there is a held-out score, and a checkpoint, after a step."""
        return self.score_every > 0 and step % self.score_every == 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        steps: optimizer steps, those before a resume included.
        examples: examples that were used, likewise.
        seconds: wall time, likewise.
        scores: the last held-out scores.
        best: the best value of ``score``, None if there never was one.
        best_scores: all held-out scores of that step.
        bad_batches: that failed and were skipped since the run was started or resumed.
        best_at: steps and examples until the best score; None where there is none, or a resumed
            run did not note it.
    """

    steps: int
    examples: int
    seconds: float
    scores: Mapping[str, float]
    best: float | None
    bad_batches: int = 0
    best_scores: Mapping[str, float] = field(default_factory=dict)
    best_at: tuple[int, int] | None = None


def train(
    task: Task,
    options: LoopOptions,
    directory: Path,
    *,
    resume: bool = False,
    report: Callable[[str], None] = lambda line: None,
    processes: Processes = ALONE,
    begun: Callable[[], None] = lambda: None,
) -> Outcome:
    """Train until the first of the limits is reached.

    Args:
        task: model and data.
        options: how long and how often.
        directory: receives ``step-N`` checkpoints, ``final``, ``best`` and ``log.jsonl``.
        resume: continue from the newest ``step-N`` in ``directory``.
        report: receives lines of progress.
        processes: that train together, each on its own part of the data; the gradients of a step
            are the means of theirs.
        begun: is called before the first step, when nothing can be refused any more.

    Raises:
        InputError: if there is nothing to resume, an earlier run would be overwritten, or more
            batches fail than may, naming their rows.
    """
    average = Average(task.network, options.ema) if options.ema else None
    checkpoints = Checkpoints(directory, keep=options.keep, average=average, processes=processes)
    report = processes.telling(report)
    log = directory / LOG if processes.is_main else None
    progress = Progress(log, options.limits(), options.log_every, report)
    network = task.network
    updates = Updates(
        network, task.groups(), optimizer=options.optimizer,
        betas=options.betas, clip=options.clip, precision=options.precision,
    )  # fmt: skip
    if resume:
        progress.restore(checkpoints.load(task, updates), _seen(task, processes))
    else:
        checkpoints.refuse_old()
    begun()
    network.train()
    working = Working(network, options.precision, quantize=options.quantize)
    failures = Failures(options.skip_bad_batches, report, processes)
    steps = _Steps(task, working, updates, average, failures, processes)
    batches = task.batches()
    scoring = partial(_scored, task, average, progress)
    saving = partial(_save_step, checkpoints, task, updates, progress)
    settled = processes.from_main(progress.over() or progress.is_scored())
    with told_if_stopped(progress, checkpoints, report):
        if resume and options.scores_at(progress.step) and not settled:  # it was stopped, or failed
            save_scored(lambda: processes.is_main and scoring(), saving)
        while not processes.from_main(progress.over()):
            batch = next(batches)
            terms = steps.take(batch, processes.from_main(progress.rate()), progress.step + 1)
            if terms is None:
                continue
            progress.stepped(terms, _seen(task, processes))
            if progress.step % EVERY == 0:
                give_back()
            if options.scores_at(progress.step) and not processes.from_main(progress.over()):
                save_scored(lambda: processes.is_main and scoring(), saving)
        if processes.is_main:
            save_scored(
                lambda: not progress.is_scored() and scoring(),
                lambda is_best: checkpoints.save_final(task, progress.state(), is_best=is_best),
            )
    return outcome_of(progress, _seen(task, processes), failures.count)


def save_scored(score: Callable[[], bool], save: Callable[[bool], None]) -> None:
    """Save what was learned after its score, which may fail: that costs the score alone.

    Args:
        score: returns whether it is the best so far.
        save: is told that.
    """
    is_best = False
    try:
        is_best = score()
    finally:
        save(is_best)


@contextmanager
def told_if_stopped(
    progress: Progress, checkpoints: Checkpoints, report: Callable[[str], None]
) -> Iterator[None]:
    """Report where a run stands that Ctrl-C stops, and where it can go on."""
    try:
        yield
    except KeyboardInterrupt:
        report(f"stopped at step {progress.step}; {checkpoints.kept()}")
        raise


def _save_step(
    checkpoints: Checkpoints, task: Task, updates: Updates, progress: Progress, is_best: bool
) -> None:
    """Save the present step."""
    checkpoints.save(task, updates, progress.state(), is_best=is_best)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """What a step needs."""

    task: Task
    working: Working
    updates: Updates
    average: Average | None
    failures: Failures
    processes: Processes

    def take(self, batch: Any, factor: float, number: int) -> Mapping[str, float] | None:
        """Learn from a batch, in all processes together.

        Args:
            batch: of this process.
            factor: on the learning rates.
            number: of the step.

        Returns:
            The terms of its loss; None if a batch failed, which leaves the weights as they are.
        """
        self.working.load()
        terms = self.failures.attempt(
            partial(_backward, self.task, self.working.network, batch, self.updates),
            lambda: where_failed(self.task.places(batch), number),
        )
        if terms is None:
            return None
        self.processes.average(self.working.statistics())
        self.working.hand_over()
        self.processes.average_gradients(self.task.network)
        self.updates.step(factor)
        if self.average is not None:
            self.average.step()
        return terms


def outcome_of(progress: Progress, seen: int, bad: int) -> Outcome:
    """Return how a run ended: where it stands, examples used, batches that failed."""
    return Outcome(
        progress.step,
        seen,
        progress.seconds(),
        progress.scores,
        progress.best_or_none(),
        bad,
        progress.best_scores,
        progress.best_at,
    )


def _backward(task: Task, network: Any, batch: Any, updates: Updates) -> Mapping[str, float]:
    """Compute the gradients of a batch and return the terms of its loss."""
    loss, terms = task.loss(network, batch)
    if not torch.isfinite(loss):
        raise InputError(f"the loss became {loss.item()}; lower the rates.")
    updates.scaled(loss).backward()
    return terms


def _seen(task: Task, processes: Processes) -> int:
    """Return how many examples were used so far, in all processes."""
    return int(processes.total([task.seen])[0])


def _scored(task: Task, average: Average | None, progress: Progress) -> bool:
    """Score the network as it is used, show what it says, and return whether it is the best."""
    task.network.eval()
    with average.applied() if average else nullcontext():
        scores, samples = task.score(), task.samples()
    task.network.train()
    return progress.scored(scores, samples)
