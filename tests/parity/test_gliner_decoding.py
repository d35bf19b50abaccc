"""Random logits are decoded as gliner's own decoders decode them.

No model and no text: only which spans hold, and which are kept where they overlap.
"""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gliner")

import torch
from gliner.decoding.decoder import SpanDecoder, TokenDecoder

from onepass import Schema
from onepass.models.gliner.config import GlinerConfig
from tests.models.gliner.by_hand import LOW, SPAN, TOKEN, Text, read

LABELS = ("person", "place", "date")
SCHEMA = Schema().entities(list(LABELS))
LEVELS = np.array([-2.0, -1.0, 0.5, 1.5], dtype=np.float32)  # few, so that scores are often equal
WIDTH, MOST, THRESHOLD = 3, 9, 0.6
OPTIONS = {"flat": (True, False), "nested": (False, True)}  # flat_ner and multi_label

Found = set[tuple[str, int, int, float]]


def compare(texts: list[Text], logits: np.ndarray, config: GlinerConfig, overlap: str) -> int:
    """Compare what is found in texts of different length, and return how much it is.

    Args:
        texts: with the logits of their words.
        logits: of all texts as gliner has them, (texts, words, ..).
        config: of the checkpoint.
        overlap: one of `OPTIONS`.
    """
    decoder: Any = TokenDecoder if config.tokens else SpanDecoder
    flat, several = OPTIONS[overlap]
    theirs = decoder(SimpleNamespace(max_width=WIDTH)).decode(
        tokens=[text.words.split() for text in texts],
        id_to_classes={i + 1: label for i, label in enumerate(LABELS)},
        model_output=torch.from_numpy(logits),
        threshold=THRESHOLD, flat_ner=flat, multi_label=several,
    )  # fmt: skip
    docs, _ = read(texts, config, SCHEMA, threshold=THRESHOLD, overlap=overlap)
    count = 0
    for text, doc, rows in zip(texts, docs, theirs, strict=True):
        first = {place: word for word, place in enumerate(range(0, 2 * MOST, 2))}
        ours: Found = {
            (e.label, first[e.start], first[e.end - 1], round(e.score, 5)) for e in doc.entities
        }
        assert len(ours) == len(doc.entities)
        assert ours == {(r.entity_type, r.start, r.end, round(r.score, 5)) for r in rows}, text
        count += len(ours)
    return count


def letters(count: int) -> str:
    return " ".join("abcdefghi"[:count])


@pytest.mark.parametrize("overlap", OPTIONS)
def test_spans(overlap: str) -> None:
    generator = np.random.default_rng(0)
    found = 0
    for _ in range(20):
        counts = [int(count) for count in generator.integers(1, MOST + 1, size=3)]
        logits = generator.choice(LEVELS, size=(3, max(counts), WIDTH, len(LABELS)))
        texts = [
            Text(
                letters(count),
                {
                    (label, word, word + width): float(logits[row, word, width, label])
                    for word, width, label in product(
                        range(count), range(WIDTH), range(len(LABELS))
                    )
                },
            )
            for row, count in enumerate(counts)
        ]
        found += compare(texts, logits, SPAN, overlap)
    assert found > 200


@pytest.mark.parametrize("overlap", OPTIONS)
def test_tokens(overlap: str) -> None:
    generator = np.random.default_rng(1)
    found = 0
    for _ in range(20):
        counts = [int(count) for count in generator.integers(1, MOST + 1, size=3)]
        shape = (3, max(counts), len(LABELS), 3)
        logits = generator.normal(1.5, 2.0, size=shape).astype(np.float32)
        texts = [
            Text(
                letters(count),
                tokens={
                    (label, word): tuple(logits[row, word, label].tolist())
                    for word, label in product(range(count), range(len(LABELS)))
                },
            )
            for row, count in enumerate(counts)
        ]
        found += compare(texts, logits, TOKEN, overlap)
    assert found > 200


def test_nothing() -> None:
    logits = np.full((1, 3, WIDTH, len(LABELS)), LOW, dtype=np.float32)
    assert compare([Text(letters(3))], logits, SPAN, "flat") == 0
