"""Old GLiNER checkpoints and their base models, both on a hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.legacy import make_base, make_legacy, pieces_of

NAME, BASE = "someone/old", "microsoft/deberta-v3-base"

SCRIPT = """
import json, sys
from pathlib import Path
from onepass.errors import OnepassError
from onepass.hub import locate
from onepass.hub.options import HubOptions
from onepass.models.complete import complete
from onepass.models.gliner.family import GLINER

name, options = json.loads(sys.argv[1])
cache = options.get("cache_dir")
hub = HubOptions(
    cache_dir=None if cache is None else Path(cache),
    token=options.get("token"),
    local_files_only=options.get("local_files_only", False),
)
try:
    checkpoint = complete(locate(name, **options), GLINER, hub)
except OnepassError as error:
    print(json.dumps({"error": str(error), "type": type(error).__name__}))
else:
    config = json.loads((checkpoint.directory / "gliner_config.json").read_text())
    print(json.dumps({
        "directory": str(checkpoint.directory),
        "name": checkpoint.name,
        "revision": checkpoint.revision,
        "files": sorted(path.name for path in checkpoint.directory.iterdir()),
        "encoder": config["encoder_config"]["model_type"],
    }))
"""
Opened = Callable[..., dict[str, Any]]


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """Files of the old checkpoint."""
    rows = pieces_of(make_base(tmp_path / "base")) + 3
    return content(make_legacy(tmp_path / "old", BASE, rows))


@pytest.fixture
def base(tmp_path: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    return content(tmp_path / "base") | {
        "model.safetensors": b"weights", "pytorch_model.bin": b"pickle", "README.md": b"words",
    }  # fmt: skip


@pytest.fixture
def opened(hub, tmp_path: Path) -> Opened:
    """Run locate and complete in a new process against the fake hub."""

    def run(name: str = NAME, env: dict[str, str] | None = None, **options: object) -> Any:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        settings = {
            "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1", "ONEPASS_CACHE": str(tmp_path / "cache"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps([name, options])],
            capture_output=True, text=True, env=clean | settings | (env or {}), timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def asked(hub) -> set[str]:
    """Return which files of the base model were asked for, and forget all requests."""
    found = {path.split("/main/")[-1].split("/")[-1] for path in hub.paths if BASE in path}
    found -= {"main"}
    hub.paths.clear()
    return {name for name in found if "." in name}


def test_a_base_model_comes_without_its_weights(hub, opened: Opened, files, base):
    hub.add(NAME, files)
    hub.add(BASE, base)
    found = opened()
    assert found["files"] == [
        "gliner_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert (found["name"], found["encoder"]) == (NAME, "bert")
    assert len(found["revision"]) == 40
    assert asked(hub) == {"config.json", "tokenizer.json", "tokenizer_config.json"}
    assert opened() == found
    assert asked(hub) == set(), "it was made already"


def test_nothing_is_fetched_where_nothing_is_missing(hub, opened: Opened, files, base):
    hub.add(NAME, files)
    hub.add(BASE, base)
    whole = content(Path(opened()["directory"]))
    hub.add("someone/whole", whole)
    asked(hub)
    found = opened("someone/whole")
    assert "completed" not in found["directory"]
    assert asked(hub) == set()


def test_a_tokenizer_that_is_there_is_not_fetched(hub, opened: Opened, files, base, tmp_path):
    hub.add(NAME, files)
    hub.add(BASE, base)
    tokenizer = Path(opened()["directory"], "tokenizer.json").read_bytes()
    hub.add("someone/half", files | {"tokenizer.json": tokenizer})
    asked(hub)
    found = opened("someone/half", env={"HF_HOME": str(tmp_path / "another home")})
    assert found["encoder"] == "bert"
    assert asked(hub) == {"config.json"}


@pytest.mark.parametrize(
    "offline", [{"env": {"HF_HUB_OFFLINE": "1"}}, {"local_files_only": True}], ids=str
)
def test_offline(hub, opened: Opened, files, base, offline, tmp_path):
    hub.add(NAME, files)
    found = opened()  # fetches the checkpoint, and finds no base
    assert f"{NAME} needs files of its base model: {BASE!r} is not on the hub" in found["error"]
    refused = opened(**offline)
    assert refused["type"] == "CheckpointError"
    assert f"needs files of its base model: {BASE!r} is not complete in the" in refused["error"]
    assert "\n" not in refused["error"]
    hub.add(BASE, base)
    made = opened()
    hub.paths.clear()
    assert opened(**offline) == made
    (tmp_path / "cache" / "completed").rename(tmp_path / "lost")
    assert opened(**offline)["files"] == made["files"], "from the cache of the hub's library"
    assert hub.paths == []


def test_options_are_passed_on(hub, opened: Opened, files, base, tmp_path):
    hub.add(NAME, files, token="hf_secret")
    hub.add(BASE, base, token="hf_secret")
    opened(token="hf_secret", cache_dir=str(tmp_path / "mine"))
    assert hub.tokens == {"Bearer hf_secret"}
    assert {path.name for path in (tmp_path / "mine").glob("models--*")} == {
        "models--someone--old", "models--microsoft--deberta-v3-base",
    }  # fmt: skip


def test_the_oldest_names_have_no_owner(hub, opened: Opened, base, tmp_path):
    rows = pieces_of(tmp_path / "base") + 3
    hub.add(NAME, content(make_legacy(tmp_path / "old", "bert-base-uncased", rows)))
    hub.add("bert-base-uncased", base)
    assert opened()["encoder"] == "bert"


def test_weights_in_a_pickle_are_refused_before_a_base_model_comes(
    hub, opened: Opened, files, base
):
    del files["model.safetensors"]
    hub.add(NAME, files | {"pytorch_model.bin": b"pickle"})
    hub.add(BASE, base)
    error = opened()["error"]
    assert f"run  onepass export --safetensors {NAME} -o DIR  and open DIR." in error
    assert asked(hub) == set()
