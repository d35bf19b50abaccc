"""The families that onepass can open, and how a directory becomes a model.

What runs its graphs is opened by `onepass.models.opening`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from math import inf, isfinite
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.base import HubOptions
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.hub.files import read_json
from onepass.models.complete import complete
from onepass.models.embedding.family import EMBEDDING
from onepass.models.family import Family, Model
from onepass.models.gliclass.family import GLICLASS
from onepass.models.gliclass.style import PROMPTS
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2
from onepass.models.gliner2.instances import (
    DISTINCT,
    LEAST_PAIRS,
    LEAST_RECORDS,
    PAIR_WORDS,
    SPARE,
)
from onepass.models.nli.family import NLI
from onepass.models.splitting import WORD_SPLITTER, own_splitter
from onepass.models.thresholds import ABSTAIN, KINDS, SINGLE, Calibration

FAMILIES: Mapping[str, Family] = {
    "gliner2": GLINER2,
    "gliner": GLINER,
    "gliclass": GLICLASS,
    "nli": NLI,
    "embedding": EMBEDDING,
}

_HUB = HubOptions()

# What ``onepass.json`` may hold, for every family and for some.
_SETTINGS = ("thresholds", "labels", "calibration", WORD_SPLITTER)
_OF_FAMILY: Mapping[str, tuple[str, ...]] = {
    "gliner2": (SPARE, LEAST_RECORDS, LEAST_PAIRS, DISTINCT, PAIR_WORDS),
    "gliner": (),
    "gliclass": PROMPTS,
    "nli": ("template",),
    "embedding": ("template", "text_prompt", "scale"),
}
_KINDS = (*KINDS, SINGLE, ABSTAIN)


def open_model(checkpoint: Checkpoint, options: HubOptions = _HUB) -> Model:
    """Read everything of a checkpoint but its weights.

    Args:
        checkpoint: a located checkpoint.
        options: how the hub is asked for what an old checkpoint leaves to its base model.

    Raises:
        CheckpointError: if a file is missing or broken, or the family is not supported yet.

    >>> from onepass.builtin import builtin_checkpoint
    >>> open_model(builtin_checkpoint()).family.name
    'gliner2'
    """
    family = FAMILIES.get(checkpoint.kind)
    if family is None:
        raise CheckpointError(
            f"{checkpoint.name} is a {checkpoint.kind} checkpoint, which this version cannot run; "
            f"it runs: {', '.join(FAMILIES)}."
        )
    directory = complete(checkpoint, options).directory
    thresholds, calibration = read_settings(directory, family.name)
    settings = family.read_config(directory)
    return Model(
        family=family,
        name=checkpoint.name,
        directory=directory,
        settings=settings,
        tokenizer=family.open_tokenizer(directory, settings),
        limits=family.limits(settings),
        thresholds=thresholds,
        calibration=calibration,
        label_thresholds=read_labels(directory),
        splitter=own_splitter(directory),
    )


def read_settings(
    directory: Path, family: str | None = None
) -> tuple[dict[str, float], dict[str, Calibration]]:
    """Return the thresholds and the calibration that a checkpoint carries, both by kind of task.

    Args:
        directory: of the checkpoint.
        family: name of its family, whose own keys are allowed as well; None for those of all.

    Raises:
        CheckpointError: if ``onepass.json`` is not what it should be.

    >>> read_settings(Path("models/without/settings"))
    ({}, {})
    """
    path = directory / SETTINGS_FILE
    if not path.is_file():
        return {}, {}
    own = read_json(path)
    _check_keys(own, family, path)
    thresholds = _numbers(own, "thresholds", path)
    calibration = {}
    for kind, value in _table(own, "calibration", path).items():
        if not isinstance(value, dict) or not {"scale"} <= {*value} <= {"scale", "shift"}:
            raise CheckpointError(
                f"{path} must hold a 'scale' and perhaps a 'shift' for the calibration of "
                f"{kind!r}, but {value!r:.60} was given."
            )
        scale, shift = (_number(value.get(part, 0.0), kind, path) for part in ("scale", "shift"))
        if not (0.0 <= scale < inf and isfinite(shift)):
            raise CheckpointError(
                f"{path} has a calibration of scale {scale:g} and shift {shift:g} "
                f"for {kind}; a scale must not be negative, and both must be finite."
            )
        calibration[kind] = Calibration(scale, shift)
    stray = [kind for kind in (*thresholds, *calibration) if kind not in _KINDS]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join(_KINDS)}."
        )
    _numbers(own, "labels", path)
    return thresholds, calibration


def read_labels(directory: Path) -> dict[str, float]:
    """Return the thresholds of labels that a checkpoint carries, by the name of the label.

    Raises:
        CheckpointError: if ``onepass.json`` has some that are no numbers from 0 to 1.

    >>> read_labels(Path("models/without/settings"))
    {}
    """
    path = directory / SETTINGS_FILE
    return _numbers(read_json(path), "labels", path) if path.is_file() else {}


def _check_keys(own: Mapping[str, Any], family: str | None, path: Path) -> None:
    """Refuse keys that nothing reads: most are misspelled, or were meant for another family."""
    of_any = {key for keys in _OF_FAMILY.values() for key in keys}
    allowed = {*_SETTINGS, *(of_any if family is None else _OF_FAMILY.get(family, ()))}
    for key in own:
        if key in allowed:
            continue
        if key in of_any:
            families = [name for name, keys in _OF_FAMILY.items() if key in keys]
            raise CheckpointError(
                f"{path} has the key {key!r}, which is for {' and '.join(families)} checkpoints, "
                f"but this is a {family} checkpoint; leave it out."
            )
        near = get_close_matches(key, allowed, n=1)
        keys = ", ".join(sorted(allowed))
        meant = f"did you mean {near[0]!r}?" if near else f"its keys are {keys}."
        raise CheckpointError(f"{path} has the key {key!r:.60}, which nothing reads; {meant}")


def _table(own: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    """Return a table of the settings, empty if it is not there."""
    table = own.get(key, {})
    if not isinstance(table, dict):
        raise CheckpointError(
            f"{path} must hold {key!r} as a table of numbers, but {table!r:.60} was given."
        )
    return table


def _numbers(own: Mapping[str, Any], key: str, path: Path) -> dict[str, float]:
    """Return a table of thresholds."""
    found = {}
    for name, value in _table(own, key, path).items():
        found[name] = _number(value, name, path)
        if not 0.0 <= found[name] <= 1.0:  # also refuses nan
            raise CheckpointError(
                f"{path} has the threshold {found[name]:g} for {name}; "
                "it must be a number from 0 to 1."
            )
    return found


def _number(value: object, name: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckpointError(
            f"{path} must hold numbers, but {value!r:.60} was given for {name!r}."
        )
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def load_network(family: Family, directory: Path) -> Any:
    """Return the torch network of a checkpoint directory, in inference mode.

    Raises:
        MissingExtra: if torch is not installed.
    """
    module, _, function = family.network.partition(":")
    try:
        load = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("torch", "transformers"):
            raise MissingExtra("The torch network", "torch") from error
        raise
    return load(directory)
