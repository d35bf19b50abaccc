"""What model cards say of a run."""

from __future__ import annotations

import pytest

from onepass.training.card import Card, write_cards
from onepass.training.config import TrainConfig

SCORES = {"entities": 0.5, "score": 0.5}


def card(held_out: int = 0, *, own_scorer: bool = False, few: object = None, **given) -> Card:
    config = TrainConfig.from_dict({"model": "start", "data": "d", "output": "run"} | given)
    summary = {"steps": 8, "examples": 32, "minutes": 1.5, "scores": SCORES, "few_shot": few}
    return Card(config, (("d", 40, None),), held_out, summary, "fp32", own_scorer)


def test_the_card_of_the_best_checkpoint_tells_how_long_that_was_trained(tmp_path):
    for name in ("final", "best"):
        (tmp_path / name).mkdir()

    def length(name: str) -> str:
        (line,) = [
            line
            for line in (tmp_path / name / "README.md").read_text().splitlines()
            if line.startswith("Trained with")
        ]
        return line.partition("`start`: ")[2]

    write_cards(card(), tmp_path, SCORES, at=(4, 16))
    whole = "8 steps, 32 examples, 1.5 minutes, in fp32."
    assert length("final") == whole
    assert length("best") == "4 steps, 16 examples, of a run of " + whole
    write_cards(card(), tmp_path, SCORES, at=(8, 32))
    assert length("best") == whole
    write_cards(card(), tmp_path, SCORES)
    assert length("best") == "the best one of a run of " + whole


@pytest.mark.parametrize(
    ("made", "about"),
    [
        (card(5), "On 5 examples held out of the data, at a score of 0.5"),
        (card(dev="there/dev.jsonl"), "On dev.jsonl, at a score of 0.5"),
        (card(), "By the scorer that the run was given"),
        (card(9, few_shot=2), "By the scorer that the run was given"),
        (card(dev="dev.jsonl", own_scorer=True), "By the scorer that the run was given"),
        (
            card(5, rl={"rewards": {"f1": 1.0}}),
            "Rewards of the answers on 5 examples held out of the data, each a mean over the texts",
        ),
    ],
)
def test_scores_are_told_as_what_they_are(made, about):
    text = made.text("final", SCORES)
    assert f"## Held-out scores\n\n{about}" in text
    assert "On 0 examples" not in text
    assert made.text("final", {}).count("| score |") == 0


def test_a_few_shot_run_tells_what_it_brought():
    few = {
        "texts": 7, "before": {"entities": {"f1": 0.25}}, "after": {"entities": {"f1": 0.75}},
    }  # fmt: skip
    text = card(7, few=few, few_shot=2).text("final", {})
    assert "Nothing was scored on the way." in text
    assert "On 7 examples of the data that were not chosen" in text
    assert "| entities f1 | 0.2500 | 0.7500 |" in text
    assert "On 7 examples of dev.jsonl" in card(few=few, few_shot=2, dev="a/dev.jsonl").text(
        "final", {}
    )
    assert "0.7500" not in card(7, few=few, few_shot=2).text("best", SCORES)


def test_settings_that_are_not_the_defaults_are_told():
    names = ("few_shot", "self_train", "quantize", "sampling", "betas", "shape_rate")
    plain = card().text("final", SCORES)
    assert not [name for name in names if f"`{name}" in plain]
    text = card(
        few_shot=8, quantize=True, betas=[0.8, 0.9], shape_rate=0.01,
        sampling={"restyle": 0.25}, self_train={"texts": "secret/place/texts.jsonl"},
    ).text("final", SCORES)  # fmt: skip
    for row in (
        "| `few_shot` | `8` |", "| `quantize` | `true` |", "| `betas` | `[0.8, 0.9]` |",
        "| `shape_rate` | `0.01` |", "| `sampling.restyle` | `0.25` |",
    ):  # fmt: skip
        assert row in text
    assert '| `self_train` | `{"texts": ["texts.jsonl"]' in text
    assert "secret" not in text
    assert text.count("`sampling.") == 1


def test_options_of_rl_that_are_not_the_defaults_are_told():
    rl = {
        "rewards": {"f1": 1.0, "feedback": 0.5}, "feedback": "secret/judged.jsonl", "kl": 0.1,
        "reference": "the/secret/other", "value": "policy", "iterations": 3,
    }  # fmt: skip
    text = card(5, rl=rl).text("final", SCORES)
    for row in (
        '| `rl.rewards` | `{"f1": 1.0, "feedback": 0.5}` |', '| `rl.feedback` | `"judged.jsonl"` |',
        "| `rl.kl` | `0.1` |", '| `rl.reference` | `"other"` |', '| `rl.value` | `"policy"` |',
    ):  # fmt: skip
        assert row in text
    assert text.count("`rl.") == 5
    assert card(5, rl={}).text("final", SCORES).count("`rl.") == 1
