"""Checkpoints written whole: weights in safetensors, and what an old one leaves to its base."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tests.gliclass_checkpoints import write_checkpoint
from tests.gliner_checkpoints import KINDS, LABELS, TEXTS, make_reference
from tests.legacy import age
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor
from onepass.errors import CheckpointError, InputError
from onepass.hub import Checkpoint, locate
from onepass.hub.files import read_json
from onepass.models.convert import convert_checkpoint
from onepass.models.gliner.complete import lacks


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pickled(directory: Path) -> Checkpoint:
    """Turn the weights of a checkpoint into a pickle, as old releases have them."""
    state = load_file(directory / "model.safetensors")
    first = next(name for name, tensor in state.items() if tensor.ndim == 2)
    state[first] = state[first].t().contiguous().t()  # an order that safetensors does not take
    torch.save(state, directory / "pytorch_model.bin")
    (directory / "model.safetensors").unlink()
    return locate(directory)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make_tiny_checkpoint(tmp_path / "tiny")


@pytest.mark.parametrize("kind", ["span", "bi-token"])
def test_an_old_gliner_checkpoint(tmp_path: Path, cache: Path, kind: str) -> None:
    from gliner import GLiNER

    reference = make_reference(tmp_path / "modern", **KINDS[kind])
    labels = tmp_path / "labels" if kind.startswith("bi") else None
    old = pickled(age(tmp_path / "modern", tmp_path / "old", labels=labels))
    assert convert_checkpoint(old, tmp_path / "new") == tmp_path / "new"
    new = locate(tmp_path / "new")
    assert lacks(new) == ()
    assert not any(path.is_symlink() for path in new.directory.rglob("*"))
    assert not cache.exists()
    loaded = GLiNER.from_pretrained(str(new.directory), strict=True)
    theirs, ours = (
        model.inference(list(TEXTS), list(LABELS), threshold=0.3) for model in (reference, loaded)
    )
    assert ours == theirs
    assert any(ours)


def test_a_gliner2_checkpoint_answers_as_before(tiny: Path, tmp_path: Path) -> None:
    schema = {"entities": ["person", "place"]}
    before = Extractor.from_pretrained(tiny, backend="torch").extract("tim in rome", schema)
    convert_checkpoint(pickled(tiny), tmp_path / "new")
    after = Extractor.from_pretrained(tmp_path / "new", backend="torch")
    assert after.extract("tim in rome", schema) == before


def test_a_directory_may_be_a_disk_of_its_own(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    replace = os.replace

    def within(source: Path, target: Path) -> None:
        if disk not in source.parents:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, target)

    monkeypatch.setattr("onepass.hub.atomic.os.replace", within)
    convert_checkpoint(pickled(tiny), disk)
    assert (disk / "model.safetensors").is_file()
    assert not list(disk.glob(".*"))


@pytest.mark.parametrize("there", [True, False])
def test_what_a_killed_process_left_goes_after_a_day(
    tiny: Path, tmp_path: Path, there: bool
) -> None:
    output = tmp_path / "new"
    if there:
        output.mkdir()
    place = output if there else tmp_path
    old, young, other = (place / f".onepass-new-{end}" for end in ("a" * 32, "b" * 32, "mine"))
    for one in (old, young, other):
        one.mkdir()
    for one in (old, other):
        os.utime(one, (0, 0))
    convert_checkpoint(pickled(tiny), output)
    assert [one.exists() for one in (old, young, other)] == [False, True, True]


def test_of_any_family_what_is_needed_comes_along(tmp_path: Path) -> None:
    source = tmp_path / "gliclass"
    source.mkdir()
    (source / "config.json").write_text('{"model_type": "GLiClass"}')
    for name in ("tokenizer.json", "spm.model", "notes.txt", "training_args.bin"):
        (source / name).write_text("{}")
    torch.save({"a": torch.ones(2)}, source / "pytorch_model.bin")
    new = convert_checkpoint(locate(source), tmp_path / "deep" / "new")
    assert sorted(path.name for path in new.iterdir()) == [
        "config.json", "model.safetensors", "spm.model", "tokenizer.json",
    ]  # fmt: skip
    assert [path.name for path in new.parent.iterdir()] == ["new"]  # nothing half-made is left


def test_a_gliclass_bi_encoder_gets_its_label_tokenizer(tmp_path: Path) -> None:
    old = tmp_path / "old"
    base = tmp_path / "labels"
    write_checkpoint(old, architecture_type="bi-encoder", label_model_name=str(base))
    wanted = Extractor.from_pretrained(old, backend="torch").classify("tim runs", ["red", "art"])
    (old / "label_tokenizer").rename(base)
    (base / "config.json").write_text('{"model_type": "bert"}')
    convert_checkpoint(pickled(old), tmp_path / "new")
    assert (tmp_path / "new/label_tokenizer/tokenizer.json").is_file()
    new = Extractor.from_pretrained(tmp_path / "new", backend="torch")
    assert dict(new.classify("tim runs", ["red", "art"]).scores) == dict(wanted.scores)


def test_tied_weights_are_written_under_both_names(tiny: Path, tmp_path: Path) -> None:
    state: dict[str, Any] = load_file(tiny / "model.safetensors")
    kept = state["classifier.0.weight"]
    torch.save(state | {"tied": kept, "part": kept[0]}, tiny / "pytorch_model.bin")
    (tiny / "model.safetensors").unlink()
    written = load_file(convert_checkpoint(locate(tiny), tmp_path / "new") / "model.safetensors")
    assert torch.equal(written["tied"], kept)
    assert torch.equal(written["part"], kept[0])


def test_weights_of_several_files_become_one(tiny: Path, tmp_path: Path) -> None:
    state = load_file(tiny / "model.safetensors")
    names = list(state)
    index: dict[str, str] = {}
    for i, part in enumerate((names[:5], names[5:])):
        torch.save({name: state[name] for name in part}, tiny / f"pytorch_model-{i}.bin")
        index |= dict.fromkeys(part, f"pytorch_model-{i}.bin")
    (tiny / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": index}))
    (tiny / "model.safetensors").unlink()
    written = load_file(convert_checkpoint(locate(tiny), tmp_path / "new") / "model.safetensors")
    assert sorted(written) == sorted(names)


def test_safetensors_go_first_and_are_made_one_file(tiny: Path, tmp_path: Path) -> None:
    state = load_file(tiny / "model.safetensors")
    save_file(state, tiny / "model-1.safetensors")
    (tiny / "model.safetensors").unlink()
    index = {"weight_map": dict.fromkeys(state, "model-1.safetensors")}
    (tiny / "model.safetensors.index.json").write_text(json.dumps(index))
    (tiny / "pytorch_model.bin").write_bytes(b"never looked at")
    written = load_file(convert_checkpoint(locate(tiny), tmp_path / "new") / "model.safetensors")
    assert sorted(written) == sorted(state)


def test_into_its_own_directory(tiny: Path) -> None:
    old = pickled(tiny)
    before = {path.name for path in tiny.iterdir()}
    convert_checkpoint(old, tiny)
    assert {path.name for path in tiny.iterdir()} == before | {"model.safetensors"}
    assert locate(tiny).has_weights


def test_weights_that_are_there_are_not_written_over(tiny: Path, tmp_path: Path) -> None:
    before = (tiny / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds weights already; give another directory"):
        convert_checkpoint(locate(tiny), tiny)
    assert (tiny / "model.safetensors").read_bytes() == before


class Program:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": Program()}, r"holds posix\.mkdir beside tensors, which could run code"),
        ([1], "holds a list, but tensors by name were expected"),
    ],
    ids=["program", "list"],
)
def test_a_bad_pickle_leaves_nothing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, tiny / "pytorch_model.bin")
    (tiny / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=said):
        convert_checkpoint(locate(tiny), tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_a_base_that_cannot_be_had_leaves_nothing(tmp_path: Path) -> None:
    make_reference(tmp_path / "modern", **KINDS["span"])
    old = pickled(age(tmp_path / "modern", tmp_path / "old"))
    shutil.rmtree(tmp_path / "modern-base")
    with pytest.raises(CheckpointError, match="is neither a directory here nor a hub id"):
        convert_checkpoint(old, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_to_convert(tiny: Path, tmp_path: Path) -> None:
    (tiny / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has neither model\.safetensors nor pytorch_model"):
        convert_checkpoint(locate(tiny), tmp_path / "new")


def test_a_place_that_cannot_be_written(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "new", tmp_path / "file"):
        with pytest.raises(
            CheckpointError, match=r"cannot be written .*; choose another directory"
        ):
            convert_checkpoint(locate(tiny), place)
    assert read_json(tiny / "config.json")


def test_a_full_disk(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("onepass.nn.weights.save_file", refuse)
    with pytest.raises(
        CheckpointError, match=r"new cannot be written \(I/O error: No space.*choose"
    ):
        convert_checkpoint(locate(tiny), tmp_path / "new")
    assert not list(tmp_path.glob("*new*"))
