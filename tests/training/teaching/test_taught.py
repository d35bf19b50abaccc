"""A student that learns a teacher's scores, in whole runs on tiny checkpoints."""

import json
from pathlib import Path

import pytest
import torch
from tests.gliclass_checkpoints import write_checkpoint
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.jsonl import example_from_dict
from onepass.errors import CheckpointError, InputError
from onepass.models.gliclass.network.loss import run_network as run_gliclass
from onepass.models.gliner2.network.outputs import run_network
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.targets import LossWeights
from onepass.training.config import TrainConfig
from onepass.training.distilling import DistillOptions
from onepass.training.families import open_trainee
from onepass.training.gliclass import GliclassTrainee
from onepass.training.holdout import whole_question
from onepass.training.run import train_from_config
from onepass.training.teaching.gliclass import gliclass_term
from onepass.training.teaching.gliner2 import gliner2_term
from onepass.training.teaching.soft import soft_binary, soft_choice
from onepass.training.teaching.taught import Taught

ROW = {
    "text": "Tim Cook works for Apple in Paris.",
    "entities": [{"start": 0, "end": 8, "label": "person"}],
    "asked": ["person", "place"],
    "classifications": [{"name": "tone", "labels": ["calm", "angry"], "true": ["calm"]}],
}
LINKED = ROW | {"relations": [{"type": "works for", "head": [0, 8], "tail": [19, 24]}]}
PLAIN = dict.fromkeys(("restyle", "describe", "compete", "generalize", "foreign"), 0.0)


@pytest.fixture(scope="module")
def ends(tmp_path_factory) -> tuple[Path, Path]:
    """A student and a teacher with other random weights."""
    place = tmp_path_factory.mktemp("ends")
    torch.manual_seed(1)
    student = make_tiny_checkpoint(place / "student", dropout=0.0)
    torch.manual_seed(2)
    teacher = make_tiny_checkpoint(place / "teacher", dropout=0.0)
    trained = open_trainee(teacher)
    with torch.no_grad():
        for name, parameter in trained.network.named_parameters():
            parameter.add_(torch.randn_like(parameter) * (0.5 if "class" in name else 0.1))
    trained.save(place / "other")
    return student, place / "other"


@pytest.fixture(scope="module")
def gliclass(tmp_path_factory) -> Path:
    """A tiny GLiClass checkpoint."""
    place = tmp_path_factory.mktemp("gliclass")
    write_checkpoint(place, encoder="bert", pieces="wordpiece", calm=True, pooling_strategy="avg")
    return place


def apart(first: Path, second: Path) -> tuple[float, float]:
    """Return how far the probabilities of spans and classes of two checkpoints are apart."""
    outputs = []
    for path in (first, second):
        trainee = open_trainee(path)
        trainee.network.eval()
        batch = trainee.build(trainee.ask(whole_question(example_from_dict(ROW)), 99))
        with torch.no_grad():
            outputs.append(run_network(trainee.network, batch))
    spans = [one.spans.sigmoid() for one in outputs]
    classes = [one.classes.softmax(-1) for one in outputs]
    return (
        float((spans[0] - spans[1])[torch.from_numpy(batch.weight)].abs().mean()),
        float((classes[0] - classes[1]).abs().mean()),
    )


def test_a_student_approaches_its_teacher(tmp_path, write, ends):
    student, teacher = ends
    config = {
        "model": str(student), "data": str(write("data.jsonl", ROW)), "held_out": 0, "steps": 60,
        "output": str(tmp_path / "run"), "precision": "fp32", "device": "cpu", "warmup": 1,
        "encoder_rate": 3e-3, "head_rate": 3e-3, "sampling": PLAIN,
        "loss": dict.fromkeys(("spans", "rank", "count", "classes", "binary_classes"), 0.0),
        "distill": {"teacher": str(teacher), "temperature": 1.0},
    }  # fmt: skip
    before = apart(student, teacher)
    train_from_config(TrainConfig.from_dict(config))
    after = apart(tmp_path / "run" / "final", teacher)
    assert after[0] < 0.3 * before[0]
    assert before[1] > 0.02, before
    assert after[1] < 0.3 * before[1], (before, after)
    log = [json.loads(x) for x in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert "distill" in log[0]["loss"]
    assert log[0]["loss"]["taught"] == 1.0


def test_a_teacher_must_be_there(tmp_path, write, ends):
    config = {"model": str(ends[0]), "data": str(write("data.jsonl", ROW)), "held_out": 0}
    config |= {"output": str(tmp_path / "run"), "distill": str(tmp_path / "nowhere")}
    with pytest.raises(CheckpointError, match="nowhere"):
        train_from_config(TrainConfig.from_dict(config))
    assert not (tmp_path / "run" / "final").exists()


def test_a_teacher_of_another_family_is_refused(ends, gliclass):
    student, teacher = open_trainee(ends[0]), open_trainee(gliclass)
    with pytest.raises(InputError, match="is of another family than the model"):
        Taught(student, teacher, DistillOptions("big"))


def test_a_gliclass_student_approaches_its_teacher(gliclass, tmp_path):
    torch.manual_seed(0)
    student, teacher = open_trainee(gliclass), open_trainee(gliclass)
    with torch.no_grad():
        for parameter in teacher.network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    taught = Taught(student, teacher, DistillOptions("big", weight=1000.0, temperature=1.0))
    batch = taught.build(taught.ask(whole_question(example_from_dict(ROW)), 99))
    optimizer = torch.optim.AdamW(student.network.parameters(), lr=3e-3)
    student.network.eval()  # no dropout

    def gap() -> float:
        with torch.no_grad():
            own, shown = (
                run_gliclass(student.network, batch.own),
                run_gliclass(teacher.network, batch.shown),
            )
        return float((own.softmax(-1) - shown.softmax(-1)).abs().max())

    before = gap()
    frozen = [parameter.clone() for parameter in teacher.network.parameters()]
    for _ in range(60):
        optimizer.zero_grad()
        loss, terms = taught.loss(student.network, batch)
        loss.backward()
        optimizer.step()
    assert before > 0.01
    assert gap() < 0.5 * before
    assert "distill" in terms
    assert all(map(torch.equal, frozen, teacher.network.parameters()))


def gradients(network: torch.nn.Module, loss: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradients of the weights that a loss depends on."""
    found = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


@pytest.mark.parametrize("family", ["gliner2", "gliclass"])
def test_one_pass_gives_the_numbers_of_two(ends, gliclass, family):
    """Without dropout the soft term may be computed from a pass of its own."""
    first, second = ends if family == "gliner2" else (gliclass, gliclass)
    student, teacher = open_trainee(first), open_trainee(second)
    with torch.no_grad():
        next(teacher.network.parameters()).mul_(1.5)
    taught = Taught(student, teacher, DistillOptions("big", weight=0.7, temperature=3.0))
    network = student.network.eval()
    batch = taught.build(taught.ask(whole_question(example_from_dict(ROW)), 99))
    run, term = (
        (run_network, gliner2_term) if family == "gliner2" else (run_gliclass, gliclass_term)
    )
    hard, _ = student.loss(network, batch.own)
    soft = term(run(network, batch.own), teacher.network, batch, 3.0) * 9.0
    passes = []
    handle = network.backbone.register_forward_hook(lambda *given: passes.append(1))
    loss, terms = taught.loss(network, batch)
    handle.remove()
    assert len(passes) == 1
    assert terms["distill"] == soft.item() > 0
    assert loss.item() == pytest.approx((hard + 0.7 * soft).item(), rel=1e-6)
    ours, two = gradients(network, loss), gradients(network, hard + 0.7 * soft)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(ours, two, strict=True))


def test_equal_logits_have_the_gradient_zero():
    logits = torch.tensor([2.0, -1.0, 0.5], requires_grad=True)
    for term in (soft_binary, soft_choice):
        (gradient,) = torch.autograd.grad(term(logits, logits.detach(), 2.0), logits)
        assert float(gradient.abs().max()) < 1e-6


def test_a_student_with_a_spare_instance_is_taught_the_others(ends):
    student = open_trainee(ends[0], LossWeights(slots=0.5))
    taught = Taught(student, open_trainee(ends[1]), DistillOptions("big"))
    batch = taught.build(taught.ask(whole_question(example_from_dict(LINKED)), 99))
    pairs = [group for group in batch.own.spans if group.kind is Kind.RELATION]
    assert [group.instances - group.count for group in pairs] == [1]
    plain = Taught(open_trainee(ends[0]), open_trainee(ends[1]), DistillOptions("big"))
    same = plain.build(plain.ask(whole_question(example_from_dict(LINKED)), 99))
    student.network.eval()
    spare, without = (
        each.loss(student.network, one)[1]["distill"]
        for each, one in ((taught, batch), (plain, same))
    )
    assert spare == pytest.approx(without, abs=1e-5)
    assert spare > 0


class Short(GliclassTrainee):
    """A checkpoint that reads little at once; a student is told how much, a teacher is not."""

    longest = 128


@pytest.mark.parametrize("several", [True, False])
def test_labels_that_the_teacher_splits_elsewhere_are_all_taught(gliclass, several):
    torch.manual_seed(0)
    taught = Taught(Short(gliclass), Short(gliclass), DistillOptions("big", temperature=1.0))
    names = [f"kind {letter} in paris" for letter in "abcdefghijklmnopqrst"]
    task = {"name": "t", "labels": names, "true": names[:1], "multi_label": several}
    row = {"text": "Tim Cook works.", "classifications": [task]}
    pairs = taught.ask(whole_question(example_from_dict(row)), 512)
    assert len(pairs) == 1
    assert len(pairs[0].shown) > 1
    batch = taught.build(pairs)
    items = [part.labels for part in batch.shared]
    assert [item for own in items for item in own] == list(range(20))
    assert items == [one.reading.prompt.items for one in pairs[0].shown]
    network = taught.network.eval()
    with torch.no_grad():
        own = run_gliclass(network, batch.own)[0]
        shown = run_gliclass(taught._teacher.network, batch.shown)
    parts = [(own[list(item)], shown[line, : len(item)]) for line, item in enumerate(items)]
    if several:
        right = sum(soft_binary(*cells, 1.0) for cells in parts) / 20
    else:
        right = sum(soft_choice(*cells, 1.0) for cells in parts) / len(parts)
    terms = taught.loss(network, batch)[1]
    assert terms["distill"] == pytest.approx(float(right), rel=1e-5)
    assert terms["taught"] == 1.0
