"""What is known of a checkpoint before any of its weights is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from tests.gliclass_checkpoints import make_reference, save_reference
from tests.models.gliclass.made import MARKERS, raw, tokenizer, write

from onepass.errors import CheckpointError
from onepass.hub import locate
from onepass.models.facts import Facts
from onepass.models.gliclass.facts import gliclass_facts
from onepass.models.inspect import inspect_checkpoint

CASES: dict[str, dict[str, Any]] = {
    "uni": {"scorer_type": "mlp", "use_lstm": True, "use_segment_embeddings": True},
    "plain": {},
    "bi": {"architecture_type": "bi-encoder", "use_segment_embeddings": True},
    "fused": {"architecture_type": "bi-encoder-fused", "scorer_type": "weighted-dot"},
    "two": {"architecture_type": "encoder-decoder", "encoder": "t5", "use_lstm": True},
    "cls": {"architecture_type": "encoder-decoder-cls", "encoder": "t5"},
    "squeezed": {"squeeze_layers": True},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def save(name: str) -> Path:
        options = {"encoder": "bert", **CASES[name]}
        return save_reference(make_reference(**options), tmp_path_factory.mktemp(name))

    return save


@pytest.mark.parametrize("name", CASES)
def test_parts_are_those_of_the_reference(saved: Callable[[str], Path], name: str) -> None:
    directory = saved(name)
    facts = gliclass_facts(locate(directory))
    parts = {facts.part_of(weight) for weight in load_file(directory / "model.safetensors")}
    assert parts <= set(facts.parts.values())
    assert set(facts.expected) <= parts
    optional = {"LSTM", "segment embeddings", "layer mixer", "logit scale"}
    assert parts - set(facts.expected) <= optional
    assert ("layer mixer" in parts) == (name == "squeezed")
    assert facts.graphs[-1] == "classify"


def facts(directory: Path, **options: Any) -> Facts:
    return gliclass_facts(locate(write(directory, raw(**options))))


def test_a_uni_encoder(tmp_path: Path) -> None:
    found = facts(tmp_path, class_token_index=7, scorer_type="mlp", pooling_strategy="avg")
    assert found.architecture == "uni-encoder, text first, avg pool, mlp scorer"
    assert found.tokens == MARKERS
    assert found.token_ids == {"<<LABEL>>": 7}
    assert (found.pieces, found.words, found.width, found.lacks) == (160, None, None, ())
    assert found.encoders["encoder"][0] == "text"


def test_a_bi_encoder_says_what_it_leaves_to_its_base(tmp_path: Path) -> None:
    found = facts(tmp_path, architecture_type="bi-encoder")
    assert found.encoders["label encoder"][0] == "labels"
    assert found.lacks == ("label_tokenizer/tokenizer.json, taken from labels",)
    (tmp_path / "label_tokenizer").mkdir()
    tokenizer("wordpiece").save(str(tmp_path / "label_tokenizer" / "tokenizer.json"))
    assert gliclass_facts(locate(tmp_path)).lacks == ()


@pytest.mark.parametrize(
    ("architecture", "markers", "missing"),
    [
        ("uni-encoder", MARKERS[:2], ()),  # as the first generations have it
        ("uni-encoder", MARKERS[1:], MARKERS[:1]),
        ("bi-encoder-fused", (), MARKERS[:2]),
        ("bi-encoder", (), ()),
    ],
)
def test_only_markers_that_are_needed_are_missed(
    tmp_path: Path, architecture: str, markers: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    write(tmp_path, raw(architecture_type=architecture))
    tokenizer("wordpiece", markers).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "label_tokenizer").mkdir()
    tokenizer("wordpiece", ()).save(str(tmp_path / "label_tokenizer" / "tokenizer.json"))
    problems = [one for one in inspect_checkpoint(locate(tmp_path)).problems if "token '" in one]
    assert problems == [f"The tokenizer has no token {marker!r}." for marker in missing]


@pytest.mark.parametrize("architecture", ["bi-encoder", "bi-encoder-fused"])
def test_a_broken_label_tokenizer_is_a_problem(tmp_path: Path, architecture: str) -> None:
    write(tmp_path, raw(architecture_type=architecture))
    (tmp_path / "label_tokenizer").mkdir()
    (tmp_path / "label_tokenizer" / "tokenizer.json").write_text("cut")
    problems = inspect_checkpoint(locate(tmp_path)).problems
    said = "label_tokenizer/tokenizer.json is not a readable tokenizer file"
    assert [one for one in problems if said in one]


def test_a_decoder_says_how_often_it_reads_labels(tmp_path: Path) -> None:
    given = {"architecture_type": "decoder-kv", "sep_token_index": 9}
    found = facts(tmp_path / "once", **given)
    assert found.architecture == "decoder-kv, text first, labels read once"
    assert (found.expected, list(found.encoders)) == (("decoder", "scorer"), ["decoder"])
    assert found.token_ids["<<SEP>>"] == 9
    again = facts(tmp_path / "again", **given, recurrent_steps=3)
    assert again.architecture == "decoder-kv, text first, labels read up to 3 times"
    trained = facts(tmp_path / "trained", **given, recurrent_steps=3, recurrent_inference=False)
    assert trained.architecture == "decoder-kv, text first, labels read once"
    seeing = facts(tmp_path / "seeing", **given, multimodal=True)
    assert seeing.architecture.endswith("labels read once, images and sound left out")
    assert seeing.part_of("model.decoder_model.visual.merger.norm.weight") == "media encoders"
    assert seeing.part_of("model.decoder_model.language_model.norm.weight") == "decoder"


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="architecture_type 'tri-encoder'"):
        facts(tmp_path, architecture_type="tri-encoder")
