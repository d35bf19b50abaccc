"""What the values of a configuration may be, alone and beside each other.

It does not know how a configuration is read, or what the values do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onepass.errors import InputError
from onepass.schema.numbers import is_whole
from onepass.text.splitters import SPLITTERS, is_splitter
from onepass.training.checks import check, either, is_above, is_from_0, is_path
from onepass.training.parts import PARTS

if TYPE_CHECKING:
    from onepass.training.config import TrainConfig

_PRECISIONS = ("auto", "bf16", "fp16", "fp32")
_DEVICES = ("auto", "cpu", "cuda")
_OPTIMIZERS = ("adamw", "muon")
_MOST_SEED = 2**63 - 1  # that torch takes


def check_config(config: TrainConfig) -> None:
    """Refuse a configuration that no run can follow.

    Raises:
        InputError: for the first value that is wrong.
    """
    _check_choices(config)
    _check_numbers(config)
    _check_together(config)


def _check_choices(config: TrainConfig) -> None:
    for name, text, kind in (
        ("model", config.model, "a path or a hub id"),
        ("output", config.output, "a path"),
    ):
        check(name, text, is_path(text), kind)
    for name, path in (("dev", config.dev), ("bank", config.bank)):
        check(name, path, path is None or is_path(path), "a path or null")
    version = config.revision
    check("revision", version, version is None or isinstance(version, str), "a string or null")
    paths = isinstance(config.data, tuple) and all(map(is_path, config.data))
    some = bool(config.data) or config.self_train is not None
    check("data", config.data, paths and some, "a path or a list of paths")
    check("precision", config.precision, config.precision in _PRECISIONS, either(_PRECISIONS))
    check("device", config.device, config.device in _DEVICES, either(_DEVICES))
    steps = config.optimizer in _OPTIMIZERS
    check("optimizer", config.optimizer, steps, either(_OPTIMIZERS))
    for name, flag in (("resume", config.resume), ("quantize", config.quantize)):
        check(name, flag, isinstance(flag, bool), "true or false")
    named = config.license is None or (isinstance(config.license, str) and config.license.strip())
    check("license", config.license, bool(named), "a name such as 'apache-2.0', or null")
    split = config.word_splitter is None or is_splitter(config.word_splitter)
    check("word_splitter", config.word_splitter, split, f"{either(tuple(SPLITTERS))}, or null")
    parts = isinstance(config.freeze, tuple) and all(part in PARTS for part in config.freeze)
    check("freeze", config.freeze, parts, f"a list of {', '.join(PARTS)}")


def _check_numbers(config: TrainConfig) -> None:
    for name, whole, least in (
        ("batch_pieces", config.batch_pieces, 1),
        ("max_batch", config.max_batch, 1),
        ("max_pieces", config.max_pieces, 8),
        ("pool", config.pool, 1),
        ("log_every", config.log_every, 1),
        ("keep", config.keep, 1),
        ("score_every", config.score_every, 0),
        ("samples", config.samples, 0),
        ("loaders", config.loaders, 0),
        ("skip_bad_batches", config.skip_bad_batches, 0),
    ):
        check(name, whole, is_whole(whole, least), f"a whole number from {least}")
    for name, optional, least in (
        ("steps", config.steps, 1),
        ("warmup", config.warmup, 0),
        ("few_shot", config.few_shot, 1),
        ("patience", config.patience, 1),
        ("threads", config.threads, 1),
    ):
        right = optional is None or is_whole(optional, least)
        check(name, optional, right, f"a whole number from {least}, or null")
    seed = is_whole(config.seed, 0, _MOST_SEED)
    check("seed", config.seed, seed, f"a whole number from 0 to {_MOST_SEED}")
    for name, limit in (("epochs", config.epochs), ("minutes", config.minutes)):
        check(name, limit, limit is None or is_above(limit), "a number above 0, or null")
    for name, rate in (
        ("encoder_rate", config.encoder_rate),
        ("head_rate", config.head_rate),
        ("shape_rate", config.shape_rate),
    ):
        check(name, rate, rate is None or is_from_0(rate), "a number from 0, or null")
    decay = config.weight_decay
    check("weight_decay", decay, is_from_0(decay), "a number from 0")
    share = config.ema is None or (is_above(config.ema) and config.ema < 1)
    check("ema", config.ema, share, "a number above 0 and below 1, or null")
    below = is_above(config.layer_decay) and config.layer_decay <= 1
    check("layer_decay", config.layer_decay, below, "a number above 0, up to 1")
    bounds = config.length_buckets
    rising = isinstance(bounds, tuple) and all(is_whole(b, 1) for b in bounds)
    rising = rising and list(bounds) == sorted(set(bounds))
    check("length_buckets", bounds, rising, "rising whole numbers from 1")
    check("clip", config.clip, is_above(config.clip), "a number above 0")
    part = is_from_0(config.held_out) and config.held_out < 1
    check("held_out", config.held_out, part, "a share from 0 to below 1")
    pair = isinstance(config.betas, tuple) and len(config.betas) == 2
    pair = pair and all(is_from_0(b) and b < 1 for b in config.betas)
    check("betas", config.betas, pair, "two numbers from 0 to below 1")


def _check_together(config: TrainConfig) -> None:
    """Refuse values that are right alone, but not beside each other."""
    for name, value in (
        ("loss", config.loss or None),
        ("ema", config.ema),
        ("quantize", config.quantize or None),
        ("distill", config.distill),
        ("loaders", config.loaders or None),
        ("bank", config.bank),
        ("optimizer", None if config.optimizer == "adamw" else config.optimizer),
    ):
        if config.rl is not None and value is not None:
            raise InputError(
                f"{name!r} is of supervised training, which a run with 'rl' is not; leave it out."
            )
    if config.quantize and config.lora is not None:
        raise InputError(
            "'quantize' rounds whole weights, which 'lora' does not train; leave one of them out."
        )
    if config.rl is not None and config.precision == "fp16":
        raise InputError("A run with 'rl' has no 'precision' fp16; give bf16, fp32 or auto.")
    if config.patience is not None and not config.score_every:
        raise InputError(
            "'patience' counts held-out scores, but 'score_every' is 0, which scores only at "
            "the end; give a number of steps from 1."
        )
