"""Streaming checkpoints: their prompt, their label vectors, and what they leave to a base model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gliner_checkpoints import KINDS, LABELS, TEXTS, decoder_config, make_reference
from tests.models.gliner.conftest import Case

from onepass import Extractor, Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, InputError
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.complete import complete
from onepass.models.gliner.complete import lacks
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.family import GLINER, Settings
from onepass.models.gliner.plan import plan_prompts
from onepass.models.gliner.text import read_text, read_window
from onepass.models.inspect import inspect_checkpoint
from onepass.models.labels import LabelVectors
from onepass.text.windows import Window

STREAMING: dict[str, Any] = {"model_type": "gliner_streaming_span"}


def pieces(case: Case, schema: Schema, text: str = "Paris") -> list[list[str]]:
    """Return the pieces of every sequence in which something is asked of a text."""
    tokenizer = PieceTokenizer(case.directory / "tokenizer.json")
    config = case.network.config
    words = read_text(text, tokenizer, max_word_pieces=20)
    names = tokenizer._tokenizer.id_to_token
    found = []
    for prompt in plan_prompts(schema, tokenizer, config, 100):
        reading = read_window(prompt, words, Window(0, len(words.lengths)))
        found.append([names(int(i)) for i in np.concatenate([prompt.ids, reading.ids])])
    return found


def test_labels_stand_in_front_of_their_markers_and_nothing_around(
    case_of: Callable[[str], Case],
) -> None:
    schema = Schema().entities(["person", "place"]).ask({"who": "Tim"})
    first, second = pieces(case_of("streaming"), schema)
    assert first == ["person", "<<LABEL>>", "place", "<<LABEL>>", "<<SEP>>", "paris"]
    marker = second.index("<<LABEL>>")
    assert "".join(second[:marker]).replace("##", "") == "answer"
    assert (second[marker + 1], second[-2:]) == ("<<SEP>>", ["tim", "paris"])


def test_prompts_are_those_of_the_reference(case_of: Callable[[str], Case]) -> None:
    for name in ("streaming", "streaming-words"):
        case = case_of(name)
        (ours,) = pieces(case, Schema().entities(list(LABELS)), TEXTS[0])
        processor = case.model.data_processor
        words = [TEXTS[0].split()]
        theirs = processor.tokenize_inputs(words, list(LABELS))["input_ids"][0]
        assert ours == processor.transformer_tokenizer.convert_ids_to_tokens(theirs.tolist())


class Counting:
    """A backend that notes which graphs it ran."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.ran = inner, list[str]()

    def run(self, graph: str, arrays: Mapping[str, Any]) -> Any:
        self.ran.append(graph)
        return self.inner.run(graph, arrays)


def test_vectors_of_labels_are_made_once(case_of: Callable[[str], Case]) -> None:
    """A prompt is read once, and so are two that are the same; every text has its vectors."""
    case = case_of("streaming")
    config = case.network.config
    tokenizer = PieceTokenizer(case.directory / "tokenizer.json")
    schema = Schema().entities(["person", "place"]).classification("tone", ["calm", "angry"])
    schema.classification("size", ["big", "small"])  # both ask for a match
    backend = Counting(Extractor.from_pretrained(case.directory, backend="torch")._reader.backend)
    prompts = plan_prompts(schema, tokenizer, config, 100)
    ready = GLINER.prepare(prompts, Settings(config, None, None), backend, None)
    assert len(ready) == 3
    assert backend.ran == ["encode", "read_prompt", "queries"] * 2
    entities, tone, size = ready
    assert (entities.vectors.shape, tone.vectors.shape) == ((2, 24), (1, 24))
    assert tone.vectors is size.vectors
    assert tone.queries is size.queries


def test_a_label_is_changed_by_those_in_front_of_it(case_of: Callable[[str], Case]) -> None:
    model = Extractor.from_pretrained(case_of("streaming").directory, backend="torch")

    def person(*labels: str) -> list[float]:
        schema = Schema().entities(list(labels))
        doc = model.extract(TEXTS[0], schema, threshold=0.0, overlap="all")
        return [e.score for e in doc.entities if e.label == "person"]

    assert len(person("person")) > 10
    assert person("person", "place") != pytest.approx(person("person"), abs=1e-3)


def test_labels_have_no_vectors_of_their_own(case_of: Callable[[str], Case]) -> None:
    model = Extractor.from_pretrained(case_of("streaming").directory, backend="torch")
    with pytest.raises(InputError, match="A StreamingSpan checkpoint has no label encoder"):
        model.encode_labels(["person"])
    vectors = LabelVectors(("person",), ("person",), np.zeros((1, 24), dtype=np.float32), None)
    with pytest.raises(InputError, match="a StreamingSpan checkpoint reads its labels together"):
        model.extract("Tim", labels=vectors)


# -- configurations ------------------------------------------------------------------------------


def test_what_it_says_and_what_it_leaves_out() -> None:
    config = GlinerConfig.from_dict(STREAMING | {"hidden_size": 128, "dropout": 0.2})
    assert config.architecture == "StreamingSpan"
    assert (config.span_mode, config.rnn_layers, config.embed_token) == ("markerV2", 0, True)
    assert (config.special_tokens, config.encoder_key) == (
        ("<<LABEL>>", "<<SEP>>"), "decoder_config",
    )  # fmt: skip
    assert config.encoder is None
    assert config.streaming is not None
    labels = config.streaming.labels
    assert (labels["model_type"], labels["num_hidden_layers"]) == ("deberta-v2", 2)
    assert (labels["hidden_size"], labels["num_attention_heads"]) == (128, 2)
    assert labels["hidden_dropout_prob"] == 0.2


def test_old_names_of_the_decoder() -> None:
    old = {"labels_decoder": "gpt2", "labels_decoder_config": {"n_embd": 12}}
    config = GlinerConfig.from_dict(STREAMING | old)
    assert config.backbone == "gpt2"
    assert config.encoder == {"model_type": "gpt2", "n_embd": 12}
    assert config.decoder is None
    named = GlinerConfig.from_dict(STREAMING | old | {"model_name": "mine"})
    assert named.backbone == "mine"


def test_parts_that_it_never_has_are_not_read() -> None:
    other: dict[str, Any] = {
        "labels_encoder": "bge",
        "relations_layer": "dot",
        "post_fusion_schema": "l2l",
    }
    other |= {"fuse_layers": True, "embed_ent_token": False, "represent_spans": True}
    config = GlinerConfig.from_dict(STREAMING | other)
    assert (config.bi_encoder, config.relations, config.fusion) == (False, None, ())
    assert (config.fuse_layers, config.embed_token, config.represent_spans) == (False, True, False)
    assert config.raw == STREAMING | other


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"span_mode": "token_level"}, "span_mode 'token_level' of this GLiNER checkpoint is not"),
        ({"labels_encoder_config": {"model_type": "bert"}}, "model_type 'bert' of the labels_enc"),
        ({"decoder_config": 3}, "decoder_config of this GLiNER checkpoint"),
        ({"label_token": 3}, "label_token of this GLiNER checkpoint"),
        ({"precomputed_prompts_mode": True, "id_to_classes": {"1": "a"}}, "This StreamingSpan"),
    ],
)
def test_wrong_values_are_refused(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        GlinerConfig.from_dict({**STREAMING, **change})
    assert "\n" not in str(caught.value)


def test_an_encoder_is_no_decoder(case_of: Callable[[str], Case], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(case_of("streaming").directory, tmp_path / "copy"))
    path = directory / "gliner_config.json"
    path.write_text(json.dumps(read_json(path) | {"decoder_config": {"model_type": "bert"}}))
    with pytest.raises(CheckpointError, match="The decoder 'bert' reads in both directions"):
        Extractor.from_pretrained(directory, backend="torch")


def test_its_parts_are_told(case_of: Callable[[str], Case]) -> None:
    found = inspect_checkpoint(locate(case_of("streaming-context").directory))
    assert found.architecture == "StreamingSpan"
    assert not found.problems
    names = [part.name for part in found.parts]
    assert names == [
        "text encoder", "prompt encoder", "context encoder", "span layer", "label layer",
    ]  # fmt: skip


# -- what is left to a base model ----------------------------------------------------------------


def test_what_it_lacks_comes_from_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gliner import GLiNER

    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    reference = make_reference(tmp_path / "old", **KINDS["streaming"])
    base, old = tmp_path / "old-base", tmp_path / "old"
    (base / "config.json").write_text(json.dumps(decoder_config("gpt2", 24)))
    for path in old.glob("tokenizer*"):
        path.unlink()
    config = read_json(old / "gliner_config.json")
    index = {"class_token_index": -1, "sep_token_index": -1, "vocab_size": -1}
    config |= {"decoder_config": None} | index
    (old / "gliner_config.json").write_text(json.dumps(config))
    assert [one.part for one in lacks(locate(old))] == ["tokenizer.json", "decoder_config"]
    whole = complete(locate(old), GLINER).directory
    said = read_json(whole / "gliner_config.json")
    assert (said["class_token_index"], said["sep_token_index"], said["vocab_size"]) == (
        reference.config.class_token_index, reference.config.sep_token_index, 141,
    )  # fmt: skip
    assert said["decoder_config"]["vocab_size"] == 141
    loaded = GLiNER.from_pretrained(str(whole), local_files_only=True)
    asked = list(TEXTS), list(LABELS)
    expected = reference.eval().inference(*asked, threshold=0.3)
    assert loaded.eval().inference(*asked, threshold=0.3) == expected
    assert any(expected)
