"""The graphs of each architecture."""

from __future__ import annotations

from typing import Any

import pytest
from tests.models.gliclass.made import config

from onepass.models.gliclass.config import ARCHITECTURES
from onepass.models.gliclass.graphs import graphs

HEAD = ("text_mask", "labels", "label_mask")


@pytest.mark.parametrize(
    ("options", "inputs"),
    [
        ({}, ("ids", "mask", *HEAD)),
        ({"use_segment_embeddings": True}, ("ids", "mask", "segments", *HEAD)),
        (
            {"architecture_type": "encoder-decoder"},
            ("ids", "mask", "class_ids", "class_mask", *HEAD),
        ),
        (
            {"architecture_type": "bi-encoder", "use_segment_embeddings": True},
            ("ids", "mask", "text_mask", "vectors", "label_mask"),
        ),
        (
            {"architecture_type": "bi-encoder-fused"},
            ("ids", "mask", "text_mask", "labels", "vectors", "label_mask"),
        ),
        (
            {"architecture_type": "decoder-kv"},
            ("ids", "mask", "section", "section_mask", "labels", "label_mask"),
        ),
    ],
)
def test_inputs_and_their_order(options: dict[str, Any], inputs: tuple[str, ...]) -> None:
    *before, last = graphs(config(**options))
    assert [graph.name for graph in before] == (["encode_labels"] if "vectors" in inputs else [])
    assert last.name == "classify"
    assert tuple(last.inputs) == inputs
    assert dict(last.outputs) == {"logits": ("batch", "labels")}


def test_all_are_exported() -> None:
    for architecture in ARCHITECTURES:
        assert all(graph.exportable for graph in graphs(config(architecture_type=architecture)))
