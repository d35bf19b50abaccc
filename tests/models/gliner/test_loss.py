"""The loss of GLiNER networks, beside that of the reference library on the same batch."""

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.gliner_checkpoints import BI, FUSIONS, STREAMING, TOKENS, in_context, make_reference

from onepass.corpus.example import Example
from onepass.corpus.gliner import example_from_gliner
from onepass.models.gliner.loss import KINDS, MASKINGS, REDUCTIONS, GlinerLoss
from onepass.models.gliner.network.loss import compute_loss, pair_term, span_term
from onepass.models.gliner.targets import Grid, Targets
from onepass.nn import losses
from onepass.training.gliner import GlinerTrainee
from onepass.training.holdout import whole_question

LABELS = ["person", "company", "color"]
TYPES = ["runs", "in"]
ROWS = [
    {
        "tokenized_text": ["tim", "cook", "runs", "apple", "in", "paris", "."],
        "ner": [[0, 1, "person"], [3, 3, "company"], [3, 4, "color"], [5, 5, "company"]],
        "relations": [[0, 1, "runs"], [1, 3, "in"], [1, 0, "in"]],
    },
    {
        "tokenized_text": ["red", "rome"],
        "ner": [[0, 0, "color"], [1, 1, "company"]],
        "relations": [[1, 0, "runs"]],
    },
]
CONFIGS: dict[str, dict[str, Any]] = {
    "span": {},
    "span-conv": {"span_mode": "conv_max"},
    # Others read the padding of their batch.
    "span-context": in_context("rnn-forward"),
    "token": TOKENS,
    "token-spans": TOKENS | {"represent_spans": True, "token_loss_coef": 0.7},
    "bi-span": BI,
    "bi-token": BI | TOKENS,
    "poly-span": BI | {"post_fusion_schema": FUSIONS[0]},
    "streaming": dict(STREAMING["streaming-qwen3"]),
    "span-relex": {"relations_layer": "none", "relation_loss_coef": 0.5},
    "span-relex-narrow": {"relations_layer": "none", "max_width": 1},
    "span-relex-complex": {"relations_layer": "none", "triples_layer": "ComplEx"},
    "token-relex": TOKENS | {"relations_layer": "none"},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mean": {"reduction": "mean"},
    "focal": {"alpha": 0.7, "gamma": 2.0, "margin": 0.1, "smoothing": 0.2},
}


@pytest.fixture(scope="module")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Path]]:
    root = tmp_path_factory.mktemp("losses")

    @cache
    def make(name: str) -> tuple[Any, Path]:
        config = {"neg_spans_ratio": 0.0, "dropout": 0.0} | CONFIGS[name]
        return make_reference(root / name, **config), root / name

    return make


def examples() -> list[Example]:
    return [example_from_gliner(r | {"ner_labels": LABELS, "rel_labels": TYPES}) for r in ROWS]


def our_batch(trainee: GlinerTrainee) -> Targets:
    related = trainee.network.config.relations is not None
    passes = []
    for example in examples():
        if not related:
            example = dataclasses.replace(example, relations=(), asked_relations=())
        passes += trainee.ask(whole_question(example), 100)
    return trainee.build(passes)


def our_loss(directory: Path, **options: Any) -> tuple[float, dict[str, float]]:
    trainee = GlinerTrainee(directory, GlinerLoss(candidates=0, **options))
    loss, terms = compute_loss(trainee.network, our_batch(trainee), trainee.options)
    return float(loss), terms


def reference_loss(model: Any, **options: Any) -> float:
    processor = model.data_processor
    asked: dict[str, Any] = {"entity_types": [LABELS] * 2}
    if model.config.to_dict().get("relations_layer") is not None:
        asked["relation_types"] = [TYPES] * 2
    raw = processor.collate_raw_batch(ROWS, **asked)
    batch = processor.tokenize_and_prepare_labels(raw, prepare_labels=True)
    for key in ("span_idx", "span_mask"):
        if key in raw:
            batch[key] = raw[key]
    batch["text_lengths"] = raw["seq_length"]
    with torch.no_grad():
        return float(model.eval().model(**batch, **options).loss)


def theirs(options: dict[str, Any]) -> dict[str, Any]:
    names = {"margin": "prob_margin", "smoothing": "label_smoothing"}
    return {names.get(name, name): value for name, value in options.items()}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", CONFIGS)
def test_losses_are_those_of_the_reference(case_of, name, options):
    model, directory = case_of(name)
    given = dict(OPTIONS[options])
    if name in ("bi-span", "poly-span"):  # the next test
        given = {key: given[key] for key in given if key not in ("margin", "smoothing")}
    ours, _ = our_loss(directory, **given)
    assert ours == pytest.approx(reference_loss(model, **theirs(given)), rel=1e-4)


def test_smoothing_smooths_where_the_reference_takes_it_for_a_margin(case_of):
    """Its span models with a label encoder pass label_smoothing in the place of prob_margin."""
    model, directory = case_of("bi-span")
    smoothed = reference_loss(model, label_smoothing=0.2)
    assert smoothed == pytest.approx(our_loss(directory, margin=0.2)[0], rel=1e-4)
    assert smoothed != pytest.approx(our_loss(directory, smoothing=0.2)[0], rel=0.1)


def test_terms_are_named_and_weighed(case_of):
    _, directory = case_of("token-spans")
    loss, terms = our_loss(directory)
    assert set(terms) == {"tokens", "represented"}
    assert loss == pytest.approx(0.7 * terms["tokens"] + terms["represented"])
    loss, again = our_loss(directory, token_loss_coef=0, span_loss_coef=3)
    assert (again, loss) == (terms, pytest.approx(3 * terms["represented"]))
    _, directory = case_of("span-relex")
    loss, terms = our_loss(directory)
    assert loss == pytest.approx(terms["spans"] + 0.5 * terms["relations"])
    loss, _ = our_loss(directory, relation_alpha=0.5)
    assert loss == pytest.approx(terms["spans"] + 0.25 * terms["relations"])


def test_the_adjacency_sees_spans_and_learns_from_them(tmp_path):
    make_reference(tmp_path / "start", relations_layer="dot", dropout=0.0)
    trainee = GlinerTrainee(tmp_path / "start")
    targets = our_batch(trainee)
    loss, terms = compute_loss(trainee.network, targets, GlinerLoss(adjacency_loss_coef=1))
    assert set(terms) == {"spans", "adjacency", "relations"}
    loss.backward()
    assert targets.spans is not None
    assert targets.pairs is not None
    states = trainee.network.relations.adjacency.logits(
        span_vectors(trainee, targets), torch.from_numpy(targets.spans.counts)
    )
    near = targets.pairs.near
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        states, torch.from_numpy(near.gold).float(), reduction="none"
    )
    assert terms["adjacency"] == pytest.approx(float(each[near.counted].sum()), rel=1e-5)


def span_vectors(trainee: GlinerTrainee, targets: Targets) -> torch.Tensor:
    network = trainee.network
    arrays = [torch.from_numpy(array) for array in targets.arrays.values()]
    words, *_ = network.encode(*arrays)
    assert targets.spans is not None
    return network.span_states(words, arrays[3], torch.from_numpy(targets.spans.places))


GRID = Grid(
    np.array([[[[True, False]], [[False, False]]]]), np.array([[[[True, True]], [[True, False]]]])
)  # (1 text, 2 labels, 1 word, 2 widths)


def test_what_does_not_count_has_no_loss():
    logits = torch.zeros(1, 2, 1, 2)
    assert float(span_term(logits, GRID, GlinerLoss())) == pytest.approx(3 * np.log(2))
    mean = span_term(logits, GRID, GlinerLoss(reduction="mean"))
    assert float(mean) == pytest.approx(1.5 * np.log(2))  # of two spans


@pytest.mark.parametrize(
    ("masking", "cells"), [("none", 3), ("global", 1), ("label", 2), ("span", 2)]
)
def test_negatives_can_be_left_out(masking, cells):
    options = GlinerLoss(masking=masking, negatives=0.0)
    assert float(span_term(torch.zeros(1, 2, 1, 2), GRID, options)) == pytest.approx(
        cells * np.log(2)
    )


def test_dice_and_width_weights_are_those_of_spans():
    logits = torch.zeros(1, 2, 1, 2)
    dice = span_term(logits, GRID, GlinerLoss(kind="dice", dice_gamma=0))
    expected = losses.dice_loss(logits, torch.from_numpy(GRID.gold).float(), gamma=0)
    assert float(dice) == pytest.approx(float(expected[torch.from_numpy(GRID.counted)].sum()))
    wide = Grid(GRID.gold[..., ::-1].copy(), GRID.counted)
    weighed = span_term(logits, wide, GlinerLoss(width_weight=True))
    assert float(weighed) == pytest.approx((3 + np.log(2)) * np.log(2))


def test_relation_types_that_are_not_asked_do_not_count():
    grid = Grid(np.array([[True, False], [False, False]]), np.array([[True, True], [True, False]]))
    assert float(pair_term(torch.zeros(2, 2), grid, GlinerLoss())) == pytest.approx(3 * np.log(2))


def test_known_choices_are_those_of_the_losses():
    assert (MASKINGS, REDUCTIONS) == (losses.MASKINGS, losses.REDUCTIONS)
    assert KINDS == ("focal", "dice")


def test_nothing_asked_of_a_pair_has_a_gradient_all_the_same(case_of):
    _, directory = case_of("span-relex")
    trainee = GlinerTrainee(directory, GlinerLoss(candidates=0))
    alone = Example("tim", asked=("person",), asked_relations=("runs",))
    targets = trainee.build(trainee.ask(whole_question(alone), 100))
    loss, terms = compute_loss(trainee.network, targets, GlinerLoss())
    loss.backward()
    assert set(terms) == {"spans"}
