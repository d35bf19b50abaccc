"""The families that onepass can open, and how a directory becomes a model.

What runs its graphs is opened by `onepass.models.opening`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
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
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2
from onepass.models.nli.family import NLI
from onepass.models.thresholds import ABSTAIN, KINDS, SINGLE, Calibration

FAMILIES: Mapping[str, Family] = {
    "gliner2": GLINER2,
    "gliner": GLINER,
    "gliclass": GLICLASS,
    "nli": NLI,
    "embedding": EMBEDDING,
}

_HUB = HubOptions()


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
    thresholds, calibration = read_settings(directory)
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
    )


def read_settings(directory: Path) -> tuple[dict[str, float], dict[str, Calibration]]:
    """Return the thresholds and the calibration that a checkpoint carries, both by kind of task.

    Raises:
        CheckpointError: if ``onepass.json`` is not what it should be.

    >>> read_settings(Path("models/without/settings"))
    ({}, {})
    """
    path = directory / SETTINGS_FILE
    if not path.is_file():
        return {}, {}
    own = read_json(path)
    try:
        thresholds = {kind: float(value) for kind, value in own.get("thresholds", {}).items()}
        calibration = {
            kind: Calibration(float(value["scale"]), float(value.get("shift", 0.0)))
            for kind, value in own.get("calibration", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(
            f"{path} must hold 'thresholds' and 'calibration' as numbers by kind of task: {error}"
        ) from error
    for kind, value in thresholds.items():
        if not 0.0 <= value <= 1.0:  # also refuses nan
            raise CheckpointError(
                f"{path} has the threshold {value:g} for {kind}; it must be a number from 0 to 1."
            )
    for kind, fitted in calibration.items():
        if not (0.0 <= fitted.scale < inf and isfinite(fitted.shift)):
            raise CheckpointError(
                f"{path} has a calibration of scale {fitted.scale:g} and shift {fitted.shift:g} "
                f"for {kind}; a scale must not be negative, and both must be finite."
            )
    kinds = (*KINDS, SINGLE, ABSTAIN)
    stray = [kind for kind in (*thresholds, *calibration) if kind not in kinds]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join(kinds)}."
        )
    return thresholds, calibration


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
