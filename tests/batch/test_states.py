"""What tells that a job goes on with the model that it was begun with."""

import json
import os
from pathlib import Path

import pytest

from onepass.batch.job import BUILTIN, ModelChoice
from onepass.batch.states import as_begun, model_identity


def test_a_job_of_an_earlier_version_finds_its_model_as_it_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("m").mkdir()
    Path("m/config.json").write_text("{}")
    os.utime("m/config.json", (1e9, 1e9))
    assert json.dumps(model_identity(BUILTIN)) == (
        '{"name": null, "backend": "auto", "precision": "auto", "device": "auto", '
        '"compiled": false, "files": null}'
    )
    chosen = ModelChoice("m", "torch", "bf16", threads=3, device="cpu", compiled=True)
    assert json.dumps(model_identity(chosen)) == (
        '{"name": "m", "backend": "torch", "precision": "bf16", "device": "cpu", '
        '"compiled": true, '
        '"files": "e5d6161d4ec92dbf2114535e6b567b99ec77ec1ff6898fbae672ad9c5a2540d8"}'
    )


def test_a_revision_is_part_of_what_a_job_is():
    pinned = model_identity(ModelChoice("owner/name", revision="v1"))
    assert pinned == model_identity(ModelChoice("owner/name")) | {"revision": "v1"}


def test_threads_change_no_result():
    assert model_identity(ModelChoice(threads=3)) == model_identity(BUILTIN)


def test_auto_is_what_it_was_when_the_job_was_begun(tmp_path: Path):
    out = tmp_path / "out.jsonl"
    assert as_begun(BUILTIN, out) == BUILTIN
    folder = tmp_path / "out.jsonl.job"
    folder.mkdir()
    kept = model_identity(ModelChoice(backend="openvino", precision="int8"))
    (folder / "journal").write_text(json.dumps({"model": kept}) + "\n")
    assert as_begun(ModelChoice(threads=2), out) == ModelChoice(None, "openvino", "int8", threads=2)
    assert as_begun(ModelChoice(backend="onnx"), out) == ModelChoice(None, "onnx", "int8")
    for broken in ("", "[]", "{", '{"model": 1}'):
        (folder / "journal").write_text(broken)
        assert as_begun(BUILTIN, out) == BUILTIN
