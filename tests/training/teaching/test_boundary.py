"""What a GLiNER2 boundary student learns of a teacher."""

import pytest
import torch
from tests.boundary_checkpoints import EACH, SHARED, make_boundary
from tests.training.test_boundary_learns import sentences

from onepass.corpus.jsonl import example_from_dict
from onepass.models.boundary.targets import BoundaryLoss
from onepass.models.gliner2.prompt import Kind
from onepass.training.distilling import DistillOptions
from onepass.training.families import open_trainee
from onepass.training.holdout import whole_question
from onepass.training.teaching.boundary import BoundaryTerm
from onepass.training.teaching.soft import soft_binary, soft_tasks
from onepass.training.teaching.taught import Taught

HEADS = {"shared": SHARED | {"enable_abstention": True}, "each": EACH}


@pytest.fixture(scope="module", params=HEADS)
def one(request, tmp_path_factory):
    """A student, and a teacher of the same weights."""
    path = tmp_path_factory.mktemp("boundary")
    make_boundary(path, head=HEADS[request.param])
    torch.manual_seed(3)
    return Taught(open_trainee(path), open_trainee(path), DistillOptions("big", temperature=1.5))


@pytest.fixture(scope="module")
def batch(one):
    """Four sentences, with all tasks."""
    rows = [whole_question(example_from_dict(row)) for row in sentences()[:12:3]]
    return one.build([pair for row in rows for pair in one.ask(row, 99)])


def soft(one, batch):
    """Return the soft term with its gradients."""
    one.network.eval()
    outputs = one._student.answer(one.network, batch.own)[2]
    term = BoundaryTerm(one._student.weights)(outputs, one._teacher.network, batch, 1.5)
    found = torch.autograd.grad(term, list(one.network.parameters()), allow_unused=True)
    return float(term.detach()), max(float(g.abs().max()) for g in found if g is not None)


def test_a_teacher_of_the_same_scores_teaches_nothing(one, batch):
    assert batch.rows == (0, 1, 2, 3)
    term, slope = soft(one, batch)
    assert term > 0
    assert slope < 1e-4


def test_there_being_nothing_is_taught_of_entity_labels_alone(one, batch):
    kinds = {group.kind for group in batch.own.groups}
    assert {Kind.ENTITIES, Kind.RELATION} <= kinds
    none = dict.fromkeys(("boundaries", "inside", "spans", "relations"), 0.0)
    one.network.eval()
    with torch.no_grad():
        own = one._student.answer(one.network, batch.own)[2]
        shown = one._teacher.answer(one._teacher.network, batch.shown)[2]
    rest = soft_tasks(own.classes, shown.classes, batch, 1.5)
    weights = BoundaryLoss(nothing=1.0, **none)
    with torch.no_grad():
        term = BoundaryTerm(weights)(own, one._teacher.network, batch, 1.5) - rest
    if own.known.nothing is None:
        assert float(term) == 0
        return
    cells = [
        soft_binary(own.known.nothing[at], shown.known.nothing[at], 1.5)
        for group in batch.own.groups
        if group.kind is Kind.ENTITIES
        for at in [(group.row, group.first + item) for item in range(len(group.spans))]
    ]
    assert float(term) == pytest.approx(float(sum(cells)) / len(cells), rel=1e-4)


def test_a_student_approaches_its_teacher(one, batch):
    with torch.no_grad():
        for parameter in one._teacher.network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    one.network.eval()
    optimizer = torch.optim.AdamW(one.network.parameters(), lr=1e-3)

    def gaps() -> list[float]:
        with torch.no_grad():
            own = one._student.answer(one.network, batch.own)[2]
            shown = one._teacher.answer(one._teacher.network, batch.shown)[2]
        inside = (own.known.inside.sigmoid() - shown.known.inside.sigmoid()).abs().mean()
        classes = (own.classes[:, :2].softmax(-1) - shown.classes[:, :2].softmax(-1)).abs().mean()
        return [float(inside), float(classes)]

    before = gaps()
    assert soft(one, batch)[1] > 1e-2
    for _ in range(60):
        optimizer.zero_grad()
        outputs = one._student.answer(one.network, batch.own)[2]
        BoundaryTerm(one._student.weights)(outputs, one._teacher.network, batch, 1.5).backward()
        optimizer.step()
    assert all(after < 0.4 * first for after, first in zip(gaps(), before, strict=True))
