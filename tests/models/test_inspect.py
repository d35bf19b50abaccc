"""What is said of a checkpoint without loading it, whole or broken."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from tests.embedding_checkpoints import make_embedding
from tests.gliclass_checkpoints import write_checkpoint as write_gliclass
from tests.gliner_checkpoints import KINDS, make_reference
from tests.legacy import make_base, make_legacy, pieces_of
from tests.nli_checkpoints import make_nli
from tests.test_imports import BLOCK
from tests.tiny import make_tiny_checkpoint

from onepass.errors import CheckpointError
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.complete import complete
from onepass.models.export import export_checkpoint
from onepass.models.gliner.family import GLINER
from onepass.models.inspect import Inspection, inspect_checkpoint
from onepass.text.splitters import SPLITTERS


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make_tiny_checkpoint(tmp_path / "tiny")


def look(directory: Path) -> Inspection:
    return inspect_checkpoint(locate(directory))


def parts(found: Inspection) -> list[str]:
    return [part.name for part in found.parts]


def test_thresholds_of_labels(tiny: Path) -> None:
    (tiny / "onepass.json").write_text('{"labels": {"person": 0.3}}')
    assert look(tiny).label_thresholds == {"person": 0.3}
    (tiny / "onepass.json").write_text('{"labels": {"person": 3}}')
    found = look(tiny)
    assert (found.label_thresholds, len(found.problems)) == ({}, 1)


def test_gliner2(tiny: Path) -> None:
    found = look(tiny)
    assert found.architecture == "span, count_lstm_v2"
    assert parts(found) == ["encoder", "span head", "classifier", "count head", "counting layer"]
    assert found.parts[0].encoder == "bert, layers 2, hidden 32"
    weights = load_file(tiny / "model.safetensors").values()
    assert found.parameters == sum(tensor.numel() for tensor in weights)
    assert sum(part.size_bytes for part in found.parts) == 4 * found.parameters
    assert (found.dtypes, found.width) == (("F32",), 4)
    assert (found.pieces, found.words) == (512, None)
    assert found.tokens["[E]"] == found.tokens["[C]"] + 1
    assert (found.lacks, found.problems, found.graphs) == ((), (), ())


PARTS = {
    "span-projected": ["text encoder", "projection", "LSTM", "span layer", "label layer"],
    "span-no-lstm": ["text encoder", "span layer", "label layer"],
    "span-fused-layers": [
        "layer fuser", "text encoder", "projection", "LSTM", "span layer", "label layer",
    ],
    "token-spans": ["text encoder", "LSTM", "span layer", "token scorer"],
    "poly-token": [
        "text encoder", "label encoder", "projection of labels", "LSTM", "fusion", "token scorer",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", PARTS)
def test_gliner(tmp_path: Path, kind: str) -> None:
    make_reference(tmp_path / "made", **KINDS[kind])
    found = look(tmp_path / "made")
    assert parts(found) == PARTS[kind]
    assert (found.lacks, found.problems) == ((), ())
    tokens = "token" in kind
    assert (
        found.architecture
        == f"{'Bi' if 'poly' in kind else 'Uni'}Encoder{('Span', 'Token')[tokens]}"
    )
    assert found.width == (None if tokens else 4)
    assert found.words == 384
    saved = read_json(tmp_path / "made" / "gliner_config.json")
    if "poly" not in kind:
        assert found.tokens["<<ENT>>"] == saved["class_token_index"]


def test_an_old_checkpoint_says_what_it_lacks_and_from_where(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    old = make_legacy(tmp_path / "old", str(base), pieces_of(base) + 3)
    found = look(old)
    assert found.lacks == (
        f"tokenizer.json, taken from {base}", f"encoder_config, taken from {base}",
    )  # fmt: skip
    assert (dict(found.tokens), found.pieces, found.words) == ({}, None, 384)
    complete(locate(old), GLINER)  # now more is known
    again = look(old)
    assert again.lacks == found.lacks
    assert again.tokens == {"<<ENT>>": pieces_of(base) + 1, "<<SEP>>": pieces_of(base) + 2}
    assert again.pieces == 512


def test_a_pickle_names_the_way_out(tiny: Path) -> None:
    (tiny / "model.safetensors").rename(tiny / "pytorch_model.bin")
    found = look(tiny)
    assert found.parts == ()
    assert len(found.problems) == 1
    assert f"onepass export --safetensors {tiny} -o DIR" in found.problems[0]


def test_graphs(tiny: Path) -> None:
    written = export_checkpoint(locate(tiny))
    assert [(one.precision, one.path, one.problem) for one in look(tiny).graphs] == [
        ("fp32", written, None)
    ]
    (tiny / "model.safetensors").rename(tiny / "elsewhere")  # graphs are enough
    assert look(tiny).problems == ()
    (tiny / "elsewhere").rename(tiny / "model.safetensors")
    (written / "encode.onnx").unlink()
    assert look(tiny).graphs[0].problem == "it lacks the graph encode"
    weights = load_file(tiny / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, tiny / "model.safetensors")
    assert "was exported from other weights" in str(look(tiny).graphs[0].problem)


def test_thresholds(tiny: Path) -> None:
    own = {"thresholds": {"entities": 0.3}, "calibration": {"entities": {"scale": 2.0}}}
    (tiny / "onepass.json").write_text(json.dumps(own))
    found = look(tiny)
    assert found.thresholds == {"entities": 0.3}
    assert found.calibration["entities"].scale == 2.0


def test_several_files_and_half_precision(tiny: Path) -> None:
    weights = load_file(tiny / "model.safetensors")
    (tiny / "model.safetensors").unlink()
    names = {}
    for i, name in enumerate(weights):
        file = f"model-{i % 2}.safetensors"
        names[name] = file
    for file in set(names.values()):
        save_file({n: weights[n].half() for n, f in names.items() if f == file}, tiny / file)
    (tiny / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    found = look(tiny)
    assert found.dtypes == ("F16",)
    assert sum(part.size_bytes for part in found.parts) == 2 * found.parameters
    (tiny / "model-1.safetensors").unlink()
    assert "'model-1.safetensors', which is not beside it" in look(tiny).problems[0]


def test_weights_that_are_missing_or_unknown(tmp_path: Path) -> None:
    make_reference(tmp_path / "made", **KINDS["span"])
    path = tmp_path / "made" / "model.safetensors"
    weights = {name: w for name, w in load_file(path).items() if not name.startswith("rnn.")}
    save_file(weights | {"extra.layer.weight": weights["prompt_rep_layer.0.bias"] + 1}, path)
    found = look(tmp_path / "made")
    assert parts(found)[-1] == "extra"
    assert found.problems == (
        "There are no weights of the LSTM.", "No part is known for the weights of extra.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"class_token_index": 7},
            "The tokenizer has '<<ENT>>' at 140, but the configuration at 7",
        ),
        (
            {"model_type": "gliner_streaming_span"},
            "There are no weights of the prompt encoder",
        ),
        (
            {"span_encoder_config": {"model_type": "rnn"}},
            "There are no weights of the context encoder",
        ),
        ({"span_mode": "wavelet"}, "span_mode 'wavelet' of this GLiNER checkpoint"),
    ],
)
def test_a_configuration_that_is_not_right(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    make_reference(tmp_path / "made", **KINDS["span"])
    path = tmp_path / "made" / "gliner_config.json"
    path.write_text(json.dumps(read_json(path) | change))
    assert any(said in problem for problem in look(tmp_path / "made").problems)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.safetensors", "cut", "is not a readable safetensors file"),
        ("tokenizer.json", "cut", "is not a readable tokenizer file"),
        ("onepass.json", "[]", "must hold a JSON object"),
        ("encoder_config/config.json", "[]", "must hold a JSON object"),
    ],
)
def test_a_broken_file_is_a_problem(tiny: Path, name: str, content: str, said: str) -> None:
    (tiny / name).write_text(content)
    found = look(tiny)
    assert any(said in problem for problem in found.problems)
    assert "\n" not in "".join(found.problems)


def _make_gliclass(directory: Path) -> None:
    directory.mkdir()
    write_gliclass(directory)


def _make_poly(directory: Path) -> None:
    make_reference(directory, **KINDS["poly-token"])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make_nli, "tokenizer.json"),
        (make_embedding, "tokenizer.json"),
        (_make_poly, "labels_tokenizer/tokenizer.json"),
    ],
)
def test_every_tokenizer_is_read(tmp_path: Path, make: Callable[[Path], object], name: str) -> None:
    make(tmp_path / "made")
    assert look(tmp_path / "made").problems == ()
    (tmp_path / "made" / name).write_text("cut")
    problems = look(tmp_path / "made").problems
    assert [f"{name} is not a readable tokenizer file" in one for one in problems] == [True]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "config.json",
            {"span_head": "x"},
            "span_head of this GLiNER2 checkpoint must be an",
        ),
        ("config.json", {"span_head": None, "max_width": None}, "max_width of this GLiNER2"),
        ("config.json", {"word_shapes": "false"}, "word_shapes of this GLiNER2 checkpoint must be"),
        (
            "config.json",
            {"word_shapes": True},
            "with a type_vocab_size of 36",
        ),
        (
            "encoder_config/config.json",
            {"num_hidden_layers": None},
            "num_hidden_layers of the",
        ),
        ("encoder_config/config.json", {"hidden_size": 0}, "hidden_size of the encoder must be"),
        ("encoder_config/config.json", {"max_position_embeddings": "x"}, "max_position_embeddings"),
    ],
)
def test_a_wrong_value_is_a_problem(
    tiny: Path, name: str, change: dict[str, Any], said: str
) -> None:
    (tiny / name).write_text(json.dumps(read_json(tiny / name) | change))
    assert [said in problem for problem in look(tiny).problems] == [True]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (make_tiny_checkpoint, ("encoder_config/config.json", "tokenizer.json")),
        (make_nli, ("tokenizer.json",)),
        (make_embedding, ("tokenizer.json",)),
        (_make_gliclass, ("tokenizer.json",)),
    ],
)
def test_a_file_that_no_base_model_has_is_a_problem(
    tmp_path: Path, make: Callable[[Path], object], names: tuple[str, ...]
) -> None:
    make(tmp_path / "made")
    assert look(tmp_path / "made").problems == ()
    for name in names:
        (tmp_path / "made" / name).unlink()
    found = look(tmp_path / "made")
    assert found.lacks == ()
    assert found.problems == tuple(
        f"The checkpoint {tmp_path / 'made'} has no {name}; copy the file there, or download it "
        "again."
        for name in names
    )


def test_dense_layers_are_parts(tmp_path: Path) -> None:
    make_embedding(tmp_path / "made", "two-dense")
    found = look(tmp_path / "made")
    assert parts(found) == ["encoder", "dense layer 2_Dense", "dense layer 3_Dense"]
    sizes = load_file(tmp_path / "made" / "2_Dense" / "model.safetensors").values()
    assert found.parts[1].parameters == sum(tensor.numel() for tensor in sizes)
    assert found.problems == ()
    (tmp_path / "made" / "2_Dense" / "model.safetensors").unlink()
    assert look(tmp_path / "made").problems == (
        "There are no weights of the dense layer 2_Dense.",
    )  # fmt: skip


def test_what_cannot_be_run_yet(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "GLiClass", "architecture_type": "tri-encoder"}'
    )
    found = look(tmp_path)
    assert (found.checkpoint.kind, found.architecture) == ("gliclass", "tri-encoder")
    assert "architecture_type 'tri-encoder'" in found.problems[0]
    (tmp_path / "config.json").write_text('{"model_type": "extractor", "architecture": "new"}')
    other = look(tmp_path)
    assert other.architecture == "new"
    assert "'new', which is not supported yet" in other.problems[0]


def test_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="is of no known kind"):
        look(tmp_path)


def test_it_needs_no_torch(tiny: Path) -> None:
    script = f"""
from onepass.hub import locate
from onepass.models.inspect import inspect_checkpoint
print(inspect_checkpoint(locate({str(tiny)!r})).problems)
"""
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "()\n"


def test_the_splitter_of_words(tiny: Path) -> None:
    assert look(tiny).splitter is None
    (tiny / "onepass.json").write_text('{"word_splitter": "script"}')
    assert (look(tiny).splitter, look(tiny).problems) == ("script", ())
    (tiny / "onepass.json").write_text('{"word_splitter": "moses"}')
    found = look(tiny)
    assert (found.splitter, len(found.problems)) == (None, 1)
    assert found.problems[0].startswith(f"The word_splitter 'moses' in {tiny}/onepass.json")


def test_a_splitter_without_its_library(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPLITTERS, "jieba", replace(SPLITTERS["jieba"], modules=("not_there",)))
    (tiny / "onepass.json").write_text('{"word_splitter": "jieba"}')
    assert (look(tiny).splitter, look(tiny).problems) == (
        "jieba",
        ("The word splitter 'jieba' needs the extra 'jieba': run  pip install 'onepass[jieba]'",),
    )
