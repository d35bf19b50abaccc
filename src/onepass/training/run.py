"""One training run, from its configuration to its checkpoints: everything put together.

It makes the parts and hands them to the loop; it computes nothing itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from onepass.corpus.example import Example
from onepass.corpus.public import read_any
from onepass.corpus.reading import Format, file_format, read_training_file
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError
from onepass.training.bank import LabelBank, read_bank
from onepass.training.checkpoints import Checkpoints
from onepass.training.config import TrainConfig, read_config
from onepass.training.data import Mixture
from onepass.training.gliner2 import Gliner2Options, Gliner2Task, Scorer
from onepass.training.holdout import Holdout
from onepass.training.loop import LoopOptions, Outcome, train
from onepass.training.sampling import Sampler
from onepass.training.sources import Sources, open_sources
from onepass.training.stream import BatchOptions, QuestionStream

__all__ = ["TrainConfig", "read_config", "train_from_config"]

Report = Callable[[str], None]


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
        ``steps``, ``examples``, ``skipped``, ``minutes``, ``scores`` and ``best_score``.

    Raises:
        InputError: if something in the configuration or the data is wrong.
        CheckpointError: if the model to start from is.
    """
    output = Path(config.output)
    if not config.resume:
        Checkpoints(output, keep=config.keep).refuse_old()
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    device = _device(config.device)
    precision = _precision(config.precision, device)
    tokenizer = PieceTokenizer(Path(config.model) / "tokenizer.json")
    sources = open_sources(
        [Path(path) for path in config.data],
        into=output / "data",
        held_out=0.0 if config.dev or scorer else config.held_out,
        seed=config.seed,
        report=report,
    )
    mixture = Mixture(sources.files, sources.weights, config.seed)
    batches = BatchOptions(
        config.batch_pieces,
        config.max_batch,
        config.max_pieces,
        min(config.pool, len(mixture)),  # of little data a pool is once all of it
    )
    scorer = scorer or _scorer(config, sources, tokenizer, batches, report)
    stream = QuestionStream(mixture, _sampler(config), tokenizer, batches, seed=config.seed)
    task = Gliner2Task(
        Path(config.model),
        stream,
        Gliner2Options(config.encoder_rate, config.head_rate, config.weight_decay, config.loss),
        scorer=scorer,
        device=device,
    )
    _check_window(task, config.max_pieces)
    (output / "train.json").write_text(json.dumps(config.to_dict(), indent=1), encoding="utf-8")
    report(
        f"{len(mixture)} examples in {len(sources.files)} files, on {device} "
        f"({torch.get_num_threads()} threads) in {precision}"
    )
    outcome = train(
        task,
        _loop_options(config, precision, len(mixture)),
        output,
        resume=config.resume,
        report=report,
    )
    return _summary(outcome, output, stream.skipped)


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


def _sampler(config: TrainConfig) -> Sampler:
    bank, pool = read_bank(Path(config.bank)) if config.bank else (LabelBank(), ())
    return Sampler(bank, pool, config.sampling)


def _scorer(
    config: TrainConfig,
    sources: Sources,
    tokenizer: PieceTokenizer,
    options: BatchOptions,
    report: Report,
) -> Scorer | None:
    """Return what scores the dev file or the held-out part, None if there is neither."""
    examples = _read_dev(Path(config.dev), report) if config.dev else sources.held_out
    if not examples:
        report("nothing is held out: the run is not scored")
        return None
    holdout = Holdout(examples, tokenizer, options)
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


def _check_window(task: Gliner2Task, max_pieces: int) -> None:
    longest: Any = task.network.backbone.max_pieces
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
        keep=config.keep,
    )


def _summary(outcome: Outcome, output: Path, skipped: int) -> dict[str, Any]:
    best = output / "best"
    return {
        "final": str(output / "final"),
        "best": str(best) if best.is_dir() else None,
        "steps": outcome.steps,
        "examples": outcome.examples,
        "skipped": skipped,
        "minutes": round(outcome.seconds / 60, 2),
        "scores": dict(outcome.scores),
        "best_score": outcome.best,
    }
