"""How fast and how long a run learns where its configuration does not say.

It knows how wide an encoder is and how many examples there are, but no network and no loop.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from onepass.results.wording import counted
from onepass.training.config import TrainConfig, read_config

T = TypeVar("T")

_RATES = 1e-5, 2e-5  # of encoders and of the rest: Table 5 of the GLiNER2 paper, for base and large
_SMALL_RATES = 5e-5, 1e-4  # so few weights hardly move at those above
_SMALL = 384  # width up to which an encoder is small
_EPOCHS, _MOST_EPOCHS = 5, 10
_CHOSEN = " (chosen)"
_USES = 5000  # examples that fewer than a thousand are repeated for, over more epochs


def as_begun(config: TrainConfig, begun: Path) -> TrainConfig:
    """Return the configuration of a resumed run, with what it was begun with where it is silent.

    Args:
        config: of the run that goes on.
        begun: file of the configuration that it was begun with; there may be none.

    Raises:
        InputError: if that file cannot be read.
    """
    silent = None in (config.encoder_rate, config.head_rate) or not _has_end(config)
    if not (silent and begun.is_file()):
        return config
    before = read_config(begun)
    ended = config if _has_end(config) else before
    return replace(
        config,
        encoder_rate=_first(config.encoder_rate, before.encoder_rate),
        head_rate=_first(config.head_rate, before.head_rate),
        steps=ended.steps,
        epochs=ended.epochs,
        minutes=ended.minutes,
    )


def with_pace(config: TrainConfig, width: int, examples: int) -> TrainConfig:
    """Return a configuration with rates and an end, chosen where it gives none.

    Args:
        config: of the run.
        width: of the text encoder that it starts from.
        examples: that are learned from.

    >>> start = TrainConfig("builtin", ("mine.jsonl",), "run")
    >>> chosen = with_pace(start, width=384, examples=80)
    >>> chosen.encoder_rate, chosen.head_rate, chosen.epochs
    (5e-05, 0.0001, 10)
    """
    encoder_rate, head_rate = rates(config, width)
    return replace(
        config,
        encoder_rate=encoder_rate,
        head_rate=head_rate,
        epochs=config.epochs if _has_end(config) else _epochs(config, examples),
    )


def rates(config: TrainConfig, width: int) -> tuple[float, float]:
    """Return the rates of encoders and of the rest, chosen where a configuration gives none."""
    small = width <= _SMALL and config.rl is None  # with rewards this was not measured
    chosen = _SMALL_RATES if small else _RATES
    return _first(config.encoder_rate, chosen[0]), _first(config.head_rate, chosen[1])


def pace_line(config: TrainConfig, width: int, examples: int) -> str:
    """Return what a run says of its rates and its end, and from what they were chosen.

    Args:
        config: as it was given.
        width: of the text encoder.
        examples: that are learned from.

    >>> start = TrainConfig("builtin", ("mine.jsonl",), "run", head_rate=3e-4)
    >>> print(pace_line(start, width=384, examples=80))
    encoder_rate 5e-05 (chosen), head_rate 0.0003, 10 epochs (chosen): the encoder is 384 wide, \
and there are 80 examples
    """
    chosen = with_pace(config, width, examples)
    parts = []
    for name, value in (("encoder_rate", chosen.encoder_rate), ("head_rate", chosen.head_rate)):
        parts.append(f"{name} {value:g}" + (_CHOSEN if getattr(config, name) is None else ""))
    for name in ("steps", "epochs", "minutes"):
        end = getattr(chosen, name)
        if end is not None:
            unit = name.removesuffix("s") if end == 1 else name
            parts.append(f"{end:g} {unit}" + (_CHOSEN if getattr(config, name) is None else ""))
    line = ", ".join(parts)
    if _CHOSEN not in line:
        return line
    return f"{line}: the encoder is {width} wide, and there are {counted(examples, 'example')}"


def _epochs(config: TrainConfig, examples: int) -> int:
    if config.rl is not None:
        return _EPOCHS
    return max(_EPOCHS, min(_MOST_EPOCHS, math.ceil(_USES / max(examples, 1))))


def _has_end(config: TrainConfig) -> bool:
    return any(end is not None for end in (config.steps, config.epochs, config.minutes))


def _first(given: float | None, other: T) -> float | T:
    return other if given is None else given
