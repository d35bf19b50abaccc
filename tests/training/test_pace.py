import json

import pytest

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.pace import as_begun, pace_line, with_pace

LEAST = {"model": "start", "data": "data.jsonl", "output": "run"}
SMALL, BASE = 384, 768


def config(**given) -> TrainConfig:
    return TrainConfig.from_dict(LEAST | given)


@pytest.mark.parametrize(
    ("given", "width", "rates"),
    [
        ({}, SMALL, (5e-5, 1e-4)),
        ({}, BASE, (1e-5, 2e-5)),
        ({"head_rate": 0.0}, SMALL, (5e-5, 0.0)),
        ({"encoder_rate": 3e-5, "head_rate": 7e-5}, SMALL, (3e-5, 7e-5)),
        ({"rl": {}}, SMALL, (1e-5, 2e-5)),
    ],
)
def test_rates_are_those_given_or_fit_the_encoder(given, width, rates):
    chosen = with_pace(config(**given), width, 80)
    assert (chosen.encoder_rate, chosen.head_rate) == rates


@pytest.mark.parametrize(
    ("given", "examples", "epochs"),
    [
        ({}, 0, 10), ({}, 80, 10), ({}, 501, 10), ({}, 700, 8), ({}, 1000, 5), ({}, 10**6, 5),
        ({"rl": {}}, 80, 5), ({"epochs": 2}, 80, 2), ({"steps": 9}, 80, None),
        ({"minutes": 9}, 80, None),
    ],
)  # fmt: skip
def test_few_examples_are_learned_over_more_epochs_unless_an_end_is_given(given, examples, epochs):
    assert with_pace(config(**given), BASE, examples).epochs == epochs


def test_the_plan_says_what_was_given_and_what_was_chosen():
    given = {"encoder_rate": 1e-3, "head_rate": 1e-3, "steps": 4, "minutes": 2.5}
    assert pace_line(config(**given), SMALL, 3) == (
        "encoder_rate 0.001, head_rate 0.001, 4 steps, 2.5 minutes"
    )
    assert pace_line(config(), BASE, 1234) == (
        "encoder_rate 1e-05 (chosen), head_rate 2e-05 (chosen), 5 epochs (chosen): the encoder is "
        "768 wide, and there are 1,234 examples"
    )


def test_a_resume_keeps_what_the_run_was_begun_with(tmp_path):
    path = tmp_path / "train.json"
    before = config(encoder_rate=3e-5, head_rate=7e-5, steps=9)
    path.write_text(json.dumps(before.to_dict()))
    assert as_begun(config(), path) == before
    other = as_begun(config(head_rate=1e-3, epochs=2), path)
    assert (other.encoder_rate, other.head_rate) == (3e-5, 1e-3)
    assert (other.steps, other.epochs) == (None, 2)


def test_a_resume_reads_the_old_configuration_only_where_it_needs_it(tmp_path):
    path = tmp_path / "train.json"
    assert as_begun(config(), path) == config()
    path.write_text("{")
    whole = config(encoder_rate=3e-5, head_rate=7e-5, steps=9)
    assert as_begun(whole, path) is whole
    with pytest.raises(InputError, match=r"train\.json"):
        as_begun(config(), path)
