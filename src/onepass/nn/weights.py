"""Safetensors files of a checkpoint, read whole and written: one file or several, tied weights.

A tensor that a checkpoint has under two names is stored once; the metadata of the file say which
name stands for which. This module knows no network.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import OWN_WEIGHTS, WEIGHTS, Checkpoint
from onepass.hub.sharing import usual_rights

OURS = "onepass."  # begins the names of weights that published layouts have no place for


def read_weights(directory: Path) -> dict[str, torch.Tensor]:
    """Return all weights of a checkpoint directory by their published names.

    Raises:
        CheckpointError: if a file is missing or broken.
    """
    state: dict[str, torch.Tensor] = {}
    names: dict[str, str] = {}
    for path in Checkpoint(directory, str(directory), None).weight_files:
        try:
            with safe_open(path, framework="pt") as file:
                names |= file.metadata() or {}
                state |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            problem = f"is not a readable safetensors file ({error})"
            raise CheckpointError.damaged(path, problem) from error
    tied = {name: state[kept] for name, kept in names.items() if kept in state}
    return tied | state


def write_weights(state: Mapping[str, torch.Tensor], directory: Path) -> None:
    """Write weights as ``model.safetensors``, each tensor once.

    Args:
        state: published names to tensors; two names may have the same tensor. Those that begin with
            `OURS` go into ``onepass.safetensors``, so that other libraries can open the rest.
        directory: exists.

    Raises:
        OSError: if the file cannot be written.
    """
    ours = {name: tensor for name, tensor in state.items() if name.startswith(OURS)}
    published = {name: tensor for name, tensor in state.items() if name not in ours}
    _write(published, directory / WEIGHTS)
    if ours:
        _write(ours, directory / OWN_WEIGHTS)


def _write(state: Mapping[str, torch.Tensor], path: Path) -> None:
    kept: dict[tuple[int, torch.Size], str] = {}
    metadata = {"format": "pt"}
    for name, tensor in state.items():
        first = kept.setdefault((tensor.data_ptr(), tensor.shape), name)
        if first != name and tensor.numel():
            metadata[name] = first
    own = {name: tensor for name, tensor in state.items() if name not in metadata}
    try:
        with usual_rights(path):
            save_file(own, path, metadata=metadata)
    except SafetensorError as error:  # such as of a full disk
        raise OSError(errno.EIO, str(error), str(path)) from error
