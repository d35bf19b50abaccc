"""The model that comes with the package: where its files are."""

from __future__ import annotations

from pathlib import Path

from onepass.errors import InputError
from onepass.hub import Checkpoint, locate

NAME = "builtin"


def builtin_checkpoint() -> Checkpoint:
    """Return the built-in checkpoint.

    >>> builtin_checkpoint().kind
    'gliner2'
    """
    return Checkpoint(Path(__file__).parent / "model", NAME, None)


def named(
    name: str | Path,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    pickles: bool = False,
) -> Checkpoint:
    """Return the built-in checkpoint by its name, or any other by its directory or hub id.

    Args:
        name: "builtin", a directory or a hub id. A directory called builtin is "./builtin".
        revision: as in `onepass.hub.locate`, as the options below are; only this one is refused for
            the built-in model.
        cache_dir: where downloads are kept.
        token: of the hub.
        local_files_only: never touch the network.
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
                f"revision={revision!r} is for a hub id, but {NAME!r} comes with onepass; leave it "
                "out."
            )
        return builtin_checkpoint()
    return locate(
        name,
        revision=revision,
        cache_dir=cache_dir,
        token=token,
        local_files_only=local_files_only,
        pickles=pickles,
    )
