"""Directories that are whole, whenever the process that changes them is killed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.training.placing import copied, dropped, made, recovered

OLD, NEW = ["old"] * 3, ["new"] * 3


class Killed(BaseException):
    """Ends everything; nobody handles it."""


def fill(directory: Path, content: str) -> None:
    (directory / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (directory / name).write_text(content)


def contents(directory: Path) -> list[str]:
    return [path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()]


def killed_at(number: int, work: Callable[[], None]) -> bool:
    """Do some work that is killed before the nth name on disk is changed; return whether it was."""
    left = [number]

    def counting(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*given: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return change(*given, **options)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "unlink", "rmdir"):
            patch.setattr(os, name, counting(getattr(os, name)))
        try:
            work()
        except Killed:
            return True
    return False


def test_a_directory_that_is_replaced_is_the_old_or_the_new_one(tmp_path: Path):
    place, was_killed, number = tmp_path / "run" / "best", True, 0

    def replace() -> None:
        with made(place) as new:
            fill(new, "new")

    while was_killed:
        number += 1
        shutil.rmtree(place.parent, ignore_errors=True)
        fill(place, "old")
        was_killed = killed_at(number, replace)
        assert not place.exists() or contents(place) in (OLD, NEW)
        recovered(place.parent)
        assert contents(place) in (OLD, NEW)
        assert os.listdir(place.parent) == ["best"]
    assert contents(place) == NEW
    assert number > 5


def test_a_directory_that_is_dropped_is_whole_or_gone(tmp_path: Path):
    place, was_killed, number = tmp_path / "run" / "step-1", True, 0
    while was_killed:
        number += 1
        shutil.rmtree(place.parent, ignore_errors=True)
        fill(place, "old")
        was_killed = killed_at(number, lambda: dropped(place))
        recovered(place.parent)
        assert not place.exists() or contents(place) == OLD
        assert set(os.listdir(place.parent)) <= {"step-1"}
    assert not place.exists()
    assert number > 3


def test_nothing_is_left_of_what_fails(tmp_path: Path):
    fill(tmp_path / "best", "old")

    def fail() -> None:
        with made(tmp_path / "best") as new:
            fill(new, "new")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert os.listdir(tmp_path) == ["best"]
    assert contents(tmp_path / "best") == OLD


def test_a_copy_leaves_files_out(tmp_path: Path):
    fill(tmp_path / "a", "old")
    copied(tmp_path / "a", tmp_path / "b", without=["b"])
    assert contents(tmp_path / "b") == OLD[:2]
    assert (tmp_path / "b" / "sub" / "c").is_file()
