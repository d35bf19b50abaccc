"""GLiClass checkpoints of every architecture learn, and say the same when saved and exported."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.gliclass_checkpoints import write_checkpoint

from onepass import Extractor, Schema
from onepass.corpus.question import Question
from onepass.errors import InputError
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.loss import (
    contrastive_loss,
    multi_label_loss,
    single_label_loss,
)
from onepass.training.gliclass import GliclassTrainee
from onepass.training.run import TrainConfig, train_from_config

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
}  # fmt: skip


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
        "score_every": 0,
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
    result = run(tmp_path, start, data, steps=400 if kind == "encoder-decoder" else 250)
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
    for loss in ({"spans": 2.0}, {"margin": 0.1}):
        with pytest.raises(InputError, match=r"not those of a gliclass checkpoint.*problem, alpha"):
            run(tmp_path, start, rows(several=True), loss=loss)


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
