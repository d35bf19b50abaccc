"""Tables of weight names go both ways and are strict in both."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from onepass.errors import CheckpointError
from onepass.nn.keymap import (
    Entry,
    Rename,
    Stack,
    expand,
    linear,
    to_ours,
    to_theirs,
    with_prefix,
)

TABLE: tuple[Entry, ...] = (
    Rename("embeddings.weight", "words"),
    Stack(("layer.{i}.q", "layer.{i}.k", "layer.{i}.v"), "layers.{i}.qkv"),
    *linear("layer.{i}.dense", "layers.{i}.out"),
)
LAYERS = 2


def published() -> dict[str, torch.Tensor]:
    state = {"embeddings.weight": torch.arange(6.0).reshape(3, 2)}
    for i in range(LAYERS):
        for number, name in enumerate("qkv"):
            state[f"layer.{i}.{name}"] = torch.full((2, 2), 10.0 * i + number)
        state[f"layer.{i}.dense.weight"] = torch.full((2, 2), float(i))
        state[f"layer.{i}.dense.bias"] = torch.full((2,), float(-i))
    return state


def test_ours() -> None:
    ours = to_ours(published(), TABLE, LAYERS)
    assert set(ours) == {
        "words",
        *(f"layers.{i}.{n}" for i in range(LAYERS) for n in ("qkv", "out.weight", "out.bias")),
    }
    assert ours["layers.1.qkv"][:, 0].tolist() == [10, 10, 11, 11, 12, 12]
    assert ours["words"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_there_and_back() -> None:
    back = to_theirs(to_ours(published(), TABLE, LAYERS), TABLE, LAYERS)
    assert set(back) == set(published())
    for name, tensor in published().items():
        assert torch.equal(back[name], tensor)
        assert back[name].is_contiguous()  # what a file is written from


@given(st.integers(0, 12))
def test_layers_are_counted(layers: int) -> None:
    names = [entry.ours for entry in expand(TABLE, layers)]
    assert len(names) == 1 + 3 * layers
    assert len(set(names)) == len(names)
    assert not any("{i}" in name for name in names)


def test_a_prefix_goes_on_both_sides() -> None:
    moved = with_prefix(TABLE[:2], "encoder.", "backbone.")
    assert moved == (
        Rename("encoder.embeddings.weight", "backbone.words"),
        Stack(
            ("encoder.layer.{i}.q", "encoder.layer.{i}.k", "encoder.layer.{i}.v"),
            "backbone.layers.{i}.qkv",
        ),
    )


def test_missing_names_are_listed() -> None:
    state = published()
    del state["layer.1.k"], state["embeddings.weight"]
    with pytest.raises(CheckpointError, match=r"\(missing: embeddings\.weight, layer\.1\.k\)"):
        to_ours(state, TABLE, LAYERS)


def test_unexpected_names_are_listed() -> None:
    state = published() | {"layer.2.q": torch.zeros(2, 2)}
    with pytest.raises(CheckpointError, match=r"\(unexpected: layer\.2\.q\)"):
        to_ours(state, TABLE, LAYERS)
    with pytest.raises(CheckpointError, match=r"\(missing: .*; unexpected: other\)"):
        to_ours({"other": torch.zeros(1)}, TABLE, LAYERS)


def test_a_long_list_is_cut() -> None:
    with pytest.raises(CheckpointError, match=r"layer\.1\.dense\.weight, layer\.1\.k and 2 more"):
        to_ours({}, TABLE[1:], LAYERS)


def test_names_of_the_network_are_checked_too() -> None:
    ours = to_ours(published(), TABLE, LAYERS)
    with pytest.raises(CheckpointError, match=r"the network's weights .*unexpected: stray"):
        to_theirs(ours | {"stray": torch.zeros(1)}, TABLE, LAYERS)
    del ours["words"]
    with pytest.raises(CheckpointError, match=r"missing: words"):
        to_theirs(ours, TABLE, LAYERS)
