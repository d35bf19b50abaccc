"""One training run, from its configuration to its checkpoints: everything put together.

It makes the parts and hands them to the loop; it computes nothing itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from onepass.corpus.example import Example
from onepass.corpus.public import read_any
from onepass.corpus.reading import Format, file_format, read_training_file
from onepass.errors import InputError
from onepass.training.adapters import adapt
from onepass.training.bank import LabelBank, read_bank
from onepass.training.card import Card, write_cards
from onepass.training.checkpoints import Checkpoints
from onepass.training.config import TrainConfig, read_config
from onepass.training.data import Mixture
from onepass.training.families import answered, loss_options, open_trainee
from onepass.training.fewshot import few_of, gain, is_asked
from onepass.training.holdout import Holdout
from onepass.training.loop import LoopOptions, Outcome, train
from onepass.training.rl.policy import open_policy
from onepass.training.rl.run import Reinforcement
from onepass.training.sampling import Sampler
from onepass.training.selftrain import write_weak_labels
from onepass.training.sources import Sources, by_length, open_sources
from onepass.training.stream import BatchOptions, QuestionStream
from onepass.training.task import Rates, Scorer, TrainingTask
from onepass.training.teaching import Taught
from onepass.training.trainee import Trainee

__all__ = ["TrainConfig", "read_config", "train_from_config"]

Report = Callable[[str], None]

WEAK = "self-trained.jsonl"  # in the data directory of a run


def train_from_config(
    config: TrainConfig,
    *,
    report: Report = lambda line: None,
    scorer: Scorer | None = None,
) -> dict[str, Any]:
    """Train a checkpoint as a configuration says.

    Args:
        config: what is trained on what, and how long.
        report: receives lines of progress.
        scorer: held-out scores of a network in evaluation mode, of which ``score`` is the one that
            counts; None scores the dev file or the held-out part with `onepass.training.holdout`.

    Returns:
        ``final`` and ``best`` (directories of checkpoints, ``best`` None if nothing was scored),
        ``steps``, ``examples``, ``skipped``, ``bad_batches``, ``minutes``, ``scores`` and
        ``best_score``; of a few-shot run also ``few_shot``, what `onepass.training.fewshot.gain`
        returns.

    Raises:
        InputError: if something in the configuration or the data is wrong.
        CheckpointError: if the model to start from is.
    """
    output = Path(config.output)
    if not config.resume:
        Checkpoints(output, keep=config.keep).refuse_old()
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.rl is None:
        config = replace(config, loss=loss_options(config))
    sources = _data(config, output / "data", scored=scorer is not None, report=report)
    torch.manual_seed(config.seed)
    device = _device(config.device)
    precision = _precision(config.precision, device)
    rl = _reinforcement(config, sources, device, report)
    trainee = rl.policy if rl else open_trainee(config.model, config.loss, device=device)
    _check_window(trainee, config.max_pieces)
    tested = _tested(config, sources, report)
    whole = sources
    if config.length_buckets:
        sources = by_length(sources, config.length_buckets)
    mixture = Mixture(sources.files, sources.weights, config.seed)
    batches = BatchOptions(
        config.batch_pieces,
        config.max_batch,
        config.max_pieces,
        min(config.pool, len(mixture)),  # of little data a pool is once all of it
    )
    if config.few_shot is None:  # a few-shot run chooses nothing by the examples it is tested on
        scorer = scorer or _scorer(config, sources, rl or trainee, batches, report)
    if config.patience is not None and scorer is None:
        raise InputError(
            "'patience' counts held-out scores, but nothing of this run is scored; give dev or "
            "held_out (a few-shot run has no scores on the way), or leave it out."
        )
    if config.distill is not None:
        teacher = open_trainee(config.distill.teacher, device=device)
        trainee = Taught(trainee, teacher, config.distill)
    sampler = rl.sampler(config.sampling) if rl else _sampler(config, sources)
    stream = QuestionStream(mixture, sampler, trainee.ask, batches, seed=config.seed)
    rates = Rates(
        config.encoder_rate,
        config.head_rate,
        config.weight_decay,
        config.layer_decay,
        config.freeze,
    )
    adapted = adapt(trainee.network, config.lora, trainee.parts) if config.lora else []
    task = TrainingTask(trainee, stream, rates, scorer=scorer, adapted=adapted)
    output.mkdir(parents=True, exist_ok=True)
    (output / "train.json").write_text(json.dumps(config.to_dict(), indent=1), encoding="utf-8")
    report(
        f"{len(mixture)} examples in {len(sources.files)} files, on {device} "
        f"({torch.get_num_threads()} threads) in {precision}"
    )
    loop = _loop_options(config, precision, len(mixture))
    if rl:
        decay = config.weight_decay
        outcome = rl.train(task, loop, output, decay=decay, resume=config.resume, report=report)
    else:
        outcome = train(task, loop, output, resume=config.resume, report=report)
    summary = _summary(outcome, output, stream.skipped)
    if config.few_shot is not None:
        summary["few_shot"] = _gain(config, summary["final"], tested)
    write_cards(Card.of(config, whole, summary, precision), output, outcome.best_scores)
    return summary


def _reinforcement(
    config: TrainConfig, sources: Sources, device: str, report: Report
) -> Reinforcement | None:
    """Return what takes the place of supervised training, None where nothing does."""
    if config.rl is None:
        return None
    policy = open_policy(config.model, device=device)
    found = Reinforcement(policy, config.rl, threads=config.threads)
    found.check(sources, report)
    return found


def _data(config: TrainConfig, into: Path, *, scored: bool, report: Report) -> Sources:
    """Return what the run learns from, and what is held out of it."""
    weak = _weak_labels(config, into, report)
    few = config.few_shot is not None
    sources = open_sources(
        [*map(Path, config.data), *weak],
        into=into,
        held_out=0.0 if config.dev or scored or few else config.held_out,
        seed=config.seed,
        report=report,
    )
    if config.few_shot is None:
        return sources
    return few_of(
        sources, config.few_shot, seed=config.seed, into=into, report=report,
        answered=answered(config.model), whole=(Path(WEAK).stem,),
    )  # fmt: skip


def _tested(config: TrainConfig, sources: Sources, report: Report) -> list[Example]:
    """Return what a few-shot run is tested on: the dev file, or what was not chosen."""
    if config.few_shot is None:
        return []
    every = _read_dev(Path(config.dev), report) if config.dev else sources.held_out
    examples = [one for one in map(answered(config.model), every) if is_asked(one)]
    if not examples:
        raise InputError(
            "No example is left to test on that this checkpoint answers; lower few_shot, give more "
            "data, or give a dev file."
        )
    return examples


def _gain(config: TrainConfig, final: str, examples: list[Example]) -> dict[str, Any]:
    """Return what a few-shot run brought."""
    from onepass.extractor import Extractor  # most runs do without

    before, after = (
        Extractor.from_pretrained(name, backend="torch", threads=config.threads)
        for name in (config.model, final)
    )
    return gain(before, after, examples)


def _weak_labels(config: TrainConfig, into: Path, report: Report) -> list[Path]:
    """Return the file of what the model has labeled itself, which a resumed run has already."""
    if config.self_train is None:
        return []
    path = into / WEAK
    if not (config.resume and path.is_file()):
        from onepass.extractor import Extractor  # most runs do without

        model = Extractor.from_pretrained(config.model, backend="torch", threads=config.threads)
        into.mkdir(parents=True, exist_ok=True)
        write_weak_labels(model, config.self_train, path, report=report)
    return [path]


def _device(name: str) -> str:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("The device cuda was asked for, but torch finds none; use device cpu.")
    if name == "auto":
        return "cuda" if available else "cpu"
    return name


def _precision(name: str, device: str) -> str:
    """Return "bf16" or "fp32"; bf16 pays only where the processor has products in it."""
    if name != "auto":
        return name
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if fast else "fp32"


def _sampler(config: TrainConfig, sources: Sources) -> Sampler:
    """Return what draws questions; labels to ask where they do not hold are the bank's, if any."""
    bank, pool = read_bank(Path(config.bank)) if config.bank else (LabelBank(), ())
    return Sampler(bank, pool or sources.labels, config.sampling, types=sources.types)


def _scorer(
    config: TrainConfig,
    sources: Sources,
    asked: Trainee | Reinforcement,
    options: BatchOptions,
    report: Report,
) -> Scorer | None:
    """Return what scores the dev file or the held-out part, None if there is neither."""
    examples = _read_dev(Path(config.dev), report) if config.dev else sources.held_out
    if not examples:
        report("nothing is held out: the run is not scored")
        return None
    holdout = (
        asked.holdout(examples, options)
        if isinstance(asked, Reinforcement)
        else Holdout(examples, asked, options)
    )
    if not holdout.asked:
        raise InputError(
            f"None of the {len(examples)} held-out examples could be asked; give another dev file, "
            "a larger max_pieces, or held_out 0."
        )
    report(f"{holdout.asked} of {len(examples)} held-out examples are scored")
    return holdout.score


def _read_dev(path: Path, report: Report) -> tuple[Example, ...]:
    """Return the examples of a file in any format that `onepass.evaluation` reads."""
    if file_format(path) is Format.GLINER2:
        return tuple(read_training_file(path, on_missing=report))
    return tuple(read_any(path))


def _check_window(trainee: Trainee, max_pieces: int) -> None:
    longest = trainee.longest
    if longest is not None and max_pieces > longest:
        raise InputError(
            f"max_pieces is {max_pieces}, but this checkpoint reads at most {longest} pieces; "
            f"give {longest} or less."
        )


def _loop_options(config: TrainConfig, precision: str, examples: int) -> LoopOptions:
    return LoopOptions(
        steps=config.steps,
        examples=None if config.epochs is None else math.ceil(config.epochs * examples),
        minutes=config.minutes,
        warmup=config.warmup,
        clip=config.clip,
        betas=config.betas,
        precision=precision,
        log_every=config.log_every,
        score_every=config.score_every,
        patience=config.patience,
        ema=config.ema,
        keep=config.keep,
        skip_bad_batches=config.skip_bad_batches,
    )


def _summary(outcome: Outcome, output: Path, skipped: int) -> dict[str, Any]:
    best = output / "best"
    return {
        "final": str(output / "final"),
        "best": str(best) if best.is_dir() else None,
        "steps": outcome.steps,
        "examples": outcome.examples,
        "skipped": skipped,
        "bad_batches": outcome.bad_batches,
        "minutes": round(outcome.seconds / 60, 2),
        "scores": dict(outcome.scores),
        "best_score": outcome.best,
    }
