"""``onepass export --safetensors``: the one way in for weights in a pickle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint

from onepass.cli import loading, main

Onepass = Callable[..., Any]


@pytest.fixture
def pickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    tiny = make_tiny_checkpoint(tmp_path / "tiny")
    torch.save(load_file(tiny / "model.safetensors"), tiny / "pytorch_model.bin")
    (tiny / "model.safetensors").unlink()
    return tiny


def test_from_the_refusal_to_an_answer(
    pickled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """With the real loader: what the message says is what helps."""
    ask = ["extract", "tim in rome", "-e", "person", "-t", "0", "--backend", "torch", "--model"]
    assert main([*ask, str(pickled)]) == 2
    refusal = capsys.readouterr().err
    assert refusal.count("\n") == 1
    command = refusal.partition("run  onepass ")[2].partition("  and open DIR")[0]
    new = str(tmp_path / "new")
    assert main(command.replace("DIR", new).split()) == 0
    assert capsys.readouterr().out == f"{new}\n"
    assert main([*ask, new]) == 0


class Program:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made",)


def test_a_pickle_with_a_program(
    onepass: Onepass, pickled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Program()}, pickled / "pytorch_model.bin")
    done = onepass("export", "--safetensors", str(pickled), "-o", "new")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith("onepass: ")
    assert "holds posix.mkdir beside tensors, which could run code; it was not read" in done.err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["tiny"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--safetensors writes a checkpoint; say where with -o DIR."),
        (["-o", "new", "--precision", "int8"], "leave --precision int8 out"),
    ],
)
def test_options_that_do_not_go_together(
    onepass: Onepass, pickled: Path, options: list[str], said: str
):
    done = onepass("export", "--safetensors", str(pickled), *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_without_torch_the_extra_is_named(
    onepass: Onepass, pickled: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loading, "find_spec", lambda _: None)
    done = onepass("export", "--safetensors", str(pickled), "-o", "new")
    assert (done.code, done.out) == (2, "")
    assert "pip install 'onepass[torch]'" in done.err


def test_graphs_of_a_pickle_are_refused_with_the_way_out(onepass: Onepass, pickled: Path):
    done = onepass("export", str(pickled))
    assert (done.code, done.out) == (2, "")
    assert f"run  onepass export --safetensors {pickled} -o DIR" in done.err
