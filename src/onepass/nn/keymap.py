"""Reversible tables between published weight names and ours.

A table is a tuple of entries. `Rename` moves one tensor, `Stack` joins several along the first
dimension (fused projections). ``{i}`` in a pattern stands for a layer index and is expanded over
the given number of layers. Both directions are strict: a name that no entry covers, or an entry
whose tensor is missing, is an error that lists the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from onepass.errors import CheckpointError

_SHOWN = 8  # names listed in an error


@dataclass(frozen=True, slots=True)
class Rename:
    """One published tensor is one of ours."""

    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Several published tensors, joined along dimension 0, are one of ours."""

    theirs: tuple[str, ...]
    ours: str


Entry = Rename | Stack
Table = Sequence[Entry]
State = Mapping[str, torch.Tensor]


def with_prefix(table: Iterable[Entry], theirs: str, ours: str) -> tuple[Entry, ...]:
    """Return the table with both sides put under a prefix.

    >>> with_prefix([Rename("weight", "w")], "encoder.", "backbone.")
    (Rename(theirs='encoder.weight', ours='backbone.w'),)
    """
    moved: list[Entry] = []
    for entry in table:
        if isinstance(entry, Rename):
            moved.append(Rename(theirs + entry.theirs, ours + entry.ours))
        else:
            moved.append(Stack(tuple(theirs + name for name in entry.theirs), ours + entry.ours))
    return tuple(moved)


def linear(theirs: str, ours: str) -> tuple[Rename, Rename]:
    """Return the two entries of a linear layer or a normalization: weight and bias.

    >>> linear("dense", "out")[0]
    Rename(theirs='dense.weight', ours='out.weight')
    """
    return (
        Rename(f"{theirs}.weight", f"{ours}.weight"),
        Rename(f"{theirs}.bias", f"{ours}.bias"),
    )


def expand(table: Table, layers: int) -> list[Entry]:
    """Return the table with ``{i}`` replaced by each layer index.

    >>> [entry.ours for entry in expand([Rename("layer.{i}.w", "layers.{i}.w")], 2)]
    ['layers.0.w', 'layers.1.w']
    """
    expanded: list[Entry] = []
    for entry in table:
        indices = [str(i) for i in range(layers)] if "{i}" in entry.ours else [""]
        for i in indices:
            ours = entry.ours.replace("{i}", i)
            if isinstance(entry, Rename):
                expanded.append(Rename(entry.theirs.replace("{i}", i), ours))
            else:
                names = tuple(name.replace("{i}", i) for name in entry.theirs)
                expanded.append(Stack(names, ours))
    return expanded


def to_ours(state: State, table: Table, layers: int = 0) -> dict[str, torch.Tensor]:
    """Translate published weights.

    Args:
        state: published names to tensors.
        table: the family's table.
        layers: number of layers that ``{i}`` runs over.

    Returns:
        Our names to tensors.

    Raises:
        CheckpointError: listing the missing or the unexpected names.

    >>> state = {"q": torch.zeros(2, 4), "k": torch.ones(2, 4)}
    >>> to_ours(state, [Stack(("q", "k"), "qk")])["qk"].shape
    torch.Size([4, 4])
    """
    entries = expand(table, layers)
    theirs = [name for e in entries for name in ([e.theirs] if isinstance(e, Rename) else e.theirs)]
    _check_names(set(theirs), set(state), "the checkpoint's weights")
    ours: dict[str, torch.Tensor] = {}
    for entry in entries:
        if isinstance(entry, Rename):
            ours[entry.ours] = state[entry.theirs]
        else:
            ours[entry.ours] = torch.cat([state[name] for name in entry.theirs], dim=0)
    return ours


def to_theirs(state: State, table: Table, layers: int = 0) -> dict[str, torch.Tensor]:
    """Translate our weights back into published ones.

    Raises:
        CheckpointError: listing the missing or the unexpected names.

    >>> state = {"qk": torch.zeros(4, 4)}
    >>> {name: tuple(t.shape) for name, t in to_theirs(state, [Stack(("q", "k"), "qk")]).items()}
    {'q': (2, 4), 'k': (2, 4)}
    """
    entries = expand(table, layers)
    _check_names({entry.ours for entry in entries}, set(state), "the network's weights")
    theirs: dict[str, torch.Tensor] = {}
    for entry in entries:
        if isinstance(entry, Rename):
            theirs[entry.theirs] = state[entry.ours].contiguous()
        else:
            parts = state[entry.ours].chunk(len(entry.theirs), dim=0)
            for name, part in zip(entry.theirs, parts, strict=True):
                theirs[name] = part.contiguous()
    return theirs


def _check_names(expected: set[str], given: set[str], what: str) -> None:
    problems = []
    for title, names in (("missing", expected - given), ("unexpected", given - expected)):
        if names:
            shown = ", ".join(sorted(names)[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            problems.append(f"{title}: {shown}{more}")
    if problems:
        raise CheckpointError(
            f"The names in {what} do not fit this architecture ({'; '.join(problems)}); "
            "check that the configuration and the weights belong together."
        )
