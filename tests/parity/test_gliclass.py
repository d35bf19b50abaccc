"""GLiClass checkpoints against gliclass 0.1.21: the same scores from the same strings.

The reference library is given one text at a time, since its pools read padding; the differences
that are meant are named one by one below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from onepass import Extractor, Schema
from onepass.errors import SchemaError
from tests.gliclass_checkpoints import AGAIN, DECODER, write_checkpoint

PAIRS = (("bert", "wordpiece"), ("deberta-v2", "unigram"), ("modernbert", "byte pairs"))
LABELS = ["sports", "bad news", "art and music", "red"]
TEXTS = (
    "Tim Cook runs Apple in Paris.",
    "  The price isn't great; it costs 9!  ",
    "green",
    "A person in Rome works for a bad company (1976)... \n\nred, green & blue \U0001f600 caf\u00e9",
)
EXAMPLES = (("Great art in Rome.", ("art and music",)), ("A red day", ("bad news", "red")))
PROMPT = "What is it about?"
NEAR = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Callable[..., tuple[Any, Extractor]]:
    """Return the reference's pipeline and our model of a checkpoint that the reference saved."""

    @cache
    def make(encoder: str, pieces: str, backend: str, **options: Any) -> tuple[Any, Extractor]:
        directory = tmp_path_factory.mktemp("gliclass")
        model, tokenizer = write_checkpoint(directory, encoder=encoder, pieces=pieces, **options)
        theirs = PreTrainedTokenizerFast(
            tokenizer_object=spaced(tokenizer, encoder),
            pad_token="[PAD]" if pieces != "byte pairs" else "<pad>",
        )
        ours = Extractor.from_pretrained(directory, backend=backend)
        return pipeline(model, theirs), ours

    return make


def spaced(tokenizer: Any, encoder: str) -> Any:
    """Return a tokenizer as it has to be opened: with ``add_prefix_space=True`` for ModernBERT."""
    if encoder == "modernbert":
        from tokenizers.pre_tokenizers import ByteLevel

        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
    return tokenizer


def pipeline(model: Any, tokenizer: Any) -> Any:
    """Return the reference's pipeline, with the label tokenizer that it would download."""
    import gliclass.pipeline as module

    class Tokenizers:
        @staticmethod
        def from_pretrained(name: str, **options: Any) -> Any:
            return tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AutoTokenizer", Tokenizers)
        return module.ZeroShotClassificationPipeline(
            model, tokenizer, classification_type="multi-label", device="cpu", progress_bar=False
        )


def expected(theirs: Any, text: str, *, single: bool = False, **given: Any) -> dict[str, float]:
    """Return the reference's scores of a text."""
    labels = given.pop("labels", LABELS)
    kind = "single-label" if single else "multi-label"
    (found,) = theirs([text], list(labels), threshold=0.0, classification_type=kind, **given)
    return {one["label"]: one["score"] for one in found}


def asked(*, single: bool = False, labels: Any = LABELS, **given: Any) -> Schema:
    return Schema().classification("class", labels, multi_label=not single, **given)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("first", [True, False], ids=["labels first", "text first"])
@pytest.mark.parametrize(("encoder", "pieces"), PAIRS)
def test_scores_of_uni_encoders_are_the_same(opened, encoder, pieces, first, backend):
    theirs, ours = opened(encoder, pieces, backend, prompt_first=first, scorer_type="mlp")
    for text in TEXTS:
        wanted = expected(theirs, text)
        found = ours.extract(text, asked()).classifications["class"].scores
        np.testing.assert_allclose([found[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR)
    assert np.ptp(list(wanted.values())) > 1e-3


@pytest.mark.parametrize("first", [True, False], ids=["labels first", "text first"])
@pytest.mark.parametrize(("encoder", "pieces"), PAIRS)
def test_prompts_and_examples_are_read_alike(opened, encoder, pieces, first):
    theirs, ours = opened(encoder, pieces, "torch", prompt_first=first, scorer_type="mlp")
    shown = [{"text": text, "labels": list(labels)} for text, labels in EXAMPLES]
    plain = expected(theirs, TEXTS[0])
    for given, own in (
        ({"prompt": PROMPT}, {"prompt": PROMPT}),
        ({"examples": shown}, {"examples": EXAMPLES}),
        ({"prompt": PROMPT, "examples": shown}, {"prompt": PROMPT, "examples": EXAMPLES}),
    ):
        for text in TEXTS:
            wanted = expected(theirs, text, **given)
            found = ours.extract(text, asked(**own)).classifications["class"].scores
            np.testing.assert_allclose(
                [found[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR
            )
        assert not np.allclose(
            [expected(theirs, TEXTS[0], **given)[k] for k in LABELS], [plain[k] for k in LABELS],
            atol=1e-3,
        )  # fmt: skip


def test_single_label_tasks_answer_with_the_best_label(opened):
    theirs, ours = opened("bert", "wordpiece", "torch", prompt_first=True, scorer_type="mlp")
    for text in TEXTS:
        ((label, score),) = expected(theirs, text, single=True).items()
        answer = ours.extract(text, asked(single=True)).classifications["class"]
        assert [one.label for one in answer.labels] == [label]
        assert answer.labels[0].score == pytest.approx(score, abs=1e-5)
        assert sum(answer.scores.values()) == pytest.approx(1)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("kind", ["bi-encoder", "bi-encoder-fused"])
def test_scores_of_bi_encoders_are_the_same(opened, kind, backend):
    options = {"architecture_type": kind, "prompt_first": True, "normalize_features": True}
    theirs, ours = opened("deberta-v2", "unigram", backend, **options)
    vectors = ours.encode_labels(LABELS)
    for given in ({}, {"prompt": PROMPT}):
        for text in TEXTS:
            wanted = expected(theirs, text, **given)
            schema = asked(**given)
            for known in (None, vectors):
                answer = ours.extract(text, schema, labels=known).classifications["class"]
                np.testing.assert_allclose(
                    [answer.scores[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR
                )


CALIBRATED = {"use_calibrator": True, "calibrator_hidden_size": 24, "calibrator_use_bias": True}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "calibrator": {"scorer_type": "mlp", **CALIBRATED},
    "calibrator without bias": {"use_calibrator": True, "normalize_features": True},
    "features": {"extract_text_features": True, "pooling_strategy": "first"},
    "behind the marker": {"embed_class_token": False},
    "average": {"class_token_pooling": "average", "extract_text_features": True},
    "segments": {"use_segment_embeddings": True},
    "lstm": {"use_lstm": True, "pooling_strategy": "avg"},
    "hopfield": {"scorer_type": "hopfield", "pooling_strategy": "max"},
    "cross": {"scorer_type": "cross-attn", "pooling_strategy": "pass"},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_uni_encoders_are_read_from_the_checkpoint(opened, name):
    theirs, ours = opened("bert", "wordpiece", "torch", prompt_first=True, **OPTIONS[name])
    for text in TEXTS:
        wanted = expected(theirs, text)
        found = ours.extract(text, asked()).classifications["class"].scores
        np.testing.assert_allclose([found[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR)


@pytest.mark.parametrize("features", [False, True], ids=["all pieces", "features"])
@pytest.mark.parametrize("first", [True, False], ids=["labels first", "text first"])
def test_fused_bi_encoders_read_prompts_and_examples_alike(opened, first, features):
    """Behind a text, the prompt follows it without a marker between them.

    They pool all pieces, also where the checkpoint says that the features of the text are taken.
    """
    options = {
        "architecture_type": "bi-encoder-fused", "prompt_first": first,
        "extract_text_features": features,
    }  # fmt: skip
    theirs, ours = opened("deberta-v2", "unigram", "torch", **options)
    shown = [{"text": text, "labels": list(labels)} for text, labels in EXAMPLES]
    for text in TEXTS:
        wanted = expected(theirs, text, prompt=PROMPT, examples=shown)
        schema = asked(prompt=PROMPT, examples=EXAMPLES)
        found = ours.extract(text, schema).classifications["class"].scores
        np.testing.assert_allclose([found[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("kind", ["encoder-decoder", "encoder-decoder-cls"])
def test_scores_of_encoder_decoders_are_the_same(opened, kind, backend):
    """The reference's model is the one that was saved: read again, it has other vectors."""
    options = {"architecture_type": kind, "scorer_type": "mlp"}
    theirs, ours = opened("t5", "unigram", backend, **options)
    shown = [{"text": text, "labels": list(labels)} for text, labels in EXAMPLES]
    plain = expected(theirs, TEXTS[0])
    for given, own in (
        ({}, {}),
        ({"prompt": PROMPT, "examples": shown}, {"prompt": PROMPT, "examples": EXAMPLES}),
    ):
        for text in TEXTS:
            wanted = expected(theirs, text, **given)
            found = ours.extract(text, asked(**own)).classifications["class"].scores
            np.testing.assert_allclose(
                [found[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR
            )
    assert np.ptp(list(plain.values())) > 1e-3
    assert not np.allclose(
        list(plain.values()),
        list(expected(theirs, TEXTS[0], prompt=PROMPT, examples=shown).values()),
        atol=1e-4,
    )


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("pieces", ["wordpiece", "unigram", "byte pairs"])
def test_scores_of_decoders_are_the_same(opened, pieces, backend):
    theirs, ours = opened(pieces=pieces, backend=backend, **DECODER, **AGAIN)
    shown = [{"text": text, "labels": list(labels)} for text, labels in EXAMPLES]
    found = []
    for given, own in (
        ({}, {}),
        ({"prompt": PROMPT}, {"prompt": PROMPT}),
        ({"examples": shown}, {"examples": EXAMPLES}),
        ({"prompt": PROMPT, "examples": shown}, {"prompt": PROMPT, "examples": EXAMPLES}),
    ):
        for text in TEXTS:
            wanted = expected(theirs, text, **given)
            scores = ours.extract(text, asked(**own)).classifications["class"].scores
            np.testing.assert_allclose(
                [scores[k] for k in LABELS], [wanted[k] for k in LABELS], **NEAR
            )
            found.append(list(scores.values()))
    assert np.ptp(found, axis=1).min() > 1e-4
    assert np.ptp(found, axis=0).min() > 1e-3


# -- where ours is meant to differ ----------------------------------------------------------------


@pytest.mark.parametrize("marks", [("<<LABEL>>", "<<SEP>>"), ("[SEP]", "[MASK]")], ids=str)
@pytest.mark.parametrize("given", [{"encoder": "bert", "prompt_first": True}, DECODER], ids=str)
def test_special_tokens_in_texts_are_text_to_us(opened, given, marks):
    theirs, ours = opened(pieces="wordpiece", backend="torch", scorer_type="mlp", **given)
    text = "Tim {} runs {} Apple"
    wanted = expected(theirs, text.format(*marks))
    found = ours.extract(text.format(*marks), asked()).classifications["class"].scores
    assert not np.allclose([found[k] for k in LABELS], [wanted[k] for k in LABELS], atol=1e-4)
    apart = text.format(*(f"{mark[0]} {mark[1:]}" for mark in marks))
    spelled = ours.extract(apart, asked()).classifications["class"]
    assert dict(found) == pytest.approx(dict(spelled.scores), abs=1e-6)


def test_labels_are_never_lost_to_a_long_text(opened):
    theirs, ours = opened("deberta-v2", "unigram", "torch", prompt_first=False, scorer_type="mlp")
    text = "tim runs paris and rome . " * 300
    assert np.ptp(list(expected(theirs, text).values())) < 1e-6  # every label is cut off there
    doc = ours.extract(text, asked())
    assert doc.coverage.windows > 1
    assert doc.coverage.chars_read == len(text)
    assert np.ptp(list(doc.classifications["class"].scores.values())) > 1e-3


def test_there_may_be_any_number_of_labels(opened):
    theirs, ours = opened("bert", "wordpiece", "torch", prompt_first=True, scorer_type="mlp")
    labels = [f"topic {a} {b}" for a in "abcdefghijklmnop" for b in "abcdefghij"]
    scores = ours.extract(TEXTS[0], asked(labels=labels)).classifications["class"].scores
    assert list(scores) == labels
    assert len(set(scores.values())) > 100
    some = labels[:30]  # of which the network itself gives 25; its pipeline asks for more
    assert theirs.pipe.model.config.max_num_classes == 25
    wanted = expected(theirs, TEXTS[0], labels=some)
    found = ours.extract(TEXTS[0], asked(labels=some)).classifications["class"].scores
    np.testing.assert_allclose([found[k] for k in some], [wanted[k] for k in some], **NEAR)


def test_a_batch_gives_the_scores_of_single_texts(opened):
    options = {"prompt_first": True, "pooling_strategy": "avg", "scorer_type": "mlp"}
    theirs, ours = opened("bert", "wordpiece", "torch", **options)
    together = ours.extract(list(TEXTS), asked())
    padded = theirs(list(TEXTS), LABELS, threshold=0.0)
    leaks = 0
    for text, doc, row in zip(TEXTS, together, padded, strict=True):
        alone = expected(theirs, text)
        found = doc.classifications["class"].scores
        np.testing.assert_allclose([found[k] for k in LABELS], [alone[k] for k in LABELS], **NEAR)
        leaks += any(abs(one["score"] - alone[one["label"]]) > 1e-4 for one in row)
    assert leaks  # the reference pools over padding


def test_the_padding_of_labels_is_not_pooled(opened):
    """In the reference a label's score depends on how long the others are."""
    options = {"architecture_type": "bi-encoder", "pooling_strategy": "avg"}
    theirs, ours = opened("bert", "wordpiece", "torch", **options)
    alone = expected(theirs, TEXTS[0], labels=["red"])["red"]
    labels = ["red", "art and music and many more words"]
    beside = expected(theirs, TEXTS[0], labels=labels)["red"]
    found = ours.extract(TEXTS[0], asked(labels=labels)).classifications["class"].scores
    assert abs(beside - alone) > 1e-3
    np.testing.assert_allclose(found["red"], alone, **NEAR)


def test_other_questions_are_refused(opened):
    _, ours = opened("bert", "wordpiece", "torch", prompt_first=True, scorer_type="mlp")
    with pytest.raises(SchemaError, match="A GLiClass checkpoint only classifies"):
        ours.entities("Tim", ["person"])


def test_old_generations_of_prompts_can_be_asked_for(opened, tmp_path: Path):
    import json
    import shutil

    theirs, ours = opened("bert", "wordpiece", "torch", prompt_first=True, scorer_type="mlp")
    old = tmp_path / "old"
    shutil.copytree(ours.name, old)
    (old / "onepass.json").write_text(json.dumps({"prompt_style": "v1"}))
    model = Extractor.from_pretrained(old, backend="torch")
    labels = ["Sports", "RED"]
    wanted = expected(theirs, TEXTS[0], labels=[label.lower() for label in labels])
    found = model.extract(TEXTS[0], asked(labels=labels)).classifications["class"].scores
    np.testing.assert_allclose(list(found.values()), list(wanted.values()), **NEAR)
    with pytest.raises(SchemaError, match="has neither a prompt nor examples"):
        model.extract(TEXTS[0], asked(prompt=PROMPT))
