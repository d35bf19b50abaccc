import json
import re

import pytest
import torch

from onepass.corpus.example import Example, GoldTask
from onepass.errors import InputError
from onepass.training.rl.episode import Decisions, Episode
from onepass.training.rl.feedback import Feedback

LABELS = ("calm", "angry", "sad")


@pytest.fixture
def read(tmp_path):
    """Return the feedback of some rows."""

    def make(*rows: object) -> Feedback:
        path = tmp_path / "feedback.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return Feedback.read(path)

    return make


def episode(texts: list[str], actions: list[list[float]], labels=LABELS) -> Episode:
    mask = torch.ones(len(texts), len(labels)) > 0
    decisions = Decisions(tuple(texts), (labels,) * len(texts), mask, torch.zeros(mask.shape))
    return Episode(decisions, torch.tensor(actions), torch.tensor(actions))


def test_answers_are_worth_how_far_they_agree(read):
    feedback = read({"text": "Hi", "labels": ["calm"], "reward": 2.0})
    found = feedback(episode(["Hi", "Hi", "Hi"], [[1, 0, 0], [1, 1, 0], [0, 1, 1]]))
    assert found.tolist() == pytest.approx([2.0, 2 * 2 / 3, 0.0])


def test_what_was_rejected_is_worth_less_the_more_it_is_repeated(read):
    feedback = read({"text": "Hi", "labels": ["calm"], "reward": -1.0})
    found = feedback(episode(["Hi", "Hi"], [[1, 0, 0], [0, 1, 1]]))
    assert found.tolist() == pytest.approx([-1.0, 0.0])


def test_an_action_judges_only_what_it_names(read):
    feedback = read({"text": "Hi", "action": {"calm": True, "sad": False}, "reward": 1.0})
    found = feedback(episode(["Hi", "Hi"], [[1, 1, 0], [1, 0, 1]]))
    assert found.tolist() == pytest.approx([1.0, 0.5])


def test_several_judged_answers_are_averaged_and_other_texts_get_nothing(read):
    feedback = read(
        {"text": "Hi", "labels": ["calm"], "reward": 1.0},
        {"text": "Hi", "labels": ["angry"], "reward": -1.0},
    )
    found = feedback(episode(["Ho", "Hi"], [[1, 0, 0], [1, 0, 0]]))
    assert found.tolist() == pytest.approx([0.0, (1.0 - 1 / 3) / 2])
    assert feedback(episode(["Ho"], [[1, 0, 0]])).tolist() == [0.0]


def test_padding_does_not_agree(read):
    feedback = read({"text": "Hi", "labels": [], "reward": 1.0})
    asked = episode(["Hi", "Ho"], [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    mask = torch.tensor([[True, False, False], [True, True, True]])
    decisions = Decisions(asked.texts, (("calm",), LABELS), mask, asked.gold)
    found = feedback(Episode(decisions, asked.actions, asked.actions))
    assert found.tolist() == [0.0, 0.0]


def test_only_answers_to_the_task_that_is_asked_count(read):
    feedback = read(
        {"text": "Hi", "labels": ["news"], "reward": 1.0},
        {"text": "Hi", "action": {"calm": False}, "reward": 1.0},
    )
    assert feedback(episode(["Hi"], [[0, 1, 0]])).tolist() == [1.0]
    assert feedback(episode(["Hi"], [[1, 0]], labels=("news", "art"))).tolist() == [1.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "Hi", "reward": 1}, "line 1: the row needs either 'labels' or 'action'"),
        (
            {"text": "Hi", "labels": [], "action": {"a": True}, "reward": 1},
            "the row needs either 'labels' or 'action'; give one of them.",
        ),
        ({"text": "Hi", "labels": ["a"]}, "needs the key 'reward'"),
        ({"labels": ["a"], "reward": 1}, "needs the key 'text'"),
        ({"text": "Hi", "labels": ["a"], "reward": "good"}, "the reward must be a number"),
        ({"text": "Hi", "labels": ["a"], "reward": True}, "the reward must be a number"),
        ({"text": "Hi", "labels": "a", "reward": 1}, "labels must be a list"),
        ({"text": "Hi", "action": {}, "reward": 1}, "'action' is empty; it must name a label."),
        ({"text": "Hi", "action": {"a": 1}, "reward": 1}, "the action 'a' must be true or false"),
        ({"text": "Hi", "labels": [], "score": 1}, "unknown key 'score'"),
    ],
)
def test_a_wrong_row_is_told(read, row, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read(row)


def test_an_empty_file_is_told(read):
    with pytest.raises(InputError, match="is empty; expected one judged answer a line"):
        read()


def example(text: str, *labels: str) -> Example:
    return Example(text, classifications=(GoldTask("tone", labels, ()),))


def test_answers_are_matched_with_the_data(read):
    feedback = read(
        {"text": "Hi", "labels": ["calm"], "reward": 1},
        {"text": "Ho", "labels": ["calm"], "reward": 1},
    )
    assert feedback.check([example("Hi", *LABELS), example("Hm", *LABELS)]) == (1, 2)
    with pytest.raises(InputError, match=r"None of the texts in .* is in the data"):
        feedback.check([example("hi", *LABELS)])
    with pytest.raises(InputError, match=r"line 1: the labels calm are not .* which are sad."):
        feedback.check([example("Hi", "sad")])
    with pytest.raises(InputError, match="which are none"):
        feedback.check([Example("Hi")])
