"""Names, shapes and number formats of the weights of a checkpoint, from the headers of its files.

No weight is read, and no torch is needed. This module does not know what a name means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import LAYERS, WEIGHTS, Checkpoint

_BITS = {"F64": 64, "I64": 64, "F32": 32, "I32": 32, "F16": 16, "BF16": 16, "I16": 16}


@dataclass(frozen=True, slots=True)
class Weight:
    """One tensor of a checkpoint.

    Attributes:
        shape: its axes.
        dtype: its number format, as safetensors names it: "F32", "BF16".
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def parameters(self) -> int:
        """Return how many numbers it holds."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Return what they take."""
        return self.parameters * _BITS.get(self.dtype, 8) // 8


def read_headers(checkpoint: Checkpoint) -> Mapping[str, Weight]:
    """Return the weights of a checkpoint by name, those of a folder (`LAYERS`) as "folder/name".

    Raises:
        CheckpointError: if there are none, or a file is not readable.

    >>> from onepass.builtin import builtin_checkpoint
    >>> read_headers(builtin_checkpoint())["classifier.0.weight"].dtype
    Traceback (most recent call last):
    onepass.errors.CheckpointError: The checkpoint builtin has no model.safetensors; ...
    """
    from safetensors import SafetensorError, safe_open  # a model that runs does not need it

    found: dict[str, Weight] = {}
    layers = sorted(checkpoint.directory.glob(f"{LAYERS}/{WEIGHTS}"))
    for path in (*checkpoint.weight_files, *layers):
        start = f"{path.parent.name}/" if path in layers else ""
        try:
            with safe_open(str(path), framework="numpy") as file:
                for name in file.keys():  # noqa: SIM118
                    part = file.get_slice(name)
                    found[start + name] = Weight(tuple(part.get_shape()), str(part.get_dtype()))
        except (SafetensorError, OSError) as error:
            problem = f"is not a readable safetensors file ({error})"
            raise CheckpointError.damaged(path, problem) from error
    return found
