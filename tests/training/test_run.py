import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, InputError
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.models.gliner2.network.outputs import run_network
from onepass.models.gliner2.targets import ask, build_targets
from onepass.results.wording import counted
from onepass.schema import Schema
from onepass.training.config import TrainConfig, read_config
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.run import train_from_config

ROWS = [
    {"input": "Tim Cook runs.", "output": {"entities": {"person": ["Tim Cook"], "place": []}}},
    {"input": "Paris is red.", "output": {"entities": {"person": [], "place": ["Paris"]}}},
    {
        "input": "Tim works in Rome.",
        "output": {"entities": {"person": ["Tim"], "place": ["Rome"]}},
    },
]


@pytest.fixture
def config(tmp_path, checkpoint, write):
    """Return a configuration of a few quick steps on the rows above, with changes."""
    data = write("data.jsonl", *ROWS)

    def make(**given) -> TrainConfig:
        least = {
            "model": str(checkpoint),
            "data": str(data),
            "output": str(tmp_path / "run"),
            "steps": 4,
            "precision": "fp32",
            "device": "cpu",
            "log_every": 2,
            "score_every": 2,
        }
        return TrainConfig.from_dict(least | given)

    return make


def found(checkpoint: Path, text: str, labels: list[str]) -> set[tuple[str, str]]:
    """Return what the network of a checkpoint finds, straight from its logits."""
    network = load_network(checkpoint)
    question = Question(text, Schema().entities(labels))
    one = ask(question, PieceTokenizer(checkpoint / "tokenizer.json"), max_pieces=99)
    targets = build_targets([one], network.config.max_width)
    with torch.no_grad():
        logits = run_network(network, targets).spans
    assert logits is not None
    places = ((logits[0] > 0) & torch.from_numpy(targets.weight[0])).nonzero().tolist()
    starts, ends = one.words.starts, one.words.ends
    return {(labels[q], one.words.text[starts[i] : ends[i + w]]) for q, i, w in places}


def test_a_tiny_problem_is_learned_and_the_checkpoint_finds_it(tmp_path, config):
    start = make_tiny_checkpoint(tmp_path / "start", counting_layer="count_lstm", dropout=0.0)
    result = train_from_config(
        config(
            model=str(start),
            dev=str(tmp_path / "data.jsonl"),
            steps=320,
            encoder_rate=1e-3,
            head_rate=1e-3,
            log_every=40,
            score_every=0,
            sampling={"restyle": 0.0, "drop_label": 0.0},
        )
    )
    log = [json.loads(x) for x in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [row["loss"]["spans"] for row in log if "loss" in row]
    assert losses[-1] < 0.01 < 1.0 < losses[0]
    assert result["scores"] == {"entities": 1.0, "score": 1.0}
    final = Path(result["final"])
    for row in ROWS:
        gold = {
            (label, surface)
            for label, surfaces in row["output"]["entities"].items()
            for surface in surfaces
        }
        for labels in (["person", "place"], ["place", "person"]):
            assert found(final, row["input"], labels) == gold
    assert found(start, ROWS[0]["input"], ["person", "place"]) != {("person", "Tim Cook")}


def test_a_run_says_what_it_did(tmp_path, config):
    lines: list[str] = []
    dev = str(tmp_path / "data.jsonl")
    result = train_from_config(config(dev=dev, samples=0), report=lines.append)
    run = tmp_path / "run"
    assert result["final"] == str(run / "final")
    assert result["best"] == str(run / "best")
    assert (result["steps"], result["examples"], result["skipped"]) == (4, 12, 0)
    assert result["best_score"] >= result["scores"]["score"]
    assert lines[:5] == [
        f"{tmp_path / 'data.jsonl'}: 3 examples read, format gliner2",
        "3 of 3 held-out texts are also trained on: the score says little of new texts; give a dev "
        "file of other ones.",
        "3 of 3 held-out examples are scored; so few say little of which step is best: give a "
        "larger dev file",
        f"3 examples in 1 file, on cpu ({counted(torch.get_num_threads(), 'thread')}) in fp32",
        "encoder_rate 5e-05 (chosen), head_rate 0.0001 (chosen), 4 steps: the encoder is 32 wide, "
        "and there are 3 examples",
    ]
    steps = ["before", "step 2", "step 2", "step 4", "step 4"]
    assert [line.split("  ")[0] for line in lines[5:-1]] == steps
    before = "  ".join(f"{name} {value:.4f}" for name, value in result["start_scores"].items())
    assert lines[5] == f"before  held out: {before}"
    assert result["start_scores"].keys() == result["scores"].keys()
    assert result["next"] == f"onepass calibrate {run / 'final'} --data {dev}"
    assert lines[-1] == (
        f"{run / 'final'} finds what scores 0.5 or more, until scores and thresholds are fitted:  "
        f"{result['next']}"
    )
    kept = read_config(run / "train.json")
    assert (kept.encoder_rate, kept.head_rate, kept.steps) == (5e-5, 1e-4, 4)


def test_a_run_without_a_dev_file_says_what_calibrates_it(tmp_path, config):
    lines: list[str] = []
    result = train_from_config(config(output=str(tmp_path / "my run")), report=lines.append)
    final = tmp_path / "my run" / "final"
    assert result["next"] == f"onepass calibrate '{final}' --data HELD_OUT.jsonl"
    assert "on a hundred or more annotated texts that it has not seen" in lines[-1]


def test_a_resumed_run_goes_on_at_the_pace_that_was_chosen(tmp_path, config):
    """Rates and epochs that were chosen are kept, so its numbers are those of a whole run."""
    given = {"steps": None, "max_batch": 1, "held_out": 0, "score_every": 10}
    whole = train_from_config(config(output=str(tmp_path / "whole"), **given))
    assert whole["examples"] == 30  # ten epochs of three
    begun = tmp_path / "whole" / "train.json"
    assert read_config(begun).epochs == 10
    part = tmp_path / "part"
    part.mkdir()
    (tmp_path / "whole" / "step-20").rename(part / "step-20")
    shutil.copy(begun, part)
    result = train_from_config(config(output=str(part), resume=True, **given))
    assert (result["steps"], result["examples"]) == (30, 30)
    assert read_config(part / "train.json").encoder_rate == 5e-5
    ends = [
        load_file(tmp_path / name / "final" / "model.safetensors") for name in ("whole", "part")
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_run_of_an_earlier_version_is_resumed_at_its_rates(tmp_path, config):
    train_from_config(config(encoder_rate=1e-5, head_rate=2e-5))
    train_from_config(config(steps=6, resume=True))
    kept = read_config(tmp_path / "run" / "train.json")
    assert (kept.encoder_rate, kept.head_rate, kept.steps) == (1e-5, 2e-5, 6)


def test_the_end_looks_for_as_many_instances_as_the_start(tmp_path, checkpoint, config):
    start = tmp_path / "start"
    shutil.copytree(checkpoint, start)
    kept = {"spare_instances": 2, "least_pairs": 1}
    (start / "onepass.json").write_text(json.dumps(kept | {"thresholds": {"entities": 0.3}}))
    result = train_from_config(config(model=str(start)))
    own = json.loads((Path(result["final"]) / "onepass.json").read_text())
    assert own == kept


def test_a_run_is_resumed_by_its_configuration(tmp_path, config):
    train_from_config(config(steps=8, output=str(tmp_path / "whole"), score_every=4))
    with pytest.raises(InputError, match="holds checkpoints of an earlier run"):
        train_from_config(config(steps=8, output=str(tmp_path / "whole")))
    (tmp_path / "part").mkdir()
    (tmp_path / "whole" / "step-4").rename(tmp_path / "part" / "step-4")
    part = train_from_config(config(steps=8, output=str(tmp_path / "part"), resume=True))
    assert (part["steps"], part["examples"]) == (8, 24)
    whole, resumed = (
        load_file(tmp_path / name / "final" / "model.safetensors") for name in ("whole", "part")
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_configuration_of_a_resumed_run_begins_another(tmp_path, config):
    train_from_config(config(steps=4))
    train_from_config(config(steps=6, resume=True))
    kept = read_config(tmp_path / "run" / "train.json")
    assert (kept.steps, kept.resume) == (6, False)


def test_a_text_with_half_of_a_surrogate_pair_is_learned(config, write):
    entities = {"person": ["Ann"]}
    rows = [{"input": f"Ann \ud800 met {i}.", "output": {"entities": entities}} for i in range(9)]
    data = str(write("odd.jsonl", *rows))
    assert train_from_config(config(data=data, steps=1))["skipped"] == 0
    assert train_from_config(config(data=data, steps=1, few_shot=2, output=data + ".few"))


def test_a_run_of_endless_epochs_ends_by_its_steps(config):
    assert train_from_config(config(steps=1, epochs=1e308))["steps"] == 1


def test_a_run_is_resumed_with_the_texts_that_it_labeled(tmp_path, config, write):
    texts = str(write("texts.jsonl", {"text": "Tim runs."}))
    labeled = {"texts": texts, "labels": ["person"], "threshold": 0.0}
    train_from_config(config(self_train=labeled))
    with pytest.raises(InputError, match="was begun with another self_train"):
        train_from_config(config(self_train=labeled | {"labels": ["place"]}, steps=6, resume=True))
    kept = read_config(tmp_path / "run" / "train.json")
    assert kept.self_train is not None
    assert kept.self_train.labels == ("person",)
    train_from_config(config(self_train=labeled | {"smoothing": 0.2}, steps=6, resume=True))


def test_a_refused_resume_leaves_the_run_as_it_was(tmp_path, config):
    train_from_config(config(steps=4, score_every=2))
    run = tmp_path / "run"
    shutil.rmtree(run / "final")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for given in (
        {"freeze": ["text_encoder"]}, {"encoder_rate": 2e-5, "head_rate": 2e-5}, {"ema": 0.9},
        {"lora": {"rank": 1}},
    ):  # fmt: skip
        with pytest.raises(InputError, match=r"without (resume|ema)"):
            train_from_config(config(steps=9, resume=True, **given))
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    train_from_config(config(steps=5, resume=True, clip=0.5))
    assert read_config(run / "train.json").clip == 0.5


def test_epochs_count_examples(config):
    result = train_from_config(config(steps=None, epochs=2.5, max_batch=1, held_out=0))
    assert (result["steps"], result["examples"]) == (8, 8)  # 7.5 rounded up
    assert (result["best"], result["best_score"], result["scores"]) == (None, None, {})


def test_a_part_of_the_data_is_held_out(tmp_path, config, write):
    rows = [{"text": f"Tim {i}", "asked": ["person"]} for i in range(50)]
    lines: list[str] = []
    data = str(write("more.jsonl", *rows))
    train_from_config(config(data=data, held_out=0.1), report=lines.append)
    assert lines[0] == (
        "5 of 5 held-out examples are scored; so few say little of which step is best: give dev, "
        "or a larger held_out"
    )
    assert lines[1].startswith("45 examples in 1 file,")


def test_enough_held_out_examples_are_scored_without_a_word(config, write):
    rows = [{"text": f"Tim {i}", "asked": ["person"]} for i in range(40)]
    lines: list[str] = []
    train_from_config(
        config(data=str(write("more.jsonl", *rows)), held_out=0.5), report=lines.append
    )
    assert lines[0] == "20 of 20 held-out examples are scored"


@pytest.mark.parametrize(("share", "hint"), [(0.02, "; give dev, or a larger held_out"), (0, "")])
def test_a_run_without_scores_says_what_would_give_some(config, share, hint):
    lines: list[str] = []
    train_from_config(config(held_out=share), report=lines.append)
    assert f"nothing is held out: the run is not scored{hint}" in lines


def test_a_dev_file_may_be_in_a_public_format(config, write):
    row = {"text": "Tim", "task": "tone", "labels": ["calm", "angry"], "gold": ["calm"]}
    lines: list[str] = []
    result = train_from_config(config(dev=str(write("dev.jsonl", row))), report=lines.append)
    assert any(line.startswith("1 of 1 held-out examples are scored; so few") for line in lines)
    assert set(result["scores"]) == {"classes", "score"}


def test_a_scorer_of_ones_own_decides(tmp_path, config):
    scores = [0.9, 0.1]
    result = train_from_config(config(), scorer=lambda network: {"score": scores.pop(0)})
    assert (result["best_score"], result["scores"]) == (0.9, {"score": 0.1})
    best, step = (
        load_file(tmp_path / "run" / name / "model.safetensors") for name in ("best", "step-2")
    )
    assert all(torch.equal(best[name], step[name]) for name in best)


def test_a_label_bank_is_used(tmp_path, config):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps({"pool": ["foreign thing"]}))
    asked = set()
    original = Gliner2Trainee.ask

    def listen(trainee, question, max_pieces):
        asked.update(label.name.lower() for label in question.schema.entity_labels)
        return original(trainee, question, max_pieces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gliner2Trainee, "ask", listen)
        train_from_config(config(bank=str(path), sampling={"foreign": 1.0, "restyle": 0.0}))
    assert asked == {"person", "place", "foreign thing"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"model": "nowhere"}, CheckpointError, "nowhere"),
        ({"data": "nowhere.jsonl"}, InputError, "There is no file or directory nowhere.jsonl"),
        ({"dev": "nowhere.jsonl"}, InputError, "There is no file nowhere.jsonl"),
        ({"bank": "nowhere.json"}, InputError, "There is no file nowhere.json"),
        ({"max_pieces": 513}, InputError, "reads at most 512 pieces; give 512 or less"),
        ({"resume": True}, InputError, "There is no checkpoint to resume"),
        ({"max_pieces": 8}, InputError, "could be asked"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    tmp_path, monkeypatch, config, given, error, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(message)):
        train_from_config(config(**given))
    assert not (tmp_path / "run" / "final").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused(config):
    with pytest.raises(InputError, match="torch finds none; use device cpu"):
        train_from_config(config(device="cuda"))


def test_bf16_trains_too(config):
    result = train_from_config(config(precision="bf16", held_out=0))
    state = load_file(Path(result["final"]) / "model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in state.values())


def test_checkpoints_have_model_cards(tmp_path, config):
    scores = [{"entities": 0.9, "score": 0.9}, {"entities": 0.1, "score": 0.1}]
    train_from_config(config(license="cc0-1.0"), scorer=lambda network: scores.pop(0))
    best, final = (
        (tmp_path / "run" / name / "README.md").read_text() for name in ("best", "final")
    )
    assert final.startswith('---\nlicense: "cc0-1.0"\nlibrary_name: "onepass"\n---\n\n# run, final')
    assert "4 steps, 12 examples" in final
    assert "| data | 3 | its size |" in final
    assert "| entities | 0.1000 |" in final
    assert "| entities | 0.9000 |" in best
    assert "| `seed` | `0` |" in final
    assert str(tmp_path) not in best + final


def test_a_card_names_no_license_that_was_not_given(tmp_path, config):
    train_from_config(config(held_out=0))
    card = (tmp_path / "run" / "final" / "README.md").read_text()
    assert 'license: "unknown"' in card
    assert "The run was not scored." in card
    assert not (tmp_path / "run" / "best").exists()


def test_patience_needs_scores(config):
    with pytest.raises(InputError, match="nothing of this run is scored; give dev or held_out"):
        train_from_config(config(held_out=0, patience=2))


def test_a_run_keeps_the_mean_of_its_weights(tmp_path, config):
    for name, given in (("plain", {}), ("mean", {"ema": 0.9})):
        train_from_config(
            config(output=str(tmp_path / name), held_out=0, encoder_rate=1e-2, **given)
        )
    plain, mean = (
        load_file(tmp_path / name / "final" / "model.safetensors") for name in ("plain", "mean")
    )
    assert any(not torch.equal(plain[name], mean[name]) for name in plain)


@pytest.mark.parametrize("name", ["train.json", "log.jsonl", "onepass-data/few-shot/data.jsonl"])
def test_what_is_read_is_not_written_over(tmp_path, config, name):
    own = tmp_path / "run" / name
    own.parent.mkdir(parents=True)
    before = (tmp_path / "data.jsonl").read_bytes()
    own.write_bytes(before)
    for given in ({"data": str(own)}, {"dev": str(own)}, {"data": str(own.parent)}):
        if not (own.suffix == ".json" and given.get("data") == str(own.parent)):
            with pytest.raises(InputError, match=f"would write over {own}, which it reads; give"):
                train_from_config(config(**given))
    assert own.read_bytes() == before


def test_data_beside_the_output_stay_as_they_are(tmp_path, config):
    own = tmp_path / "data" / "data.jsonl"
    own.parent.mkdir()
    shutil.copy(tmp_path / "data.jsonl", own)
    before = own.read_bytes()
    train_from_config(config(data=str(own), output=str(tmp_path), steps=1))
    assert own.read_bytes() == before
    assert (tmp_path / "onepass-data" / "data.jsonl").is_file()


def test_a_score_that_fails_names_the_dev_file_and_is_made_first_when_the_run_goes_on(
    tmp_path, config, monkeypatch
):
    dev = tmp_path / "data.jsonl"
    sentence = rf"{dev} \(dev\) could not be scored \(RuntimeError: no memory\)\. What was learned"

    lines: list[str] = []
    tally = Gliner2Trainee.tally

    def fail_later(*given: Any, **named: Any) -> Any:
        if any(line.startswith("before") for line in lines):
            raise RuntimeError("no memory")
        return tally(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Gliner2Trainee, "tally", fail_later)
        with pytest.raises(InputError, match=sentence):
            train_from_config(config(dev=str(dev)), report=lines.append)
        for _ in range(2):  # at once, before it trains
            with pytest.raises(InputError, match="begins or is resumed scores first: give"):
                train_from_config(config(dev=str(dev), resume=True), report=lines.append)
    assert lines[-1] == "resumed at step 2"
    train_from_config(config(dev=str(dev), resume=True))
    log = [json.loads(row) for row in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log if "scores" in row] == [2, 4]


def test_a_score_that_fails_does_so_before_anything_is_learned(tmp_path, config, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Gliner2Trainee, "tally", fail)
    with pytest.raises(InputError, match="could not be scored"):
        train_from_config(config(dev=str(tmp_path / "data.jsonl")))
    assert not list((tmp_path / "run").glob("step-*"))


def test_a_run_that_does_harm_says_so(tmp_path, config):
    lines: list[str] = []
    dev = str(tmp_path / "data.jsonl")
    learned = train_from_config(config(dev=dev, steps=60, encoder_rate=1e-2, head_rate=1e-2))
    harmed = config(
        model=learned["final"], dev=dev, output=str(tmp_path / "harmed"), steps=3,
        encoder_rate=10.0, head_rate=10.0, clip=1e9,
    )  # fmt: skip
    result = train_from_config(harmed, report=lines.append)
    before, after = (result[name]["score"] for name in ("start_scores", "scores"))
    assert after < before
    assert any(
        line.startswith(f"held out, the score fell from {before:.4f} to {after:.4f}")
        for line in lines
    )


def test_held_out_examples_without_room_are_told_with_what_takes_it(tmp_path, config, write):
    long = " ".join(["red"] * 600)
    dev = write("dev.jsonl", {"text": "Bo.", "asked": ["a"], "descriptions": {"a": long}})
    with pytest.raises(InputError, match="labels and descriptions leave no room for a text"):
        train_from_config(config(dev=str(dev)))
