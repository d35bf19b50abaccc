"""What a GLiNER student learns of a teacher."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from tests.gliner_checkpoints import BI, FUSIONS, NAMERS, STREAMING, TOKENS, in_context
from tests.training.gliner_data import make_learner, sentences

from onepass.corpus.gliner import example_from_gliner
from onepass.errors import InputError
from onepass.models.gliner.loss import GlinerLoss
from onepass.schema import Schema
from onepass.training.distilling import DistillOptions
from onepass.training.families import open_trainee
from onepass.training.gliner import GlinerTrainee
from onepass.training.holdout import whole_question
from onepass.training.teaching.lesson import Pair
from onepass.training.teaching.matching import matching
from onepass.training.teaching.soft import soft_binary
from onepass.training.teaching.taught import Taught

KINDS = {
    "span": {},
    "token": TOKENS,
    "token-spans": TOKENS | {"represent_spans": True},
    "bi-span": BI,
    "poly-token": BI | TOKENS | {"post_fusion_schema": FUSIONS[0]},
    "streaming": STREAMING["streaming-llama"],
    "span-context": in_context("deberta-v2"),
    "written": NAMERS["names-prompt-span"],
    "span-relex": {"relations_layer": "dot"},
    "span-relex-triples": {"relations_layer": "mlp", "triples_layer": "ComplEx"},
}


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """A function that makes a checkpoint of a kind, once."""
    made = {}

    def make(kind: str):
        if kind not in made:
            made[kind] = make_learner(tmp_path_factory.mktemp(kind), **KINDS[kind])
        return made[kind]

    return make


def questions(kind: str):
    """Return three questions that differ in their labels."""
    rows = sentences(relations="relex" in kind)
    for number, row in enumerate(rows[:12:5]):
        row["ner_negatives"] = ["color", "price", "age"][number:]
        yield whole_question(example_from_gliner(row))


def taught(student, teacher, **given):
    return Taught(student, teacher, DistillOptions("big", temperature=1.5, **given))


def batch_of(one: Taught, kind: str):
    return one.build([pair for each in questions(kind) for pair in one.ask(each, 99)])


def gradient_of_soft_term(one: Taught, batch) -> tuple[float, float]:
    """Return the term, and the largest gradient of it alone."""
    network = one.network.eval()
    with torch.enable_grad():
        hard, _ = one._student.loss(network, batch.own)
        loss, terms = one.loss(network, batch)
        parameters = list(network.parameters())
        found = torch.autograd.grad(loss - hard, parameters, allow_unused=True)
    return terms["distill"], max(float(g.abs().max()) for g in found if g is not None)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_teacher_of_the_same_scores_teaches_nothing(student, kind, reduction):
    path, loss = student(kind), GlinerLoss(reduction=reduction)
    one = taught(GlinerTrainee(path, loss), open_trainee(path))
    batch = batch_of(one, kind)
    assert all(pair.shown for pair in batch.pairs)
    term, slope = gradient_of_soft_term(one, batch)
    assert term > 0
    assert slope < 2e-4
    with torch.no_grad():
        for parameter in one._teacher.network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    assert gradient_of_soft_term(one, batch)[1] > 1e-2


def test_a_teacher_may_read_less_and_score_narrower_spans(student, tmp_path):
    path = tmp_path / "narrow"
    shutil.copytree(student("span"), path)
    config = json.loads((path / "gliner_config.json").read_text())
    (path / "gliner_config.json").write_text(json.dumps(config | {"max_width": 2, "max_len": 4}))
    one = taught(open_trainee(student("span")), open_trainee(path))
    batch = batch_of(one, "span")
    assert batch.shown.grid.gold.shape[2:] == (4, 2)
    term, slope = gradient_of_soft_term(one, batch)
    whole = taught(open_trainee(student("span")), open_trainee(student("span")))
    assert 0 < term < gradient_of_soft_term(whole, batch_of(whole, "span"))[0]
    if not one.network.config.rnn_layers:
        assert slope < 2e-4


def test_a_student_approaches_its_teacher(student):
    torch.manual_seed(0)
    one = taught(open_trainee(student("span-relex")), open_trainee(student("span-relex")))
    with torch.no_grad():
        for parameter in one._teacher.network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    batch = batch_of(one, "span-relex")
    one.network.eval()
    optimizer = torch.optim.AdamW(one.network.parameters(), lr=1e-3)

    def gap() -> float:
        with torch.no_grad():
            own = one._student.answer(one.network, batch.own)[2]
            shown = one._teacher.answer(one._teacher.network, batch.shown)[2]
        counted = torch.from_numpy(batch.own.grid.counted)
        return float((own.grid.sigmoid() - shown.grid.sigmoid())[counted].abs().mean())

    before = gap()
    for _ in range(60):
        optimizer.zero_grad()
        hard, _ = one._student.loss(one.network, batch.own)
        loss, _ = one.loss(one.network, batch)
        (loss - hard).backward()
        optimizer.step()
    assert before > 0.01
    assert gap() < 0.3 * before


class Short(GlinerTrainee):
    """A checkpoint that reads little at once; a student is told how much, a teacher is not."""

    longest = 64


def asking(labels, **row):
    """Return a question that asks labels, none of which holds."""
    text = ["tim", "cook", "runs", "apple", "in", "paris", "."]
    row = {"tokenized_text": text, "ner": [], "ner_negatives": labels} | row
    return whole_question(example_from_gliner(row))


def learned(batch) -> list[list[str]]:
    """Return the names of the labels that each row is taught, from the teacher's passes in turn."""
    passes = list(dict.fromkeys(one for pair in batch.pairs for one in pair.shown))
    names = [[] for _ in batch.pairs]
    for part in batch.shared:
        mine = [batch.pairs[part.row].own.names[column] for column in part.labels]
        assert mine == [passes[part.line].names[column] for column in part.shown_labels]
        names[part.row] += mine
    return names


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_all_labels_are_taught_where_the_teacher_splits_them_over_more_passes(student, reduction):
    path, loss = student("span"), GlinerLoss(reduction=reduction)
    one = taught(Short(path, loss), Short(path))
    labels = [f"{color} {thing}" for color in ("red", "blue") for thing in "abcdefghijklmno"]
    batch = one.build(one.ask(asking(labels), 256))
    assert len(batch.pairs) == 1
    assert len(batch.shown.arrays["ids"]) == len(batch.shared) > 1
    assert learned(batch) == [labels]
    with torch.no_grad():
        own = one._student.answer(one.network.eval(), batch.own)[2].grid[0]
        shown = one._teacher.answer(one._teacher.network, batch.shown)[2].grid
    sizes = [len(part.labels) for part in batch.shared]
    joined = torch.cat([shown[line, :size] for line, size in enumerate(sizes)])
    counted = torch.from_numpy(batch.own.grid.counted[0])
    units = int(counted.any(0).sum()) if reduction == "mean" else 1
    right = soft_binary(own[counted], joined[counted], 1.5) * 1.5**2 / units
    assert one.loss(one.network, batch)[1]["distill"] == pytest.approx(float(right), rel=1e-4)


def test_a_pass_of_the_teacher_stands_once_in_its_batch_for_all_that_share_it(student):
    path = student("span")
    one = taught(GlinerTrainee(path), GlinerTrainee(path))
    labels = [f"{color} {thing}" for color in ("red", "blue") for thing in "abcdefghijklmno"]
    whole = one._teacher.ask(asking(labels), 256)
    pairs = [Pair(own, matching(own, whole)) for own in one._student.ask(asking(labels), 64)]
    batch = one.build(pairs)
    assert len(pairs) > 1
    assert len(batch.shown.arrays["ids"]) == 1
    assert [name for names in learned(batch) for name in names] == labels
    assert all(names for names in learned(batch))


def test_labels_that_the_teacher_cannot_be_asked_are_left_out_and_it_is_told(student):
    path = student("span")
    one = taught(Short(path), Short(path))
    long = " ".join(["red"] * 60)
    some, none = one.ask(asking(["person", long]), 256), one.ask(asking([long]), 256)
    batch = one.build([*some, *none])
    assert learned(batch) == [["person"], []]
    terms = one.loss(one.network, batch)[1]
    assert terms["taught"] == 0.5
    assert terms["distill"] > 0
    _, terms = one.loss(one.network, one.build(none))
    assert terms["taught"] == 0.0
    assert "distill" not in terms


def test_a_student_that_writes_labels_in_another_order_is_taught_each(student):
    one = taught(open_trainee(student("written")), open_trainee(student("span")))
    text = ["tim", "cook", "runs", "apple", "in", "paris", "."]
    row = {"tokenized_text": text, "ner": [[0, 1, "person"], [3, 3, "company"]]}
    question = whole_question(example_from_gliner(row | {"ner_negatives": ["color", "age"]}))
    labels = tuple(reversed(question.schema.entity_labels))
    entities = tuple((3 - label, *place) for label, *place in question.entities)
    question = replace(question, schema=Schema().entities(labels), entities=entities)
    batch = one.build(one.ask(question, 99))
    (part,) = batch.shared
    assert part.labels == (0, 1, 2, 3)
    assert part.shown_labels != part.labels
    assert sorted(learned(batch)[0]) == ["age", "color", "company", "person"]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_texts_that_are_asked_for_no_pairs_teach_none(student, reduction):
    """Whatever stands beside a text in a batch, its own pairs are taught."""
    rest = dict.fromkeys(("span_loss_coef", "token_loss_coef", "relation_loss_coef"), 0.0)
    path = student("span-relex")
    one = taught(GlinerTrainee(path, GlinerLoss(reduction=reduction, **rest)), open_trainee(path))
    asked = whole_question(example_from_gliner(sentences(relations=True)[0]))
    plain = whole_question(example_from_gliner(sentences()[6]))
    one.network.eval()
    terms = [
        one.loss(one.network, one.build([pair for each in rows for pair in one.ask(each, 99)]))[1]
        for rows in ([asked], [asked, plain])
    ]
    assert terms[0]["distill"] > 0
    assert terms[1]["distill"] == pytest.approx(terms[0]["distill"], rel=1e-4)


def test_relation_types_are_taught_once_by_a_teacher_that_asks_them_again(student):
    path = student("span-relex")
    one = taught(Short(path), Short(path))
    text = ["tim", "cook", "runs", "apple", "in", "paris", "."]
    row = {"tokenized_text": text, "ner": [[0, 1, "person"], [3, 3, "company"]]}
    row |= {"relations": [[0, 1, "runs"]], "rel_negatives": ["owns"]}
    labels = [f"red {thing}" for thing in "abcdefghijklmno"]
    question = whole_question(example_from_gliner(row | {"ner_negatives": labels}))
    batch = one.build(one.ask(question, 256))
    assert len(batch.shared) > 1
    assert [part.types for part in batch.shared] == [(0, 1), *[()] * (len(batch.shared) - 1)]
    assert batch.shared[0].shown_types == (0, 1)
    assert one.loss(one.network, batch)[1]["distill"] > 0


def test_a_student_with_a_label_encoder_learns_from_a_teacher_without(student):
    one = taught(open_trainee(student("bi-span")), open_trainee(student("span")))
    batch = batch_of(one, "bi-span")
    assert batch.own.labels.counts.tolist()[2] > len(
        batch.pairs[2].own.names
    )  # those of other rows
    term, slope = gradient_of_soft_term(one, batch)
    assert term > 0
    assert slope > 1e-2


def test_a_teacher_of_words_is_refused_for_a_student_of_spans(student):
    with pytest.raises(InputError, match="scores words, but the model spans; give a teacher that"):
        taught(open_trainee(student("span")), open_trainee(student("token")))
