"""Tiny GLiNER checkpoints of every architecture learn twenty sentences by heart.

What they have learned is then found by the facade: saved, loaded, and exported to ONNX.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gliner_checkpoints import BI, DECODERS, FUSIONS, STREAMING, TOKENS
from tests.training.gliner_data import make_learner, sentences, write_sentences

from onepass import Extractor, Schema
from onepass.corpus.gliner import example_from_gliner
from onepass.evaluation.run import evaluate
from onepass.training.config import TrainConfig
from onepass.training.run import train_from_config

RELATED = ("span-relex-mlp", "token-relex")
# Of each loss one, and of each way that texts and labels meet: losses of all kinds of checkpoints
# are compared with those of the reference in `tests/models/gliner/test_loss.py`.
LEARNERS: dict[str, dict[str, Any]] = {
    "span": {},
    "token": TOKENS,
    "token-spans": TOKENS | {"represent_spans": True},
    "bi-token": BI | TOKENS,
    "poly-span": BI | {"post_fusion_schema": FUSIONS[0]},
    "streaming": dict(STREAMING["streaming-llama"]),
    "span-relex-mlp": {"relations_layer": "mlp", "triples_layer": "ComplEx"},
    "token-relex": TOKENS | {"relations_layer": "dot"},
}


def train(model: Path, data: Path, output: Path, **given: Any) -> dict[str, Any]:
    least = {
        "model": str(model), "data": str(data), "output": str(output), "dev": str(data),
        "steps": 240, "encoder_rate": 4e-3, "head_rate": 4e-3, "clip": 100.0, "max_batch": 5,
        "warmup": 5, "precision": "fp32", "device": "cpu", "score_every": 0,
        "sampling": {"restyle": 0.0, "drop_label": 0.0, "foreign": 0.0},
    }  # fmt: skip
    return train_from_config(TrainConfig.from_dict(least | given))


@pytest.mark.parametrize("name", LEARNERS)
def test_twenty_sentences_are_learned_by_heart(tmp_path, name):
    related = name in RELATED
    start = make_learner(tmp_path / "start", **LEARNERS[name])
    data = write_sentences(tmp_path, relations=related)
    result = train(start, data, tmp_path / "run")
    assert result["scores"] == {"entities": 1.0, "score": 1.0} | (
        {"relations": 1.0} if related else {}
    )
    gold = [example_from_gliner(row) for row in sentences(relations=related)]
    found = {}
    for backend in ("torch", "onnx"):
        model = Extractor.from_pretrained(result["final"], backend=backend)
        report = evaluate(model, gold)
        assert report.scores["entities"]["f1"] == 1.0
        if related:
            assert report.scores["relations"]["f1"] == 1.0
        schema = Schema().entities(["person", "company", "place", "color"])
        if related:
            schema.relations(["runs", "in", "owns"])
        found[backend] = model.extract([example.text for example in gold], schema)
    for ours, theirs in zip(found["torch"], found["onnx"], strict=True):
        assert [(e.label, e.start, e.end) for e in ours.entities] == [
            (e.label, e.start, e.end) for e in theirs.entities
        ]
        scores = [e.score for e in ours.entities], [e.score for e in theirs.entities]
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)


WRITERS = {
    "decoder-span": DECODERS["decoder-span"],
    "decoder-token": DECODERS["decoder-token"],
    "decoder-prompt": DECODERS["decoder-span"] | {"decoder_mode": "prompt"},
}


@pytest.mark.parametrize("name", WRITERS)
def test_labels_are_learned_to_be_written(tmp_path, name):
    start = make_learner(tmp_path / "start", **WRITERS[name])
    result = train(start, write_sentences(tmp_path), tmp_path / "run")
    assert result["scores"] == {"entities": 1.0, "score": 1.0}
    model = Extractor.from_pretrained(result["final"], backend="torch")
    schema = Schema().entities(["person", "company", "place", "color"]).name_entities()
    for row in sentences():
        example = example_from_gliner(row)
        found = model.extract(example.text, schema).entities
        names = [(e.start, e.end, e.names[0].label if e.names else e.label) for e in found]
        assert names == [(m.start, m.end, m.label) for m in example.entities]


RELATED_ROWS = [
    {
        "text": f"{who} works for apple in {place}",
        "entities": [
            {"start": 0, "end": len(who), "label": "person"},
            {"start": len(who) + 11, "end": len(who) + 16, "label": "company"},
        ],
        "relations": [
            {"type": "works for", "head": [0, len(who)], "tail": [len(who) + 11, len(who) + 16]}
        ],
        "asked_relations": ["in"],
    }
    for place in ("paris", "rome")
    for who in ("tim cook", "tim", "cook")
]
TONES = {"great": "paris", "bad": "rome"}
TONE_ROWS = [
    {
        "text": text,
        "classifications": [{"name": "tone", "labels": list(TONES), "true": [tone]}],
    }
    for tone, text in TONES.items()
]


def test_classes_and_relations_are_learned_by_prompt(tmp_path, write):
    """Without a part for them: relations as tails of an entity, classes as an instruction."""
    start = make_learner(tmp_path / "start", **TOKENS)
    data = write("data.jsonl", *RELATED_ROWS, *TONE_ROWS)
    result = train(start, data, tmp_path / "run", steps=400, seed=3)
    assert result["scores"] == {"entities": 1.0, "relations": 1.0, "classes": 1.0, "score": 1.0}
    model = Extractor.from_pretrained(result["final"], backend="torch")
    for tone, text in TONES.items():
        assert [one.label for one in model.classify(text, list(TONES), name="tone").labels] == [
            tone
        ]
    schema = Schema().entities(["person", "company"]).relations(["works for", "in"])
    for row in RELATED_ROWS:
        doc = model.extract(row["text"], schema)
        assert [(e.label, e.start, e.end) for e in doc.entities] == [
            (e["label"], e["start"], e["end"]) for e in row["entities"]
        ]
        assert [(r.type, r.head.text, r.tail.text) for r in doc.relations] == [
            ("works for", doc.entities[0].text, "apple")
        ]
