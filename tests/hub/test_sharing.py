"""Files that several processes and users meet at."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from onepass.hub.sharing import one_at_a_time, usual_rights

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks and modes of POSIX")

_ALONE = """
import sys, time
from pathlib import Path
from onepass.hub.sharing import one_at_a_time
folder = Path(sys.argv[1])
with one_at_a_time(folder / ".lock"):
    (folder / "inside").touch(exist_ok=False)
    time.sleep(0.1)
    (folder / "inside").unlink()
"""


def test_only_one_process_is_inside(tmp_path: Path) -> None:
    run = [sys.executable, "-c", _ALONE, str(tmp_path)]
    started = [subprocess.Popen(run) for _ in range(4)]
    assert [one.wait(60) for one in started] == [0] * 4


def test_a_place_without_locks_holds_nobody_up(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path / "missing" / ".lock") as is_alone:
        assert not is_alone


def write_as_a_library(path: Path) -> None:
    """Write a file under another name that its owner alone may read."""
    new = path.with_name("new")
    new.touch(0o600)
    new.replace(path)


@pytest.mark.parametrize(("there", "mode"), [(None, 0o644), (0o600, 0o600), (0o664, 0o664)])
def test_a_file_is_as_readable_as_others(tmp_path: Path, there: int | None, mode: int) -> None:
    path = tmp_path / "file"
    if there is not None:
        path.touch()
        path.chmod(there)
    before = os.umask(0o022)
    try:
        with usual_rights(path):
            write_as_a_library(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_what_could_not_be_written_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), usual_rights(tmp_path / "file"):
        raise OSError("full")
    assert not list(tmp_path.iterdir())
