"""How the hub is asked, as one value that goes from a call to the download."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HubOptions:
    """How the hub is asked.

    Attributes:
        cache_dir: where downloads are kept, with "~" for the home; None for the cache of
            huggingface_hub.
        token: of the hub; None for the one that huggingface_hub was logged in with, if any.
        local_files_only: read the cache only, as ``HF_HUB_OFFLINE=1`` does.

    >>> HubOptions(token="hf_secret")
    HubOptions(cache_dir=None, local_files_only=False)
    """

    cache_dir: str | Path | None = None
    token: str | None = field(default=None, repr=False)
    local_files_only: bool = False

    def __post_init__(self) -> None:
        if self.cache_dir is not None:
            object.__setattr__(self, "cache_dir", Path(self.cache_dir).expanduser())


DEFAULTS = HubOptions()
