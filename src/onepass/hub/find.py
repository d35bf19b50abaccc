"""Turns what a user calls a checkpoint into a directory: one that is here, or one from the hub.

It knows names and paths; `onepass.hub.download` knows the hub. For a local directory nothing else
is imported, so that a cold start stays short.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from onepass.errors import CheckpointError, InputError
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.hub.registry import find_known, suggest

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_HUB_ID = re.compile(rf"{_PART}/{_PART}")


def locate(
    name_or_dir: str | Path,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    pickles: bool = False,
) -> Checkpoint:
    """Return a checkpoint whose files are on this machine, downloading them if they are not.

    Args:
        name_or_dir: a directory, which is used as it is, or a hub id (``"owner/name"``). A
            directory goes first where both exist; where only a directory called like the owner
            does, a hub id needs a revision, unless onepass knows it.
        revision: branch, tag or commit on the hub; None for its main branch.
        cache_dir: the directory of downloads; None for the cache of huggingface_hub.
        token: an access token of the hub; None for the one that huggingface_hub was logged in with,
            if any.
        local_files_only: whether to read the cache only, as ``HF_HUB_OFFLINE=1`` does.
        pickles: whether weights in a pickle are downloaded where there are no others. They are not
            read; that is `onepass.models.convert`'s to do.

    Returns:
        The checkpoint. All files of one from the hub are of one commit.

    Raises:
        InputError: for what is no name, a file, an empty name, or a revision of a local directory.
        CheckpointError: if there is no such checkpoint, it is of no known kind, or it cannot be
            downloaded.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "config.json").write_text('{"model_type": "extractor"}')
    ...     checkpoint = locate(folder)
    ...     checkpoint.kind, checkpoint.revision
    ('gliner2', None)
    """
    hub = HubOptions(cache_dir, token, local_files_only)
    return find_checkpoint(name_or_dir, revision, hub, pickles=pickles)


def find_checkpoint(
    name_or_dir: str | Path,
    revision: str | None = None,
    hub: HubOptions = DEFAULTS,
    *,
    pickles: bool = False,
) -> Checkpoint:
    """Return what `locate` does, its options in one value.

    Args:
        name_or_dir: as in `locate`, like the revision and the last one.
        revision: branch, tag or commit on the hub.
        hub: how the hub is asked.
        pickles: whether weights in a pickle are downloaded where there are no others.

    Raises:
        InputError, CheckpointError: as `locate` does.
    """
    if not isinstance(name_or_dir, str | os.PathLike):
        raise InputError(
            f"A checkpoint is named by a directory or a hub id, but {name_or_dir!r:.60} was given."
        )
    name = os.fspath(name_or_dir)
    if not name.strip():
        raise InputError("The name of the checkpoint is empty; give a directory or a hub id.")
    path = os.path.expanduser(name)
    if os.path.isdir(path):
        if revision is not None:
            raise InputError(
                f"revision={revision!r} (--revision) is for a hub id, but {name!r} is a directory; "
                "leave it out."
            )
        return _whole(Checkpoint(Path(path).absolute(), name, None), hub)
    if os.path.exists(path):
        raise InputError(f"{name!r} is a file; give the directory of the checkpoint.")
    if isinstance(name_or_dir, Path) or not is_hub_id(name):
        raise _not_found(name)
    owner = name.partition("/")[0]
    if revision is None and os.path.isdir(owner) and find_known(name) is None:
        raise CheckpointError(
            f"There is no directory {name!r} here, though there is {owner!r}; check what is in it, "
            "or, for a model of that name on the hub, give a revision such as 'main'."
        )

    from onepass.hub.download import download  # huggingface_hub takes 0.3 s to import

    return _whole(download(name, revision, hub, pickles=pickles), hub)


def _whole(checkpoint: Checkpoint, hub: HubOptions) -> Checkpoint:
    """Return a checkpoint, or what an adapter makes of the one that it changes."""
    if not checkpoint.is_adapter:
        return checkpoint
    from onepass.hub.adapter import with_base

    return with_base(checkpoint, lambda name, revision: find_checkpoint(name, revision, hub))


def is_hub_id(name: str) -> bool:
    """Say whether a name follows the rules of the hub for owner/name."""
    return (
        _HUB_ID.fullmatch(name) is not None
        and len(name) <= 96
        and not ("--" in name or ".." in name or name.endswith(".git"))
    )


def _not_found(name: str) -> CheckpointError:
    similar = suggest(name)
    hint = f"; did you mean {similar!r}?" if similar else "; check it."
    return CheckpointError(
        f"{name!r:.300} is neither an existing directory nor a hub id like 'owner/name'{hint}"
    )
