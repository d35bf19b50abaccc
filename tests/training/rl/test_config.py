import re

import pytest

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.rl.config import RlOptions

LEAST = {"model": "start", "data": "data.jsonl", "output": "run"}


def test_the_defaults_are_those_of_the_paper():
    options = RlOptions()
    assert (options.clip_range, options.iterations) == (0.2, 3)
    off = (options.entropy, options.kl, options.alpha, options.gamma, options.smoothing)
    assert off == (-1, -1, -1, -1, -1)
    assert (options.actions, options.value, options.rewards) == ("stochastic", "copy", {"f1": 1.0})


def test_a_configuration_survives_json():
    given = {
        "rewards": {"f1": 1, "accuracy": 0.5, "ours.rewards:brief": -0.1, "feedback": 2},
        "feedback": "judged.jsonl", "kl": 0.1, "reference": "start", "alpha": 0.7, "gamma": 2,
    }  # fmt: skip
    options = RlOptions.from_dict(given)
    assert RlOptions.from_dict(options.to_dict()) == options
    assert RlOptions.from_dict(options) is options
    config = TrainConfig.from_dict(LEAST | {"rl": given})
    assert config.rl == options
    assert TrainConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "'rl' must be an object, but [] was given."),
        ({"reward": {}}, "'rl' has the unknown key 'reward'; the keys are actions, alpha"),
        ({"rewards": {}}, "'rl.rewards' must be an object of names and weights"),
        ({"rewards": "f1"}, "'rl.rewards' must be an object of names and weights"),
        ({"rewards": {"f2": 1}}, "'rl.rewards' names 'f2', but a reward is one of f1, accuracy"),
        ({"rewards": {"a b:c": 1}}, "'rl.rewards' names 'a b:c'"),
        ({"rewards": {"f1": "1"}}, "'rl.rewards.f1' must be a number"),
        ({"rewards": {"f1": float("inf")}}, "'rl.rewards.f1' must be a number"),
        ({"rewards": {"f1": 0}}, "All weights in 'rl.rewards' are 0"),
        ({"rewards": {"feedback": 1}}, "but only the weight was given"),
        ({"feedback": "a.jsonl"}, "but only the file was given"),
        ({"feedback": 3, "rewards": {"feedback": 1}}, "'rl.feedback' must be a path"),
        ({"iterations": 0}, "'rl.iterations' must be a whole number from 1"),
        ({"iterations": 1.5}, "'rl.iterations' must be a whole number from 1"),
        ({"save_every": 0}, "'rl.save_every' must be a whole number from 1, or null"),
        ({"clip_range": 0}, "'rl.clip_range' must be a number between 0 and 1"),
        ({"clip_range": 1}, "'rl.clip_range' must be a number between 0 and 1"),
        ({"actions": "greedy"}, "'rl.actions' must be one of stochastic, deterministic"),
        ({"value": "none"}, "'rl.value' must be one of copy, policy"),
        ({"value_rate": -1}, "'rl.value_rate' must be a number from 0"),
        ({"kl": None}, "'rl.kl' must be a number; below 0 switches it off"),
        ({"alpha": 1.1}, "'rl.alpha' must be a number up to 1; below 0 switches it off"),
        ({"smoothing": True}, "'rl.smoothing' must be a number up to 1"),
        ({"reference": "start"}, "'rl.reference' is given but 'rl.kl' is off"),
        ({"reference": " ", "kl": 1}, "'rl.reference' must be a directory or a hub id"),
    ],
)
def test_wrong_values_get_one_sentence(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        TrainConfig.from_dict(LEAST | {"rl": given})


def test_options_that_reinforcement_does_not_read_are_refused():
    for name, value in (("loss", {"alpha": 0.5}), ("bank", "bank.json")):
        with pytest.raises(InputError, match=f"'{name}' is of supervised training"):
            TrainConfig.from_dict(LEAST | {"rl": {}, name: value})
