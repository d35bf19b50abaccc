"""Checkpoints as policies: what their passes ask, and that padding and neighbors change nothing."""

import random
from pathlib import Path

import pytest
import torch
from tests.gliner_checkpoints import make_reference as make_gliner
from tests.tiny import make_tiny_checkpoint
from tests.training.rl.problem import LABELS, make_checkpoint

from onepass.corpus.example import Example, GoldTask
from onepass.errors import CheckpointError
from onepass.training.asking.means import SamplingOptions
from onepass.training.rl.policy import AskedTask, Policy, open_policy
from onepass.training.rl.questions import TaskSampler, task_questions
from onepass.training.rl.value import ValueModel

KINDS = {
    "uni-encoder": {},
    "attending": {"scorer_type": "cross-attn", "pooling_strategy": "pass"},
    "bi-encoder": {"architecture_type": "bi-encoder"},
    "fused": {"architecture_type": "bi-encoder-fused"},
    "gliner2": None,
}


@pytest.fixture(scope="module", params=KINDS)
def policy(request, tmp_path_factory) -> Policy:
    directory: Path = tmp_path_factory.mktemp(request.param)
    options = KINDS[request.param]
    if options is None:
        return open_policy(make_tiny_checkpoint(directory, dropout=0.0))
    return open_policy(make_checkpoint(directory, **options))


def passes(policy: Policy) -> list[AskedTask]:
    examples = [
        Example("tim runs red", classifications=(GoldTask("class", tuple(LABELS), ("red",)),)),
        Example(
            "great news in paris and rome",
            classifications=(
                GoldTask("tone", ("calm", "angry", "bad", "great", "red"), ("great",)),
                GoldTask("topic", ("news", "price"), (), descriptions={"news": "it is new"}),
            ),
        ),
    ]
    questions = [question for example in examples for question in task_questions(example)]
    return [one for question in questions for one in policy.ask(question, 64)]


def test_what_is_to_be_decided(policy):
    what = policy.decisions(passes(policy))
    assert what.texts == ("tim runs red", *["great news in paris and rome"] * 2)
    assert [len(labels) for labels in what.labels] == what.mask.sum(1).tolist() == [3, 5, 2]
    true = [
        [label for label, gold in zip(labels, row, strict=False) if gold]
        for labels, row in zip(what.labels, what.gold.tolist(), strict=True)
    ]
    assert true == [["red"], ["great"], []]


def test_a_batch_says_what_each_text_says(policy):
    policy.network.eval()
    asked = passes(policy)
    what = policy.decisions(asked)
    with torch.no_grad():
        batch = policy.build(asked)
        together = policy.logits(policy.network, batch, what.mask)
        vectors = policy.vectors(policy.network, batch)
        assert vectors.shape == (3, policy.hidden)
        for row, one in enumerate(asked):
            alone = policy.build([one])
            mask = policy.decisions([one]).mask
            logits = policy.logits(policy.network, alone, mask)
            assert torch.allclose(together[row, : mask.shape[1]], logits[0], atol=1e-5)
            assert not together[row, mask.shape[1] :].any()
            own = policy.vectors(policy.network, alone)
            assert torch.allclose(vectors[row], own[0], atol=1e-5)


def test_a_value_model_reads_a_copy(policy):
    value = ValueModel(policy, own=True)
    vectors = policy.vectors(value.encoder, policy.build(passes(policy)))
    torch.nn.init.ones_(value.head.weight)
    value.head(vectors).sum().backward()
    assert any(one.grad is not None and one.grad.any() for one in value.encoder.parameters())
    assert all(one.grad is None for one in policy.network.parameters())


def test_many_labels_are_asked_in_several_passes(tmp_path):
    """Of a GLiClass checkpoint; each pass decides its own part of the labels."""
    policy = open_policy(make_checkpoint(tmp_path))
    labels = tuple(f"{a} {b}" for a in ("red", "calm", "bad") for b in ("person", "price", "tim"))
    task = GoldTask("class", labels, (labels[7],), multi_label=True)
    (question,) = task_questions(Example("tim runs", classifications=(task,)))
    asked = policy.ask(question, 40)
    assert len(asked) > 1
    what = policy.decisions(asked)
    assert tuple(label for own in what.labels for label in own) == labels
    assert what.gold.sum() == 1
    row, column = what.gold.nonzero()[0].tolist()
    assert what.labels[row][column] == labels[7]


def test_another_family_is_refused(tmp_path):
    make_gliner(tmp_path / "gliner")
    with pytest.raises(CheckpointError, match="is a gliner checkpoint, which 'rl' cannot train"):
        open_policy(tmp_path / "gliner")


def test_a_question_asks_one_task_under_its_own_names():
    tasks = (
        GoldTask("tone", ("calm", "angry", "sad"), ("sad",), examples=(("Oh", ("sad",)),)),
        GoldTask("topic", ("news", "art"), ()),
    )
    example = Example("Hi", classifications=tasks)
    orders = set()
    sampler = TaskSampler()
    for seed in range(40):
        question = sampler.question(example, random.Random(seed))
        (task,) = question.schema.classification_tasks
        names = [label.name for label in task.labels]
        assert sorted(names) == sorted(tasks[task.name == "topic"].labels)
        assert [names[i] for i in question.classes[0]] == (["sad"] if task.name == "tone" else [])
        orders.add(tuple(names))
    assert len(orders) == 6 + 2
    assert sampler.question(Example("Hi"), random.Random(0)).schema.is_empty


@pytest.mark.parametrize(("most", "true", "asked"), [(100, 1, 77), (100, 60, 77), (10, 60, 10)])
def test_as_many_labels_are_drawn_as_may_be_asked(most: int, true: int, asked: int):
    labels = tuple(f"l{i}" for i in range(77))
    task = GoldTask("class", labels, labels[:true], multi_label=True)
    sampler = TaskSampler(SamplingOptions(max_classes=most))
    question = sampler.question(Example("Hi", classifications=(task,)), random.Random(0))
    assert len(question.schema.classification_tasks[0].labels) == asked
    assert 0 < len(question.classes[0]) < asked  # one label at least does not hold


def test_few_labels_of_many_are_drawn_with_the_true_ones():
    labels = tuple(f"l{i}" for i in range(60))
    shown = (("A", ("l1",)), ("B", ("l7",)))
    task = GoldTask("class", labels, ("l7", "l9"), multi_label=True, examples=shown)
    sampler = TaskSampler(SamplingOptions(max_classes=5))
    for seed in range(5):
        question = sampler.question(Example("Hi", classifications=(task,)), random.Random(seed))
        (asked,) = question.schema.classification_tasks
        names = [label.name for label in asked.labels]
        assert len(names) == 5
        assert {names[i] for i in question.classes[0]} == {"l7", "l9"}
        kept = [text for text, answers in shown if set(answers) & set(names)]
        assert [text for text, _ in asked.examples] == kept
