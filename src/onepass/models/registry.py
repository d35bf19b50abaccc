"""The families that onepass can open, and how a directory becomes a model.

What runs its graphs is opened by `onepass.models.opening`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.models.complete import complete
from onepass.models.family import Family, Model
from onepass.models.kept import Kept
from onepass.models.settings import read_kept

if TYPE_CHECKING:
    from onepass.nn.network import Network

_PLACES = {
    "gliner2": "onepass.models.gliner2.family:GLINER2",
    "gliner2-boundary": "onepass.models.boundary.family:BOUNDARY",
    "gliner": "onepass.models.gliner.family:GLINER",
    "gliclass": "onepass.models.gliclass.family:GLICLASS",
    "nli": "onepass.models.nli.family:NLI",
    "embedding": "onepass.models.embedding.family:EMBEDDING",
}


class _Families(Mapping[str, Family]):
    """Families by name; the modules of one are imported when it is asked for."""

    def __getitem__(self, name: str) -> Family:
        found: Family = _named(_PLACES[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


def _named(place: str) -> Any:
    """Return what "MODULE:NAME" is."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


FAMILIES: Mapping[str, Family] = _Families()


def family_of(checkpoint: Checkpoint) -> Family:
    """Return the family of a checkpoint.

    Raises:
        CheckpointError: if it is not supported yet.
    """
    family = FAMILIES.get(checkpoint.kind)
    if family is None:
        raise CheckpointError(
            f"{checkpoint.name} is a {checkpoint.kind} checkpoint, which this version cannot run; "
            f"it runs: {', '.join(FAMILIES)}."
        )
    return family


def read_model(checkpoint: Checkpoint, options: HubOptions = DEFAULTS) -> Model:
    """Read everything of a checkpoint but its weights.

    Args:
        checkpoint: a located checkpoint.
        options: how the hub is asked for what an old checkpoint leaves to its base model.

    Raises:
        CheckpointError: if a file is missing or broken, or the family is not supported yet.

    >>> from onepass.builtin import builtin_checkpoint
    >>> read_model(builtin_checkpoint()).family.name
    'gliner2'
    """
    family = family_of(checkpoint)
    directory = complete(checkpoint, family, options).directory
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
    return read_kept(directory, FAMILIES, family)


def load_network(family: Family, directory: Path) -> Network:
    """Return the torch network of a checkpoint directory, in inference mode.

    Raises:
        MissingExtra: if torch is not installed.
    """
    try:
        load = _named(family.network)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("torch", "transformers"):
            raise MissingExtra("The torch network", "torch") from error
        raise
    network: Network = load(directory)
    return network
