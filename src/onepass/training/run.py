"""One training run, from its configuration to its checkpoints: everything put together.

It makes the parts and hands them to the loop; it computes nothing itself.
"""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example
from onepass.errors import InputError, MissingExtra

try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingExtra("Training", "train") from error

from onepass.models.choosing import check_threads
from onepass.results.wording import counted
from onepass.training.adapters import adapt
from onepass.training.card import Card, write_cards
from onepass.training.checkpoints import Checkpoints
from onepass.training.config import TrainConfig
from onepass.training.data import Mixture
from onepass.training.families import loss_options
from onepass.training.fewshot import gain
from onepass.training.hardware import choose_device, choose_precision
from onepass.training.holdout import Holdout
from onepass.training.loading import Direct, Loaders
from onepass.training.loop import LoopOptions, Outcome, train
from onepass.training.material import CONFIG, held_out, open_data, open_sampler, telling, tested
from onepass.training.opening import open_learner, with_teacher
from onepass.training.pace import as_begun, pace_line, rates, with_pace
from onepass.training.parts import TEXT_ENCODER
from onepass.training.processes import Processes, open_processes
from onepass.training.reach import tell_of_reach
from onepass.training.rl.run import Reinforcement
from onepass.training.sample_texts import open_samples
from onepass.training.sources import Sources, by_length
from onepass.training.start import score_start, tell_of_loss
from onepass.training.stream import BatchOptions, QuestionStream
from onepass.training.task import Rates, Scorer, TrainingTask
from onepass.training.trainee import Trainee

Report = Callable[[str], None]
_FEW = 20  # held-out examples below which a score is mostly chance


@dataclass(frozen=True, slots=True, eq=False)
class _Setting:
    """What is settled before a run reads anything.

    Attributes:
        config: of the run, with the options of its loss.
        processes: that train together.
        precision: that steps are computed in.
        report: receives lines of progress, in the main process.
    """

    config: TrainConfig
    processes: Processes
    precision: str
    report: Report

    @property
    def output(self) -> Path:
        """Return the directory of the run."""
        return Path(self.config.output)

    def note(self) -> None:
        """Write the configuration into it, as one that begins a run."""
        if self.processes.is_main:
            self.output.mkdir(parents=True, exist_ok=True)
            text = json.dumps(replace(self.config, resume=False).to_dict(), indent=1)
            (self.output / CONFIG).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class _Learning:
    """What is trained, by whom, and in what batches.

    Attributes:
        trainee: the checkpoint.
        rl: what takes the place of supervised training, None where nothing does.
        batches: how large batches are.
        width: of its text encoder.
    """

    trainee: Trainee
    rl: Reinforcement | None
    batches: BatchOptions
    width: int


def train_from_config(
    config: TrainConfig,
    *,
    report: Report = lambda line: None,
    scorer: Scorer | None = None,
) -> dict[str, Any]:
    """Train a checkpoint as a configuration says.

    Args:
        config: the checkpoint to train, the data, and how long.
        report: a function that gets lines of progress.
        scorer: held-out scores of a network in evaluation mode, of which ``score`` is the one that
            counts; None scores the dev file or the held-out part with `onepass.training.holdout`.

    Returns:
        ``final`` and ``best`` (directories of checkpoints, ``best`` None if nothing was scored),
        ``steps``, ``examples``, ``skipped``, ``bad_batches``, ``minutes``, ``start_scores`` (empty
        with a scorer, or if the run was resumed), ``scores`` and ``best_score``; of a few-shot run
        also ``few_shot``, what `onepass.training.fewshot.gain` returns; and ``next``, the command
        that calibrates ``final``. Of several processes only the main one returns this; the others
        return nothing.

    Raises:
        InputError: if something in the configuration or the data is wrong.
        CheckpointError: if the model to start from is.
        MissingExtra: if the run needs a package that is not installed.
    """
    setting = _begin(config, report)
    config = setting.config
    sources = _sources(setting, scored=scorer is not None)
    torch.manual_seed(config.seed)
    learning = _learning(setting, sources)
    pace = pace_line(config, learning.width, _count(sources))
    config = with_pace(config, learning.width, _count(sources))
    setting = replace(setting, config=config)
    examples = tested(config, sources, setting.report)
    task = _task(setting, sources, learning, scorer)
    _tell_of_plan(setting, sources, pace)
    begins = setting.processes.is_main and scorer is None and not config.resume
    before = score_start(task, setting.report) if begins else {}
    outcome = _learn(setting, sources, learning, task)
    skipped = int(setting.processes.total([task.skipped])[0])
    if not setting.processes.is_main:
        return {}
    tell_of_loss(before, outcome.scores, setting.report)
    summary = _summary(outcome, before, setting.output, skipped)
    if config.few_shot is not None:
        summary["few_shot"] = _gain(config, summary["final"], examples)
    card = Card.of(config, sources, summary, setting.precision, own_scorer=scorer is not None)
    write_cards(card, setting.output, outcome.best_scores, at=outcome.best_at)
    summary["next"] = _calibrating(config, summary["final"], setting.report)
    return summary


def _begin(config: TrainConfig, report: Report) -> _Setting:
    """Refuse what can be refused at once, and settle who computes in what precision."""
    check_threads(config.threads)
    if config.resume:
        config = as_begun(config, Path(config.output) / CONFIG)
    else:
        Checkpoints(Path(config.output), keep=config.keep).refuse_old()
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    processes = open_processes(device)
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.rl is None:
        config = replace(config, loss=loss_options(config))
    elif processes.count > 1:
        raise InputError(
            f"A run with 'rl' is one process, but {processes.count} were started; start one."
        )
    return _Setting(config, processes, precision, processes.telling(report))


def _sources(setting: _Setting, *, scored: bool) -> Sources:
    """Return the data; the main process converts what must be converted, the others read it."""
    again = setting.config.resume or not setting.processes.is_main
    with setting.processes.main_first():
        return open_data(setting.config, scored=scored, again=again, report=setting.report)


def _learning(setting: _Setting, sources: Sources) -> _Learning:
    """Return what is trained, without the teacher that it may have."""
    config = setting.config
    device = setting.processes.device
    trainee, rl = open_learner(config, sources, device=device, report=setting.report)
    batches = BatchOptions(
        config.batch_pieces,
        config.max_batch,
        config.max_pieces,
        min(config.pool, _count(sources)),  # of little data a pool is once all of it
    )
    encoder: Any = trainee.network.get_submodule(trainee.parts[TEXT_ENCODER].removesuffix("."))
    return _Learning(trainee, rl, batches, encoder.hidden)


def _task(
    setting: _Setting, sources: Sources, learning: _Learning, scorer: Scorer | None
) -> TrainingTask:
    """Return the checkpoint with its stream of questions, its scores, and its teacher if any."""
    config, rl, trainee = setting.config, learning.rl, learning.trainee
    examples: Sequence[Example] = ()
    if config.few_shot is None and scorer is None:
        # A few-shot run chooses nothing by the examples it is tested on.
        examples = held_out(config, sources, setting.report)
        scorer = _scorer(setting, examples, rl or trainee, learning.batches)
    if config.patience is not None and scorer is None:
        raise InputError(
            "'patience' counts held-out scores, but nothing of this run is scored; give dev or "
            "held_out (a few-shot run has no scores on the way), or leave it out."
        )
    show = None
    if examples and config.samples:
        network = trainee.network
        classes = rl is not None
        show = telling(
            open_samples(
                examples, config.samples, config.model, network,
                classes=classes, splitter=config.word_splitter, revision=config.revision,
            ),
            config,
        )  # fmt: skip
    trainee = with_teacher(trainee, config, device=setting.processes.device)
    feed = _feed(setting, sources, learning, trainee)
    own = Rates(
        *rates(config, learning.width),
        config.weight_decay,
        config.layer_decay,
        config.freeze,
        config.shape_rate,
    )
    adapted = adapt(trainee.network, config.lora, trainee.parts) if config.lora else []
    return TrainingTask(trainee, feed, own, scorer=scorer, show=show, adapted=adapted)


def _feed(
    setting: _Setting, sources: Sources, learning: _Learning, trainee: Trainee
) -> Direct | Loaders:
    """Return the batches of this process, read by itself or by loaders."""
    config, rl, processes = setting.config, learning.rl, setting.processes
    if config.length_buckets:
        sources = by_length(sources, config.length_buckets)
    sampler = rl.sampler(config.sampling) if rl else open_sampler(config, sources)
    if processes.is_main:
        tell_of_reach(sources, sampler, learning.trainee, config.max_pieces, setting.report)
    readers = max(config.loaders, 1)
    streams = [
        QuestionStream(
            Mixture(sources.files, sources.weights, config.seed),
            sampler,
            trainee.ask,
            learning.batches,
            seed=config.seed,
            share=(processes.index * readers + reader, processes.count * readers),
        )
        for reader in range(readers)
    ]
    return Loaders(streams, trainee.build) if config.loaders else Direct(streams[0])


def _tell_of_plan(setting: _Setting, sources: Sources, pace: str) -> None:
    """Say what is learned from, where, and at which ``pace``."""
    config, processes, report = setting.config, setting.processes, setting.report
    examples = _count(sources)
    several = f"{processes.count} processes, " if processes.count > 1 else ""
    report(
        f"{counted(examples, 'example')} in {counted(len(sources.files), 'file')}, on "
        f"{choose_device(config.device)} ({several}{counted(torch.get_num_threads(), 'thread')}) "
        f"in {setting.precision}"
    )
    report(pace)


def _learn(setting: _Setting, sources: Sources, learning: _Learning, task: TrainingTask) -> Outcome:
    """Train, by answers or by rewards."""
    config, processes, report = setting.config, setting.processes, setting.report
    options = _loop_options(config, setting.precision, _count(sources))
    output, resume = setting.output, config.resume
    if learning.rl:
        decay = config.weight_decay
        return learning.rl.train(
            task, options, output,
            decay=decay, resume=resume, report=report, begun=setting.note,
        )  # fmt: skip
    if not processes.is_main:
        torch.manual_seed(config.seed + processes.index)  # of dropout: not the main one's
    return train(
        task, options, output,
        resume=resume, report=report, processes=processes, begun=setting.note,
    )  # fmt: skip


def _count(sources: Sources) -> int:
    """Return how many examples are learned from."""
    return sum(map(len, sources.files.values()))


def _gain(config: TrainConfig, final: str, examples: list[Example]) -> dict[str, Any]:
    """Return what a few-shot run brought."""
    from onepass.extractor import Extractor  # most runs do without

    before, after = (
        Extractor.from_pretrained(
            name, backend="torch", threads=config.threads, device=config.device, revision=revision
        )
        for name, revision in ((config.model, config.revision), (final, None))
    )
    return gain(before, after, examples)


def _calibrating(config: TrainConfig, final: str, report: Report) -> str:
    """Return the command that calibrates what was trained, and say why it comes next."""
    data = config.dev or "HELD_OUT.jsonl"
    command = shlex.join(["onepass", "calibrate", final, "--data", data])
    on = "" if config.dev else " on a hundred or more annotated texts that it has not seen"
    report(
        f"{final} finds what scores 0.5 or more, until scores and thresholds are fitted{on}:  "
        f"{command}"
    )
    return command


def _scorer(
    setting: _Setting,
    examples: Sequence[Example],
    asked: Trainee | Reinforcement,
    options: BatchOptions,
) -> Scorer | None:
    """Return what scores the dev file or the held-out part, None if there is neither."""
    report = setting.report
    if not examples:
        more = "; give dev, or a larger held_out" if setting.config.held_out else ""
        report(f"nothing is held out: the run is not scored{more}")
        return None
    holdout = (
        asked.holdout(examples, options)
        if isinstance(asked, Reinforcement)
        else Holdout(examples, asked, options)
    )
    if not holdout.asked:
        raise InputError(
            f"None of the {len(examples)} held-out examples could be asked: either nothing is "
            "annotated in them that this checkpoint answers, or their labels and descriptions "
            f"leave no room for a text in the {options.max_pieces} pieces of max_pieces; give "
            "another dev file, shorter labels, a larger max_pieces, or held_out 0."
        )
    few = ""
    if holdout.asked < _FEW:
        more = "a larger dev file" if setting.config.dev else "dev, or a larger held_out"
        few = f"; so few say little of which step is best: give {more}"
    report(f"{holdout.asked} of {len(examples)} held-out examples are scored{few}")
    return telling(holdout.score, setting.config)


def _loop_options(config: TrainConfig, precision: str, examples: int) -> LoopOptions:
    return LoopOptions(
        steps=config.steps,
        examples=None if config.epochs is None else _used(config.epochs, examples),
        minutes=config.minutes,
        warmup=config.warmup,
        clip=config.clip,
        optimizer=config.optimizer,
        betas=config.betas,
        precision=precision,
        log_every=config.log_every,
        score_every=config.score_every,
        patience=config.patience,
        ema=config.ema,
        quantize=config.quantize,
        keep=config.keep,
        skip_bad_batches=config.skip_bad_batches,
    )


def _used(epochs: float, examples: int) -> int:
    """Return how many examples are used in so many epochs."""
    return math.ceil(min(epochs * examples, sys.float_info.max))  # the product may be infinite


def _summary(
    outcome: Outcome, before: Mapping[str, float], output: Path, skipped: int
) -> dict[str, Any]:
    best = output / "best"
    return {
        "final": str(output / "final"),
        "best": str(best) if best.is_dir() else None,
        "steps": outcome.steps,
        "examples": outcome.examples,
        "skipped": skipped,
        "bad_batches": outcome.bad_batches,
        "minutes": round(outcome.seconds / 60, 2),
        "start_scores": dict(before),
        "scores": dict(outcome.scores),
        "best_score": outcome.best,
    }
