"""Forms in which weights are saved, what gliner2 loads and we refuse, and what is said of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken

gliner2 = pytest.importorskip("gliner2")

from onepass import Extractor, Schema  # noqa: E402
from onepass.errors import CheckpointError  # noqa: E402
from tests.parity.reference import make_reference  # noqa: E402


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("gliner2")
    make_reference(directory, seed=1)  # which finds much
    return directory


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    """A checkpoint saved by gliner2 that a test may change."""
    return Path(shutil.copytree(saved, tmp_path / "copied"))


def refusal(directory: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        Extractor.from_pretrained(directory, backend="torch")
    return str(caught.value)


@pytest.mark.parametrize("model_type", ["bert", "electra", "unheard-of"])
def test_b3_code_of_a_checkpoint_never_runs(copied: Path, model_type: str) -> None:
    """Theirs asks transformers to trust remote code; ours never imports a file of a checkpoint."""
    ran = copied / "ran"
    code = f"open({str(ran)!r}, 'w').close()\n"
    for place in (copied, copied / "encoder_config"):
        (place / "evil.py").write_text(code)
    path = copied / "encoder_config" / "config.json"
    config = json.loads(path.read_text())
    auto = {"AutoConfig": "evil.EvilConfig", "AutoModel": "evil.EvilModel"}
    path.write_text(json.dumps(config | {"auto_map": auto, "model_type": model_type}))
    assert "brings its own code (auto_map" in refusal(copied)
    assert not ran.exists()


def test_weights_in_pickles_are_not_read(copied: Path) -> None:
    weights = copied / "model.safetensors"
    torch.save(load_file(weights), copied / "pytorch_model.bin")
    weights.unlink()
    assert isinstance(gliner2.GLiNER2.from_pretrained(str(copied)), gliner2.GLiNER2)
    assert "only pytorch_model.bin, which can run code when it is read" in refusal(copied)


def test_weights_that_do_not_fit_are_listed(copied: Path) -> None:
    state = load_file(copied / "model.safetensors")
    del state["classifier.0.weight"]
    save_file(state | {"stray.bias": torch.zeros(3)}, copied / "model.safetensors")
    with pytest.raises(RuntimeError):
        gliner2.GLiNER2.from_pretrained(str(copied))
    assert "(missing: classifier.0.weight; unexpected: stray.bias)" in refusal(copied)


def test_weights_of_another_shape_are_listed(copied: Path) -> None:
    state = load_file(copied / "model.safetensors")
    save_file(state | {"classifier.0.bias": torch.zeros(3)}, copied / "model.safetensors")
    assert "has (3,), expected (64,)" in refusal(copied)


@pytest.mark.parametrize("rows", [None, -3, 89], ids=str)
def test_pieces_are_as_many_as_vectors(copied: Path, rows: int | None) -> None:
    """The encoder's configuration may still be that of its base model, as in gliner2."""
    path = copied / "encoder_config" / "config.json"
    config = json.loads(path.read_text())
    saved = config.pop("vocab_size")
    path.write_text(json.dumps(config if rows is None else config | {"vocab_size": saved + rows}))
    assert_same(copied, gliner2.GLiNER2.from_pretrained(str(copied)))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_weights_of_other_precision(copied: Path, kind: str) -> None:
    state = load_file(copied / "model.safetensors")
    halved = {name: weight.to(getattr(torch, kind)) for name, weight in state.items()}
    save_file(halved, copied / "model.safetensors")
    assert_same(copied, gliner2.GLiNER2.from_pretrained(str(copied)))


def test_a_model_that_was_quantized_before_it_was_saved(copied: Path) -> None:
    model = gliner2.GLiNER2.from_pretrained(str(copied))
    model.quantize()
    model.save_pretrained(str(copied))
    assert_same(copied, gliner2.GLiNER2.from_pretrained(str(copied)))


def test_weights_of_several_files(copied: Path) -> None:
    """As transformers splits them; gliner2 reads one file alone."""
    theirs = gliner2.GLiNER2.from_pretrained(str(copied))
    state = load_file(copied / "model.safetensors")
    (copied / "model.safetensors").unlink()
    files = {name: f"model-{i % 2 + 1:05}-of-00002.safetensors" for i, name in enumerate(state)}
    for file in set(files.values()):
        save_file({name: state[name] for name in state if files[name] == file}, copied / file)
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    assert_same(copied, theirs)


def test_pieces_that_were_added_to_the_tokenizer(copied: Path) -> None:
    model = gliner2.GLiNER2.from_pretrained(str(copied))
    tokenizer = model.processor.tokenizer
    tokenizer.add_tokens(["runs apple", AddedToken("person", single_word=True), "cupertino"])
    model.encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.save_pretrained(str(copied))
    assert_same(copied, gliner2.GLiNER2.from_pretrained(str(copied)))


def assert_same(directory: Path, theirs: Any) -> None:
    labels, text = ["person", "city"], "tim cook runs apple in cupertino ."
    options = {"threshold": 0.3, "include_confidence": True, "include_spans": True}
    found = theirs.eval().extract_entities(text, labels, overlap_policy="allow", **options)
    expected = {
        (label, one["start"], one["end"]): one["confidence"]
        for label, all_ in found["entities"].items()
        for one in all_
    }
    ours = Extractor.from_pretrained(directory, backend="torch")
    doc = ours.extract(text, Schema().entities(labels), threshold=0.3, overlap="all")
    got = {(one.label, one.start, one.end): one.score for one in doc.entities}
    assert len(expected) > 5
    assert got == pytest.approx(expected, abs=1e-4)


def test_a_piece_without_a_vector_is_refused(copied: Path) -> None:
    """gliner2 gives it a random vector, which is another one each time."""
    state = load_file(copied / "model.safetensors")
    name = "encoder.embeddings.word_embeddings.weight"
    last = state[name].shape[0] - 1
    save_file(state | {name: state[name][:-1].clone()}, copied / "model.safetensors")
    said = f"has the piece id {last}, but the weights hold the vectors of {last} pieces"
    assert said in refusal(copied)
