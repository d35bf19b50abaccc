import pytest
import torch
from tests.training.rl.problem import LABELS, make_checkpoint

from onepass.corpus.example import Example, GoldTask
from onepass.training.rl.policy import open_policy
from onepass.training.rl.questions import task_questions
from onepass.training.rl.reference import FrozenCopy, OtherModel


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("start"))


def test_a_checkpoint_asked_through_the_library_says_what_a_copy_of_it_says(start):
    """Label by label, though one of the tasks has exactly one answer."""
    policy = open_policy(start)
    examples = [
        Example("tim runs red", classifications=(GoldTask("tone", tuple(LABELS), ("red",)),)),
        Example(
            "great news",
            classifications=(
                GoldTask("class", ("news", "red"), (), descriptions={"news": "it is new"}),
            ),
        ),
    ]
    questions = [question for one in examples for question in task_questions(one)]
    asked = [one for question in questions for one in policy.ask(question, 64)]
    what, batch = policy.decisions(asked), policy.build(asked)
    copy = FrozenCopy(policy).logits(batch, asked, what)
    other = OtherModel(str(start)).logits(batch, asked, what)
    assert torch.allclose(copy[what.mask], other[what.mask], atol=1e-3)


def test_a_copy_stays_as_it_was(start):
    policy = open_policy(start)
    frozen = FrozenCopy(policy)
    (question,) = task_questions(
        Example("red", classifications=(GoldTask("tone", tuple(LABELS), ()),))
    )
    asked = policy.ask(question, 64)
    what, batch = policy.decisions(asked), policy.build(asked)
    before = frozen.logits(batch, asked, what)
    with torch.no_grad():
        for parameter in policy.network.parameters():
            parameter.add_(0.1)
    assert torch.equal(before, frozen.logits(batch, asked, what))
    assert not any(parameter.requires_grad for parameter in frozen.network.parameters())
