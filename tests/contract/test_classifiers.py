"""The contract of classification, for every family that only classifies."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from onepass import Extractor, Schema
from onepass.errors import CheckpointError, InputError, SchemaError, TextTooLong
from onepass.results.types import Classification
from tests.contract.checkpoints import damage, skip_without
from tests.contract.classifiers import BACKENDS, CLASSIFIERS, PAGE, written

TOLERANCE = 1e-5
LABELS = ["sports", "bad news", "red", "art"]
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "",
    " \t\n",
    "\u200d\u0301\U0001f469\u200d\U0001f52c \u6771\u4eac [SEP] </s> <<LABEL>> <<SEP>>\r\ncaf\u00e9",
    "\ud800 <mask>",
    "it costs 9.5 , qx-zt ! " * 3,
    "x" * 300,
]


class Opened:
    """Checkpoints, each made and opened once."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.made = cache(self._made)
        self.model = cache(self._model)

    def _made(self, name: str) -> Path:
        directory = self.place / name
        CLASSIFIERS[name].make(directory)
        return directory

    def _model(self, name: str, backend: str) -> Extractor:
        return Extractor.from_pretrained(self.made(name), backend=backend)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Opened(tmp_path_factory.mktemp("classifiers"))


@pytest.fixture(scope="module", params=CLASSIFIERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=BACKENDS)
def model(request: pytest.FixtureRequest, opened: Opened, name: str) -> Extractor:
    return opened.model(name, request.param)


def schema(labels: list[str] = LABELS) -> Schema:
    return Schema().classification("one", labels).classification("many", labels, multi_label=True)


def numbers(answers: Mapping[str, Classification]) -> np.ndarray:
    return np.array([list(answer.scores.values()) for answer in answers.values()])


def same(got: Mapping[str, Classification], wanted: Mapping[str, Classification]) -> None:
    assert list(got) == list(wanted)
    np.testing.assert_allclose(numbers(got), numbers(wanted), rtol=0, atol=TOLERANCE)


def test_scores_differ_between_labels_and_texts(model: Extractor) -> None:
    docs = model.extract([TEXTS[0], TEXTS[4]], schema())
    first, second = (numbers(doc.classifications) for doc in docs)
    assert np.ptp(first[0]) > 1e-3
    assert np.abs(first - second).max() > 1e-3


def test_a_batch_says_what_each_text_says_alone_in_any_order(model: Extractor) -> None:
    together = model.extract(TEXTS, schema())
    backwards = model.extract(TEXTS[::-1], schema())[::-1]
    for text, batched, other in zip(TEXTS, together, backwards, strict=True):
        alone = model.extract(text, schema())
        same(batched.classifications, alone.classifications)
        same(other.classifications, alone.classifications)
        assert batched.coverage == alone.coverage


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_backends_agree_with_torch(opened: Opened, name: str, backend: str) -> None:
    skip_without(backend)
    one, other = (opened.model(name, own).extract(TEXTS, schema()) for own in ("torch", backend))
    for a, b in zip(one, other, strict=True):
        same(a.classifications, b.classifications)


def test_a_saved_checkpoint_says_the_same(opened: Opened, name: str, tmp_path: Path) -> None:
    CLASSIFIERS[name].resave(opened.made(name), tmp_path / "saved")
    again = Extractor.from_pretrained(tmp_path / "saved", backend="torch")
    docs = opened.model(name, "torch").extract(TEXTS, schema())
    for a, b in zip(docs, again.extract(TEXTS, schema()), strict=True):
        same(a.classifications, b.classifications)


def test_weights_that_are_no_numbers_give_an_error(
    opened: Opened, name: str, tmp_path: Path
) -> None:
    damaged = shutil.copytree(opened.made(name), tmp_path / name)
    damage(damaged)
    model = Extractor.from_pretrained(damaged, backend="torch")
    with pytest.raises(CheckpointError, match="computes scores that are no numbers"):
        model.classify(TEXTS[0], LABELS)


def test_scores_are_probabilities_and_every_label_has_one(model: Extractor) -> None:
    for doc in model.extract(TEXTS, schema()):
        for answer in doc.classifications.values():
            assert list(answer.scores) == LABELS
            assert all(0 <= score <= 1 for score in answer.scores.values())
        assert sum(doc.classifications["one"].scores.values()) == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module", params=[n for n, kind in CLASSIFIERS.items() if kind.apart])
def apart(request: pytest.FixtureRequest, opened: Opened) -> Extractor:
    """A checkpoint that scores each label by itself, under backends in turn."""
    backend = BACKENDS[list(CLASSIFIERS).index(request.param) % len(BACKENDS)]
    return opened.model(request.param, backend)


def test_other_labels_and_their_order_play_no_part_where_each_is_scored_by_itself(
    apart: Extractor,
) -> None:
    labels = [f"{word} {number}" for number in range(100) for word in ("red", "paris", "art")]
    answers = apart.extract(TEXTS[0], schema(labels)).classifications
    one, many = answers["one"].scores, answers["many"].scores
    few = labels[::-50]
    asked = apart.extract(TEXTS[0], schema(few)).classifications
    whole = sum(one[label] for label in few)
    for label in few:
        assert asked["many"].scores[label] == pytest.approx(many[label], abs=TOLERANCE)
        assert asked["one"].scores[label] == pytest.approx(one[label] / whole, abs=TOLERANCE)


def test_the_best_label_is_no_answer_below_the_floor_of_its_own_score(apart: Extractor) -> None:
    answers = apart.extract(TEXTS[0], schema()).classifications
    [best] = answers["one"].labels
    own = answers["many"].scores[best.label]
    for floor, wanted in ((own - 1e-3, (best.label,)), (own + 1e-3, ())):
        answer = apart.classify(TEXTS[0], LABELS, abstain=float(np.clip(floor, 0, 1)))
        assert tuple(one.label for one in answer.labels) == wanted


@pytest.mark.parametrize(
    "label", ["<<LABEL>>", "<<SEP>>", "[SEP]", "</s>", "\u6771", "a\nb", "x" * 20]
)
def test_a_label_is_only_text(model: Extractor, label: str) -> None:
    scores = model.classify(TEXTS[0], [label, "calm"]).scores
    assert list(scores) == [label, "calm"]


def test_a_label_in_which_nothing_is_read_is_refused(model: Extractor) -> None:
    refused = nullcontext()
    if not model._reader.model.tokenizer.pieces(["\u200b"])[0]:  # some vocabularies have a piece
        refused = pytest.raises(SchemaError, match="finds nothing to read")
    with refused:
        assert set(model.classify(TEXTS[0], ["\u200b", "calm"]).scores) == {"\u200b", "calm"}


def test_many_labels_are_all_asked_and_compared(model: Extractor) -> None:
    labels = [f"{a} {b}" for a in "abcdefghijklmnopqrst" for b in "abcdefgh"]
    answer = model.classify(TEXTS[0], labels)
    assert list(answer.scores) == labels
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-4)
    best = max(answer.scores, key=lambda label: answer.scores[label])
    assert [one.label for one in answer.labels] in ([best], [])


def test_a_long_text_is_read_in_windows(opened: Opened, name: str) -> None:
    """Under backends in turn: the code of windows is the same for all."""
    model = opened.model(name, BACKENDS[list(CLASSIFIERS).index(name) % len(BACKENDS)])
    text = "tim runs paris and rome . " * 150
    doc = model.extract(text, schema())
    assert doc.coverage.windows > 1
    assert (doc.coverage.chars_read, doc.coverage.truncated) == (len(text), False)
    with pytest.raises(TextTooLong):
        model.extract(text, schema(), on_long="error")
    cut = model.extract(text, schema(), on_long="truncate")
    assert (cut.coverage.windows, cut.coverage.truncated) == (1, True)
    task = Schema().classification("one", LABELS, window_scores="max")
    highest = numbers(model.extract(text, task).classifications)
    assert highest.sum() == pytest.approx(1, abs=1e-5)


def test_pieces_say_what_the_text_so_far_says(opened: Opened, name: str) -> None:
    model = opened.model(name, "torch")
    schema = Schema().classification("topic", LABELS)
    session = model.session(schema)
    for piece in ("Tim Co", "ok runs ", "Apple.", "\n", " It is red" * 400, " now"):
        doc = session.add(piece)
        whole = model.extract(session.text, schema)
        assert doc.coverage == whole.coverage
        scores = doc.classifications["topic"].scores
        assert scores == pytest.approx(dict(whole.classifications["topic"].scores), abs=TOLERANCE)


def test_none_of_these_can_be_answered(model: Extractor) -> None:
    never = model.classify(TEXTS[0], LABELS, abstain=1.0)
    assert never.labels == ()
    always = model.classify(TEXTS[0], LABELS, abstain=0.0, threshold=0.0)
    assert len(always.labels) == 1


def test_a_tree_of_labels_is_answered_with_a_path(model: Extractor) -> None:
    tree = {"sports": ["tennis", "red"], "news": {"bad news": None, "good news": None}}
    task = Schema().classification("topic", tree)
    answer = model.extract(TEXTS[0], task, threshold=0.0).classifications["topic"]
    first, second = answer.path
    assert second in {"sports": ["tennis", "red"], "news": ["bad news", "good news"]}[first]
    parts = [score for label, score in answer.scores.items() if label.startswith(f"{first}/")]
    assert sum(parts) == pytest.approx(answer.scores[first], abs=1e-5)


def test_label_vectors_are_used_again_where_labels_have_an_encoder(model: Extractor) -> None:
    try:
        vectors = model.encode_labels(LABELS)
    except InputError:
        assert model.family in ("gliclass", "nli")
        return
    for text in (TEXTS[0], TEXTS[4]):
        wanted = model.extract(text, schema()).classifications
        same(model.extract(text, schema(), labels=vectors).classifications, wanted)


@pytest.mark.parametrize(
    "asked",
    [
        Schema().entities(["person"]),
        Schema().structure("order", ["item"]),
        Schema().relations(["works for"]),
    ],
    ids=["entities", "records", "relations"],
)
def test_other_questions_are_refused_with_a_sentence(model: Extractor, asked: Schema) -> None:
    with pytest.raises(SchemaError, match="only classifies"):
        model.extract(TEXTS[0], asked)


def test_the_table_of_the_page_is_that_of_the_tests() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), (
        "docs/gliclass.md is out of date: run  python -m tests.contract.classifiers"
    )
