"""What a GLiNER student learns of a teacher."""

import json
import shutil

import pytest
import torch
from tests.gliner_checkpoints import BI, FUSIONS, TOKENS
from tests.training.gliner_data import make_learner, sentences

from onepass.corpus.gliner import example_from_gliner
from onepass.errors import InputError
from onepass.models.gliner.loss import GlinerLoss
from onepass.training.distilling import DistillOptions
from onepass.training.families import open_trainee
from onepass.training.gliner import GlinerTrainee
from onepass.training.holdout import whole_question
from onepass.training.teaching.taught import Taught

KINDS = {
    "span": {},
    "token": TOKENS,
    "token-spans": TOKENS | {"represent_spans": True},
    "bi-span": BI,
    "poly-token": BI | TOKENS | {"post_fusion_schema": FUSIONS[0]},
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
    assert all(pair.shown is not None for pair in batch.pairs)
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
