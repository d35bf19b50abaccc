"""Checkpoints of a run on disk: complete or not there, the newest few and the best, and resume.

``step-N`` holds a checkpoint that the library can load, and with it ``training.pt`` (optimizer and
exact weights) and ``state.json``. ``final`` holds the checkpoint alone, ``best`` also its score.
"""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch

from onepass.errors import InputError
from onepass.hub.atomic import drop, recover, replacing
from onepass.training.averaging import Average
from onepass.training.processes import ALONE, Processes
from onepass.training.resuming import check_groups, check_network, configured

_TRAINING, _STATE = "training.pt", "state.json"
_RECORD = ("best", "best_scores", "best_at")  # of a state: what is known of ``best``
_STEP = re.compile(r"step-([0-9]+)")
_PLACES = re.compile(rf"{_STEP.pattern}|best|final")


class Stateful(Protocol):
    """What goes on where its state was taken: an optimizer, or several as one."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state, of plain values and tensors."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a `state_dict` was taken."""


class Saved(Protocol):
    """What is saved: a model and its position in the data."""

    @property
    def network(self) -> torch.nn.Module:
        """Return the module that is trained."""

    def save(self, directory: Path) -> None:
        """Write a checkpoint that the library can load into a directory, which is empty."""

    def state(self) -> dict[str, Any]:
        """Return the position in the data, as JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue the data where a `state` was taken."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        directory: of the run; is made if it is not there.
        keep: newest ``step-N`` that stay.
        average: of the weights, which is what checkpoints hold if there is one.
        processes: of the run; the main one writes, with the positions of all.

    Raises:
        InputError: if a file stands where the directory should be.
    """

    def __init__(
        self,
        directory: Path,
        *,
        keep: int,
        average: Average | None = None,
        processes: Processes = ALONE,
    ) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(
                f"The output {directory} cannot be a directory, since a file has that name or "
                "that of one above it; give another name."
            ) from error
        self._directory, self._keep, self._average = directory, keep, average
        self._processes = processes

    def refuse_old(self) -> None:
        """Refuse to start in the directory of an earlier run; what a killed one left there goes.

        Raises:
            InputError: if there are checkpoints.
        """
        if self._steps():
            raise InputError(
                f"{self._directory} holds checkpoints of an earlier run; resume it, "
                "or give another output directory."
            )
        if self._finished:
            raise InputError(self._is_finished())
        if self._best.exists():  # alone it was put there by somebody
            raise InputError(
                f"{self._best} is there already, and the run would put its own best checkpoint in "
                "its place; move it, or give another output directory."
            )
        self._recover()

    def save(
        self,
        task: Saved,
        optimizer: Stateful,
        progress: Mapping[str, Any],
        *,
        is_best: bool,
    ) -> None:
        """Write ``step-N``, and drop the oldest.

        Args:
            task: model and position in the data.
            optimizer: of the model.
            progress: its ``step``, and what else shall be there after a resume.
            is_best: whether it becomes ``best``.

        Raises:
            InputError: if it cannot be written, such as on a full disk; nothing is left of it.
        """
        if not self._processes.is_main:
            self._processes.gather((_rng(), task.state()))
            return
        with self._writing(self._directory / f"step-{progress['step']}") as new:
            before = _rng()
            self._save(task, new)  # may draw random numbers, which others would miss
            _set_rng(before)
            rngs, positions = zip(*self._processes.gather((_rng(), task.state())), strict=True)
            training = {
                "optimizer": optimizer.state_dict(),
                "network": task.network.state_dict(),
                **rngs[0],
                "other_rngs": list(rngs[1:]),  # of the other processes
            }
            if self._average is not None:
                training["average"] = self._average.state_dict()
            _write_training(training, new / _TRAINING)
            state = {**progress, "data": positions[0], "other_data": positions[1:]}
            (new / _STATE).write_text(json.dumps(state), encoding="utf-8")
            if is_best:
                self._copy_to_best(new, progress)
        for old in self._steps()[: -self._keep]:
            drop(old)

    def save_final(self, task: Saved, progress: Mapping[str, Any], *, is_best: bool) -> None:
        """Write ``final``, which also becomes ``best`` if it is; ``progress`` is as in `save`.

        Raises:
            InputError: if one of them cannot be written; nothing is left of it.
        """
        if not self._processes.is_main:
            return
        final = self._directory / "final"
        with self._writing(final) as new:
            self._save(task, new)
        try:
            if is_best:
                self._copy_to_best(final, progress)
        except OSError as error:
            raise InputError(
                f"{self._best} cannot be written ({_reason(error)}); {final} is there, and is the "
                "best checkpoint of the run."
            ) from error

    def load(self, task: Saved, optimizer: Stateful) -> dict[str, Any]:
        """Put the newest ``step-N`` into a task and an optimizer, and return its progress.

        A ``best`` of a later step stays the best one: its score is part of the progress then.

        Raises:
            InputError: if there is none, it cannot be read, or it is of another number of
                processes, of other layers, or of parameters that are grouped otherwise.
        """
        self._recover()
        steps = self._steps()
        if not steps and self._finished:
            raise InputError(self._is_finished())
        if not steps:
            raise InputError(
                f"There is no checkpoint to resume in {self._directory}; start without resume."
            )
        state = _read_state(steps[-1] / _STATE)
        positions = [state.pop("data"), *state.pop("other_data", [])]
        if len(positions) != self._processes.count:
            raise InputError(
                f"The run in {self._directory} has {len(positions)} processes, but "
                f"{self._processes.count} resume it; start as many as it had."
            )
        saved = _read_training(steps[-1] / _TRAINING)
        present = optimizer.state_dict()
        check_network(saved["network"], task.network.state_dict(), str(steps[-1]))
        check_groups(saved["optimizer"], present, str(steps[-1]))
        if self._average is not None and "average" not in saved:
            raise InputError(
                f"The run in {self._directory} kept no mean of its weights; resume it without "
                "ema, or start without resume."
            )
        task.network.load_state_dict(saved["network"])
        optimizer.load_state_dict(configured(saved["optimizer"], present))
        if self._average is not None:
            self._average.load_state_dict(saved["average"])
        own = self._processes.index
        _set_rng([saved, *saved.get("other_rngs", [])][own])
        task.restore(positions[own])
        return state | self._later_best(int(state["step"]))

    def kept(self) -> str:
        """Return what there is of a run that is stopped, for the end of a sentence."""
        if self._finished:
            return f"{self._directory / 'final'} is there"
        steps = self._steps()
        if not steps:
            return "nothing was kept"
        return f"--resume goes on from {steps[-1].name.replace('-', ' ')}"

    def _later_best(self, step: int) -> dict[str, Any]:
        """Return the record of ``best``, if it is of a later step, such as the end of a run."""
        path = self._best / _STATE
        if not path.is_file():  # nothing was scored, or an earlier version noted nothing
            return {}
        record = _read_json(path)
        at = record.get("best_at")
        return record if at is not None and int(at[0]) > step else {}

    @property
    def _best(self) -> Path:
        return self._directory / "best"

    @property
    def _finished(self) -> bool:
        return (self._directory / "final").exists()

    def _is_finished(self) -> str:
        return (
            f"{self._directory} holds a finished run, which has no step to resume; give another "
            "output directory."
        )

    @contextmanager
    def _writing(self, place: Path) -> Iterator[Path]:
        """Give an empty directory that takes a place, or say what stands in its way."""
        try:
            with replacing(place) as new:
                yield new
        except OSError as error:
            steps = self._steps()
            then = f"resume; it goes on from {steps[-1].name}" if steps else "start once more"
            raise InputError(
                f"{place} cannot be written ({_reason(error)}); make that possible and {then}."
            ) from error

    def _recover(self) -> None:
        if self._processes.is_main:
            recover(self._directory, _PLACES, alone=True)

    def _save(self, task: Saved, directory: Path) -> None:
        with self._average.applied() if self._average else nullcontext():
            task.save(directory)

    def _steps(self) -> list[Path]:
        """Return the complete checkpoints, oldest first."""
        steps = {
            path: int(match[1])
            for path in self._directory.iterdir()
            if (match := _STEP.fullmatch(path.name)) and (path / _STATE).is_file()
        }
        return sorted(steps, key=steps.__getitem__)

    def _copy_to_best(self, place: Path, progress: Mapping[str, Any]) -> None:
        record = {key: progress.get(key) for key in _RECORD}
        with replacing(self._best) as new:
            _copy(place, new, without=(_TRAINING, _STATE))
            (new / _STATE).write_text(json.dumps(record), encoding="utf-8")


def _copy(source: Path, target: Path, *, without: Collection[str]) -> None:
    """Copy a directory but for files of some names; the first that cannot be copied is an error."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name not in without:
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _read_state(path: Path) -> dict[str, Any]:
    state = _read_json(path)
    if not {"step", "data"} <= set(state):
        raise _damaged(path)
    return state


def _read_json(path: Path) -> dict[str, Any]:
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:  # the latter of JSON and of UTF-8
        raise _damaged(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(state, dict):
        raise _damaged(path)
    return state


def _read_training(path: Path) -> dict[str, Any]:
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except (FileNotFoundError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise _damaged(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    return saved


def _write_training(values: Mapping[str, Any], path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(values, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # torch hides what the system said
            raise error.__context__ from error
        raise


def _reason(error: OSError) -> str:
    where = "" if error.filename is None else f": {error.filename}"
    return f"{error.strerror or error}{where}"


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path} is not there whole; move {path.parent} elsewhere to resume from an earlier step, "
        "or start without resume in another output directory."
    )


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be read ({error.strerror or error}); make that possible and resume once "
        f"more, or move {path.parent} elsewhere to resume from an earlier step."
    )


def _rng() -> dict[str, Any]:
    """Return where the random numbers of this process stand."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch_rng": torch.get_rng_state(), "cuda_rng": cuda}


def _set_rng(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["torch_rng"])
    if torch.cuda.is_available() and state["cuda_rng"]:
        torch.cuda.set_rng_state_all(state["cuda_rng"])
