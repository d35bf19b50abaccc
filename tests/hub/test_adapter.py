"""Folders with an adapter alone: found together with the checkpoint that they change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.hub.conftest import FakeHub

from onepass.errors import CheckpointError
from onepass.hub import export_dir, locate

CONFIG = b'{"model_type": "extractor"}'


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    for name in ("config.json", "encoder_config/config.json", "onnx/fp32/graphs.json"):
        path = tmp_path / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONFIG)
    (tmp_path / "base" / "model.safetensors").write_bytes(b"whole")
    (tmp_path / "base" / "onepass.json").write_text("{}")
    return tmp_path / "base"


def adapter(directory: Path, base: object, **more: Any) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "adapter_model.safetensors").write_bytes(b"changes")
    content = {"peft_type": "LORA", "base_model_name_or_path": base} | more
    (directory / "adapter_config.json").write_text(json.dumps(content))
    return directory


@pytest.mark.parametrize("name", ["{base}", "../base"])
def test_it_is_put_beside_what_it_changes(tmp_path: Path, base: Path, name: str) -> None:
    mine = adapter(tmp_path / "mine", name.format(base=base))
    found = locate(mine)
    assert (found.name, found.kind, found.revision) == (str(mine), "gliner2", None)
    assert [path.read_bytes() for path in found.weight_files] == [b"whole", b"changes"]
    assert (found.directory / "encoder_config" / "config.json").read_bytes() == CONFIG
    assert not (found.directory / "onnx").exists()  # graphs of the base are without the changes
    assert locate(mine) == found


def test_it_is_put_together_again_when_one_of_them_changes(tmp_path: Path, base: Path) -> None:
    mine = adapter(tmp_path / "mine", str(base))
    first = locate(mine)
    (base / "model.safetensors").write_bytes(b"trained on")
    second = locate(mine)
    (mine / "adapter_model.safetensors").write_bytes(b"other changes")
    (mine / "onepass.json").write_text('{"labels": {}}')
    third = locate(mine)
    assert len({one.directory for one in (first, second, third)}) == 3
    assert len({export_dir(one) for one in (first, second, third)}) == 3
    assert (third.directory / "onepass.json").read_text() == '{"labels": {}}'


def test_a_checkpoint_with_an_adapter_beside_it_is_a_checkpoint(tmp_path: Path, base: Path) -> None:
    adapter(base, "nowhere/at-all")
    assert locate(base).directory == base
    assert [path.name for path in locate(base).weight_files] == ["model.safetensors"]


def test_it_comes_from_the_hub(
    hub: FakeHub, load: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    hub.add("owner/base", {"config.json": CONFIG, "model.safetensors": b"whole"})
    settings = {"peft_type": "LORA", "base_model_name_or_path": "owner/base"}
    hub.add(
        "me/mine",
        {
            "adapter_config.json": json.dumps(settings).encode(),
            "adapter_model.safetensors": b"changes",
        },
    )
    found = load("me/mine", {"ONEPASS_CACHE": str(tmp_path)})
    assert (found["name"], found["kind"]) == ("me/mine", "gliner2")
    assert found["files"]["onepass_adapter/adapter_model.safetensors"] == "changes"
    assert found["files"]["model.safetensors"] == "whole"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (None, "does not say of which checkpoint"),
        ("no-such", "adapter of no-such .* which is needed to open it: 'no-such' is neither"),
    ],
)
def test_a_base_that_is_nowhere(tmp_path: Path, named: str | None, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        locate(adapter(tmp_path / "mine", named))


def test_what_cannot_be_put_together(tmp_path: Path, base: Path) -> None:
    mine = adapter(tmp_path / "mine", str(base))
    with pytest.raises(CheckpointError, match="is an adapter itself; merge that one"):
        locate(adapter(tmp_path / "second", str(mine)))
    (mine / "adapter_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"without adapter_model.safetensors.*merge_and_un"):
        locate(mine)
    (base / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"base has no model\.safetensors"):
        locate(adapter(tmp_path / "mine", str(base)))
