"""GLiClass checkpoints of every architecture learn, and say the same when saved and exported."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.gliclass_checkpoints import AGAIN, write_checkpoint

from onepass import Extractor, Schema
from onepass.corpus.question import Question
from onepass.errors import InputError
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.loss import (
    contrastive_loss,
    multi_label_loss,
    single_label_loss,
)
from onepass.training.config import TrainConfig
from onepass.training.gliclass import GliclassTrainee
from onepass.training.run import train_from_config

LABELS = ["red", "news", "sports"]
WORDS = (
    "tim", "cook", "runs", "apple", "paris", "rome", "price", "great", "person", "calm", "art",
    "works", "company", "city",
)  # fmt: skip
KINDS = {
    "uni-encoder": ("bert", "wordpiece", {"prompt_first": True, "extract_text_features": True}),
    "layers": (
        "bert", "wordpiece",
        {"prompt_first": True, "extract_text_features": True, "squeeze_layers": True},
    ),
    "bi-encoder": ("bert", "wordpiece", {"architecture_type": "bi-encoder"}),
    "fused": (
        "bert", "wordpiece", {"architecture_type": "bi-encoder-fused", "prompt_first": True},
    ),
    "encoder-decoder": ("t5", "unigram", {"architecture_type": "encoder-decoder"}),
    "decoder": ("qwen3", "byte pairs", {"architecture_type": "decoder-kv", **AGAIN}),
}  # fmt: skip
# Each knows its texts after two thirds of them at the latest. A step takes all texts.
STEPS = {
    "uni-encoder": 220, "layers": 150, "bi-encoder": 60, "fused": 80, "encoder-decoder": 220,
    "decoder": 150,
}  # fmt: skip
RATES = {"encoder-decoder": 6e-3, "decoder": 6e-3}  # where they learn faster and as surely


def rows(*, several: bool) -> list[dict[str, Any]]:
    """Return texts whose labels are words in them."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(20):
        count = 2 if several and number % 2 else 1
        true = [LABELS[(number + i) % len(LABELS)] for i in range(count)]
        words = [*rng.choice(WORDS, 2), *true]
        rng.shuffle(words)
        task = {"name": "class", "labels": LABELS, "true": true, "multi_label": several}
        made.append({"text": " ".join(words), "classifications": [task]})
    return made


def make(directory: Path, kind: str) -> Path:
    """Write a tiny random checkpoint."""
    encoder, pieces, options = KINDS[kind]
    given = {"pooling_strategy": "avg", **options}
    write_checkpoint(directory, encoder=encoder, pieces=pieces, calm=True, **given)
    return directory


def run(tmp_path: Path, start: Path, data: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in data))
    config = {
        "model": str(start), "data": str(path), "dev": str(path), "output": str(tmp_path / "run"),
        "steps": 150, "warmup": 10, "max_pieces": 128, "precision": "fp32", "device": "cpu",
        "score_every": 0, "pool": len(data), "max_batch": len(data),
        "encoder_rate": 3e-3, "head_rate": 3e-3, "weight_decay": 0.0,
        "sampling": {"restyle": 0.0, "drop_label": 0.0},
    }  # fmt: skip
    return train_from_config(TrainConfig.from_dict(config | given))


def answers(model: Extractor, data: list[dict[str, Any]]) -> list[set[str]]:
    task = data[0]["classifications"][0]
    schema = Schema().classification("class", LABELS, multi_label=task["multi_label"])
    docs = model.extract([row["text"] for row in data], schema)
    return [{one.label for one in doc.classifications["class"].labels} for doc in docs]


@pytest.mark.parametrize("kind", KINDS)
def test_each_architecture_learns_twenty_texts_and_keeps_them(tmp_path, kind):
    start = make(tmp_path / "start", kind)
    data = rows(several=True)
    rate = RATES.get(kind, 3e-3)
    result = run(tmp_path, start, data, steps=STEPS[kind], encoder_rate=rate, head_rate=rate)
    assert result["scores"]["classes"] == 1.0
    gold = [set(row["classifications"][0]["true"]) for row in data]
    assert answers(Extractor.from_pretrained(start, backend="torch"), data) != gold
    for backend in ("torch", "onnx"):
        assert answers(Extractor.from_pretrained(result["final"], backend=backend), data) == gold


def test_single_label_tasks_learn_with_a_softmax(tmp_path):
    start = make(tmp_path / "start", "uni-encoder")
    data = rows(several=False)
    result = run(tmp_path, start, data, loss={"smoothing": 0.05, "gamma": 1.0})
    assert result["scores"]["classes"] == 1.0
    model = Extractor.from_pretrained(result["final"], backend="torch")
    assert answers(model, data) == [set(row["classifications"][0]["true"]) for row in data]


def test_a_contrastive_term_is_added_and_logged(tmp_path):
    start = make(tmp_path / "start", "uni-encoder")
    run(tmp_path, start, rows(several=True), steps=2, log_every=1, loss={"contrastive": 0.5})
    log = [json.loads(x) for x in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {"multi", "contrastive"} <= set(log[0]["loss"])


@pytest.mark.parametrize("features", [False, True])
def test_the_contrastive_term_is_of_all_pieces_whatever_is_pooled(tmp_path, features):
    """In gliclass it is of label vectors, which have no part in equation 8."""
    start = tmp_path / "start"
    start.mkdir()
    write_checkpoint(start, calm=True, extract_text_features=features, prompt_first=True)
    trainee = GliclassTrainee(start, GliclassLoss(contrastive=1.0))
    schema = Schema().classification("class", LABELS)
    asked = [
        one
        for text in ("tim runs", "a calm person runs apple in paris")
        for one in trainee.ask(Question(text, schema, classes=((0,),)), 64)
    ]
    batch = trainee.build(asked)
    mask = torch.from_numpy(batch.inputs["mask"])
    assert (batch.inputs["text_mask"].sum() < mask.sum()) == features
    network = trainee.network.eval()
    with torch.no_grad():
        _, terms = trainee.loss(network, batch)
        states = network.backbone(torch.from_numpy(batch.inputs["ids"]), mask)
    assert terms["contrastive"] == pytest.approx(float(contrastive_loss(states, mask)), abs=1e-6)


def test_many_labels_are_asked_in_several_passes(tmp_path):
    trainee = GliclassTrainee(make(tmp_path / "start", "uni-encoder"))
    labels = [f"{a} {b}" for a in WORDS for b in WORDS]
    schema = Schema().classification("class", labels, multi_label=True)
    asked = trainee.ask(Question("tim runs", schema, classes=((3, 100),)), 100)
    assert len(asked) > 5
    assert [item for one in asked for item in one.reading.prompt.items] == list(range(len(labels)))
    held = [i for one in asked for i in np.array(one.reading.prompt.items)[one.true]]
    assert held == [3, 100]
    assert not any(one.single for one in asked)
    assert max(one.reading.pieces for one in asked) <= 100


def test_options_of_another_family_are_refused(tmp_path):
    start = make(tmp_path / "start", "uni-encoder")
    for loss in ({"spans": 2.0}, {"problem": "multi", "margin": 0}, {"kind": "focal"}):
        with pytest.raises(InputError, match=r"of the gliclass checkpoint .*are problem, alpha"):
            run(tmp_path, start, rows(several=True), loss=loss)


@pytest.mark.parametrize("kind", ["bi-encoder", "v1"])
def test_prompts_and_examples_that_a_checkpoint_does_not_read_are_not_asked(tmp_path, kind):
    start = make(tmp_path / "start", "uni-encoder" if kind == "v1" else kind)
    if kind == "v1":
        own = {"prompt_style": "v1", "thresholds": {"classifications": 0.3}}
        (start / "onepass.json").write_text(json.dumps(own))
    schema = Schema().classification(
        "class", LABELS, prompt="What is it?", examples=[("tim red", ["red"])]
    )
    plain = Schema().classification("class", LABELS, prompt=None if kind == "v1" else "What is it?")
    trainee = GliclassTrainee(start)
    (one,), (other,) = (
        trainee.ask(Question("tim runs", asked, classes=((1,),)), 100) for asked in (schema, plain)
    )
    assert one.reading.ids.tolist() == other.reading.ids.tolist()


def test_a_task_with_a_label_that_is_too_long_is_skipped_and_the_others_are_asked(tmp_path):
    trainee = GliclassTrainee(make(tmp_path / "start", "uni-encoder"))
    schema = Schema().classification("long", ["red", "tim " * 80]).classification("class", LABELS)
    (one,) = trainee.ask(Question("tim runs", schema, classes=((0,), (1,))), 100)
    assert one.true.tolist() == [False, True, False]


def test_a_word_behind_a_prompt_is_cut_where_the_passes_of_training_end(tmp_path):
    trainee = GliclassTrainee(make(tmp_path / "start", "uni-encoder"))
    schema = Schema().classification("class", LABELS, prompt="tim runs")
    (one,) = trainee.ask(Question("x" * 60 + " " + "1" * 300, schema, classes=((1,),)), 64)
    assert one.reading.pieces <= 64


def test_a_trained_checkpoint_keeps_its_prompts_and_not_its_thresholds(tmp_path):
    start = make(tmp_path / "start", "uni-encoder")
    own = {"prompt_style": "v1", "thresholds": {"classifications": 0.3}}
    (start / "onepass.json").write_text(json.dumps(own))
    final = Path(run(tmp_path, start, rows(several=True), steps=1)["final"])
    assert json.loads((final / "onepass.json").read_text()) == {"prompt_style": "v1"}


@pytest.mark.parametrize("scorer", ["simple", "mlp", "weighted-dot", "hopfield"])
def test_lora_adapts_what_table_1_names_whatever_the_scorer(tmp_path, scorer):
    encoder, pieces, options = KINDS["uni-encoder"]
    start = tmp_path / "start"
    write_checkpoint(start, encoder=encoder, pieces=pieces, scorer_type=scorer, **options)
    targets = ["query", "linear_1", "mlp.0", "mlp.2", "out_mlp.0"]
    lora = {"rank": 1, "heads": "adapt", "targets": targets}
    final = Path(run(tmp_path, start, rows(several=True), steps=2, lora=lora)["final"])
    before, after = (load_file(place / "model.safetensors") for place in (start, final))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    fits = [name for name in before if any(f"{end}.weight" in name for end in targets[1:])]
    assert set(fits) <= changed  # a part of a layer's weight has a gradient too
    for name in changed:
        assert torch.linalg.matrix_rank(after[name] - before[name], atol=1e-6) <= 1, name


def test_targets_outside_the_encoders_and_a_run_that_trains_nothing_are_told(tmp_path):
    start = make(tmp_path / "start", "uni-encoder")
    with pytest.raises(InputError, match=r"fit only layers outside the encoders.*heads 'adapt'"):
        run(tmp_path, start, rows(several=True), lora={"targets": ["linear_1"]})
    with pytest.raises(InputError, match="leave nothing to train"):
        run(tmp_path, start, rows(several=True), lora={"heads": "frozen"}, freeze=["text_encoder"])


# -- the terms against hand-made numbers -----------------------------------------------------------

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 9.0]])
TRUE = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MASK = torch.tensor([[True, True, True], [True, True, False]])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_focal_loss_is_the_mean_over_real_labels():
    options = GliclassLoss(alpha=0.7, gamma=2.0)
    losses = []
    for x, true in ((2.0, 1), (-1.0, 0), (0.5, 0), (0.0, 0), (1.0, 1)):
        p = sigmoid(x) if true else 1 - sigmoid(x)
        losses.append((0.7 if true else 0.3) * (1 - p) ** 2 * -math.log(p))
    loss = multi_label_loss(LOGITS, TRUE, MASK, options)
    assert float(loss) == pytest.approx(sum(losses) / 5, abs=1e-6)


def test_alpha_weighs_labels_one_by_one_and_nothing_under_a_softmax():
    plain, weighed = GliclassLoss(), GliclassLoss(alpha=0.7)
    single = [float(single_label_loss(LOGITS, TRUE, MASK, one)) for one in (plain, weighed)]
    multi = [float(multi_label_loss(LOGITS, TRUE, MASK, one)) for one in (plain, weighed)]
    assert single[0] == single[1]
    assert multi[0] != pytest.approx(multi[1], abs=1e-3)


def test_the_softmax_is_over_real_labels_and_smoothing_is_shared_by_them():
    first = torch.log_softmax(LOGITS[0], 0)
    second = torch.log_softmax(LOGITS[1, :2], 0)
    plain = -(first[0] + second[1]) / 2
    assert float(single_label_loss(LOGITS, TRUE, MASK, GliclassLoss())) == pytest.approx(
        float(plain)
    )
    even = -(first.mean() + second.mean()) / 2
    smooth = single_label_loss(LOGITS, TRUE, MASK, GliclassLoss(smoothing=0.2))
    assert float(smooth) == pytest.approx(float(0.8 * plain + 0.2 * even), abs=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("logits", [[[3.0]], [[30.0, 0.0]], [[0.0, 1e4]]])
def test_a_softmax_has_a_finite_gradient_however_sure_an_answer_is(logits, gamma):
    """A task of one label is always answered surely."""
    given = torch.tensor(logits, requires_grad=True)
    true = torch.zeros_like(given)
    true[0, 0] = 1
    loss = single_label_loss(given, true, true >= 0, GliclassLoss(gamma=gamma))
    loss.backward()
    assert loss.isfinite()
    assert given.grad.isfinite().all()


def test_the_contrastive_loss_is_equation_8():
    torch.manual_seed(0)
    states, mask = torch.randn(2, 4, 5), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    total, count = 0.0, 0
    for row, real in zip(states, mask, strict=True):
        unit = row[real.bool()] / row[real.bool()].norm(dim=1, keepdim=True)
        alike = unit @ unit.T
        for i in range(len(unit)):
            total -= float(torch.log_softmax(alike[i], 0)[i])
            count += 1
    assert float(contrastive_loss(states, mask)) == pytest.approx(total / count, abs=1e-6)
    states[1, 2:] = 100.0  # padding
    assert float(contrastive_loss(states, mask)) == pytest.approx(total / count, abs=1e-6)
