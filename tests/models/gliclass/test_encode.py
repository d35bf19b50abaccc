"""Readings as arrays: where labels, texts and examples stand in a padded batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.models.gliclass.made import Pair, config

from onepass import Schema
from onepass.models.gliclass.config import ARCHITECTURES, EXAMPLE, LABEL, SEP
from onepass.models.gliclass.encode import Reading, collate, read_window
from onepass.models.gliclass.graphs import graphs
from onepass.models.gliclass.prompt import Writer
from onepass.models.gliclass.style import NEWEST
from onepass.models.gliclass.text import read_text
from onepass.text.windows import Window

Pairs = Callable[..., Pair]
ORDERS = pytest.mark.parametrize("first", [True, False], ids=["labels first", "text first"])
TEXTS = ("tim cook runs apple in paris", "red", "")
LABELS = (["a", "bad news", "c"], ["red"], ["a", "b"])


def readings(pair: Pair, options: dict[str, Any], **extra: Any) -> list[Reading]:
    """Return one reading of each text, under labels of its own."""
    settings = config(**options)
    writer = Writer(settings, NEWEST, pair.ours, 100)
    out = []
    for text, labels in zip(TEXTS, LABELS, strict=True):
        (task,) = Schema().classification("t", labels, **extra).classification_tasks
        (prompt,) = writer.write(0, task)
        if settings.label_vectors:
            prompt = prompt.with_vectors(np.full((len(labels), 4), len(labels), dtype=np.float32))
        read = read_text(text, pair.ours, max_word_pieces=100)
        out.append(read_window(prompt, read, Window(0, len(read.words))))
    return out


@ORDERS
@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_inputs_are_those_of_the_graph(
    pairs: Pairs, architecture: str, segments: bool, first: bool
) -> None:
    options = {
        "architecture_type": architecture, "use_segment_embeddings": segments,
        "prompt_first": first,
    }  # fmt: skip
    found = collate(readings(pairs("wordpiece"), options), config(**options))
    graph = graphs(config(**options))[-1]
    assert list(found) == list(graph.inputs)
    sizes: dict[str, int] = {"two": 2, "hidden": 4, "batch": 3, "labels": 3}
    for name, axes in graph.inputs.items():
        for axis, size in zip(axes, found[name].shape, strict=True):
            assert sizes.setdefault(axis, size) == size
        assert found[name].dtype == (np.float32 if name == "vectors" else np.int64)


@ORDERS
def test_labels_are_found_again_in_the_batch(pairs: Pairs, first: bool) -> None:
    pair = pairs("wordpiece")
    found = collate(readings(pair, {"prompt_first": first}), config(prompt_first=first))
    assert found["label_mask"].tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    for row, labels in enumerate(LABELS):
        for place, label in zip(found["labels"][row], labels, strict=False):
            expected = pair.ours.pieces([LABEL + label])[0]
            assert tuple(found["ids"][row, slice(*place)]) == expected
    assert found["labels"][1, 1:].tolist() == [[0, 0], [0, 0]]
    assert found["mask"].sum(1).tolist() == [one.pieces for one in readings(pair, {})]
    assert (found["ids"] * (1 - found["mask"]) == 0).all()


@ORDERS
def test_texts_begin_behind_the_labels(pairs: Pairs, first: bool) -> None:
    pair, options = pairs("wordpiece"), {"prompt_first": first, "extract_text_features": True}
    found = collate(readings(pair, options), config(**options))
    for ids, mask, own in zip(found["ids"], found["text_mask"], found["mask"], strict=True):
        begin = ids.tolist().index(pair.ours.id_of(SEP))
        assert mask.tolist() == [0] * begin + own[begin:].tolist()
    everything = collate(readings(pair, {"prompt_first": first}), config(prompt_first=first))
    assert (everything["text_mask"] == everything["mask"]).all()


@ORDERS
def test_segments_change_at_the_text_and_at_examples(pairs: Pairs, first: bool) -> None:
    pair, options = pairs("wordpiece"), {"prompt_first": first, "use_segment_embeddings": True}
    for extra in ({}, {"examples": [("paris", "LABEL")]}):
        rows = []
        for labels in LABELS:
            own = [(text, labels[0]) for text, _ in extra.get("examples", ())]
            rows.append(Schema().classification("t", labels, examples=own))
        writer = Writer(config(**options), NEWEST, pair.ours, 100)
        made = []
        for text, schema in zip(TEXTS, rows, strict=True):
            (prompt,) = writer.write(0, schema.classification_tasks[0])
            read = read_text(text, pair.ours, max_word_pieces=100)
            made.append(read_window(prompt, read, Window(0, len(read.words))))
        found = collate(made, config(**options))
        for ids, segments in zip(found["ids"].tolist(), found["segments"].tolist(), strict=True):
            at = [pair.ours.id_of(marker) for marker in (SEP, EXAMPLE)]
            begin = ids.index(at[0])
            end = ids.index(at[1]) if extra else len(ids)
            assert segments == [0] * begin + [1] * (end - begin) + [2] * (len(ids) - end)


def test_vectors_stand_beside_their_labels(pairs: Pairs) -> None:
    options = {"architecture_type": "bi-encoder"}
    rows = readings(pairs("wordpiece"), options)
    found = collate(rows, config(**options))
    assert found["vectors"][..., 0].tolist() == [[3, 3, 3], [1, 0, 0], [2, 2, 0]]
    assert "vectors" not in collate(rows, config(**options), vectors=False)
