import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.question import Question, RecordAnswer
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.config import COUNTING_LAYERS
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.models.gliner2.network.loss import (
    LossWeights,
    binary_term,
    class_terms,
    compute_loss,
    rank_term,
    zlpr_term,
)
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import run_network, span_queries
from onepass.models.gliner2.targets import ClassGroup, Targets, ask, build_targets
from onepass.schema import Field, Schema

TEXT = "Tim Cook runs Apple in Paris. Apple is not in Rome."


def batch_questions() -> list[Question]:
    """Return questions with groups of several sizes, several instances, ignored cells, classes."""
    everything = (
        Schema()
        .structure("trip", [Field("who"), Field("where"), Field("how", "str", ("red", "blue"))])
        .entities(["person", "place", "company"])
        .relations(["works for"])
        .classification("tone", ["calm", "angry"])
        .classification("color", ["red", "blue", "green"], multi_label=True)
    )
    return [
        Question(
            TEXT,
            everything,
            entities=((0, 0, 8), (1, 23, 28), (1, 46, 50), (2, 14, 19)),
            ignored=((1, 0, 8),),
            outranked=((2, 30, 35),),
            records=(
                (
                    RecordAnswer(((0, 0, 8), (1, 23, 28)), ((2, 1),)),
                    RecordAnswer(((0, 30, 35),), (), (1,)),
                ),
            ),
            pairs=(((0, 8, 14, 19),),),
            classes=((1,), (0, 2)),
        ),
        Question("Rome is red", Schema().entities(["place"]), ((0, 0, 4),)),
        Question("It costs 9", Schema().relations(["costs", "is"]), pairs=((), ())),
        Question("bad", Schema().classification("tone", ["calm", "angry", "bad"]), classes=((),)),
    ]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def network(checkpoint) -> Gliner2Network:
    return load_network(checkpoint)


@pytest.fixture(scope="module")
def tokenizer(checkpoint) -> PieceTokenizer:
    return PieceTokenizer(checkpoint / "tokenizer.json")


def targets_of(questions: list[Question], tokenizer: PieceTokenizer, width: int = 4) -> Targets:
    return build_targets([ask(q, tokenizer, max_pieces=512) for q in questions], width)


@pytest.fixture(scope="module")
def targets(tokenizer) -> Targets:
    return targets_of(batch_questions(), tokenizer)


def random_logits(targets: Targets) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return 3 * torch.randn(targets.weight.shape, generator=generator)


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def test_the_binary_term_is_that_of_a_slow_computation(targets):
    logits = random_logits(targets)
    gold = set(zip(*(part.tolist() for part in targets.gold.index()), strict=True))
    per_query: dict[tuple[int, int], float] = defaultdict(float)
    for cell in np.ndindex(*targets.weight.shape):
        if targets.weight[cell]:
            value = float(logits[cell])
            per_query[cell[:2]] += softplus(-value if cell in gold else value)
    assert len(gold) == 11
    expected = sum(per_query.values()) / len(per_query)
    assert float(binary_term(logits, targets)) == pytest.approx(expected, rel=1e-5)


def test_the_ranking_of_cells_is_that_of_a_slow_computation(targets):
    logits = random_logits(targets)
    gold = set(zip(*(part.tolist() for part in targets.gold.index()), strict=True))
    wrong: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    missed: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for cell in np.ndindex(*targets.weight.shape):
        if targets.weight[cell]:
            value, query = float(logits[cell]), cell[:2]
            wrong[query] += 0.0 if cell in gold else math.exp(value)
            missed[query] += math.exp(-value) if cell in gold else 0.0
    each = [math.log(wrong[query]) + math.log(missed[query]) for query in wrong]
    assert float(zlpr_term(logits, targets)) == pytest.approx(sum(each) / len(each), rel=1e-5)


@pytest.mark.parametrize("term", [binary_term, zlpr_term])
def test_cells_that_do_not_count_have_no_gradient(targets, term):
    logits = random_logits(targets).requires_grad_()
    term(logits, targets).backward()
    assert logits.grad is not None
    counted = torch.from_numpy(targets.weight)
    assert (logits.grad[~counted] == 0).all()
    assert (logits.grad[counted] != 0).all()


@pytest.mark.parametrize("term", [binary_term, zlpr_term])
def test_a_logit_that_does_not_count_may_be_anything_finite(targets, term):
    logits = random_logits(targets)
    wild = torch.where(torch.from_numpy(targets.weight), logits, torch.full_like(logits, 3e38))
    assert torch.equal(term(wild, targets), term(logits, targets))


def test_the_rank_term_is_that_of_a_slow_computation(targets):
    logits = random_logits(targets)
    each = []
    for (row, word, width), marks in zip(
        targets.ranked.tolist(), targets.rivals.tolist(), strict=True
    ):
        at = [float(logits[row, query, word, width]) for query in range(len(marks))]
        everyone = sum(math.exp(x) for x, mark in zip(at, marks, strict=True) if mark)
        winners = sum(math.exp(x) for x, mark in zip(at, marks, strict=True) if mark == 1)
        each.append(-math.log(winners / everyone))
    assert len(each) == 4
    expected = sum(each) / len(each)
    found = rank_term(logits, targets.ranked, targets.rivals)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def class_group(true: list[int], *, multi_label: bool = False) -> ClassGroup:
    return ClassGroup(0, 0, len(true), multi_label, np.array(true, dtype=np.float32))


def test_the_class_terms_are_those_of_a_slow_computation():
    groups = [
        class_group([0, 1]),
        class_group([1, 0, 1, 0], multi_label=True),
        class_group([0, 0, 0]),  # no label holds: nothing to choose
        class_group([0, 0, 1]),
    ]
    logits = 2 * torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    binary = softmax = 0.0
    for line, group in enumerate(groups):
        own = logits[line, : group.items].tolist()
        binary += sum(softplus(-x if t else x) for x, t in zip(own, group.true, strict=True))
        if line in (0, 3):
            right = own[int(group.true.argmax())]
            softmax += math.log(sum(map(math.exp, own))) - right
    got = class_terms(logits, groups)
    assert float(got[0]) == pytest.approx(softmax / 2, rel=1e-5)
    assert float(got[1]) == pytest.approx(binary / 4, rel=1e-5)


def test_without_a_choice_to_make_the_binary_term_stands_in():
    logits = torch.randn(2, 3, generator=torch.Generator().manual_seed(1))
    groups = [class_group([1, 0, 1], multi_label=True), class_group([0, 0])]
    softmax, binary = class_terms(logits, groups)
    assert float(softmax) == float(binary)


def test_the_total_is_the_weighted_sum(network, targets):
    weights = LossWeights(spans=2.0, rank=3.0, count=5.0, classes=7.0, binary_classes=11.0)
    total, terms = compute_loss(network, targets, weights)
    assert set(terms) == {"spans", "rank", "count", "classes", "binary_classes"}
    expected = (
        2 * terms["spans"]
        + 3 * terms["rank"]
        + 5 * terms["count"]
        + 7 * terms["classes"]
        + 11 * terms["binary_classes"]
    )
    assert float(total.detach()) == pytest.approx(expected, rel=1e-6)


def test_a_batch_has_the_terms_that_it_asks_for(network, tokenizer):
    questions = batch_questions()
    only_spans = compute_loss(network, targets_of(questions[1:2], tokenizer), LossWeights())[1]
    only_classes = compute_loss(network, targets_of(questions[3:], tokenizer), LossWeights())[1]
    assert set(only_spans) == {"spans", "count"}
    assert set(only_classes) == {"classes", "binary_classes"}


@pytest.mark.parametrize("counting_layer", COUNTING_LAYERS)
@pytest.mark.parametrize("backbone", ["bert", "deberta-v2"])
def test_a_batch_says_what_its_rows_say_alone(tmp_path, backbone, counting_layer):
    path = make_tiny_checkpoint(tmp_path, backbone=backbone, counting_layer=counting_layer)
    network = load_network(path)
    tokenizer = PieceTokenizer(path / "tokenizer.json")
    questions = batch_questions()
    together = targets_of(questions, tokenizer)
    with torch.no_grad():
        both = run_network(network, together)
        span_line = class_line = 0
        for row, question in enumerate(questions):
            own = targets_of([question], tokenizer)
            alone = run_network(network, own)
            if alone.spans is not None:
                assert both.spans is not None
                assert both.counts is not None
                queries, words = alone.spans.shape[1:3]
                here = both.spans[row, :queries, :words]
                counts = torch.from_numpy(own.weight[0])
                torch.testing.assert_close(here[counts], alone.spans[0][counts])
                lines = slice(span_line, span_line + len(own.spans))
                torch.testing.assert_close(both.counts[lines], alone.counts)
                span_line = lines.stop
            if alone.classes is not None:
                assert both.classes is not None
                for line, group in enumerate(own.classes):
                    torch.testing.assert_close(
                        both.classes[class_line + line, : group.items],
                        alone.classes[line, : group.items],
                    )
                class_line += len(own.classes)


def test_queries_behind_the_last_one_of_a_row_are_zero(network, targets):
    markers = torch.randn(*targets.batch.markers.shape, 32)
    queries = span_queries(network, markers, targets.spans, targets.queries)
    used: dict[int, int] = defaultdict(int)
    for group in targets.spans:
        used[group.row] += group.instances * group.items
    assert queries.shape[1] == max(used.values())
    for row in range(len(queries)):
        real = queries[row].abs().sum(-1) > 0
        assert real.tolist() == [query < used[row] for query in range(queries.shape[1])]


@pytest.mark.parametrize("counting_layer", COUNTING_LAYERS)
def test_bf16_masks_neither_overflow_nor_change_the_loss(tmp_path, counting_layer):
    path = make_tiny_checkpoint(tmp_path, counting_layer=counting_layer, dropout=0.0)
    tokenizer = PieceTokenizer(path / "tokenizer.json")
    targets = targets_of(batch_questions(), tokenizer)
    losses = {}
    for dtype in (torch.float32, torch.bfloat16):
        network = load_network(path).to(dtype).train()
        loss, _ = compute_loss(network, targets, LossWeights())
        loss.backward()
        losses[dtype] = float(loss.detach())
        for name, parameter in network.named_parameters():
            if parameter.grad is not None:
                assert torch.isfinite(parameter.grad).all(), name
    assert losses[torch.bfloat16] == pytest.approx(losses[torch.float32], rel=0.03)


def test_every_part_of_the_network_learns(checkpoint, targets):
    network = load_network(checkpoint).train()
    compute_loss(network, targets, LossWeights())[0].backward()
    still = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    assert still == {"backbone.pooler.weight", "backbone.pooler.bias"}
