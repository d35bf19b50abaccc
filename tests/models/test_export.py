"""Where graphs are written: what stands there stays if they cannot take its place."""

from pathlib import Path

import pytest

from onepass.errors import CheckpointError
from onepass.models.export import _replacing


def write(target: Path, content: str) -> None:
    with _replacing(target) as staged:
        (staged / "graphs.json").write_text(content)


def test_graphs_take_the_place_of_others(tmp_path: Path):
    for content in ("old", "new"):
        write(tmp_path / "int8", content)
    assert [path.name for path in tmp_path.iterdir()] == ["int8"]
    assert (tmp_path / "int8" / "graphs.json").read_text() == "new"


@pytest.mark.parametrize("error", [PermissionError(13, "Access is denied"), KeyboardInterrupt()])
def test_graphs_stay_if_others_cannot_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    """As on Windows, while a scanner reads what is new."""
    target, rename = tmp_path / "int8", Path.rename
    write(target, "old")

    def held(path: Path, to: Path) -> Path:
        if not target.exists() and (path / "graphs.json").read_text() == "new":
            raise error
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", held)
    with pytest.raises((CheckpointError, KeyboardInterrupt)):
        write(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["int8"]
    assert (target / "graphs.json").read_text() == "old"
