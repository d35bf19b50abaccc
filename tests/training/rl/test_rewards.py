import re
import sys

import pytest
import torch

from onepass.errors import InputError
from onepass.training.rl.config import RlOptions
from onepass.training.rl.episode import Decisions, Episode
from onepass.training.rl.rewards import Rewards, accuracy, build_rewards, f1, recall


def episode(gold: list[list[int]], actions: list[list[int]], counts: list[int]) -> Episode:
    """Return answers to texts with so many labels each."""
    width = len(gold[0])
    mask = torch.arange(width) < torch.tensor(counts)[:, None]
    labels = tuple(tuple("abcdef"[:count]) for count in counts)
    texts = tuple(f"text {i}" for i in range(len(counts)))
    decisions = Decisions(texts, labels, mask, torch.tensor(gold).float())
    taken = torch.tensor(actions).float()
    return Episode(decisions, taken, taken)


TWO = episode([[1, 1, 0], [0, 1, 0]], [[1, 0, 1], [0, 1, 0]], [3, 2])


def test_rewards_of_texts():
    assert f1(TWO).tolist() == pytest.approx([0.5, 1.0])  # 1 of 2 chosen, 1 of 2 true
    assert accuracy(TWO).tolist() == pytest.approx([1 / 3, 1.0])
    assert recall(TWO).tolist() == pytest.approx([0.5, 1.0])


def test_padding_never_counts():
    """What stands behind the labels of a text is no label that was rightly refused."""
    padded = episode([[1, 1, 1, 1]], [[0, 0, 1, 1]], [2])
    assert [float(r(padded)) for r in (f1, accuracy, recall)] == [0.0, 0.0, 0.0]
    assert padded.chosen() == [[]]


def test_nothing_to_find_and_nothing_found_is_right():
    nothing = episode([[0, 0], [0, 0]], [[0, 0], [1, 0]], [2, 2])
    assert f1(nothing).tolist() == [1.0, 0.0]
    assert recall(nothing).tolist() == [1.0, 1.0]
    assert accuracy(nothing).tolist() == [1.0, 0.5]


def test_rewards_are_added_up_by_weight():
    total, means = Rewards({"f1": (2.0, f1), "recall": (-0.5, recall)})(TWO)
    assert total.flatten().tolist() == pytest.approx([2 * 0.5 - 0.5 * 0.5, 2 - 0.5])
    assert means == pytest.approx({"f1": 0.75, "recall": 0.75})


def test_a_reward_by_label_gives_labels_their_own():
    by_label = Rewards({"f1": (1.0, f1), "own": (1.0, lambda e: (e.actions == e.gold) * 1.0)})
    total, means = by_label(TWO)
    assert total.tolist() == [[1.5, 0.5, 0.5], [2.0, 2.0, 1.0]]  # the last is padding
    assert means["own"] == pytest.approx((1 / 3 + 1) / 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [1.0],
            r"must return 2 numbers, one a text, or \(2, 3\), one a label, but returned \(1,\)",
        ),
        (None, "must return 2 numbers.*but returned NoneType"),
        (["a", "b"], "must return 2 numbers.*but returned list"),
        ([1.0, float("nan")], "'mine' returned a value that is no number"),
    ],
)
def test_a_reward_that_is_none_is_told(given, message):
    with pytest.raises(InputError, match=message):
        Rewards({"mine": (1.0, lambda episode: given)})(TWO)


def test_what_a_function_of_ones_own_raises_is_told_as_its_own(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "judge_that_raises.py").write_text("def boom(episode):\n    raise KeyError('x')\n")
    rewards = build_rewards(RlOptions(rewards={"judge_that_raises:boom": 1.0}))
    with pytest.raises(InputError, match="'judge_that_raises:boom' raised KeyError: 'x'; mend it"):
        rewards(TWO)


def test_lists_will_do():
    total, _ = Rewards({"mine": (0.5, lambda episode: [1, 2])})(TWO)
    assert total.tolist() == [[0.5], [1.0]]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of one's own in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "our_rewards.py").write_text(
        "def brief(episode):\n    return [-len(chosen) for chosen in episode.chosen()]\n"
        "number = 3\n"
    )
    yield "our_rewards"
    sys.modules.pop("our_rewards", None)


def test_a_function_is_found_by_its_name(module):
    before = list(sys.path)
    rewards = build_rewards(RlOptions(rewards={"recall": 1.0, f"{module}:brief": 0.1}))
    total, means = rewards(TWO)
    assert total.flatten().tolist() == pytest.approx([0.5 - 0.2, 1 - 0.1])
    assert list(means) == ["recall", "our_rewards:brief"]
    assert sys.path == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("our_rewards:long", "The module our_rewards has no 'long', which is a reward."),
        ("our_rewards:number", "is not a function of an episode but a int."),
        ("no_such_module:brief", "cannot be imported: No module named 'no_such_module'"),
    ],
)
def test_a_function_that_is_not_there_is_told(module, name, message):
    with pytest.raises(InputError, match=re.escape(message)):
        build_rewards(RlOptions(rewards={name: 1.0}))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def brief(:\n", "cannot be imported: broken raised SyntaxError: "),
        ("1 / 0\n", "cannot be imported: broken raised ZeroDivisionError: division by zero; mend"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text(source)
    with pytest.raises(InputError, match=re.escape(message)):
        build_rewards(RlOptions(rewards={"broken:brief": 1.0}))
