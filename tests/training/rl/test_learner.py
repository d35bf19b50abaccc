import math

import pytest
import torch
from tests.training.rl.bag import bag_policy

from onepass.errors import InputError
from onepass.training.rl.config import RlOptions
from onepass.training.rl.episode import Decisions
from onepass.training.rl.learner import Stored, policy_terms
from onepass.training.rl.policy import Policy


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def stored(reference: list[list[float]] | None = None) -> Stored:
    """Return answers to two texts of two and one labels; half of the policy chose each."""
    mask = torch.tensor([[True, True], [True, False]])
    actions = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    return Stored(
        Decisions(("a", "b"), (("x", "y"), ("x",)), mask, torch.zeros(2, 2)),
        actions,
        torch.full((2, 2), math.log(0.5)),
        torch.tensor([[1.0], [0.0]]),
        torch.tensor([[0.6], [-0.4]]),
        torch.tensor([[1.0, 0.5], [1.0, 1.0]]),
        None if reference is None else torch.tensor(reference),
    )


def test_the_loss_of_a_policy_by_hand():
    """Ratios 1.1, 1.8 and 1.02; advantages 0.6, 0.6 and -0.4; weights 1, 0.5 and 1."""
    logits = torch.tensor([[logit(0.55), logit(0.1)], [logit(0.51), 3.0]])
    options = RlOptions(kl=0.3, entropy=0.2)
    terms = policy_terms(logits, stored([[0.0, 0.0], [logit(0.51), 99.0]]), options)
    first = 1.1 * 0.6 + 0.5 * 1.2 * 0.6
    assert float(terms["policy"]) == pytest.approx(-(first - 1.02 * 0.4) / 2, abs=1e-6)

    def moved(p: float) -> float:
        return 0.5 * math.log(0.5 / p) + 0.5 * math.log(0.5 / (1 - p))

    assert float(terms["kl"]) == pytest.approx(0.3 * (moved(0.55) + moved(0.1)) / 2, abs=1e-6)

    def unsure(p: float) -> float:
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    spread = unsure(0.55) + unsure(0.1) + unsure(0.51)
    assert float(terms["entropy"]) == pytest.approx(-0.2 * spread / 2, abs=1e-6)


def test_terms_that_are_off_are_not_there():
    terms = policy_terms(torch.zeros(2, 2), stored([[0.0, 0.0], [0.0, 0.0]]), RlOptions())
    assert list(terms) == ["policy"]


def test_no_gradient_where_it_is_clipped_or_padding():
    logits = torch.tensor([[logit(0.7), logit(0.45)], [logit(0.3), 0.0]], requires_grad=True)
    policy_terms(logits, stored(), RlOptions())["policy"].backward()
    assert logits.grad is not None
    clipped, free, stopped, padding = logits.grad.flatten().tolist()
    assert (clipped, stopped, padding) == (0.0, 0.0, 0.0)
    # ratio 1.1, weight 0.5, advantage 0.6, two texts; the slope of log(1 - p) is -p
    assert free == pytest.approx(-1.1 * 0.5 * 0.6 / 2 * -0.45, abs=1e-6)


def test_a_reward_that_is_always_the_same_teaches_nothing(learner, asked):
    made = learner(reward=lambda episode: [0.7] * 4)
    before = [one.clone() for one in made.policy.network.parameters()]
    terms = made.learn(asked(made.policy), 1.0, first=True)
    assert (terms["reward"], terms["advantage"], terms["value"]) == pytest.approx((0.7, 0, 0))
    after = made.policy.network.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_padding_is_never_looked_at(learner, asked):
    """The tiny policy says nan there; with everything on, no number is lost."""
    made = learner(kl=0.1, entropy=0.1, alpha=0.7, gamma=1.0, smoothing=0.1)
    for _ in range(3):
        terms = made.learn(asked(made.policy), 1.0)
    assert all(math.isfinite(value) for value in terms.values())
    assert all(torch.isfinite(one).all() for one in made.network.parameters())


def test_dropout_is_off_so_that_the_first_ratio_is_one(learner, asked):
    made = learner(bag_policy(dropout=0.5), iterations=1)
    passes = asked(made.policy)
    terms = made.learn(passes, 1.0, first=True)
    counts = [len(one.items) for one in passes]
    seen = []
    made.judges.value.expect(0.0)
    original = made._update
    made._update = lambda batch, kept: seen.append(kept) or original(batch, kept)
    terms = made.learn(passes, 0.0)
    gain = sum(float(a) * n for a, n in zip(seen[0].advantages[:, 0], counts, strict=True))
    assert terms["policy"] == pytest.approx(-gain / 4, abs=1e-6)
    assert terms["clipped"] == 0.0


def test_each_batch_is_learned_from_several_times(learner, asked):
    for iterations in (1, 4):
        made = learner(iterations=iterations)
        made.learn(asked(made.policy), 1.0)
        for one in (made.optimizers.policy, made.optimizers.value):
            assert {int(state["step"]) for state in one.state.values()} == {iterations}


def test_later_updates_are_clipped_against_the_first(learner, asked):
    """With a large rate the ratio leaves its range, which only stored answers can show."""
    made = learner(rate=0.3, iterations=5)
    assert made.learn(asked(made.policy), 1.0)["clipped"] > 0


def test_all_rates_follow_the_schedule(learner, asked):
    made = learner()
    before = [one.clone() for one in made.network.parameters()]
    made.learn(asked(made.policy), 0.0)
    after = made.network.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    made.optimizers.scale(0.5)
    both = (made.optimizers.policy, made.optimizers.value)
    assert {group["lr"] for one in both for group in one.param_groups} == {5e-3}


def test_the_value_model_is_a_copy_that_learns_by_itself(learner, asked):
    made = learner(rate=0.0)
    policy, value = made.policy.network, made.judges.value
    assert value.encoder is not None
    assert value.encoder is not policy
    before = [one.clone() for one in policy.parameters()]
    first = made.learn(asked(made.policy), 1.0)["value"]
    for _ in range(80):
        last = made.learn(asked(made.policy), 1.0)["value"]
    assert last < first / 2
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))
    assert not torch.equal(value.encoder.words, policy.words)


def test_a_value_model_behind_the_policy_gives_it_no_gradient(learner, asked):
    made = learner(value="policy", rate=0.0)
    before = [one.clone() for one in made.policy.network.parameters()]
    made.optimizers.policy.param_groups[0]["lr"] = 1.0
    first = made.learn(asked(made.policy), 0.0)
    assert made.judges.value.encoder is None
    for _ in range(60):
        last = made.learn(asked(made.policy), 1.0)
    after = made.policy.network.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert last["value"] < first["value"]


def probabilities(policy: Policy, passes: list) -> torch.Tensor:
    what = policy.decisions(passes)
    return torch.sigmoid(policy.logits(policy.network, policy.build(passes), what.mask))[what.mask]


def test_a_reference_holds_the_policy_back(learner, asked):
    moved = {}
    for kl in (-1.0, 20.0):
        made = learner(kl=kl)
        passes = asked(made.policy)
        before = probabilities(made.policy, passes)
        for _ in range(30):
            made.learn(passes, 1.0)
        moved[kl] = float((probabilities(made.policy, passes) - before).abs().mean().detach())
    assert moved[20.0] < moved[-1.0] / 3


def test_the_entropy_bonus_makes_unsure(learner, asked):
    far = {}
    for entropy in (-1.0, 5.0):
        made = learner(entropy=entropy)
        passes = asked(made.policy)
        for _ in range(40):
            terms = made.learn(passes, 1.0)
        far[entropy] = float((probabilities(made.policy, passes) - 0.5).abs().mean().detach())
        assert ("entropy" in terms) == (entropy > 0)
    assert far[5.0] < 0.05 < far[-1.0]


def test_deterministic_answers_are_the_likeliest(learner, asked):
    made = learner(actions="deterministic", rate=0.0)
    rewards = {made.learn(asked(made.policy), 1.0)["reward"] for _ in range(5)}
    drawn = learner(rate=0.0)
    assert len(rewards) == 1
    assert len({drawn.learn(asked(drawn.policy), 1.0)["reward"] for _ in range(5)}) > 1


def test_what_is_no_number_is_told(learner, asked):
    made = learner()
    with torch.no_grad():
        made.policy.network.shift.fill_(float("nan"))
    with pytest.raises(InputError, match="The logits of the policy are no numbers"):
        made.learn(asked(made.policy), 1.0)
