"""Networks read from published weights and written back, strictly: every name and every shape."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch

from onepass.errors import CheckpointError
from onepass.hub.base import TOKENIZER_FILES
from onepass.nn.keymap import Rename, Table, expand, to_ours, to_theirs

_SHOWN = 4  # shapes listed in an error


class Published(Protocol):
    """A network that knows the published names of its weights."""

    def keys(self) -> Table:
        """Return the table between published names and ours."""

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return our names to tensors."""

    def load_state_dict(self, state_dict: Mapping[str, torch.Tensor]) -> object:
        """Take tensors by our names."""


def load_published(network: Published, state: Mapping[str, torch.Tensor], layers: int = 0) -> None:
    """Put published weights into a network of the same architecture, in fp32.

    Args:
        network: receives them.
        state: published names to tensors.
        layers: number of layers that ``{i}`` of its table runs over.

    Raises:
        CheckpointError: listing the names or shapes that do not fit.
    """
    ours = to_ours(fill_tied(state, network, layers), network.keys(), layers)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    wrong = [
        f"{name} has {tuple(tensor.shape)}, expected {shapes[name]}"
        for name, tensor in ours.items()
        if name in shapes and tuple(tensor.shape) != shapes[name]
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} weights have another shape than the configuration says: "
            + "; ".join([*wrong[:_SHOWN], *(["..."] if len(wrong) > _SHOWN else [])])
            + "; check that the configuration files and model.safetensors belong together."
        )
    network.load_state_dict({name: tensor.float() for name, tensor in ours.items()})


def fill_tied(
    state: Mapping[str, torch.Tensor], network: Published, layers: int = 0
) -> dict[str, torch.Tensor]:
    """Return published weights under all names that a network has for them.

    Some files hold a tensor that has two names once, and do not say so.

    Args:
        state: published names to tensors.
        network: in which tensors of two names are one.
        layers: number of layers that ``{i}`` of its table runs over.
    """
    own = network.state_dict()
    names: dict[tuple[int, torch.Size], list[str]] = {}
    for entry in expand(network.keys(), layers):
        if isinstance(entry, Rename) and entry.ours in own and own[entry.ours].numel():
            tensor = own[entry.ours]
            names.setdefault((tensor.data_ptr(), tensor.shape), []).append(entry.theirs)
    filled = dict(state)
    for tied in names.values():
        held = [name for name in tied if name in state]
        if held:
            filled |= {name: state[held[0]] for name in tied if name not in state}
    return filled


def published_weights(network: Published, layers: int = 0) -> dict[str, torch.Tensor]:
    """Return a network's weights by their published names, in fp32 on the CPU.

    Args:
        network: has them.
        layers: number of layers that ``{i}`` of its table runs over.
    """
    state = {name: tensor.detach().float().cpu() for name, tensor in network.state_dict().items()}
    return to_theirs(state, network.keys(), layers)


def copy_tokenizer(source: Path, directory: Path) -> None:
    """Copy the files of a tokenizer into a directory, which may be the same one."""
    for name in TOKENIZER_FILES:
        path = source / name
        if path.is_file() and path.resolve() != (directory / name).resolve():
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, directory / name)
