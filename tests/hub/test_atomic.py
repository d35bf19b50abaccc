"""Directories that are whole, whenever the process that changes them is killed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.hub.atomic import drop, put_files, recover, replacing, staged

OLD, NEW = ["old"] * 3, ["new"] * 3
PLACES = re.compile("step-[0-9]+|best")


class Killed(BaseException):
    """Ends everything; nobody handles it."""


def fill(directory: Path, content: str) -> None:
    (directory / "sub").mkdir(parents=True, exist_ok=True)
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
        for name in ("rename", "replace", "unlink", "rmdir"):
            patch.setattr(os, name, counting(getattr(os, name)))
        try:
            work()
        except Killed:
            return True
    return False


def test_a_directory_that_is_replaced_is_the_old_or_the_new_one(tmp_path: Path):
    place, was_killed, number = tmp_path / "run" / "best", True, 0

    def replace() -> None:
        with replacing(place) as new:
            fill(new, "new")

    while was_killed:
        number += 1
        shutil.rmtree(place.parent, ignore_errors=True)
        fill(place, "old")
        was_killed = killed_at(number, replace)
        assert not place.exists() or contents(place) in (OLD, NEW)
        recover(place.parent, PLACES, alone=True)
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
        was_killed = killed_at(number, lambda: drop(place))
        recover(place.parent, PLACES, alone=True)
        assert not place.exists() or contents(place) == OLD
        assert set(os.listdir(place.parent)) <= {"step-1"}
    assert not place.exists()
    assert number > 3


def test_nothing_is_left_of_what_fails(tmp_path: Path):
    fill(tmp_path / "best", "old")

    def fail() -> None:
        with replacing(tmp_path / "best") as new:
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
        if target == place and contents(path) == NEW:
            raise OSError("held")
        rename(path, target)

    def replace() -> None:
        with replacing(place) as new:
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
            with replacing(place) as new:
                fill(new, content)
        drop(tmp_path / "sub")  # which is not there
    assert contents(place) == NEW
    assert len(os.listdir(tmp_path)) == 3
    recover(tmp_path, PLACES, alone=True)
    assert os.listdir(tmp_path) == ["best"]


def test_what_others_keep_there_stays(tmp_path: Path):
    digits = "a1" * 16
    names = [
        ".new-project", ".best-old", ".onepass-best", ".onepass-best-a1", f".best-{digits}-old",
        f".onepass-thesis-{digits}-old", f".onepass-{digits}",
    ]  # fmt: skip
    for name in [*names, "notes"]:
        fill(tmp_path / name, "old")
    files = [".old-zshrc", f".onepass-best-{digits}-old", f".onepass-step-1-{digits}"]
    for name in files:
        (tmp_path / name).touch()
    recover(tmp_path, PLACES, alone=True)
    assert sorted(os.listdir(tmp_path)) == sorted([*names, *files, "notes"])


def left(directory: Path, content: str, end: str, *, age: float) -> Path:
    """Make what a killed process left of ``best``, written some seconds ago."""
    place = directory / f".onepass-best-{end[:1] * 32}{end[1:]}"
    fill(place, content)
    for path in (place, *place.rglob("*")):
        os.utime(path, (time.time() - age,) * 2)
    return place


def test_beside_others_what_is_half_made_stays_for_a_day(tmp_path: Path):
    old, young = (left(tmp_path, "new", end, age=age) for end, age in (("a", 90000), ("b", 80000)))
    with staged(tmp_path / "best") as new:
        assert [path.exists() for path in (old, young, new)] == [False, True, True]
    assert os.listdir(tmp_path) == [young.name]


def test_of_several_that_stood_there_the_last_comes_back(tmp_path: Path):
    left(tmp_path, "older", "a-old", age=60)
    left(tmp_path, "old", "c-old", age=40)
    left(tmp_path, "older", "b-old", age=50)
    recover(tmp_path, PLACES, alone=False)
    assert os.listdir(tmp_path) == ["best"]
    assert contents(tmp_path / "best") == OLD


def test_what_another_process_put_there_stays_if_that_is_as_good(tmp_path: Path):
    place = tmp_path / "best"

    def replace(stays: bool) -> None:
        with replacing(place, stays=lambda new: stays and contents(new) == NEW) as new:
            fill(new, "new")
            fill(place, "old")

    replace(stays=True)
    assert contents(place) == OLD
    replace(stays=False)
    assert contents(place) == NEW
    assert os.listdir(tmp_path) == ["best"]


REPLACE = """
import sys
from pathlib import Path
from onepass.hub.atomic import replacing
for number in range(40):
    with replacing(Path(sys.argv[1])) as new:
        for name in "abc":
            (new / name).write_text(sys.argv[2])
"""


def test_processes_that_replace_one_place_leave_it_whole(tmp_path: Path):
    run = [sys.executable, "-c", REPLACE, str(tmp_path / "best")]
    started = [subprocess.Popen([*run, content]) for content in ("old", "new", "newer")]
    assert [one.wait(60) for one in started] == [0] * 3
    assert os.listdir(tmp_path) == ["best"]
    assert contents(tmp_path / "best") in (OLD, NEW, ["newer"] * 3)


def test_inside_of_a_directory_files_take_the_place_of_those_of_their_names(tmp_path: Path):
    place = tmp_path / "disk"
    fill(place, "old")
    (place / "mine").write_text("mine")
    with staged(place, inside=True) as new:
        assert new.parent == place
        fill(new, "new")
        put_files(new, place, last="a")
    assert contents(place) == ["new", "new", "mine", "new"]
    assert sorted(os.listdir(place)) == ["a", "b", "mine", "sub"]


def test_the_last_file_is_there_when_the_others_are(tmp_path: Path):
    place, was_killed, number = tmp_path / "disk", True, 0

    def put() -> None:
        with staged(place) as new:
            fill(new, "new")
            put_files(new, place, last="a")

    while was_killed:
        number += 1
        shutil.rmtree(place, ignore_errors=True)
        was_killed = killed_at(number, put)
        assert not (place / "a").exists() or contents(place) == NEW
    assert number > 3
