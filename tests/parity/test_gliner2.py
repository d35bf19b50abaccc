"""Our answers on gliner2's own random checkpoints are gliner2's answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

gliner2 = pytest.importorskip("gliner2")

from onepass import Extractor, Schema  # noqa: E402
from onepass.results.types import Extraction, Value  # noqa: E402
from tests.parity.reference import BACKBONES, make_reference  # noqa: E402

CHECKPOINTS = {
    **{name: {"backbone": name} for name in BACKBONES},
    "lstm": {"counting_layer": "count_lstm"},
    "experts": {"counting_layer": "count_lstm_moe"},
    "mean": {"pooling": "mean", "seed": 3},
    "max": {"pooling": "max", "seed": 4},
}
TEXTS = [
    "Tim Cook runs Apple in Cupertino .",
    "The iphone costs 999 dollars and Galaxy is great!",
    "it does not work ? Tim, by the city.",
    "Apple.",
    "Is size large or small ? Blue and red and green products; the price is 12.50 for "
    "description (a), 99 for (b) - and nothing for (c). Tim works for a company in the city, "
    "Cook works for Apple: news, sports and topic. Great!",
]
TOLERANCE = 1e-4
# Low, so that random models say much; gliner2's call threshold does not reach its classes.
LOW = {"entities": 0.25, "records": 0.25, "relations": 0.25}

Case = Callable[[], Schema]
CASES: dict[str, Case] = {
    "entities": lambda: Schema().entities(["person", "company", "city"]),
    "descriptions": lambda: Schema().entities(
        {"person": "by the name", "company": "legal firm", "city": None}
    ),
    "single": lambda: Schema().classification("sentiment", ["positive", "negative", "neutral"]),
    "prompted": lambda: Schema().classification(
        "topic",
        {"sports": "a description", "news": "it works"},
        prompt="legal firm",
        examples=[("it works", "sports"), ("Tim works", "news")],
    ),
    "multi": lambda: Schema().classification("topic", ["sports", "news", "city"], multi_label=True),
    "structure": lambda: Schema().structure(
        "product", ["name::str::a description", "price", "size::[small|large]", "color::str"]
    ),
    "choices": lambda: (
        Schema()
        .structure("product", ["color::[red|blue|not green]::list", "size::[small|large]", "name"])
        .structure("company", ["city::str", "topic::[news|sports]::str"])
    ),
    "relations": lambda: Schema().relations(["works for", "located"]),
    "everything": lambda: (
        Schema()
        .entities({"person": "by the name", "city": None})
        .classification("sentiment", ["positive", "negative"])
        .classification("topic", ["sports", "news", "a"], multi_label=True)
        .structure("product", ["name::str", "price", "color::[red|blue]::str"])
        .relations(["works for"])
    ),
}


# With pooling over pieces gliner2 takes every special token of a prompt for a marker, so that
# descriptions and examples shift the vectors of labels.
DESCRIBED = ("descriptions", "prompted", "structure", "everything")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    """Every checkpoint with gliner2's own model of it."""
    root = tmp_path_factory.mktemp("gliner2")
    return {
        name: (make_reference(root / name, **options), root / name)  # type: ignore[arg-type]
        for name, options in CHECKPOINTS.items()
    }


def theirs(model: Any, schema: Schema) -> Any:
    """Return a schema in gliner2's own builder."""
    built = model.create_schema()
    if schema.entity_labels:
        built.entities(
            {
                label.name: {"description": label.description} if label.description else {}
                for label in schema.entity_labels
            }
        )
    for structure in schema.structures:
        chain = built.structure(structure.name)
        for field in structure.fields:
            chain.field(
                field.name,
                dtype=field.dtype,
                choices=list(field.choices) or None,
                description=field.description,
            )
    for task in schema.classification_tasks:
        described = any(label.description for label in task.labels)
        labels: Any = [label.name for label in task.labels]
        options: dict[str, Any] = {"multi_label": task.multi_label}
        if described:
            labels = {label.name: label.description or "" for label in task.labels}
        if task.prompt:
            options["prompt"] = task.prompt
        if task.examples:
            options["examples"] = [(text, label) for text, (label,) in task.examples]
        built.classification(task.name, labels, **options)
    if schema.relation_types:
        built.relations([relation.name for relation in schema.relation_types])
    return built


Facts = dict[tuple[Any, ...], float]


def _span(key: tuple[Any, ...], one: Any, facts: Facts) -> None:
    if one:
        facts[(*key, one["text"], one.get("start"), one.get("end"))] = one["confidence"]


def their_facts(out: dict[str, Any], schema: Schema) -> Facts:
    """Flatten gliner2's answer; places that its own defects add are dropped and named here."""
    facts: Facts = {}
    for label, found in out.get("entities", {}).items():
        for one in found:
            _span(("entity", label), one, facts)
    for structure in schema.structures:
        for number, record in enumerate(out.get(structure.name) or []):
            for field in structure.fields:
                value = record.get(field.name)
                for one in value if isinstance(value, list) else [value]:
                    _span(("record", structure.name, number, field.name), one, facts)
    for kind, pairs in out.get("relation_extraction", {}).items():
        for pair in pairs:
            head, tail = pair["head"], pair["tail"]
            places = (head["start"], head["end"]), (tail["start"], tail["end"])
            if places[0] == places[1]:
                continue  # B19: the same span as head and tail
            # B19: repeated pairs; the best counts
            score = min(head["confidence"], tail["confidence"])
            key = ("relation", kind, *places)
            facts[key] = max(score, facts.get(key, 0.0))
    for task in schema.classification_tasks:
        answer = out[task.name]
        for one in answer if isinstance(answer, list) else [answer]:
            facts["class", task.name, one["label"]] = one["confidence"]
    return facts


@pytest.fixture(scope="module")
def answer(checkpoints: dict[str, tuple[Any, Path]]) -> Callable[[str, str, str], Facts]:
    """Asks gliner2 once what both backends are compared with."""

    @cache
    def ask(checkpoint: str, case: str, text: str) -> Facts:
        reference, schema = checkpoints[checkpoint][0], CASES[case]()
        out = reference.extract(
            text,
            theirs(reference, schema),
            threshold=0.25,
            include_confidence=True,
            include_spans=True,
        )
        return their_facts(out, schema)

    return ask


def our_facts(doc: Extraction, schema: Schema) -> Facts:
    facts: Facts = {("entity", e.label, e.text, e.start, e.end): e.score for e in doc.entities}
    for name, records in doc.records.items():
        for number, record in enumerate(records):
            for field, found in record.items():
                values = found if isinstance(found, tuple) else (found,)
                for value in values:
                    if isinstance(value, Value):
                        key = ("record", name, number, field, value.text, value.start, value.end)
                        facts[key] = value.score
    for pair in doc.relations:
        places = (pair.head.start, pair.head.end), (pair.tail.start, pair.tail.end)
        facts["relation", pair.type, *places] = pair.score
    for task in schema.classification_tasks:
        answer = doc.classifications[task.name]
        chosen = [(one.label, one.score) for one in answer.labels]
        if not chosen:  # B17: gliner2 returns the best label even if none holds
            best = max(answer.scores, key=lambda label: answer.scores[label])
            chosen = [(best, answer.scores[best])]
        for label, score in chosen:
            facts["class", task.name, label] = score
    return facts


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_same_answers(
    checkpoints: dict[str, tuple[Any, Path]],
    answer: Callable[[str, str, str], Facts],
    checkpoint: str,
    backend: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
    _, directory = checkpoints[checkpoint]
    model = Extractor.from_pretrained(directory, backend=backend)
    compared = 0
    for case, build in CASES.items():
        if checkpoint in ("mean", "max") and case in DESCRIBED:
            continue
        schema = build()
        docs = model.extract(TEXTS, schema, threshold=LOW, overlap="label")
        for text, doc in zip(TEXTS, docs, strict=True):
            expected, got = answer(checkpoint, case, text), our_facts(doc, schema)
            assert set(got) == set(expected), (case, text)
            for key, score in expected.items():
                assert got[key] == pytest.approx(score, abs=TOLERANCE), (case, text, key)
            compared += len(expected)
    assert compared > 30  # a comparison of nothing would always hold
