"""``onepass export --precision int8`` and what goes with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.example import Example, Mention
from onepass.corpus.jsonl import write_examples

Onepass = Callable[..., Any]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("start") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "gold.jsonl"
    write_examples(path, [Example("tim cook runs apple", (Mention(0, 8, "person"),))] * 4)
    return path


def test_checked(onepass: Onepass, checkpoint: Path, data: Path, tmp_path: Path):
    options = ["--sample", str(data), "--check", str(data), "--max-loss", "100", "--limit", "3"]
    done = onepass("export", str(checkpoint), "-o", str(tmp_path), "--precision", "int8", *options)
    assert done.code == 0, done.err
    assert "points of F1 where it loses most (3 texts)" in done.err
    assert Path(done.out.removesuffix("\n")) == tmp_path / "int8"
    checked = json.loads((tmp_path / "int8" / "graphs.json").read_text())["checked"]
    assert (checked["data"], checked["texts"]) == (["gold"], 3)
    assert set(checked["exact"]["gold"]) == {"entities"}


def test_weights_only(onepass: Onepass, checkpoint: Path, tmp_path: Path):
    command = ["export", str(checkpoint), "-o", str(tmp_path), "--precision", "int8"]
    assert onepass(*command, "--weights-only").code == 0
    manifest = json.loads((tmp_path / "int8" / "graphs.json").read_text())
    assert (manifest["precision"], manifest["arithmetic"]) == ("int8", "fp32")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights-only"], "--weights-only is about int8; add --precision int8"),
        (["--precision", "fp32", "--check", "."], "--check is about int8"),
        (["--safetensors", "--sample", "."], "--sample is about int8"),
        (["--precision", "int8", "--max-loss", "1"], "--max-loss is about a check"),
        (["--precision", "int8", "--check", "absent.jsonl"], "no file or directory absent.jsonl"),
        (["--precision", "int8", "--sample", "absent.jsonl"], "no file or directory absent.jsonl"),
    ],
)
def test_wrong_options(onepass: Onepass, checkpoint: Path, options: list[str], message: str):
    done = onepass("export", str(checkpoint), *options)
    assert (done.code, done.out) == (2, "")
    assert "Exporting" not in done.err
    assert message in done.err
