"""What a run starts from: a directory, or a checkpoint of the hub."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.gliner_checkpoints import BI
from tests.training.gliner_data import make_learner, write_sentences

from onepass.builtin import builtin_checkpoint
from onepass.errors import CheckpointError, InputError
from onepass.models.gliner.loss import GlinerLoss
from onepass.training.config import TrainConfig
from onepass.training.families import loss_options, open_trainee
from onepass.training.run import train_from_config

COMMIT = "0123456789" * 4


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the hub, which is all that there is: tests are offline."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def store(cache: Path, name: str, source: Path) -> None:
    """Put a checkpoint into the cache as huggingface_hub does: links to blobs."""
    repo = cache / f"models--{name.replace('/', '--')}"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(COMMIT)
    (repo / "blobs").mkdir()
    for number, path in enumerate(sorted(path for path in source.rglob("*") if path.is_file())):
        blob = repo / "blobs" / f"{number:040}"
        blob.write_bytes(path.read_bytes())
        link = repo / "snapshots" / COMMIT / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)


def config(tmp_path: Path, model: str) -> TrainConfig:
    options = {"steps": 2, "precision": "fp32", "device": "cpu", "held_out": 0, "max_batch": 4}
    data = write_sentences(tmp_path)
    return TrainConfig.from_dict(
        {"model": model, "data": str(data), "output": str(tmp_path / "run"), **options}
    )


def test_a_gliner_checkpoint_of_the_hub_is_trained(tmp_path: Path, cache: Path) -> None:
    learner = make_learner(tmp_path / "learner", **BI)
    store(cache, "me/learner", learner)
    result = train_from_config(config(tmp_path, "me/learner"))
    final = Path(result["final"])
    assert json.loads((tmp_path / "run" / "train.json").read_text())["model"] == "me/learner"
    files = {path.relative_to(final) for path in final.rglob("*") if path.is_file()}
    assert {Path("tokenizer.json"), Path("labels_tokenizer/tokenizer.json")} <= files
    assert not any(path.is_symlink() for path in final.rglob("*"))
    before, after = load_file(learner / "model.safetensors"), load_file(final / "model.safetensors")
    assert any(not before[name].equal(after[name]) for name in after)


def test_a_gliner2_checkpoint_of_the_hub_is_opened(checkpoint: Path, cache: Path) -> None:
    store(cache, "me/tiny", checkpoint)
    assert open_trainee("me/tiny").longest == open_trainee(checkpoint).longest == 512


def test_options_of_the_loss_are_those_of_the_checkpoint(tmp_path: Path, cache: Path) -> None:
    store(cache, "me/learner", make_learner(tmp_path / "learner"))
    assert loss_options(config(tmp_path, "me/learner")) == GlinerLoss()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("me/absent", "me/absent"),
        ("absent", "'absent' is neither an existing directory nor a hub id like 'owner/name'"),
    ],
)
def test_a_model_that_is_nowhere(tmp_path: Path, cache: Path, model: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        train_from_config(config(tmp_path, model))


def test_a_cache_that_is_deleted_while_the_built_in_model_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    trainee = open_trainee("builtin")
    shutil.rmtree(tmp_path / "cache")
    trainee.save(tmp_path / "saved")
    names = {"config.json", "model.safetensors", "onepass.json", "tokenizer.json"}
    assert names <= {path.name for path in (tmp_path / "saved").iterdir()}


def test_a_run_may_start_from_a_revision_of_the_hub_only(tmp_path):
    asked = replace(config(tmp_path, "builtin"), revision="v1")
    with pytest.raises(InputError, match=r"revision='v1' \(--revision\) is for a hub id"):
        train_from_config(asked)


def test_the_built_in_model_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    result = train_from_config(config(tmp_path, "builtin"))
    assert json.loads((tmp_path / "run" / "train.json").read_text())["model"] == "builtin"
    final = Path(result["final"])
    (restored,) = (tmp_path / "cache" / "restored").iterdir()
    before, after = (load_file(path / "model.safetensors") for path in (restored, final))
    changes = [(before[name] - after[name]).abs().max() for name in after]
    assert 0 < max(changes) < 0.01  # two steps from where it was, not from anywhere else
    assert "base_model" not in (final / "README.md").read_text()  # it is no id of a hub
    assert "Trained with onepass from `builtin`" in (final / "README.md").read_text()
    own = json.loads((builtin_checkpoint().directory / "onepass.json").read_text())
    del own["thresholds"], own["calibration"]  # which are of the old weights
    assert own["read_as"]["per"] == "person"
    assert json.loads((final / "onepass.json").read_text()) == own
