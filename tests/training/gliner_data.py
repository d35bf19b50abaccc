"""Tiny GLiNER checkpoints that can learn, and twenty sentences to learn by heart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tests.gliner_checkpoints import make_reference

from onepass.models.gliner.network.checkpoint import load_network, save_network

PEOPLE = ("tim cook", "cook", "tim", "great person", "bad tim")
FIRMS = ("apple", "red", "blue place", "company x")
PLACES = ("paris", "rome")


def sentences(*, relations: bool = False) -> list[dict[str, Any]]:
    """Return twenty rows in GLiNER's format."""
    rows = []
    for i in range(20):
        who, firm, place = PEOPLE[i % 5], FIRMS[i // 5], PLACES[i % 2]
        words = f"{who} runs {firm} in {place} .".split()
        a, b = len(who.split()), len(firm.split())
        row: dict[str, Any] = {
            "tokenized_text": words,
            "ner": [
                [0, a - 1, "person"],
                [a + 1, a + b, "company"],
                [a + b + 2, a + b + 2, "place"],
            ],
            "ner_negatives": ["color"],
        }
        if relations:
            row |= {"relations": [[0, 1, "runs"], [1, 2, "in"]], "rel_negatives": ["owns"]}
        rows.append(row)
    return rows


def write_sentences(directory: Path, *, relations: bool = False) -> Path:
    """Write the twenty rows as one JSON list and return the path."""
    path = directory / "sentences.json"
    path.write_text(json.dumps(sentences(relations=relations)), encoding="utf-8")
    return path


def make_learner(directory: Path, seed: int = 0, **config: Any) -> Path:
    """Make a checkpoint with the reference library, with weights that are easy to train.

    Args:
        directory: receives it.
        seed: of the weights.
        config: as for `make_reference`.
    """
    make_reference(directory, dropout=0.0, **config)
    network = load_network(directory)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                size = 1.0 if "embed" in name else parameter.shape[-1] ** -0.5
                parameter.normal_(0, size, generator=generator)
            else:
                parameter.fill_(0.0 if "bias" in name else 1.0)
    save_network(network, directory, tokenizer_from=directory)
    return directory
