"""Directories that are whole, whenever the process that changes them is killed."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.training.placing import copied, dropped, made, recovered

OLD, NEW = ["old"] * 3, ["new"] * 3
PLACES = re.compile("step-[0-9]+|best")


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
        recovered(place.parent, PLACES)
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
        recovered(place.parent, PLACES)
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


def test_what_stands_there_stays_if_the_new_one_cannot_be_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place, rename = tmp_path / "best", os.rename
    fill(place, "old")

    def renamed(path: Path, target: Path) -> None:
        if "new" in path.name:
            raise OSError("held")
        rename(path, target)

    def replace() -> None:
        with made(place) as new:
            fill(new, "new")

    monkeypatch.setattr(os, "rename", renamed)
    with pytest.raises(OSError, match="held"):
        replace()
    assert os.listdir(tmp_path) == ["best"]
    assert contents(place) == OLD


def test_what_cannot_be_removed_is_no_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "best"
    fill(place, "old")

    def held(*_: Any, **__: Any) -> None:
        raise OSError("held")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", held)
        for content in ("newer", "new"):
            with made(place) as new:
                fill(new, content)
        dropped(tmp_path / "sub")  # which is not there
    assert contents(place) == NEW
    assert len(os.listdir(tmp_path)) == 3
    recovered(tmp_path, PLACES)
    assert os.listdir(tmp_path) == ["best"]


def test_what_others_keep_there_stays(tmp_path: Path):
    names = [".new-project", ".old-notes", ".onepass-old-thesis", ".dropped-1-best", ".new-best"]
    for name in [*names, "notes"]:
        fill(tmp_path / name, "old")
    files = [".old-zshrc", ".onepass-old-best", ".onepass-new-step-1"]
    for name in files:
        (tmp_path / name).touch()
    recovered(tmp_path, PLACES)
    assert sorted(os.listdir(tmp_path)) == sorted([*names, *files, "notes"])


def test_a_copy_leaves_files_out(tmp_path: Path):
    fill(tmp_path / "a", "old")
    copied(tmp_path / "a", tmp_path / "b", without=["b"])
    assert contents(tmp_path / "b") == OLD[:2]
    assert (tmp_path / "b" / "sub" / "c").is_file()
