"""What a user calls a checkpoint: directories, hub ids, and names that are neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onepass.errors import CheckpointError, InputError
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.find import locate
from onepass.hub.options import HubOptions


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory ``owner/model`` in the current one."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "owner" / "model"
    directory.mkdir(parents=True)
    (directory / "config.json").write_text('{"model_type": "extractor"}')
    return directory


def test_a_directory_is_used_as_it_is(model: Path):
    for given in (model, str(model)):
        checkpoint = locate(given, cache_dir="elsewhere", token="hf_x", local_files_only=True)
        assert (checkpoint.directory, checkpoint.name) == (model, str(model))
        assert (checkpoint.kind, checkpoint.revision) == ("gliner2", None)


def test_a_directory_goes_before_a_hub_id(model: Path, monkeypatch: pytest.MonkeyPatch):
    checkpoint = locate("owner/model")
    assert (checkpoint.directory, checkpoint.name) == (model, "owner/model")
    monkeypatch.chdir("/")
    assert checkpoint.kind == "gliner2"  # its path does not depend on the current directory


def test_home_is_expanded(model: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(model.parent))
    assert locate("~/model").directory == model


def test_a_local_directory_loads_nothing_of_the_hub(model: Path):
    script = """
import sys
from onepass.hub.find import locate
locate(sys.argv[1]).kind
print(*{name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(model)], capture_output=True, text=True, check=True
    )
    assert {"huggingface_hub", "httpx", "requests", "tqdm"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    "name",
    ["model", "a/b/c", "./owner/other", "/no/where", "~/nothing", "owner/a b", "other/", "/model",
     "owner/a..b", "owner/a--b", "owner/model.git", "-owner/model", "owner/" + "a" * 96,
     "x" * 5000, "owner/model\n", "a\0b"],
)  # fmt: skip
def test_neither_directory_nor_hub_id(model: Path, name: str):
    with pytest.raises(CheckpointError, match="neither an existing directory nor") as caught:
        locate(name)
    assert repr(name)[:300] in str(caught.value)


def test_a_directory_that_is_missing_beside_others_is_not_asked_of_the_hub(
    model: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def download(name: str, revision: str | None, hub: HubOptions, *, pickles: bool) -> Checkpoint:
        asked.append((name, revision))
        return Checkpoint(model, name, revision)

    monkeypatch.setattr("onepass.hub.download.download", download)
    with pytest.raises(CheckpointError) as caught:
        locate("owner/final")
    assert str(caught.value) == (
        "There is no directory 'owner/final' here, though there is 'owner'; check what is in it, "
        "or, for a model of that name on the hub, give a revision such as 'main'."
    )
    assert asked == []
    Path("fastino").mkdir()
    wanted = [("owner/final", "main"), ("other/final", None), ("fastino/gliner2-base-v1", None)]
    for name, revision in wanted:
        locate(name, revision=revision)
    assert asked == wanted


def test_a_path_is_never_a_hub_id(model: Path):
    with pytest.raises(CheckpointError, match="neither an existing directory"):
        locate(Path("owner/other"))


def test_a_name_without_its_owner_is_helped(model: Path):
    with pytest.raises(CheckpointError, match="did you mean 'fastino/gliner2-base-v1'"):
        locate("gliner2-base-v1")


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name(name: str):
    with pytest.raises(InputError, match="is empty"):
        locate(name)


def test_a_file(model: Path):
    with pytest.raises(InputError, match="is a file; give the directory"):
        locate(model / "config.json")


def test_a_directory_has_no_revision(model: Path):
    with pytest.raises(InputError, match=r"revision='v1' \(--revision\) is for a hub id"):
        locate(model, revision="v1")
