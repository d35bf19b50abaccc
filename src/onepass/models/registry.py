"""The families that onepass can open, and how a directory becomes a model.

What runs its graphs is opened by `onepass.models.opening`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf, isfinite
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.base import HubOptions
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.models.complete import complete
from onepass.models.embedding.family import EMBEDDING
from onepass.models.family import Family, Model
from onepass.models.gliclass.family import GLICLASS
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2
from onepass.models.nli.family import NLI
from onepass.models.splitting import WORD_SPLITTER, read_splitter
from onepass.models.thresholds import ABSTAIN, KINDS, SINGLE, Calibration
from onepass.models.wording import own_settings
from onepass.text.words import Splitter

FAMILIES: Mapping[str, Family] = {
    "gliner2": GLINER2,
    "gliner": GLINER,
    "gliclass": GLICLASS,
    "nli": NLI,
    "embedding": EMBEDDING,
}

_HUB = HubOptions()

# What ``onepass.json`` may hold, whatever the family.
_SETTINGS = ("thresholds", "labels", "calibration", WORD_SPLITTER)
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
    kept = read_settings(directory, family)
    settings = family.read_config(directory)
    return Model(
        family=family,
        name=checkpoint.name,
        directory=directory,
        settings=settings,
        tokenizer=family.open_tokenizer(directory, settings),
        limits=family.limits(settings),
        thresholds=kept.thresholds,
        calibration=kept.calibration,
        label_thresholds=kept.labels,
        splitter=kept.splitter,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What ``onepass.json`` of a checkpoint of any family may say.

    Attributes:
        thresholds: by kind of task.
        calibration: of scores, by kind of task.
        labels: thresholds of labels, by name.
        splitter: of words; None for those of the family.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    splitter: Splitter | None = None


def read_settings(directory: Path, family: Family | None = None) -> Kept:
    """Return what a checkpoint carries beside the settings of its family.

    Args:
        directory: of the checkpoint.
        family: whose own keys are allowed as well; None for those of all.

    Raises:
        CheckpointError: if ``onepass.json`` is not what it should be.

    >>> read_settings(Path("models/without/settings")).thresholds
    {}
    """
    path = directory / SETTINGS_FILE
    own = own_settings(directory)
    _check_keys(own, family, path)
    thresholds, calibration = _numbers(own, "thresholds", path), _calibration(own, path)
    stray = [kind for kind in (*thresholds, *calibration) if kind not in _KINDS]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join(_KINDS)}."
        )
    labels = _numbers(own, "labels", path)
    return Kept(thresholds, calibration, labels, read_splitter(own, path))


def _calibration(own: Mapping[str, Any], path: Path) -> dict[str, Calibration]:
    """Return the calibration by kind."""
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
    return calibration


def _check_keys(own: Mapping[str, Any], family: Family | None, path: Path) -> None:
    """Refuse keys that nothing reads: most are misspelled, or were meant for another family."""
    of_any = {key for one in FAMILIES.values() for key in one.keys}
    allowed = {*_SETTINGS, *(of_any if family is None else family.keys)}
    for key in own:
        if key in allowed:
            continue
        if family is not None and key in of_any:
            families = [name for name, one in FAMILIES.items() if key in one.keys]
            raise CheckpointError(
                f"{path} has the key {key!r}, which is for {' and '.join(families)} checkpoints, "
                f"but this is a {family.name} checkpoint; leave it out."
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
