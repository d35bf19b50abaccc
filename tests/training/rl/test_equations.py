"""Every equation of the paper against numbers that were worked out by hand."""

import math

import pytest
import torch

from onepass.training.rl import equations


def close(found: torch.Tensor, *expected: float) -> None:
    assert found.flatten().tolist() == pytest.approx(list(expected), abs=1e-6)


def logit(*shares: float) -> torch.Tensor:
    return torch.tensor([[math.log(p / (1 - p)) for p in shares]])


def test_log_probabilities_are_those_of_the_action():
    found = equations.log_probabilities(logit(0.8, 0.8), torch.tensor([[1.0, 0.0]]))
    close(found, math.log(0.8), math.log(0.2))


def test_log_probabilities_of_sure_labels_stay_numbers():
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    found = equations.log_probabilities(logits, torch.tensor([[0.0, 1.0]]))
    close(found, -200.0, -200.0)
    found.sum().backward()
    close(logits.grad, -1.0, 1.0)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [
        (1.0, 0.5, 0.5),
        (1.1, 0.5, 0.55),
        (1.5, 0.5, 0.6),  # clipped: 1.2 * 0.5
        (0.5, 0.5, 0.25),  # worse than before: never clipped
        (1.5, -0.5, -0.75),  # likewise
        (0.5, -0.5, -0.4),  # clipped: 0.8 * -0.5
        (1.5, 0.0, 0.0),
    ],
)
def test_equation_26_is_the_smaller_of_two_products(ratio, advantage, expected):
    old = torch.tensor([[math.log(0.4)]])
    new = torch.tensor([[math.log(0.4 * ratio)]], requires_grad=True)
    found = equations.surrogate(new, old, torch.tensor([[advantage]]), 0.2)
    close(found, expected)
    found.sum().backward()
    stopped = bool(equations.is_clipped(new, old, torch.tensor([[advantage]]), 0.2))
    assert stopped == (expected in (0.6, -0.4))
    close(new.grad, 0.0 if stopped else ratio * advantage)  # the slope of a ratio is the ratio


def test_a_ratio_beyond_all_bounds_has_no_gradient_that_is_no_number():
    for advantage in (1.0, -1.0):
        new = torch.tensor([[0.0]], requires_grad=True)
        old = torch.tensor([[-500.0]])
        equations.surrogate(new, old, torch.tensor([[advantage]]), 0.2).sum().backward()
        assert torch.isfinite(new.grad).all()


def test_equation_27_is_a_squared_error():
    values = torch.tensor([0.5, 1.0], requires_grad=True)
    mask = torch.tensor([[1, 1], [1, 0]])
    loss = equations.value_loss(values, torch.tensor([[0.8], [0.0]]), mask)
    close(loss, (0.09 + 1.0) / 2)
    loss.backward()
    close(values.grad, -0.3, 1.0)  # of a mean over two texts


def test_equation_27_of_rewards_by_label_is_a_mean_over_real_labels():
    rewards = torch.tensor([[1.0, 0.0], [0.5, 9.0]])
    mask = torch.tensor([[1, 1], [1, 0]])
    close(
        equations.value_loss(torch.tensor([0.5, 0.0]), rewards, mask), (0.25 + 0.25) / 4 + 0.25 / 2
    )


def test_equation_28_is_the_divergence_of_bernoulli_variables():
    found = equations.divergence(logit(0.9, 0.5), logit(0.5, 0.5))
    close(found, 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5), 0.0)


def test_equation_28_is_not_symmetric_and_reads_the_reference_first():
    there = equations.divergence(logit(0.9), logit(0.6))
    close(there, 0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4))
    assert float(there) != pytest.approx(float(equations.divergence(logit(0.6), logit(0.9))))


def test_the_gradient_of_equation_28_pulls_back():
    logits = logit(0.9, 0.1).requires_grad_(True)
    equations.divergence(logit(0.5, 0.5), logits).sum().backward()
    close(logits.grad, 0.4, -0.4)  # p - reference


def test_equation_29_is_the_entropy_in_nats():
    found = equations.entropy(logit(0.5, 0.9))
    close(found, math.log(2), -0.9 * math.log(0.9) - 0.1 * math.log(0.1))


def test_equation_30_weighs_by_the_probability_of_the_action():
    actions = torch.tensor([[1.0, 0.0]])
    found = equations.action_weights(logit(0.8, 0.8), actions, alpha=0.25, gamma=2.0)
    close(found, 0.25 * 0.8**2, 0.75 * 0.2**2)
    close(equations.action_weights(logit(0.8, 0.8), actions, alpha=-1, gamma=2.0), 0.64, 0.04)
    close(equations.action_weights(logit(0.8, 0.8), actions, alpha=0.25, gamma=-1), 0.25, 0.75)
    close(equations.action_weights(logit(0.8, 0.8), actions, alpha=-1, gamma=-1), 1.0, 1.0)


def test_equation_31_moves_actions_towards_one_half():
    actions = torch.tensor([[1.0, 0.0]])
    close(equations.smoothed(actions, 0.1), 0.95, 0.05)
    assert equations.smoothed(actions, -1) is actions


def test_equation_32_draws_or_cuts_at_one_half():
    logits = logit(0.2, 0.5, 0.500001)
    close(equations.take_actions(logits, stochastic=False), 0.0, 0.0, 1.0)
    torch.manual_seed(0)
    many = equations.take_actions(logits.expand(4000, 3), stochastic=True)
    assert set(many.unique().tolist()) == {0.0, 1.0}
    assert many.mean(0).tolist() == pytest.approx([0.2, 0.5, 0.5], abs=0.03)


def test_labels_are_added_up_and_texts_averaged():
    x = torch.tensor([[1.0, 2.0, float("nan")], [3.0, float("inf"), float("nan")]])
    close(equations.summed(x, torch.tensor([[1, 1, 0], [1, 0, 0]])), (3.0 + 3.0) / 2)
