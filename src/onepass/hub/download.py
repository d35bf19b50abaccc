"""Downloads a checkpoint from the hub, through huggingface_hub and its cache.

Only files that onepass reads are asked for: never a program, and a pickle only where it was asked
for by name. It does not know what is in them, beyond the kind of the checkpoint, which is looked at
before anything large is fetched.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import ADAPTER_CONFIG, CONFIG, GLINER_CONFIG, MODULES, Checkpoint
from onepass.hub.library import constants, errors, huggingface_hub
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.hub.registry import find_known

# fnmatch patterns: "*" also matches "/", so encoder_config/config.json is among "*.json". Graphs
# that other libraries export lie in onnx/ itself; they are not run, and not fetched.
READ = (
    "*.json", "*.safetensors", "*.model", "vocab.txt", "*/vocab.txt", "merges.txt", "*/merges.txt",
    "onnx/*/*",
)  # fmt: skip
NEVER = (
    "*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.h5", "*.msgpack",
    "*.py", "*.md", "model.*.safetensors",  # the last: copies in half precision
)  # fmt: skip
PICKLED = ("pytorch_model.bin", "pytorch_model-*.bin")
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def download(
    name: str, revision: str | None, hub: HubOptions, *, pickles: bool = False
) -> Checkpoint:
    """Return a checkpoint of the hub, from the cache where it is there already.

    Args:
        name: hub id, ``"owner/name"``, which is no directory here.
        revision: branch, tag or commit; None for the main branch.
        hub: how it is asked.
        pickles: whether weights in a pickle are fetched too, where there are none in safetensors.

    Raises:
        CheckpointError: saying why it cannot be had, or that it is of no known kind.
    """
    wanted = repr(name) if revision is None else f"revision {revision!r} of {name!r}"
    # A mistyped directory looks like a hub id; a published one, or a revision, is no directory.
    unsure = revision is None and find_known(name) is None
    subject = f"There is no directory {name!r} here, and as a hub id it" if unsure else wanted

    def fetch(version: str | None, patterns: Sequence[str], never: Sequence[str] = NEVER) -> Path:
        return fetch_files(
            name, patterns, never=never, wanted=wanted, subject=subject, revision=version, hub=hub
        )

    described = fetch(revision, (CONFIG, GLINER_CONFIG, MODULES, ADAPTER_CONFIG))
    commit = described.name  # the rest is of this commit, even if the branch moves meanwhile
    checkpoint = Checkpoint(described, name, commit)
    if not checkpoint.is_adapter:
        _ = checkpoint.kind  # refuses a foreign model before its gigabytes come
    fetch(commit, READ)
    if pickles and not checkpoint.has_weights:
        fetch(commit, PICKLED, ())
    return checkpoint


def fetch_files(
    name: str,
    patterns: Sequence[str],
    *,
    never: Sequence[str] = NEVER,
    wanted: str | None = None,
    subject: str | None = None,
    revision: str | None = None,
    hub: HubOptions = DEFAULTS,
) -> Path:
    """Return the directory of the files of a hub model that match, fetched where they are not here.

    Args:
        name: hub id.
        patterns: of `fnmatch`, for paths within the model.
        never: patterns of what is left out all the same.
        wanted: what a message calls them; None for the name.
        subject: how a message begins that says that they are not there; None for ``wanted``.
        revision: branch, tag or commit; None for the main branch.
        hub: how it is asked.

    Raises:
        CheckpointError: saying why they cannot be had.
    """
    off = None
    if hub.local_files_only or constants.HF_HUB_OFFLINE:
        off = "local_files_only" if hub.local_files_only else "HF_HUB_OFFLINE"
    cache = Path(constants.HF_HUB_CACHE if hub.cache_dir is None else hub.cache_dir)
    try:
        return Path(
            huggingface_hub.snapshot_download(
                name,
                revision=revision,
                cache_dir=cache,
                token=hub.token,
                local_files_only=off is not None,
                allow_patterns=list(patterns),
                ignore_patterns=list(never),
            )
        )
    except Exception as error:  # its HTTP and storage clients raise types of their own
        wanted = wanted or repr(name)
        message = _explain(error, wanted, subject or wanted, cache=cache, off=off)
        raise CheckpointError(message) from error


def _explain(error: Exception, wanted: str, subject: str, *, cache: Path, off: str | None) -> str:
    """Say in one sentence why a download failed and what to do; `off` is what forbids it."""
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the cache was the second choice; this is why the first failed
    if off:
        return (
            f"{subject} is not complete in the cache {cache}, and downloads are off ({off}); turn "
            "them on once, or give a directory."
        )
    if isinstance(error, errors.GatedRepoError):
        return (
            f"Access to {wanted} is restricted: ask for it on its page on the hub, then give the "
            "token of the account that got it (HF_TOKEN, or token= in Python)."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{wanted} is not on the hub; give a branch, a tag or a commit that is."
    # The hub answers the same for a private one.
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{subject} is not on the hub; check the name, or give a token if it is private "
            "(HF_TOKEN, or token= in Python)."
        )
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        status = error.response.status_code
        if status in (401, 403):
            return (
                f"The hub refused access to {wanted} (HTTP {status}); give the token of an account "
                "that may read it (HF_TOKEN, or token= in Python)."
            )
        return f"The hub answered HTTP {status} for {wanted}; try again later, or give a directory."
    if isinstance(error, OSError) and error.errno in _DISK_FULL | _NOT_WRITABLE:
        trouble = "is full" if error.errno in _DISK_FULL else "cannot be written"
        return (
            f"{wanted} was not stored: the cache {cache} {trouble}; give another (HF_HUB_CACHE, or "
            "cache_dir= in Python)."
        )
    text = next(iter(str(error).splitlines()), "")[:150].strip(" .")
    return (
        f"{subject} could not be downloaded from the hub ({type(error).__name__}: {text}); give a "
        "directory, or set HF_HUB_OFFLINE=1 after a first download (in Python also "
        "local_files_only=True)."
    )
