"""What a path, a pattern or a directory stands for."""

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from onepass.batch.sources import find_sources, is_one_file
from onepass.errors import InputError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    names = [
        "in/b.jsonl.gz", "in/a.csv", "in/sub/c.txt", "in/sub/d.md.zst", "in/e.txt", "in/f.parquet",
        "in/g.png", "in/.hidden.csv", "in/_SUCCESS.txt", "in/_tmp/h.csv", "in/i.parquet.gz",
    ]  # fmt: skip
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def shown(given: str | list[str], text_unit: str | None = None) -> list[tuple[str, list[str]]]:
    return [
        (source.kind, [path.as_posix() for path in source.paths])
        for source in find_sources(given, text_unit=text_unit)
    ]


@pytest.mark.usefixtures("place")
def test_a_directory_is_all_files_below_it_sorted():
    assert shown("in") == [
        ("csv", ["in/a.csv"]),
        ("jsonl", ["in/b.jsonl.gz"]),
        ("parquet", ["in/f.parquet"]),
        ("files", ["in/e.txt", "in/sub/c.txt", "in/sub/d.md.zst"]),
    ]
    assert shown("in/sub", "line") == [("text", ["in/sub/c.txt"]), ("text", ["in/sub/d.md.zst"])]


@pytest.mark.usefixtures("place")
def test_patterns_and_lists():
    assert shown("in/**/*.txt") == [
        ("text", ["in/_SUCCESS.txt"]), ("text", ["in/e.txt"]), ("text", ["in/sub/c.txt"])
    ]  # fmt: skip
    assert shown(["in/sub/*", "in/a.csv"], "file") == [
        ("files", ["in/sub/c.txt", "in/sub/d.md.zst"]),
        ("csv", ["in/a.csv"]),
    ]


def test_a_name_that_looks_like_a_pattern(tmp_path: Path):
    path = tmp_path / "a[1].csv"
    path.write_bytes(b"text\n")
    assert find_sources(path)[0].paths == (path,)


@pytest.mark.usefixtures("place")
def test_anything_that_names_a_path_is_an_input():
    with os.scandir("in") as entries:
        (entry,) = (one for one in entries if one.name == "a.csv")
    for given in (entry, [entry]):
        assert find_sources(given)[0].paths == (Path("in/a.csv"),)
    with pytest.raises(InputError, match="is named twice"):
        find_sources(["in/a.csv", os.path.abspath("in/a.csv")])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([b"in/a.csv"], "An input is the path of a file, but b'in/a.csv' was given"),
        ("in/g.png", "The kind of the input file in/g.png is not known"),
        ("in/i.parquet.gz", "The kind of the input file in/i.parquet.gz is not known"),
        ("in/*.nothing", "No file fits the pattern"),
        ("in/none.csv", "There is no input file in/none.csv"),
        (["in/a.csv", "in/*.csv"], "is named twice"),
        (["-", "in/a.csv"], "Standard input cannot be joined"),
        ([], "No input is given"),
        ([None], "An input is the path of a file, but None was given"),
    ],
)
def test_what_is_refused(given: Any, message: str):
    with pytest.raises(InputError, match=message.replace("*", r"\*")):
        find_sources(given)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("given", ["in", "in/sub", "in/**/*.txt", "in/*/*.txt"])
def test_a_directory_that_is_closed_is_said(given: str, monkeypatch: pytest.MonkeyPatch):
    scan = os.scandir

    def closed(path: Any) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    where = "" if given == "in/sub" else " at in/sub"
    said = f"The input {given} cannot be read{where}: Permission denied."
    with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
        find_sources(given)
    assert shown("in/[a-b]*") == [("csv", ["in/a.csv"]), ("jsonl", ["in/b.jsonl.gz"])]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_directory_reads_each_file_once_whatever_links_there_are(place: Path):
    (place / "out.txt").write_bytes(b"")
    links = {
        "in/0.csv": "a.csv",  # of another name that comes first
        "in/sub/latest.txt": "../e.txt",
        "in/x.txt": "../out.txt",
        "in/y.txt": "x.txt",
        "in/more": "sub",
        "here": "in",
    }
    for name, target in links.items():
        (place / name).symlink_to(target)
    for given in ("in", "here"):
        assert shown(given) == [
            ("csv", [f"{given}/a.csv"]),
            ("jsonl", [f"{given}/b.jsonl.gz"]),
            ("parquet", [f"{given}/f.parquet"]),
            (
                "files",
                [f"{given}/{name}" for name in ("e.txt", "sub/c.txt", "sub/d.md.zst", "x.txt")],
            ),
        ]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("target", ["gone.txt", "lost.txt"])
@pytest.mark.parametrize("given", ["in", "in/sub", "in/**/*.txt", "in/sub/[cl]*"])
def test_a_link_that_leads_nowhere_is_said(place: Path, given: str, target: str):
    (place / "in/sub/.#lock.txt").symlink_to("gone.txt")
    find_sources(given)  # names with a dot are of no matter
    (place / "in/sub/lost.txt").symlink_to(target)
    said = "The input file in/sub/lost.txt is a link to something that is not there; mend it or"
    with pytest.raises(InputError, match=said):
        find_sources(given)


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_the_name_of_a_stream_is_one_whatever_stands_behind_it(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text\n")
    with path.open() as file:
        (source,) = find_sources(f"/dev/fd/{file.fileno()}")
    assert (source.kind, source.is_stream, source.size()) == ("jsonl", True, 0)


def test_two_names_of_one_file(tmp_path: Path):
    first, second = tmp_path / "a.txt", tmp_path / "A.txt"
    first.touch()
    if not second.exists():  # on disks that tell cases apart
        assert not is_one_file(first, second)
        os.link(first, second)
    assert is_one_file(first, second)
