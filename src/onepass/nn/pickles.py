"""Weights from ``pytorch_model.bin``: only tensors, never code.

Nothing but ``onepass export --safetensors`` reads such files, at the user's own wish. What a file
holds beside tensors is refused by torch's own reader (``weights_only``), which runs none of it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from onepass.errors import BackendError, CheckpointError

_SAFE = (2, 6)  # before it, weights_only could be tricked (CVE-2025-32434)
_NAMED = re.compile(r"GLOBAL ([\w.]+)")  # how torch names what it does not load


def read_pickles(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the weights in files of torch.save, on the CPU.

    Args:
        paths: one file, or all of those that one checkpoint is split into.

    Returns:
        Name to tensor, each with memory of its own.

    Raises:
        BackendError: if the installed torch is too old to do it safely.
        CheckpointError: if a file is broken, or holds anything but named tensors.
    """
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < _SAFE:
        raise BackendError(
            f"Reading {paths[0].name} safely takes torch {'.'.join(map(str, _SAFE))} or newer, but "
            f"{torch.__version__} is installed; upgrade it."
        )
    state: dict[str, torch.Tensor] = {}
    for path in paths:
        state |= _read(path)
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch does not know
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a cut or foreign file fails in many ways
        named = _NAMED.search(str(error))
        if named is not None:
            raise CheckpointError(
                f"{path} holds {named[1]} beside tensors, which could run code; it was not read: "
                "ask its author for safetensors."
            ) from error
        raise CheckpointError(
            f"{path} is damaged, or is no file of weights ({type(error).__name__}); download it "
            "again."
        ) from error
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(
            f"{path} holds a {type(content).__name__}, but tensors by name were expected; give the "
            "weights of the model alone."
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise CheckpointError(
                f"{path} must hold tensors by name, but {name!r} is none; give the weights of the "
                "model alone."
            )
    return content
