"""Calibration of GLiNER checkpoints: what a fit counts is what the model finds as it is fitted."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from tests.training.gliner_data import make_learner

from onepass import Extractor
from onepass.corpus.example import Example, GoldRelation, Mention
from onepass.evaluation.answered import Answered, answer
from onepass.evaluation.calibration import fitted, gather
from onepass.evaluation.goals import Goal
from onepass.evaluation.halves import held_out
from onepass.evaluation.predict import predict
from onepass.evaluation.scoring import Scorers
from onepass.results.types import Entity, Extraction, Relation, Value
from onepass.schema.options import DEFAULTS, CallOptions

KINDS = {"span": {"seed": 2}, "span-relex": {"relations_layer": "dot"}}
WORDS = ("tim", "cook", "runs", "apple", "in", "paris", "rome", "and", "great", "news", "red")
# Scores from which on most is true.
SURE = {
    "span": {"person": 0.54, "politician": 0.56, "place": 0.58},
    "span-relex": {"entities": 0.46, "relations": 0.6},
}
LABELS, TYPES = ("person", "politician", "place"), ("works for", "in")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return cache(lambda kind: make_learner(tmp_path_factory.mktemp("fit") / kind, **KINDS[kind]))


@pytest.fixture(scope="module")
def examples(checkpoint: Callable[[str], Path]) -> Callable[[str], list[Example]]:
    """Texts of a few words, of which most that is found surely is true, and some other things."""

    @cache
    def draw(kind: str) -> list[Example]:
        rng, related = random.Random(5), "relex" in kind
        texts = [" ".join(rng.choices(WORDS, k=rng.choice([3, 6, 12]))) for _ in range(160)]
        schema = {"entities": list(LABELS)} | ({"relations": list(TYPES)} if related else {})
        model = opened(checkpoint(kind))
        return [
            annotated(doc, rng, related=related)
            for doc in model.extract(texts, schema, threshold=SURE[kind])
        ]

    return draw


@pytest.fixture(scope="module")
def answers(
    checkpoint: Callable[[str], Path], examples: Callable[[str], list[Example]]
) -> Callable[[str], Answered]:
    """What a checkpoint of a kind finds in its examples."""
    return cache(lambda kind: answer(opened(checkpoint(kind)).uncalibrated(), examples(kind)))


def annotated(doc: Extraction, rng: random.Random, *, related: bool) -> Example:
    spans = [match.span() for match in re.finditer(r"\w+", doc.text)]
    mentions = [Mention(e.start, e.end, e.label) for e in doc.entities if rng.random() < 0.7]
    mentions += [Mention(*span, rng.choice(LABELS)) for span in rng.sample(spans, 1)]
    pairs = [
        GoldRelation(r.type, (r.head.start, r.head.end), (r.tail.start, r.tail.end))
        for r in doc.relations
        if rng.random() < 0.7
    ]
    pairs += [GoldRelation(rng.choice(TYPES), spans[0], spans[-1])] if related else []
    return Example(
        doc.text,
        tuple(mentions),
        LABELS,
        relations=tuple(pairs),
        asked_relations=TYPES if related else (),
    )


def opened(directory: Path) -> Extractor:
    return Extractor.from_pretrained(directory, backend="torch", threads=1)


def counts_of(
    model: Extractor, examples: Sequence[Example], options: CallOptions = DEFAULTS
) -> dict[str, tuple[int, int, int]]:
    """Return right, found and gold items by kind, from a run of a model."""
    scorers = Scorers()
    for batch in predict(model, examples, options):
        for pair in batch.pairs():
            scorers.add(*pair)
    return {kind: one.counts()["f1"] for kind, one in scorers.asked().items()}


CASES = [
    ("span", "f1", True),
    ("span", "precision=0.6", True),
    ("span-relex", "f1", False),
    ("span-relex", "precision=0.6", False),
    ("span-relex", "recall=0.5", False),
]


@pytest.mark.parametrize(("kind", "goal", "per_label"), CASES)
def test_the_counts_of_a_fit_are_those_of_the_model(
    checkpoint, examples, answers, kind, goal, per_label
):
    directory, gold = checkpoint(kind), examples(kind)
    on = gather(answers(kind), Goal.parse(goal), per_label=per_label)
    settings = directory / "onepass.json"
    settings.write_text(json.dumps(fitted(on)))
    try:
        found = counts_of(opened(directory), gold)
    finally:
        settings.unlink()
    assert set(on.best) == set(found)
    for name, at in on.best.items():
        own = on.label_thresholds(name)
        assert on.sections[name].count(at, own).triple() == found[name], name
        assert bool(own) == per_label


@pytest.mark.parametrize(("kind", "goal", "per_label"), CASES)
def test_held_out_counts_are_those_of_the_model(checkpoint, answers, kind, goal, per_label):
    model, aim = opened(checkpoint(kind)).uncalibrated(), Goal.parse(goal)
    answered = answers(kind)
    halves = answered.halves()
    expected: dict[str, list[int]] = {}
    for half, other in zip(halves, reversed(halves), strict=True):
        taught = gather(other, aim, per_label=per_label, fewest=25)
        least = dict(taught.best)
        for name in taught.best:
            least |= taught.label_thresholds(name)
        gold = [example for _, example in half.pairs]
        for name, counts in counts_of(model, gold, CallOptions(least)).items():
            before = expected.get(name, [0, 0, 0])
            expected[name] = [a + b for a, b in zip(before, counts, strict=True)]
    found = held_out(answered, aim, per_label=per_label)
    assert {name: list(one.counts.triple()) for name, one in found.items()} == expected


def test_relations_are_between_entities_that_are_kept():
    """However high or low the scores of those are."""
    text = "Ann Lee met Bob"
    ann, lee, bob = (0, 7), (4, 7), (12, 15)

    def value(span: tuple[int, int], score: float) -> Value:
        return Value(text[slice(*span)], *span, score)

    def entity(label: str, span: tuple[int, int], score: float) -> Entity:
        return Entity(label, text[slice(*span)], *span, score)

    doc = Extraction(
        text,
        (entity("person", ann, 0.6), entity("poet", lee, 0.5), entity("person", bob, 0.3)),
        relations=(
            Relation("met", value(ann, 0.6), value(bob, 0.3), 0.9),
            Relation("met", value(lee, 0.5), value(bob, 0.3), 0.8),
        ),
    )
    answered = Answered([(doc, Example(text, asked=("person", "poet")))], "first", of_entities=True)

    def scores(at: float, **own: float) -> list[float]:
        ((found, _),) = answered.between(at, own)
        return [min(one.score, one.head.score, one.tail.score) for one in found.relations]

    assert scores(0.2) == [0.9, 0.0]
    assert scores(0.5) == [0.0, 0.0]
    assert scores(0.5, person=0.3) == [0.9, 0.0]
    assert scores(0.2, person=0.7) == [0.0, 0.0]
    assert scores(0.7, poet=0.2, person=0.3) == [0.9, 0.0]
    assert Answered(answered.pairs).between(0.5, {}) == answered.pairs
