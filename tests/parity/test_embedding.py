"""Our vectors of random sentence encoders, and cosines, are those of sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")

from onepass import Extractor, Schema
from tests.embedding_checkpoints import KINDS, make_embedding
from tests.nli_checkpoints import edit_json
from tests.parity.opened import Models

TOLERANCE = 1e-5
SCALE = 3.0  # with 20 the sigmoids of these checkpoints are all 1
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "The price isn't 9 red, blue and green things! Tim works for (Apple) in Rome; Cook in Paris?",
    "it costs 9.5 , qx-zt !",
    "  Tim\n\n  \u6771\u4eac e\u0301 \U0001f469\u200d\U0001f52c",
    ".",
    "",
]
LABELS = ["sports", "not about art", "Paris", "green colors"]
Case = tuple[Any, Models]


@pytest.fixture(autouse=True, scope="module")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Case]:
    """Make a checkpoint once: the model of sentence-transformers, and ours."""
    root: Path = tmp_path_factory.mktemp("embedding")

    @cache
    def make(kind: str, prompt: str = "") -> Case:
        directory = root / f"{kind}-{len(prompt)}"
        options: dict[str, Any] = {}
        if prompt:
            options = {"prompts": {"own": prompt}, "default_prompt_name": "own"}
        theirs = make_embedding(directory, kind, **options)
        edit_json(directory / "onepass.json", scale=SCALE)
        return theirs, Models(directory)

    return make


def expected(texts: Any, labels: Any, *, multi_label: bool) -> Any:
    """Return (texts, labels) scores by an independent formula."""
    texts, labels = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (texts, labels))
    logits = SCALE * texts.astype(np.float64) @ labels.T.astype(np.float64)
    if multi_label:
        return 1 / (1 + np.exp(-logits))
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def scores(model: Extractor, texts: list[str], schema: Schema, labels: list[str]) -> Any:
    docs = model.extract(texts, schema)
    return np.array([[doc.classifications["t"].scores[one] for one in labels] for doc in docs])


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_pooling_and_every_layer(
    kind: str, backend: str, opened: Callable[..., Case]
) -> None:
    theirs, models = opened(kind)
    model = models[backend]
    vectors = theirs.encode(LABELS)
    np.testing.assert_allclose(model.encode_labels(LABELS).vectors, vectors, atol=TOLERANCE, rtol=0)
    for multi_label in (False, True):
        schema = Schema().classification("t", LABELS, multi_label=multi_label)
        wanted = expected(theirs.encode(TEXTS), vectors, multi_label=multi_label)
        got = scores(model, TEXTS, schema, LABELS)
        np.testing.assert_allclose(got, wanted, atol=TOLERANCE, rtol=0)
        assert wanted.std(0).max() > 1e-3  # the texts do play a part
        alone = np.concatenate([scores(model, [text], schema, LABELS) for text in TEXTS])
        np.testing.assert_allclose(alone, wanted, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("prompt", ["query: ", "in red "])
@pytest.mark.parametrize("kind", ["mean", "max", "mean-sqrt"])  # one of each sort of tokenizer
def test_a_prompt_of_the_checkpoint(kind: str, prompt: str, opened: Callable[..., Case]) -> None:
    theirs, models = opened(kind, prompt)
    vectors = theirs.encode(LABELS)
    assert abs(vectors - theirs.encode(LABELS, prompt="")).max() > 0.01
    np.testing.assert_allclose(
        models["torch"].encode_labels(LABELS).vectors, vectors, atol=TOLERANCE, rtol=0
    )
    schema = Schema().classification("t", LABELS)
    wanted = expected(theirs.encode(TEXTS[:-1]), vectors, multi_label=False)
    got = scores(models["torch"], TEXTS[:-1], schema, LABELS)
    np.testing.assert_allclose(got, wanted, atol=TOLERANCE, rtol=0)


def test_old_files_say_the_same(tmp_path: Path) -> None:
    """Flags of poolings and the length in a file of its own, as published ones have them."""
    directory = tmp_path / "old"
    theirs = make_embedding(directory, "joined")
    flags = {
        f"pooling_mode_{name}": name in ("cls_token", "max_tokens", "mean_tokens")
        for name in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "lasttoken")
    }
    (directory / "1_Pooling" / "config.json").write_text("{}")
    edit_json(directory / "1_Pooling" / "config.json", word_embedding_dimension=24, **flags)
    edit_json(directory / "sentence_bert_config.json", max_seq_length=40, do_lower_case=False)
    model = Extractor.from_pretrained(directory, backend="torch")
    assert model.max_pieces == 40
    vectors = model.encode_labels(LABELS).vectors
    np.testing.assert_allclose(vectors, theirs.encode(LABELS), atol=TOLERANCE, rtol=0)


def test_a_long_text_cut_is_what_they_read(opened: Callable[..., Case]) -> None:
    theirs, models = opened("mean")
    text = "red green blue apple " * 60
    schema = Schema().classification("t", LABELS)
    doc = models["torch"].extract(text, schema, on_long="truncate")
    assert doc.coverage.truncated
    wanted = expected(theirs.encode([text]), theirs.encode(LABELS), multi_label=False)
    got = [[doc.classifications["t"].scores[one] for one in LABELS]]
    np.testing.assert_allclose(got, wanted, atol=TOLERANCE, rtol=0)
    assert models["torch"].extract(text, schema).coverage.windows > 1
