"""Where the settings of an adapter are that a checkpoint's weights hold. It knows no torch.

peft writes how much the changes count into a file of its own, ``adapter_config.json``. gliner and
gliclass look for it in the directory of the base model, not in that of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onepass.hub import Checkpoint
from onepass.hub.base import base_directory
from onepass.hub.checkpoint import ADAPTER, ADAPTER_CONFIG
from onepass.models.registry import family_of


def adapter_configs(directory: Path) -> Mapping[str, Path]:
    """Return each ``adapter_config.json`` by the prefix of the names that it is for.

    Args:
        directory: of a checkpoint of any family. What is beside its weights is for all names.

    >>> adapter_configs(Path("mine"))
    Traceback (most recent call last):
    onepass.errors.CheckpointError: The checkpoint mine has neither config.json nor ...
    """
    checkpoint = Checkpoint(directory, str(directory), None)
    places = {"": directory / ADAPTER}
    if not (directory / ADAPTER / ADAPTER_CONFIG).is_file():
        places[""] = directory
        for prefix, key in family_of(checkpoint).adapter_bases.items():
            name = checkpoint.config.get(key)
            base = base_directory(name, checkpoint) if isinstance(name, str) else None
            places |= {} if base is None else {prefix: base}
    found = {prefix: place / ADAPTER_CONFIG for prefix, place in places.items()}
    return {prefix: path for prefix, path in found.items() if path.is_file()}
