"""Where a base model's name leads: a directory, or the hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepass.errors import CheckpointError
from onepass.hub.base import base_directory, base_files, has_tokenizer
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.options import HubOptions


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    (tmp_path / "mine" / "inner").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    return Checkpoint(tmp_path / "mine", "mine", None)


@pytest.mark.parametrize("name", ["inner", "../beside", "{root}/beside"])
def test_a_directory_is_relative_to_the_checkpoint_or_absolute(
    checkpoint: Checkpoint, tmp_path: Path, name: str
):
    found = base_directory(name.format(root=tmp_path), checkpoint)
    assert found is not None
    assert found.resolve() in (tmp_path / "mine" / "inner", tmp_path / "beside")
    (found / "config.json").touch()
    options = HubOptions()
    assert base_files(name.format(root=tmp_path), checkpoint, options) == found


def test_the_working_directory_is_not_looked_at(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert base_directory("beside", checkpoint) is None
    assert base_directory("", checkpoint) is None
    assert base_directory(" ", checkpoint) is None


@pytest.mark.parametrize("name", ["", "/no/such/place", "a/b/c", "http://host/name", "a b/c"])
def test_what_cannot_be_asked_for(checkpoint: Checkpoint, name: str):
    with pytest.raises(CheckpointError, match="is neither a directory here nor a hub id; put"):
        base_files(name, checkpoint, HubOptions())


def test_kinds_of_tokenizers(tmp_path: Path):
    assert not has_tokenizer(tmp_path)
    for name in ("tokenizer.json", "spm.model", "vocab.txt"):
        (tmp_path / name).touch()
        assert has_tokenizer(tmp_path)
        (tmp_path / name).unlink()


def test_the_token_is_not_shown():
    assert "hf_secret" not in repr(HubOptions(token="hf_secret"))
