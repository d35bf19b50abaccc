"""Tiny boundary checkpoints learn a few sentences by heart: entities, classes, records, relations.

What they have learned is then saved, loaded, and found by the facade.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.boundary_checkpoints import EACH, SHARED, SMALL, make_boundary

from onepass import Extractor
from onepass.corpus.example import Example, GoldTask
from onepass.corpus.jsonl import read_examples
from onepass.evaluation.run import evaluate
from onepass.models.boundary.targets import BoundaryLoss
from onepass.training.boundary import BoundaryTrainee
from onepass.training.config import TrainConfig
from onepass.training.holdout import whole_question
from onepass.training.run import train_from_config
from onepass.training.tally import Tally

PEOPLE, COMPANIES, COLORS = ("tim", "cook"), ("apple", "rome", "paris"), ("red", "blue")


def sentences() -> list[dict[str, Any]]:
    """Return twelve sentences, each of another person, company and color."""
    rows = []
    for number, (person, company, color) in enumerate(
        (p, c, k) for p in PEOPLE for c in COMPANIES for k in COLORS
    ):
        text = f"{person} works for {company}; {color} {number} costs 9{number}"
        place, price = text.index(company), text.rindex(f"9{number}")
        rows.append(
            {
                "text": text,
                "entities": [
                    {"start": 0, "end": len(person), "label": "person"},
                    {"start": place, "end": place + len(company), "label": "company"},
                ],
                "asked": ["person", "company", "place"],
                "classifications": [
                    {"name": "tone", "labels": ["calm", "angry"], "true": [
                        "calm" if color == "red" else "angry"
                    ]}
                ],
                "relations": [
                    {
                        "type": "works for",
                        "head": [0, len(person)],
                        "tail": [place, place + len(company)],
                    }
                ],
                "structures": [
                    {
                        "name": "product",
                        "fields": [
                            {"name": "name", "dtype": "str"},
                            {"name": "price"},
                            {"name": "color", "choices": list(COLORS), "dtype": "str"},
                        ],
                        "records": [
                            {
                                "name": [{"start": place, "end": place + len(company)}],
                                "price": [{"start": price, "end": len(text)}],
                                "color": [{"choice": color}],
                            }
                        ],
                    }
                ],
            }
        )  # fmt: skip
    return rows


HEADS = {"each": EACH, "attention": SMALL | {"candidate_pool": "shared", "dropout": 0.0}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, sentences())) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_sentences_are_learned_by_heart(tmp_path: Path, data: Path, head: dict[str, Any]) -> None:
    start = make_boundary(tmp_path / "start", head=head | {"dropout": 0.0}, learner=True)
    trainee = BoundaryTrainee(start)
    examples = list(read_examples(data))
    asked = [one for e in examples for one in trainee.ask(whole_question(e), 512)]
    batches = [trainee.build(asked[:6]), trainee.build(asked[6:])]
    optimizer = torch.optim.AdamW(trainee.network.parameters(), lr=4e-3)
    trainee.network.train()
    for step in range(90):
        loss, terms = trainee.loss(trainee.network, batches[step % 2])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainee.network.parameters(), 100.0)
        optimizer.step()
    assert set(terms) == {f.name for f in dataclasses.fields(BoundaryLoss)}
    tally = Tally()
    with torch.no_grad():
        trainee.tally(trainee.network.eval(), asked, tally)
    scores = tally.scores()
    assert (scores["entities"], scores["relations"]) == (1.0, 1.0)
    assert scores["records"] > 0.6  # one of three values depends on the color
    trainee.save(tmp_path / "end")
    report = evaluate(Extractor.from_pretrained(tmp_path / "end", backend="torch"), examples)
    assert report.scores["entities"]["f1"] > 0.95
    assert report.scores["relations"]["f1"] > 0.95
    assert report.scores["records"]["f1"] > 0.6


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("head", [SHARED, EACH], ids=["shared", "each"])
def test_a_run_ends_with_a_checkpoint_that_opens(
    tmp_path: Path, data: Path, head: dict[str, Any], precision: str
) -> None:
    start = make_boundary(tmp_path / "start", head=head, learner=True)
    config = {
        "model": str(start), "data": str(data), "output": str(tmp_path / "run"), "dev": str(data),
        "steps": 3, "precision": precision, "device": "cpu", "loss": {"spans": 2, "nothing": 0},
    }  # fmt: skip
    result = train_from_config(TrainConfig.from_dict(config))
    assert set(result["scores"]) == {"entities", "records", "relations", "classes", "score"}
    model = Extractor.from_pretrained(result["final"], backend="torch")
    assert model.family == "gliner2-boundary"


def test_a_text_that_asks_for_classes_alone_has_only_their_terms(tmp_path: Path) -> None:
    trainee = BoundaryTrainee(make_boundary(tmp_path / "start", learner=True))
    task = GoldTask("tone", ("calm", "angry"), ("calm",))
    question = whole_question(Example("it works", classifications=(task,)))
    loss, terms = trainee.loss(trainee.network, trainee.build(trainee.ask(question, 512)))
    assert set(terms) == {"classes", "binary_classes"}
    loss.backward()


def test_what_is_not_known_of_a_field_does_not_count(tmp_path: Path) -> None:
    row = sentences()[0]
    row["structures"][0]["records"][0]["price"] = [{"text": "a lot"}]
    path = tmp_path / "unknown.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    trainee = BoundaryTrainee(make_boundary(tmp_path / "start", learner=True))
    (example,) = read_examples(path)
    targets = trainee.build(trainee.ask(whole_question(example), 512))
    assert targets.closed.tolist() == [[False, True, *[False] * 6]]
    (record,) = targets.groups[0].records
    assert record.values[1] is None
