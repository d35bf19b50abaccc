"""Weights in pickles: tensors are read, and nothing else is, least of all run."""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from onepass.errors import BackendError, CheckpointError
from onepass.nn.pickles import read_pickles


class Program:
    """Makes a directory when a pickle of it is loaded without care."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def test_tensors(tmp_path: Path) -> None:
    whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    state = {
        "whole": whole, "turned": whole.t(), "row": whole[1], "again": whole,
        "half": whole.to(torch.bfloat16), "frozen": torch.nn.Parameter(whole),
    }  # fmt: skip
    torch.save(state, tmp_path / "pytorch_model.bin")
    found = read_pickles([tmp_path / "pytorch_model.bin"])
    assert list(found) == list(state)
    for name, tensor in found.items():
        assert torch.equal(tensor, state[name].detach())
        assert tensor.dtype == state[name].dtype
        assert tensor.is_contiguous()
        assert not tensor.requires_grad
    assert len({tensor.data_ptr() for tensor in found.values()}) == len(found)  # none is shared


def test_several_files_and_the_old_format(tmp_path: Path) -> None:
    one, two = tmp_path / "pytorch_model-1.bin", tmp_path / "pytorch_model-2.bin"
    torch.save({"a": torch.ones(2)}, one)
    torch.save({"b": torch.zeros(2)}, two, _use_new_zipfile_serialization=False)
    assert sorted(read_pickles([one, two])) == ["a", "b"]


@pytest.mark.parametrize("plain", [True, False])
def test_a_program_is_not_run(tmp_path: Path, plain: bool) -> None:
    path, place = tmp_path / "pytorch_model.bin", tmp_path / "made"
    state = {"a": Program(place)}
    if plain:
        path.write_bytes(pickle.dumps(state, protocol=2))
    else:
        torch.save(state, path)
    with pytest.raises(
        CheckpointError, match=r"holds posix\.mkdir beside tensors, which could"
    ) as e:
        read_pickles([path])
    assert not place.exists()
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch.nn.Linear(2, 2), r"holds torch\.nn\.modules\.linear\.Linear beside tensors"),
        ({"config": argparse.Namespace()}, r"holds argparse\.Namespace beside tensors"),
        ([torch.ones(1)], "holds a list, but tensors by name were expected"),
        ({}, "holds a dict, but tensors by name were expected"),
        ({"a": torch.ones(1), "steps": 3}, "must hold tensors by name, but 'steps' is none"),
        ({"state_dict": {"a": torch.ones(1)}}, "must hold tensors by name, but 'state_dict'"),
        ({1: torch.ones(1)}, "must hold tensors by name, but 1 is none"),
    ],
    ids=str,
)
def test_what_is_not_tensors_by_name(tmp_path: Path, content: Any, said: str) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=said):
        read_pickles([tmp_path / "pytorch_model.bin"])


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", POINTER, pickle.dumps({}, 5)])
def test_a_broken_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(
        CheckpointError, match=r"is damaged, or is no file of weights|holds a dict"
    ) as e:
        read_pickles([tmp_path / "pytorch_model.bin"])
    assert "\n" not in str(e.value)


def test_a_cut_file(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="is damaged, or is no file of weights"):
        read_pickles([path])


def test_an_old_torch_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(BackendError, match=r"takes torch 2\.6 or newer, but 2\.5\.1\+cpu is"):
        read_pickles([tmp_path / "pytorch_model.bin"])
