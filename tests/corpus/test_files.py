"""Names of annotated files."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepass.corpus.files import find_files


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_names_of_files(tmp_path: Path) -> None:
    own, other, packed = (
        _made(tmp_path / name) for name in ("ner/one.jsonl", "other/one.jsonl", "ner/two.jsonl.gz")
    )
    found = find_files([own, other, tmp_path / "ner"])
    assert list(found) == ["one", other.with_suffix("").as_posix(), "two"]
    assert list(found.values()) == [own, other, packed]


def test_files_whose_names_are_the_same_are_all_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "same"
    files = [_made(folder / f"a.{suffix}") for suffix in ("jsonl", "jsonl.gz", "conll", "txt")]
    assert list(find_files(files).values()) == files
    assert list(find_files([folder]).values()) == files[:2]
    monkeypatch.chdir(folder)
    beside = [Path(file.name) for file in files]
    taken = _made(Path("deep") / "a.jsonl.gz.jsonl")  # is called as another whole path is
    found = find_files([taken, *beside])
    assert list(found) == ["a.jsonl.gz", "a", "a.jsonl.gz 2", "a.conll", "a.txt"]
    assert list(found.values()) == [taken, *beside]
