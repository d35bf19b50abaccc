"""Checkpoints on a disk that is full: one sentence, nothing half written, and the run goes on."""

import errno
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from onepass.errors import InputError
from onepass.nn import weights
from onepass.nn.weights import write_weights
from onepass.training import checkpoints
from onepass.training.checkpoints import Checkpoints

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Task:
    """One layer, and no data."""

    def __init__(self) -> None:
        self.network = torch.nn.Linear(2, 2)

    def save(self, directory: Path) -> None:
        write_weights(self.network.state_dict(), directory)

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class FullFile(io.BytesIO):
    def write(self, _: object) -> int:
        raise FULL


def of_weights(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device")

    patch.setattr(weights, "save_file", refuse)


def of_training(patch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def open_full(path: Path, mode: str = "r", **options: Any) -> Any:
        return (
            FullFile()
            if (path.name, mode) == ("training.pt", "wb")
            else opened(path, mode, **options)
        )

    patch.setattr(Path, "open", open_full)


def of_best(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FULL

    patch.setattr(checkpoints, "_copy", refuse)


def saved(directory: Path, step: int) -> None:
    task = Task()
    optimizer = torch.optim.SGD(task.network.parameters())
    Checkpoints(directory, keep=2).save(task, optimizer, {"step": step}, is_best=True)


@pytest.mark.parametrize("fill", [of_weights, of_training, of_best])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, fill: Any):
    with pytest.MonkeyPatch.context() as patch:
        fill(patch)
        with pytest.raises(
            InputError, match=r"step-1 cannot be written \(.*No space.*start once more\.$"
        ):
            saved(tmp_path, 1)
    assert os.listdir(tmp_path) == []
    saved(tmp_path, 1)
    with pytest.MonkeyPatch.context() as patch:
        fill(patch)
        with pytest.raises(InputError, match=r"step-2 cannot .* resume; it goes on from step-1\.$"):
            saved(tmp_path, 2)
    assert sorted(os.listdir(tmp_path)) == ["best", "step-1"]


def test_a_best_that_does_not_fit_is_there_as_final(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    of_best(monkeypatch)
    with pytest.raises(InputError, match=r"best cannot be written \(No space.*final is there, and"):
        Checkpoints(tmp_path, keep=2).save_final(Task(), {"step": 1}, is_best=True)
    assert os.listdir(tmp_path) == ["final"]


@pytest.mark.parametrize("name", ["run", "run/mine"])
def test_a_file_where_the_directory_should_be_is_refused(tmp_path: Path, name: str):
    (tmp_path / "run").write_text("data")
    with pytest.raises(InputError, match="cannot be a directory, since a file has that name"):
        Checkpoints(tmp_path / name, keep=2)
    assert (tmp_path / "run").read_text() == "data"
