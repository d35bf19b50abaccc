"""The families that onepass can open, and how a directory becomes a model.

What runs its graphs is opened by `onepass.models.opening`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.base import HubOptions
from onepass.models.complete import complete
from onepass.models.embedding.family import EMBEDDING
from onepass.models.family import Family, Model
from onepass.models.gliclass.family import GLICLASS
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2
from onepass.models.kept import Kept
from onepass.models.nli.family import NLI
from onepass.models.settings import read_kept

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
    kept = read_settings(directory, family)
    settings = family.read_config(directory, kept.of_family)
    return Model(
        family=family,
        name=checkpoint.name,
        directory=directory,
        settings=settings,
        tokenizer=family.open_tokenizer(directory, settings),
        limits=family.limits(settings),
        kept=kept,
    )


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
    keys = {name: one.keys for name, one in FAMILIES.items()}
    return read_kept(directory, keys, None if family is None else family.name)


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
