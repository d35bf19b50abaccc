"""Where the bytes of a checkpoint live: here, on the hub, and what was exported from it."""

from onepass.hub.cached import CachedModel, cached_models
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.exports import export_dir
from onepass.hub.files import read_json
from onepass.hub.find import locate
from onepass.hub.registry import KNOWN, KnownModel

__all__ = [
    "KNOWN",
    "CachedModel",
    "Checkpoint",
    "KnownModel",
    "cached_models",
    "export_dir",
    "locate",
    "read_json",
]
