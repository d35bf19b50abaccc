import errno
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint

from onepass.errors import InputError
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.nn.backbones.modernbert import ModernBertBackbone
from onepass.nn.backbones.modernbert_config import ModernBertConfig
from onepass.nn.backbones.t5 import T5Config, T5EncoderDecoder
from onepass.training.adapters import adapt
from onepass.training.data import LineFile, Mixture
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.loading import Direct
from onepass.training.loop import LoopOptions, train
from onepass.training.lora import LoraOptions
from onepass.training.sampling import Sampler
from onepass.training.stream import BatchOptions, QuestionStream
from onepass.training.task import Rates, TrainingTask

ROWS = [
    {
        "text": f"{who} works for {firm} in Paris.",
        "entities": [{"start": 0, "end": len(who), "label": "person"}],
        "asked": ["person", "place", "color"],
        "classifications": [{"name": "tone", "labels": ["calm", "angry"], "true": ["calm"]}],
    }
    for who in ("Tim Cook", "Ann", "Bo Lee", "Rome")
    for firm in ("Apple", "Blue", "Red and Green")
]


@pytest.fixture
def make(checkpoint, write):
    """Return what makes a fresh task; its scores are taken from a list, if one is given."""
    path = write("data.jsonl", *ROWS)

    def make_task(
        scores: list[dict[str, float]] | None = None,
        *,
        start: Path = checkpoint,
        lora: LoraOptions | None = None,
        **rates: Any,
    ) -> TrainingTask:
        torch.manual_seed(0)
        mixture = Mixture({"data": LineFile(path)}, None, seed=0)
        trainee = Gliner2Trainee(start)
        stream = QuestionStream(mixture, Sampler(), trainee.ask, BatchOptions(max_batch=4, pool=12))
        scorer = None if scores is None else lambda network: scores.pop(0)
        rates = {"encoder": 1e-3, "head": 1e-3, **rates}
        adapted = adapt(trainee.network, lora, trainee.parts) if lora else []
        return TrainingTask(trainee, Direct(stream), Rates(**rates), scorer=scorer, adapted=adapted)

    return make_task


@pytest.fixture
def run(tmp_path) -> Path:
    """The directory of a run, which is not there yet."""
    return tmp_path / "run"


def options(**given) -> LoopOptions:
    return LoopOptions(**{"steps": 8, "warmup": 2, "precision": "fp32", "score_every": 4} | given)


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(directory / "model.safetensors")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resumed_run_gives_the_same_numbers(tmp_path, make, precision):
    whole, half = tmp_path / "whole", tmp_path / "half"
    train(make(), options(precision=precision), whole)
    half.mkdir()
    shutil.copytree(whole / "step-4", half / "step-4")
    lines: list[str] = []
    outcome = train(make(), options(precision=precision), half, resume=True, report=lines.append)
    assert lines[0] == "resumed at step 4"
    assert (outcome.steps, outcome.examples) == (8, 32)
    assert equal(weights(whole / "final"), weights(half / "final"))
    assert not equal(weights(whole / "final"), weights(whole / "step-4"))


def test_a_run_that_is_stopped_in_a_score_has_that_score_when_it_goes_on(tmp_path, make):
    """Else another checkpoint would be the best one, and patience would count another number."""
    given = options(steps=8, score_every=2, patience=3, keep=9)
    scores = [{"score": value} for value in (0.1, 0.9, 0.2, 0.3)]
    whole = train(make(list(scores)), given, tmp_path / "whole")
    task, left, half = make(list(scores)), list(scores), tmp_path / "half"

    def stopped(network):
        if len(left) == 3:
            raise KeyboardInterrupt
        return left.pop(0)

    task._scorer = stopped
    with pytest.raises(KeyboardInterrupt):
        train(task, given, half)
    assert "step-4" in names(half)
    outcome = train(make(left), given, half, resume=True)
    assert (outcome.best, outcome.best_at, outcome.steps) == (0.9, whole.best_at, whole.steps)
    logged = [(tmp_path / run / "log.jsonl").read_text() for run in ("whole", "half")]
    scored = [[json.loads(row) for row in log.splitlines() if "scores" in row] for log in logged]
    assert scored[0] == scored[1]
    assert equal(weights(tmp_path / "whole/final"), weights(half / "final"))
    assert equal(weights(tmp_path / "whole/best"), weights(half / "best"))


def test_an_interrupted_run_gives_the_same_numbers(tmp_path, make):
    """A run that stops in the middle of a step, with work behind its last checkpoint."""
    train(make(), options(), tmp_path / "whole")
    task = make()
    real, calls = task.loss, []

    def fail_at_the_seventh(network, batch):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return real(network, batch)

    task.loss = fail_at_the_seventh
    directory = tmp_path / "stopped"
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        train(task, options(), directory, report=lines.append)
    assert lines == ["stopped at step 6; --resume goes on from step 4"]
    assert names(directory) == ["step-4"]
    train(make(), options(), directory, resume=True)
    assert equal(weights(tmp_path / "whole" / "final"), weights(directory / "final"))


def test_a_run_that_is_stopped_says_what_there_is_of_it(run, make):
    def stopped(*_):
        raise KeyboardInterrupt

    lines: list[str] = []
    task = make()
    task.loss = stopped
    with pytest.raises(KeyboardInterrupt):
        train(task, options(), run, report=lines.append)
    assert lines == ["stopped at step 0; nothing was kept"]
    task = make()
    task._scorer = stopped
    with pytest.raises(KeyboardInterrupt):  # in the last score, whose checkpoint is written
        train(task, options(score_every=0), run, report=lines.append)
    assert lines[-1] == f"stopped at step 8; {run / 'final'} is there"


def test_the_newest_checkpoints_and_the_best_stay(tmp_path, make):
    scores = [{"score": s} for s in (0.1, 0.5, 0.3, 0.2)]
    outcome = train(make(scores), options(score_every=2, keep=2, log_every=3), tmp_path / "run")
    run = tmp_path / "run"
    assert names(run) == ["best", "final", "log.jsonl", "step-4", "step-6"]
    assert equal(weights(run / "best"), weights(run / "step-4"))
    assert not equal(weights(run / "best"), weights(run / "final"))
    assert (outcome.best, dict(outcome.scores)) == (0.5, {"score": 0.2})
    assert "training.pt" not in names(run / "best")
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [(row["step"], "loss" in row) for row in log] == [
        (2, False), (3, True), (4, False), (6, True), (6, False), (8, True), (8, False),
    ]  # fmt: skip
    assert set(log[1]["loss"]) >= {"spans", "count", "classes", "binary_classes"}


def test_the_end_can_be_the_best(tmp_path, make):
    scores = [{"score": 0.1}, {"score": 0.4}]
    train(make(scores), options(), tmp_path)
    assert equal(weights(tmp_path / "best"), weights(tmp_path / "final"))


def test_without_scores_there_is_no_best(run, make):
    outcome = train(make(), options(), run)
    assert names(run) == ["final", "log.jsonl", "step-4"]
    assert outcome.best is None


def test_the_best_score_survives_a_resume(tmp_path, make):
    train(make([{"score": 0.9}, {"score": 0.1}]), options(), tmp_path)
    best = weights(tmp_path / "best")
    shutil.rmtree(tmp_path / "final")
    assert train(make([{"score": 0.5}]), options(), tmp_path, resume=True).best == 0.9
    assert equal(weights(tmp_path / "best"), best)


def test_a_better_end_stays_the_best_of_a_run_that_goes_on(tmp_path, make):
    train(make([{"score": 0.3}, {"score": 0.9}]), options(steps=6), tmp_path)
    best = weights(tmp_path / "best")
    outcome = train(make([{"score": 0.5}, {"score": 0.8}]), options(), tmp_path, resume=True)
    assert (outcome.best, outcome.best_scores) == (0.9, {"score": 0.9})
    assert outcome.best_at is not None
    assert outcome.best_at[0] == 6
    assert equal(weights(tmp_path / "best"), best)


def test_a_score_that_fails_does_not_cost_what_was_learned(run, make):
    with pytest.raises(IndexError):
        train(make([]), options(), run)
    assert names(run) == ["step-4"]
    scores = [{"score": 0.7}, {"score": 0.5}]  # of the step whose score failed, and of the last
    outcome = train(make(scores), options(), run, resume=True)
    assert (outcome.best, outcome.best_at) == (0.7, (4, 16))
    shutil.rmtree(run)
    with pytest.raises(IndexError):
        train(make([]), options(score_every=0), run)
    assert names(run) == ["final", "log.jsonl"]


def test_a_best_that_somebody_put_there_is_not_overwritten(run, make):
    (run / "best").mkdir(parents=True)
    with pytest.raises(InputError, match="best is there already, and the run would put"):
        train(make(), options(), run)


def test_what_an_interrupted_save_left_does_not_matter(run, make):
    for name in (
        f".onepass-step-4-{'a1' * 16}",
        f".onepass-best-{'a1' * 16}",
        f".onepass-step-1-{'b2' * 16}",
        "step-99",
    ):
        (run / name).mkdir(parents=True)
        (run / name / "config.json").write_text("{}")
    train(make([{"score": 0.1}, {"score": 0.2}]), options(), run)
    assert names(run) == ["best", "final", "log.jsonl", "step-4", "step-99"]


def test_an_earlier_run_is_not_overwritten(tmp_path, make):
    train(make(), options(steps=1), tmp_path)
    shutil.rmtree(tmp_path / "final")
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "state.json").write_text("{}")
    with pytest.raises(InputError, match="holds checkpoints of an earlier run; resume it"):
        train(make(), options(steps=1), tmp_path)


def test_copies_of_checkpoints_do_not_count(run, make):
    train(make(), options(steps=6, score_every=2, keep=1), run)
    shutil.rmtree(run / "final")
    for name in ("step-9.bak", "step-4 (copy)", "step-new"):
        shutil.copytree(run / "step-4", run / name)
    assert train(make(), options(score_every=2, keep=1), run, resume=True).steps == 8
    assert {"step-6", "step-9.bak", "step-4 (copy)", "step-new"} <= set(names(run))
    shutil.rmtree(run / "step-6")
    shutil.rmtree(run / "final")
    train(make(), options(steps=1), run)  # none of them is an earlier run


@pytest.mark.parametrize("name", ["state.json", "training.pt"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"half"])
def test_a_damaged_checkpoint_is_named(run, make, name, content):
    train(make(), options(steps=6), run)
    path = run / "step-4" / name
    path.write_bytes(
        path.read_bytes()[: path.stat().st_size // 2] if content == b"half" else content
    )
    with pytest.raises(InputError, match=re.escape(f"{path} is not there whole; move ")):
        train(make(), options(), run, resume=True)


@pytest.mark.parametrize("name", ["state.json", "training.pt"])
def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(run, make, name, monkeypatch):
    train(make(), options(steps=6), run)
    path = run / "step-4" / name
    opened = io.open

    def refusing(file, *args, **kwargs):
        if Path(str(file)) == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(file, *args, **kwargs)

    monkeypatch.setattr(io, "open", refusing)  # root may read everything
    monkeypatch.setattr("builtins.open", refusing)
    with pytest.raises(InputError, match=re.escape(f"{path} cannot be read (Permission denied); ")):
        train(make(), options(), run, resume=True)


def test_a_checkpoint_without_its_weights_is_damaged(run, make):
    train(make(), options(steps=6), run)
    (run / "step-4" / "training.pt").unlink()
    with pytest.raises(InputError, match=r"training\.pt is not there whole; move "):
        train(make(), options(), run, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_finished_run_without_a_step_asks_for_another_directory(tmp_path, make, resume):
    train(make(), options(steps=1), tmp_path)
    assert not list(tmp_path.glob("step-*"))
    with pytest.raises(InputError, match="finished run, which has no step to resume; give another"):
        train(make(), options(steps=1), tmp_path, resume=resume)


def test_there_must_be_something_to_resume(tmp_path, make):
    with pytest.raises(InputError, match="There is no checkpoint to resume"):
        train(make(), options(), tmp_path, resume=True)


def test_examples_end_a_run(tmp_path, make):
    outcome = train(make(), options(steps=None, examples=20), tmp_path)
    assert (outcome.steps, outcome.examples) == (5, 20)


def test_minutes_end_a_run_and_its_schedule(tmp_path, make, monkeypatch):
    now = [0.0]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    # Only there: the loop of a service in another thread would wait by this clock for hours.
    monkeypatch.setattr("onepass.training.progress.monotonic", tick)
    outcome = train(make(), options(steps=None, minutes=0.5, score_every=0), tmp_path)
    assert 4 < outcome.steps < 30
    assert outcome.seconds > 30


def test_saved_checkpoints_load_to_the_trained_weights(tmp_path, make):
    task = make()
    train(task, options(), tmp_path)
    loaded = load_network(tmp_path / "final").state_dict()
    assert equal(dict(task.network.state_dict()), dict(loaded))


def test_lower_layers_learn_slower_and_embeddings_slowest(make):
    task = make(encoder=0.1, head=0.2, layer_decay=0.5)
    rates = {id(p): group["lr"] for group in task.groups() for p in group["params"]}
    named = {name: rates[id(p)] for name, p in task.network.named_parameters()}
    layers = [named[f"backbone.layers.{i}.up.weight"] for i in range(2)]
    assert layers == [0.05, 0.1]
    assert named["backbone.word_embeddings.weight"] == 0.025
    assert named["span_head.out.last.weight"] == 0.2


class Bare:
    """A trainee that is an encoder alone."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        self.parts = {"text_encoder": "backbone."}
        self.network = torch.nn.ModuleDict({"backbone": backbone, "head": torch.nn.Linear(2, 2)})


def test_what_stands_above_the_top_layer_learns_as_fast_as_that(make):
    sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    modern = ModernBertConfig.from_dict(
        {"model_type": "modernbert", "num_hidden_layers": 2, **sizes}
    )
    sizes = {"vocab_size": 9, "d_model": 8, "d_kv": 4, "num_heads": 2, "d_ff": 16}
    t5 = T5Config.from_dict({"model_type": "t5", "num_layers": 2, **sizes})
    for backbone, above in (
        (ModernBertBackbone(modern), {"final_norm.weight"}),
        (T5EncoderDecoder(t5), {"encoder.norm.weight", "decoder.norm.weight"}),
    ):
        task = TrainingTask(Bare(backbone), None, Rates(0.1, 0.2, layer_decay=0.5))
        named = {n: group["lr"] for group in task.groups() for n in group["names"]}
        for name in above:
            assert named[f"backbone.{name}"] == 0.1
        assert named["backbone.word_embeddings.weight"] == 0.025
    named = {n: g["lr"] for g in make(layer_decay=0.5).groups() for n in g["names"]}
    assert named["backbone.norm.weight"] == 0.25e-3  # that of the embeddings


def test_shapes_have_a_rate_of_their_own_and_segments_have_not(tmp_path, make):
    shaped = make_tiny_checkpoint(tmp_path / "shaped", shapes=True)
    for start, expected in (({"start": shaped}, 0.7), ({}, 0.1)):
        task = make(encoder=0.1, head=0.2, shapes=0.7, **start)
        named = {n: group["lr"] for group in task.groups() for n in group["names"]}
        assert named.pop("backbone.type_embeddings.weight") == expected
        assert set(named.values()) == {0.1, 0.2}


@pytest.mark.parametrize(
    ("begun", "resumed", "message"),
    [
        ({}, {"frozen": ("heads",)}, "another freeze, lora, layer_decay, shape_rate or optimizer"),
        ({"frozen": ("text_encoder",)}, {"frozen": ("heads",)}, "another freeze"),
        ({}, {"layer_decay": 0.5}, "give what it was begun with, or start without resume"),
        ({}, {"head": 2e-3}, "rates of which others are equal"),
        ({}, {"lora": LoraOptions()}, "was begun with another model, lora or rl.value"),
        ({"lora": LoraOptions(2)}, {"lora": LoraOptions(4)}, "another model, lora"),
        ({"lora": LoraOptions()}, {"lora": LoraOptions(heads="frozen")}, "another freeze, lora"),
    ],
)
def test_a_run_is_resumed_by_what_it_was_begun_with(tmp_path, make, begun, resumed, message):
    train(make(**begun), options(steps=5), tmp_path)
    task = make(**resumed)
    before = {name: weight.clone() for name, weight in task.network.state_dict().items()}
    with pytest.raises(InputError, match=message):
        train(task, options(steps=5), tmp_path, resume=True)
    assert equal(before, task.network.state_dict())


def test_a_log_that_a_dead_run_left_is_begun_anew(tmp_path, make):
    (tmp_path / "log.jsonl").write_text('{"step": 2, "loss": {"spans": 9.0}}\n')
    train(make(), options(steps=4, log_every=4), tmp_path)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [4]


def test_the_means_of_a_resumed_run_are_those_of_the_whole_one(tmp_path, make):
    whole, half = tmp_path / "whole", tmp_path / "half"
    train(make(), options(log_every=6), whole)
    half.mkdir()
    shutil.copytree(whole / "step-4", half / "step-4")
    train(make(), options(log_every=6), half, resume=True)
    logs = [(path / "log.jsonl").read_text().splitlines() for path in (whole, half)]
    losses = [[json.loads(line)["loss"] for line in log] for log in logs]  # of steps 6 and 8
    assert losses[0] == losses[1]
    assert len(losses[0]) == 2


def test_the_outcome_knows_when_the_best_score_was(tmp_path, make):
    scores = [{"score": s} for s in (0.5, 0.3)]
    assert train(make(scores), options(), tmp_path).best_at == (4, 16)
    shutil.rmtree(tmp_path / "final")
    assert train(make([{"score": 0.1}]), options(), tmp_path, resume=True).best_at == (4, 16)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path, make):
    task = make()
    task.loss = lambda network, batch: (torch.tensor(float("nan"), requires_grad=True), {})
    with pytest.raises(InputError, match="at step 1: the loss became nan; lower the rates"):
        train(task, options(), tmp_path)


def failing(task: TrainingTask, *steps: int) -> None:
    """Let the loss of a task raise at some of its calls, counted from 1."""
    right, calls = task.loss, iter(range(1, 100))

    def loss(network, batch):
        if next(calls) in steps:
            raise RuntimeError("index 7 is out of bounds")
        return right(network, batch)

    task.loss = loss


def test_a_batch_that_fails_stops_the_run_and_names_its_rows(tmp_path, make):
    task = make()
    failing(task, 2)
    with pytest.raises(
        InputError, match=r"The batch of (data.jsonl:\d+(, )?){4} failed at step 2: "
    ):
        train(task, options(), tmp_path)


def test_a_counted_few_may_fail_and_each_is_reported(tmp_path, make):
    task = make()
    failing(task, 2, 5)
    lines: list[str] = []
    outcome = train(task, options(skip_bad_batches=2), tmp_path / "a", report=lines.append)
    assert (outcome.steps, outcome.bad_batches) == (8, 2)
    told = [line for line in lines if line.startswith("skipped the batch of data.jsonl:")]
    assert len(told) == 2
    assert all("index 7 is out of bounds" in line for line in told)
    task = make()
    failing(task, 2, 3, 4)
    with pytest.raises(InputError, match="failed at step 2"):
        train(task, options(skip_bad_batches=2), tmp_path / "b")


def test_decay_is_for_matrices_and_rates_are_for_their_parts(make):
    groups = make(encoder=0.1, head=0.2, decay=0.3).groups()
    found = {}
    for group in groups:
        for parameter in group["params"]:
            found[id(parameter)] = (group["lr"], group["weight_decay"], parameter.ndim)
    assert sorted(set(found.values())) == [
        (0.1, 0.0, 1), (0.1, 0.3, 2), (0.2, 0.0, 1), (0.2, 0.3, 2),
    ]  # fmt: skip
    task = make()
    assert len(found) == len(list(task.network.parameters()))


def test_frozen_parts_stay_as_they_are(tmp_path, checkpoint, make):
    train(make(encoder=0.0), options(steps=3), tmp_path)
    before, after = weights(checkpoint), weights(tmp_path / "final")
    for name in before:
        changed = not torch.equal(before[name], after[name])
        assert not (changed and name.startswith("encoder.")), name


def test_the_network_is_scored_as_it_is_used_and_trained_on(tmp_path, make):
    modes = []
    task = make()
    task._scorer = lambda network: modes.append(network.training) or {}
    real = task.loss
    task.loss = lambda network, batch: modes.append(network.training) or real(network, batch)
    train(task, options(steps=3, score_every=1), tmp_path)
    assert modes == [True, False, True, False, True, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [({"steps": None}, "A run needs an end"), ({"precision": "int8"}, "bf16, fp16 or fp32")],
)
def test_impossible_options_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        options(**given)
