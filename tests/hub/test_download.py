"""Checkpoints from a hub: what is asked for, of which revision, and what is said if it fails."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

NAME = "someone/model"
MISSING = f"There is no directory {NAME!r} here, and as a hub id it"
CONFIG = b'{"model_type": "extractor", "counting_layer": "count_lstm_v2"}'
FILES = {
    "config.json": CONFIG,
    "encoder_config/config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "spm.model": b"pieces",
    "vocab.txt": b"a",
    "onnx/int8/encode.onnx": b"graph",
    "onnx/int8/graphs.json": b"{}",
    "labels_tokenizer/tokenizer.json": b"{}",
    "labels_tokenizer/vocab.txt": b"a",
    "decoder_tokenizer/tokenizer_config.json": b"{}",
    "decoder_tokenizer/merges.txt": b"a b",
}
REFUSED = {
    "pytorch_model.bin": b"pickle",
    "training_args.bin": b"pickle",
    "optimizer.pt": b"pickle",
    "onnx/int8/more.bin": b"pickle",
    "onnx/model.onnx": b"of others",
    "modeling.py": b"program",
    "README.md": b"words",
    "model.fp16.safetensors": b"half",
    "model.fp16-00001-of-00002.safetensors": b"half",
    "pytorch_model-00001-of-00002.bin": b"pickle",
    "notes.txt": b"words",
}


def sha(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def text(files: dict[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items()}


def test_only_what_is_read_is_downloaded(hub, load):
    hub.add(NAME, FILES | REFUSED)
    found = load(NAME)
    assert found["files"] == text(FILES)
    assert hub.downloaded() == set(FILES)
    assert (found["name"], found["kind"], found["revision"]) == (NAME, "gliner2", sha("one"))


def test_a_revision_is_passed_on_to_every_file(hub, load):
    repo = hub.add(NAME, FILES)
    old = {name: content + b" " for name, content in FILES.items()}
    repo.commits[sha("old")] = old
    repo.refs["v1"] = sha("old")
    assert load(NAME, revision="v1")["files"] == text(old)
    assert load(NAME, revision=sha("old"))["revision"] == sha("old")
    assert load(NAME)["files"] == text(FILES)


def test_all_files_are_of_one_commit_while_the_branch_moves(hub, load):
    repo = hub.add(NAME, FILES, moves_to=sha("two"))
    repo.commits[sha("two")] = {name: content + b" " for name, content in FILES.items()}
    found = load(NAME)
    assert (found["revision"], found["files"]) == (sha("one"), text(FILES))
    assert load(NAME)["revision"] == sha("two")


@pytest.mark.parametrize(
    "offline", [{"env": {"HF_HUB_OFFLINE": "1"}}, {"local_files_only": True}], ids=str
)
def test_a_second_load_works_offline(hub, load, offline):
    hub.add(NAME, FILES)
    first = load(NAME)
    hub.paths.clear()
    assert load(NAME, **offline) == first
    assert load(NAME, revision=first["revision"], **offline) == first
    assert hub.paths == []


def test_a_cache_filled_by_another_library_works_offline(hub, load, tmp_path):
    snapshot = tmp_path / "cache/models--someone--model/snapshots" / sha("one")
    (snapshot / "encoder_config").mkdir(parents=True)
    for name in ("config.json", "encoder_config/config.json", "model.safetensors"):
        (snapshot / name).write_bytes(FILES[name])
    refs = tmp_path / "cache/models--someone--model/refs"
    refs.mkdir()
    (refs / "main").write_text(sha("one"))
    found = load(NAME, cache_dir=str(tmp_path / "cache"), env={"HF_HUB_OFFLINE": "1"})
    assert found["files"]["model.safetensors"] == "weights"
    assert hub.paths == []


def test_a_lost_hub_is_no_trouble_once_downloaded(hub, load):
    hub.add(NAME, FILES)
    first = load(NAME)
    assert load(NAME, env={"HF_ENDPOINT": "http://127.0.0.1:9"}) == first


@pytest.mark.parametrize(
    "offline", [{"env": {"HF_HUB_OFFLINE": "1"}}, {"local_files_only": True}], ids=str
)
def test_offline_without_a_download(hub, load, offline):
    hub.add(NAME, FILES)
    found = load(NAME, **offline)
    assert found["type"] == "CheckpointError"
    assert found["error"].startswith(f"{MISSING} is not complete in the cache ")
    off = "local_files_only" if "local_files_only" in offline else "HF_HUB_OFFLINE"
    assert f", and downloads are off ({off}); turn them on once" in found["error"]
    assert hub.paths == []


def test_an_interrupted_download_is_finished_later_and_refused_offline(hub, load, tmp_path):
    hub.add(NAME, FILES)
    directory = load(NAME)["directory"]
    weights = tmp_path / directory / "model.safetensors"
    weights.resolve().unlink()
    weights.unlink()
    assert "not complete in the cache" in load(NAME, local_files_only=True)["error"]
    assert load(NAME)["files"] == text(FILES)


def test_a_damaged_file_of_the_cache_is_fetched_again_once_it_is_deleted(hub, load, tmp_path):
    hub.add(NAME, FILES)
    first = load(NAME)
    file = tmp_path / first["directory"] / "config.json"
    file.resolve().write_text("{")
    said = load(NAME)["error"]
    assert f"{file} is not readable JSON" in said
    advised = re.search(r"; delete (\S+), so that it is downloaded again\.$", said)
    Path(advised[1]).unlink()
    assert load(NAME) == first


def test_cache_dir_is_used(hub, load, tmp_path):
    hub.add(NAME, FILES)
    directory = load(NAME, cache_dir=str(tmp_path / "mine"))["directory"]
    assert directory.startswith(str(tmp_path / "mine" / "models--someone--model"))


def test_the_token_goes_with_every_request(hub, load):
    hub.add(NAME, FILES, token="hf_secret")
    assert load(NAME, token="hf_secret")["files"] == text(FILES)
    assert hub.tokens == {"Bearer hf_secret"}


@pytest.mark.parametrize(
    ("name", "token"), [(NAME, None), (NAME, "hf_wrong"), ("someone/else", None)]
)
def test_a_private_model_reads_like_one_that_is_not_there(hub, load, name, token):
    hub.add(NAME, FILES, token="hf_secret")
    assert load(name, token=token) == {
        "type": "CheckpointError",
        "error": f"There is no directory {name!r} here, and as a hub id it is not on the hub; "
        "check the name, or give a token if it is private (HF_TOKEN, or token= in Python).",
    }
    assert hub.downloaded() == set()


def test_a_gated_model(hub, load):
    hub.add(NAME, FILES, gated=True)
    assert load(NAME)["error"].endswith(
        "ask for it on its page on the hub, then give the token of the account that got it "
        "(HF_TOKEN, or token= in Python)."
    )


def test_a_revision_that_does_not_exist(hub, load):
    hub.add(NAME, FILES)
    assert load(NAME, revision="v9")["error"] == (
        f"revision 'v9' of {NAME!r} is not on the hub; give a branch, a tag or a commit that is."
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "refused access to 'someone/model' (HTTP 403); give the token of an account"),
        (500, "answered HTTP 500 for 'someone/model'; try again later"),
    ],
)
def test_a_hub_that_answers_badly(hub, load, status, message):
    hub.status = status
    assert message in load(NAME)["error"]


def test_no_network(load):
    error = load(NAME, env={"HF_ENDPOINT": "http://127.0.0.1:9"})["error"]
    assert error.startswith(f"{MISSING} could not be downloaded from the hub (Connect")
    assert error.endswith(
        "give a directory, or set HF_HUB_OFFLINE=1 after a first download (in Python also "
        "local_files_only=True)."
    )
    assert "\n" not in error


def test_a_published_checkpoint_is_not_taken_for_a_directory(load):
    name = "fastino/gliner2-base-v1"
    assert load(name, local_files_only=True)["error"].startswith(f"{name!r} is not complete in ")


def test_weights_of_several_files_come_all(hub, load):
    files = {name: content for name, content in FILES.items() if name != "model.safetensors"} | {
        "model.safetensors.index.json": b'{"weight_map": {}}',
        "model-00001-of-00002.safetensors": b"weights",
        "model-00002-of-00002.safetensors": b"more",
    }
    hub.add(NAME, files | REFUSED)
    assert load(NAME)["files"] == text(files)


PICKLED = {"pytorch_model.bin": b"pickle", "pytorch_model-00001-of-00002.bin": b"pickle"}


def test_pickles_come_only_where_they_are_asked_for_and_there_is_nothing_else(hub, load):
    old = {name: content for name, content in FILES.items() if name != "model.safetensors"}
    hub.add(NAME, old | REFUSED)
    assert load(NAME)["files"] == text(old)
    assert load(NAME, pickles=True)["files"] == text(old | PICKLED)
    assert load(NAME, pickles=True, local_files_only=True)["files"] == text(old | PICKLED)
    hub.add("someone/modern", FILES | REFUSED)
    assert load("someone/modern", pickles=True)["files"] == text(FILES)


def test_another_kind_of_model_is_refused_before_its_weights_come(hub, load):
    bert = b'{"model_type": "bert", "architectures": ["BertModel"]}'
    hub.add(NAME, {"config.json": bert, "model.safetensors": b"gigabytes"})
    assert "model_type 'bert' and architectures ['BertModel']" in load(NAME)["error"]
    assert hub.downloaded() == {"config.json"}


def test_a_repository_without_a_configuration(hub, load):
    hub.add(NAME, {"model.safetensors": b"gigabytes"})
    assert "has neither config.json nor gliner_config.json" in load(NAME)["error"]
    assert hub.downloaded() == set()
