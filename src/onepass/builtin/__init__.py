"""The model that comes with the package: where its files are."""

from __future__ import annotations

from pathlib import Path

from onepass.errors import InputError
from onepass.hub import Checkpoint
from onepass.hub.find import find_checkpoint
from onepass.hub.options import DEFAULTS, HubOptions

NAME = "builtin"


def builtin_checkpoint() -> Checkpoint:
    """Return the built-in checkpoint.

    >>> builtin_checkpoint().kind
    'gliner2'
    """
    return Checkpoint(Path(__file__).parent / "model", NAME, None)


def named(
    name: str | Path,
    revision: str | None = None,
    hub: HubOptions = DEFAULTS,
    *,
    pickles: bool = False,
) -> Checkpoint:
    """Return the built-in checkpoint by its name, or any other by its directory or hub id.

    Args:
        name: "builtin", a directory or a hub id. A directory called builtin is "./builtin".
        revision: branch, tag or commit on the hub; refused for the built-in model.
        hub: how the hub is asked.
        pickles: whether weights in a pickle are downloaded where there are no others.

    Raises:
        InputError: as `onepass.hub.locate` does.
        CheckpointError: likewise.

    >>> named("builtin") == builtin_checkpoint()
    True
    """
    if name == NAME:
        if revision is not None:
            raise InputError(
                f"revision={revision!r} (--revision) is for a hub id, but {NAME!r} comes with "
                "onepass; leave it out."
            )
        return builtin_checkpoint()
    return find_checkpoint(name, revision, hub, pickles=pickles)
