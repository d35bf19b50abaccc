"""Checkpoints that come as graphs alone: their weights are read back, trained on, written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from tests.gliner_checkpoints import KINDS, make_reference
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor
from onepass.builtin import builtin_checkpoint
from onepass.errors import BackendError, CheckpointError, InputError
from onepass.hub import Checkpoint, locate
from onepass.hub.exports import PLACES
from onepass.models.convert import convert_checkpoint
from onepass.models.export import export_checkpoint
from onepass.models.restored_weights import with_weights

SCHEMA = {"entities": ["person", "company"], "classifications": {"tone": ["calm", "angry"]}}
TEXT = "Tim Cook runs Apple in Paris."


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module", params=["count_lstm", "count_lstm_v2", "ours"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with weights and, for each precision, graphs that say where they are."""
    directory = tmp_path_factory.mktemp("whole")
    if request.param == "ours":
        make_tiny_checkpoint(directory, shapes=True, reranker=True)
    else:
        make_tiny_checkpoint(directory, counting_layer=request.param)
    for precision in ("fp32", "int8"):
        export_checkpoint(locate(directory), precision=precision, places=True)
    return directory


def graphs_alone(whole: Path, target: Path, precision: str) -> Checkpoint:
    other = {"fp32": "int8", "int8": "fp32"}[precision]
    shutil.copytree(whole, target, ignore=shutil.ignore_patterns("model.safetensors", other))
    return locate(target)


@pytest.mark.parametrize(("precision", "error"), [("fp32", 1e-6), ("int8", 1 / 200)])
def test_weights_are_those_of_the_graphs(
    whole: Path, cache: Path, tmp_path: Path, precision: str, error: float
) -> None:
    found = with_weights(graphs_alone(whole, tmp_path / "alone", precision))
    assert found.has_weights
    assert found.directory.parent == cache / "restored"
    assert with_weights(found) is found
    before, after = (load_file(d / "model.safetensors") for d in (whole, found.directory))
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        if "pooler" in name:  # nothing is computed with it
            continue
        if "token_type" in name and len(tensor) == 2:  # its first row alone is in the graphs
            continue
        assert (after[name] - tensor).abs().max() <= error * tensor.abs().max(), name


def test_weights_that_were_damaged_in_the_cache_are_read_back_anew(
    whole: Path, cache: Path, tmp_path: Path
) -> None:
    alone = graphs_alone(whole, tmp_path / "alone", "fp32")
    made = with_weights(alone).directory / "model.safetensors"
    before = made.read_bytes()
    made.write_bytes(before[: len(before) // 2])
    assert with_weights(alone).directory == made.parent
    assert made.read_bytes() == before


def test_torch_gives_what_the_graphs_give(whole: Path, cache: Path, tmp_path: Path) -> None:
    alone = graphs_alone(whole, tmp_path / "alone", "fp32").directory
    first, second = (
        Extractor.from_pretrained(alone, backend=backend).extract(TEXT, SCHEMA, threshold=0.0)
        for backend in ("onnx", "torch")
    )
    assert [e.text for e in first.entities] == [e.text for e in second.entities]
    scores = [[e.score for e in found.entities] for found in (first, second)]
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_graphs_that_do_not_say_where_weights_are(tmp_path: Path, cache: Path) -> None:
    make_tiny_checkpoint(tmp_path / "plain")
    export_checkpoint(locate(tmp_path / "plain"))
    (tmp_path / "plain" / "model.safetensors").unlink()
    plain = locate(tmp_path / "plain")
    assert with_weights(plain) is plain
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors"):
        Extractor.from_pretrained(plain.directory, backend="torch")


def test_what_is_computed_from_several_weights_is_refused(tmp_path: Path, cache: Path) -> None:
    make_tiny_checkpoint(tmp_path / "deberta", backbone="deberta-v2")
    with pytest.raises(BackendError, match="is not found in the weights of the network"):
        export_checkpoint(locate(tmp_path / "deberta"), places=True)
    assert not (tmp_path / "deberta" / "onnx" / "fp32").exists()


def test_graphs_of_another_configuration(whole: Path, cache: Path, tmp_path: Path) -> None:
    alone = graphs_alone(whole, tmp_path / "alone", "int8")
    with_weights(alone)  # what is in the cache is of the state before
    path = alone.directory / "encoder_config" / "config.json"
    path.write_text(path.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(CheckpointError, match="are not those of"):
        with_weights(alone)


def test_the_built_in_model_is_written_for_the_reference_library(
    cache: Path, tmp_path: Path
) -> None:
    from gliner2 import GLiNER2

    text, labels = "Marie Curie was born in Warsaw.", ["person", "city"]
    directory = convert_checkpoint(builtin_checkpoint(), tmp_path / "written")
    theirs = GLiNER2.from_pretrained(str(directory)).extract_entities(text, labels)
    ours = Extractor.from_pretrained(directory, backend="torch").extract(text, {"entities": labels})
    assert theirs == {"entities": {"person": ["Marie Curie"], "city": ["Warsaw"]}}
    assert [(e.label, e.text) for e in ours.entities] == [
        ("person", "Marie Curie"),
        ("city", "Warsaw"),
    ]


def test_settings_that_changed_are_those_that_count(
    whole: Path, cache: Path, tmp_path: Path
) -> None:
    alone = graphs_alone(whole, tmp_path / "alone", "int8")
    first = with_weights(alone).directory
    (alone.directory / "onepass.json").write_text('{"thresholds": {"entities": 0.4}}')
    second = with_weights(alone).directory
    assert not (first / "onepass.json").exists()
    assert (second / "onepass.json").read_text() == '{"thresholds": {"entities": 0.4}}'


def test_a_family_whose_graphs_do_not_say(tmp_path: Path, cache: Path) -> None:
    make_reference(tmp_path / "span", **KINDS["span"])
    with pytest.raises(BackendError, match="is a gliner checkpoint, whose weights cannot be read"):
        export_checkpoint(locate(tmp_path / "span"), places=True)


def test_the_built_in_model_has_no_revisions() -> None:
    with pytest.raises(InputError, match="'builtin' comes with onepass; leave it out"):
        Extractor.from_pretrained("builtin", revision="main")


def test_the_built_in_model_goes_by_its_name() -> None:
    named, plain = Extractor.from_pretrained("builtin"), Extractor()
    assert repr(named) == repr(plain)
    assert named.extract(TEXT, SCHEMA) == plain.extract(TEXT, SCHEMA)


def test_the_built_in_model_runs_in_torch(cache: Path) -> None:
    for text in (TEXT, "Order 7: two lamps at $9 each for Ann Lee, sent to Rome on 3 May."):
        schema = {"entities": ["person", "city", "price", "date"]}
        first, second = (
            Extractor(backend=backend).extract(text, schema, threshold=0.5)
            for backend in ("onnx", "torch")
        )
        assert [(e.label, e.text) for e in first.entities] == [
            (e.label, e.text) for e in second.entities
        ]
    assert (builtin_checkpoint().directory / "onnx" / "int8" / PLACES).is_file()
