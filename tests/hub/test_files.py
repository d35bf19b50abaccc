"""JSON of a checkpoint is read, or refused in one sentence that names the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onepass.errors import CheckpointError
from onepass.hub.files import read_json


def test_reads_an_object(tmp_path: Path):
    (tmp_path / "a.json").write_text('{"a": ["ä", 1, null]}', encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"a": ["ä", 1, None]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1', "line 1, column 8: Expecting ',' delimiter"),
        (b"", "line 1, column 1: Expecting value"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"[1]", "must hold a JSON object, not a list"),
        (b'{"a": ' + b"9" * 5000 + b"}", "integer string"),
        (b"[" * 100_000, "is nested on more than 200 levels"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "is nested on more than 200 levels"),
        (b"\xef\xbb\xbf{}", "is not readable JSON"),
    ],
    ids=["cut", "empty", "latin-1", "list", "long number", "deep", "less deep", "byte order mark"],
)
def test_refuses(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=re.escape(reason)) as caught:
        read_json(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"has no a\.json; copy the file there"):
        read_json(tmp_path / "a.json")
