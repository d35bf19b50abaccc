from pathlib import Path

import numpy as np
import pytest
import torch

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import Outputs
from onepass.models.gliner2.targets import Targets
from onepass.training import gliner2
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.holdout import MOST_LABELS, Holdout, whole_question
from onepass.training.stream import BatchOptions

TEXT = "Tim Cook runs Apple in Paris."
EXAMPLES = [
    Example(
        TEXT,
        (Mention(0, 8, "person"), Mention(23, 28, "place")),
        asked=("color",),
        classifications=(
            GoldTask("tone", ("calm", "angry"), ("calm",)),
            GoldTask("topics", ("red", "blue"), ("red", "blue"), multi_label=True),
            GoldTask("none", ("a", "b"), ()),
        ),
        structures=(
            GoldStructure(
                "job",
                (GoldField("who"), GoldField("how", choices=("good", "bad"))),
                ({"who": (GoldValue(0, 8),), "how": (GoldValue(choice="good"),)},),
            ),
        ),
        relations=(GoldRelation("runs", (0, 8), (14, 19)),),
        asked_relations=("sells",),
    ),
    Example("Rome", (Mention(0, 4, "place"),)),
    Example("nothing"),
]


@pytest.fixture(scope="module")
def trainee(checkpoint: Path) -> Gliner2Trainee:
    return Gliner2Trainee(checkpoint)


def perfect(targets: Targets) -> Outputs:
    """Return logits that say exactly the gold, and nonsense where nothing is asked."""
    spans = np.where(targets.weight, -1.0, 9.0)
    spans[targets.gold.index()] = 1.0
    items = max((group.items for group in targets.classes), default=0)
    classes = np.full((len(targets.classes), items), 9.0)
    for line, group in enumerate(targets.classes):
        classes[line, : group.items] = 2 * group.true - 1
    return Outputs(torch.from_numpy(spans), None, torch.from_numpy(classes) if items else None)


def score_with(monkeypatch, trainee, change) -> dict[str, float]:
    """Score outputs that are perfect but for a change."""

    def run(given: Gliner2Network, targets: Targets) -> Outputs:
        outputs = perfect(targets)
        change(outputs)
        return outputs

    monkeypatch.setattr(gliner2, "run_network", run)
    return Holdout(EXAMPLES, trainee, BatchOptions(batch_pieces=1)).score(trainee.network)


def test_the_gold_itself_scores_one(monkeypatch, trainee):
    scores = score_with(monkeypatch, trainee, lambda outputs: None)
    assert scores == {
        "entities": 1.0, "records": 1.0, "relations": 1.0, "classes": 1.0, "score": 1.0,
    }  # fmt: skip


def test_silence_finds_nothing(monkeypatch, trainee):
    scores = score_with(monkeypatch, trainee, lambda outputs: outputs.spans.fill_(-1.0))
    assert scores["entities"] == scores["records"] == scores["relations"] == 0.0
    assert scores["score"] == 0.25


def test_every_cell_counts(monkeypatch, trainee):
    def miss_and_invent(outputs: Outputs) -> None:
        if outputs.spans.shape[1] > 1:  # the first example; its queries: 2 of the record, 3 labels
            outputs.spans[0, 2 + 1 - 1] *= -1

    def one_too_many(outputs: Outputs) -> None:
        if outputs.spans.shape[1] == 1:  # "Rome .": the gold cell, and one beside it
            outputs.spans[0, 0, 1, 0] = 1.0

    scores = score_with(monkeypatch, trainee, one_too_many)
    assert scores["entities"] == pytest.approx(2 * 3 / (3 + 4))
    assert scores["records"] == 1.0
    scores = score_with(monkeypatch, trainee, miss_and_invent)
    assert scores["entities"] < 0.5
    assert scores["relations"] == 1.0


def test_a_task_is_right_or_wrong_as_a_whole(monkeypatch, trainee):
    def half_of_the_topics(outputs: Outputs) -> None:
        if outputs.classes is not None:
            outputs.classes[1, 1] = -1.0

    scores = score_with(monkeypatch, trainee, half_of_the_topics)
    assert scores["classes"] == 0.5  # of two tasks: one without a true label cannot be answered


def test_a_real_network_is_scored_the_same_in_any_batches(trainee):
    examples = [EXAMPLES[0], EXAMPLES[1]] * 3
    scores = [
        Holdout(examples, trainee, BatchOptions(batch_pieces=n)).score(trainee.network)
        for n in (1, 150, 4096)
    ]
    assert scores[0] == scores[1] == scores[2]
    assert set(scores[0]) == {"entities", "records", "relations", "classes", "score"}


def test_what_cannot_be_asked_is_left_out(trainee):
    some = Holdout(EXAMPLES, trainee, BatchOptions())
    assert some.asked == 2
    none = Holdout(EXAMPLES[2:], trainee, BatchOptions())
    assert (none.asked, none.score(trainee.network)) == (0, {})


def test_everything_annotated_is_asked():
    question = whole_question(EXAMPLES[0])
    schema = question.schema
    assert [label.name for label in schema.entity_labels] == ["color", "person", "place"]
    assert question.entities == ((1, 0, 8), (2, 23, 28))
    assert question.pairs == ((), ((0, 8, 14, 19),))
    assert question.classes == ((0,), (0, 1), ())
    assert question.records[0][0].choices == ((1, 0),)


def test_of_many_labels_those_that_hold_are_asked():
    labels = tuple(f"label {i}" for i in range(200))
    task = GoldTask("intent", labels, labels[150:151], examples=(("x", labels[-1]),))
    example = Example(TEXT, (Mention(0, 8, labels[180]),), labels, classifications=(task,))
    question = whole_question(example)
    names = [label.name for label in question.schema.entity_labels]
    assert len(names) == MOST_LABELS
    assert names[question.entities[0][0]] == "label 180"
    asked = question.schema.classification_tasks[0]
    assert len(asked.labels) == MOST_LABELS
    assert asked.labels[question.classes[0][0]].name == "label 150"


def test_examples_keep_the_labels_that_are_asked():
    labels = tuple(f"label {number}" for number in range(MOST_LABELS + 10))
    shown = (("y", (labels[1], labels[-1])), ("z", (labels[-2],)))
    gold = GoldTask("t", labels, (labels[0],), multi_label=True, examples=shown)
    (task,) = whole_question(Example("x", classifications=(gold,))).schema.classification_tasks
    assert task.examples == (("y", (labels[1],)),)
