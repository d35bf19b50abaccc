"""Old checkpoints made whole from their base models, and the same as the reference library's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.gliner_checkpoints import KINDS, LABELS, TEXTS, make_reference
from tests.legacy import EMBEDDINGS, age, make_base, make_legacy, pieces_of
from tokenizers import Tokenizer, pre_tokenizers

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint, locate
from onepass.hub.exports import cache_root
from onepass.hub.files import read_json
from onepass.hub.headers import read_headers
from onepass.models.complete import complete as complete_any
from onepass.models.complete import completed as completed_any
from onepass.models.gliner import complete as module
from onepass.models.gliner.complete import lacks
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2

complete = partial(complete_any, family=GLINER)
completed = partial(completed_any, family=GLINER)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "base")


def legacy(base: Path, *, extra: int | None = 3, name: str = "old", **config: Any) -> Checkpoint:
    """Make an old checkpoint beside its base, with some more rows than the base has pieces."""
    rows = None if extra is None else pieces_of(base) + extra
    return locate(make_legacy(base.parent / name, str(base), rows, **config))


def config_of(checkpoint: Checkpoint) -> dict[str, Any]:
    return read_json(checkpoint.directory / "gliner_config.json")


# -- the same as what the reference library makes of it -----------------------------------------


@pytest.mark.parametrize("kind", ["span", "token-bert", "bi-span", "poly-token"])
def test_it_answers_as_the_checkpoint_that_it_was_made_of(tmp_path: Path, kind: str) -> None:
    from gliner import GLiNER

    reference = make_reference(tmp_path / "modern", **KINDS[kind])
    labels = tmp_path / "labels" if "labels_encoder" in KINDS[kind] else None
    old = age(tmp_path / "modern", tmp_path / "old", labels=labels)
    if fusion := KINDS[kind].get("post_fusion_schema"):
        saved = read_json(old / "gliner_config.json") | {"post_fusion_schema": fusion}
        (old / "gliner_config.json").write_text(json.dumps(saved))
    whole = complete(locate(old))
    loaded = GLiNER.from_pretrained(str(whole.directory))
    answers = [
        model.inference(list(TEXTS), list(LABELS), threshold=0.3) for model in (reference, loaded)
    ]
    assert answers[0] == answers[1]
    assert any(answers[0])
    mine, theirs = config_of(whole), read_json(tmp_path / "modern" / "gliner_config.json")
    if labels is None:
        for key in ("class_token_index", "vocab_size", "num_rnn_layers"):
            assert mine[key] == theirs[key]
    assert mine["encoder_config"]["vocab_size"] == theirs["encoder_config"]["vocab_size"]


def test_it_answers_as_the_old_form_in_the_reference_library(tmp_path: Path) -> None:
    from gliner import GLiNER

    make_reference(tmp_path / "modern", **KINDS["span-bert"])
    old = age(tmp_path / "modern", tmp_path / "old")
    theirs, ours = (
        GLiNER.from_pretrained(str(directory)).inference(list(TEXTS), list(LABELS), threshold=0.3)
        for directory in (old, complete(locate(old)).directory)
    )
    assert ours == theirs
    assert any(ours)


# -- what is written -----------------------------------------------------------------------------


def test_everything_is_there(base: Path, cache: Path) -> None:
    old = legacy(base)
    assert [(lack.part, lack.base) for lack in lacks(old)] == [
        ("tokenizer.json", str(base)), ("encoder_config", str(base)),
    ]  # fmt: skip
    assert completed(old) is None
    whole = complete(old)
    assert whole.directory.parent == cache / "completed"
    assert (whole.name, whole.kind, whole.revision) == (old.name, "gliner", None)
    assert {path.name for path in whole.directory.iterdir()} == {
        "gliner_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    pieces = pieces_of(base)
    config = config_of(whole)
    assert config["class_token_index"] == pieces + 1
    assert config["vocab_size"] == config["encoder_config"]["vocab_size"] == pieces + 3
    assert config["encoder_config"]["model_type"] == "bert"
    assert config["num_steps"] == 30000  # what is not known is kept
    assert config["num_rnn_layers"] == 1
    tokenizer = Tokenizer.from_file(str(whole.directory / "tokenizer.json"))
    assert tokenizer.encode("<<ENT>>").tokens == ["[CLS]", "<<ENT>>", "[SEP]"]
    roles = read_json(whole.directory / "tokenizer_config.json")
    assert (roles["pad_token"], roles["cls_token"]) == ("[PAD]", "[CLS]")
    assert read_headers(whole)[EMBEDDINGS].shape == (pieces + 3, 16)
    assert completed(old) == whole


def test_nothing_is_done_where_nothing_is_missing(base: Path, cache: Path) -> None:
    whole = complete(legacy(base))
    assert complete(whole) is whole
    assert completed(whole) is whole
    assert len(list((cache / "completed").iterdir())) == 1


def test_other_families_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "extractor"}')
    checkpoint = locate(tmp_path)
    assert complete_any(checkpoint, GLINER2) is checkpoint


def test_it_is_made_once_and_again_when_the_checkpoint_changes(base: Path) -> None:
    old = legacy(base)
    first = complete(old).directory
    made = (first / "tokenizer.json").stat().st_mtime_ns
    assert complete(locate(old.directory)).directory == first
    assert (first / "tokenizer.json").stat().st_mtime_ns == made
    weights = old.directory / "model.safetensors"
    state = weights.stat()
    os.utime(weights, ns=(state.st_mtime_ns + 10**9, state.st_mtime_ns + 10**9))
    assert complete(old).directory != first


def test_calibrated_thresholds_come_along(base: Path) -> None:
    old = legacy(base)
    (old.directory / "onepass.json").write_text('{"thresholds": {"entities": 0.3}}')
    assert read_json(complete(old).directory / "onepass.json")["thresholds"] == {"entities": 0.3}


def test_weights_are_copied_where_there_are_no_links(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    weights = complete(legacy(base)).directory / "model.safetensors"
    assert not weights.is_symlink()
    assert weights.stat().st_size > 0


def test_weights_of_several_files(base: Path) -> None:
    old = legacy(base)
    one, two = (old.directory / f"model-0000{i}-of-00002.safetensors" for i in (1, 2))
    (old.directory / "model.safetensors").rename(one)
    shutil.copyfile(one, two)
    index = {"weight_map": {"a": one.name, "b": two.name}}
    (old.directory / "model.safetensors.index.json").write_text(json.dumps(index))
    whole = complete(old)
    assert [path.name for path in whole.weight_files] == [one.name, two.name]
    assert config_of(whole)["vocab_size"] == pieces_of(base) + 3


@pytest.mark.parametrize(
    ("config", "lstm", "layers"),
    [
        ({}, True, 1),
        ({}, False, 0),  # the reference library makes a random one
        ({"has_rnn": False}, False, 0),
        ({"has_rnn": True}, False, 1),  # loading will say which weights are missing
        ({"num_rnn_layers": 2}, True, 2),
    ],
)
def test_layers_of_the_lstm(base: Path, config: dict[str, Any], lstm: bool, layers: int) -> None:
    assert config_of(complete(legacy(base, lstm=lstm, **config)))["num_rnn_layers"] == layers


def test_the_rows_of_the_weights_say_which_tokens_were_added(base: Path) -> None:
    whole = complete(legacy(base, extra=2))
    assert config_of(whole)["class_token_index"] == pieces_of(base)
    tokenizer = Tokenizer.from_file(str(whole.directory / "tokenizer.json"))
    assert tokenizer.token_to_id("[FLERT]") is None


def test_rows_that_do_not_fit_are_refused_and_nothing_is_left(base: Path, cache: Path) -> None:
    with pytest.raises(CheckpointError, match="12 rows of embeddings; put the tokenizer"):
        complete(legacy(base, extra=12 - pieces_of(base)))
    assert not list(cache.rglob("*.json"))


def test_a_label_encoder_is_completed_from_its_own_base(base: Path, tmp_path: Path) -> None:
    make_base(tmp_path / "old" / "own labels", hidden=8)  # a path relative to the checkpoint
    old = legacy(base, extra=0, labels_encoder="own labels")
    assert [lack.part for lack in lacks(old)] == [
        "tokenizer.json", "encoder_config", "labels_encoder_config",
        "labels_tokenizer/tokenizer.json",
    ]  # fmt: skip
    whole = complete(old)
    assert config_of(whole)["labels_encoder_config"]["hidden_size"] == 8
    labels = Tokenizer.from_file(str(whole.directory / "labels_tokenizer" / "tokenizer.json"))
    text = Tokenizer.from_file(str(whole.directory / "tokenizer.json"))
    assert labels.get_vocab_size() == text.get_vocab_size() == pieces_of(base)  # nothing is added
    assert "class_token_index" not in config_of(whole)


def test_a_decoder_reads_its_first_word_as_behind_a_space(base: Path, tmp_path: Path) -> None:
    decoder = make_base(tmp_path / "decoder")
    tokenizer = Tokenizer.from_file(str(decoder / "tokenizer.json"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = None
    tokenizer.save(str(decoder / "tokenizer.json"))
    (decoder / "config.json").write_text('{"model_type": "gpt2", "eos_token_id": 5}')
    whole = complete(legacy(base, labels_decoder=str(decoder)))
    assert config_of(whole)["labels_decoder_config"]["model_type"] == "gpt2"
    state = read_json(whole.directory / "decoder_tokenizer" / "tokenizer.json")
    assert state["pre_tokenizer"]["add_prefix_space"] is True
    roles = read_json(whole.directory / "decoder_tokenizer" / "tokenizer_config.json")
    assert roles["pad_token"] == roles["eos_token"] == tokenizer.id_to_token(5)


def test_padding_and_truncation_of_the_base_do_not_come_along(base: Path) -> None:
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_padding(length=8)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(base / "tokenizer.json"))
    state = read_json(complete(legacy(base)).directory / "tokenizer.json")
    assert state["padding"] is None
    assert state["truncation"] is None


# -- a part of it is there -----------------------------------------------------------------------


def test_a_tokenizer_of_its_own_is_used(base: Path) -> None:
    old = legacy(base)
    own = Tokenizer.from_file(str(base / "tokenizer.json"))
    own.add_special_tokens(["[FLERT]", "<<ENT>>", "<<SEP>>"])
    own.save(str(old.directory / "tokenizer.json"))
    assert [lack.part for lack in lacks(old)] == ["encoder_config"]
    (base / "tokenizer.json").unlink()
    whole = complete(old)
    assert (whole.directory / "tokenizer.json").is_symlink()
    assert config_of(whole)["class_token_index"] == own.token_to_id("<<ENT>>")


def test_a_tokenizer_without_the_special_tokens_gets_them(base: Path) -> None:
    old = legacy(base)
    shutil.copyfile(base / "tokenizer.json", old.directory / "tokenizer.json")
    assert [lack.part for lack in lacks(old)] == ["tokenizer.json", "encoder_config"]
    whole = complete(old)
    tokenizer = Tokenizer.from_file(str(whole.directory / "tokenizer.json"))
    assert tokenizer.token_to_id("<<ENT>>") == config_of(whole)["class_token_index"]


def test_special_tokens_written_as_escapes_are_seen(base: Path) -> None:
    old = legacy(base)
    own = Tokenizer.from_file(str(base / "tokenizer.json"))
    own.add_special_tokens(["<<ENT>>", "<<SEP>>"])
    text = own.to_str().replace("<<ENT>>", "\\u003c<ENT>>")
    (old.directory / "tokenizer.json").write_text(text, encoding="utf-8")
    assert [lack.part for lack in lacks(old)] == ["encoder_config"]


def test_tokenizer_files_of_an_older_kind_are_converted(base: Path) -> None:
    vocabulary = Tokenizer.from_file(str(base / "tokenizer.json")).get_vocab()
    (base / "tokenizer.json").unlink()
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    (base / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    old = locate(make_legacy(base.parent / "old", str(base), len(words) + 3))
    tokenizer = Tokenizer.from_file(str(complete(old).directory / "tokenizer.json"))
    assert tokenizer.encode("Tim <<SEP>>").tokens == ["[CLS]", "tim", "<<SEP>>", "[SEP]"]


def test_without_transformers_a_conversion_names_the_extra(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (base / "tokenizer.json").rename(base / "vocab.txt")
    monkeypatch.setitem(sys.modules, "onepass.nn.convert_tokenizer", None)
    with pytest.raises(MissingExtra, match=r"pip install 'onepass\[torch\]'"):
        complete(locate(make_legacy(base.parent / "old", str(base), 10)))


# -- it cannot be done ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remove", "said"),
    [
        ("config.json", r"has no config\.json \(looked in"),
        ("tokenizer.json", r"has no tokenizer of its own, and its base model in .* has none"),
    ],
)
def test_a_base_that_lacks_something(base: Path, remove: str, said: str) -> None:
    old = legacy(base)
    (base / remove).unlink()
    with pytest.raises(CheckpointError, match=said) as refused:
        complete(old)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["/home/someone/models/base", "runs/1/base", ""])
def test_a_base_that_is_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="which is neither a directory here nor a hub id"):
        complete(locate(make_legacy(tmp_path / "old", name, 10)))


def test_without_weights_that_is_what_is_said(base: Path, cache: Path) -> None:
    old = legacy(base, extra=None)
    (old.directory / "pytorch_model.bin").touch()
    with pytest.raises(CheckpointError, match=r"onepass export --safetensors .*old -o DIR"):
        complete(old)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written(base: Path, cache: Path) -> None:
    cache.touch()
    with pytest.raises(CheckpointError, match=r"cannot be written .* set ONEPASS_CACHE"):
        complete(legacy(base))


def test_several_processes_at_once(base: Path, cache: Path) -> None:
    old = legacy(base)
    script = f"""
from onepass.hub import locate
from onepass.models.complete import complete
from onepass.models.gliner.family import GLINER
print(complete(locate({str(old.directory)!r}), GLINER).directory)
"""
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {process.communicate()[0].strip() for process in running}
    assert {process.returncode for process in running} == {0}
    (made,) = (cache_root() / "completed").iterdir()
    assert said == {str(made)}


def test_a_process_that_comes_second_takes_what_is_there(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = legacy(base)
    write = module.write_missing

    def slow(checkpoint: Checkpoint, target: Path, *rest: Any) -> None:
        monkeypatch.setattr(module, "write_missing", write)
        complete(checkpoint)  # another process, meanwhile
        write(checkpoint, target, *rest)

    monkeypatch.setattr(module, "write_missing", slow)
    whole = complete(old)
    assert [path.name for path in whole.directory.parent.iterdir()] == [whole.directory.name]
