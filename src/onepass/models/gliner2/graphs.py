"""The named graphs of the GLiNER2 span family: inputs, outputs and their axes.

The torch network and the exported ONNX files both answer to these names; `score` runs them.
"""

from __future__ import annotations

from onepass.backends.base import Graph

GRAPHS = (
    Graph(
        "encode",
        inputs={
            "ids": ("batch", "pieces"),
            "mask": ("batch", "pieces"),
            "words": ("batch", "words", "depth"),
            "markers": ("batch", "markers"),
        },
        outputs={
            "word_states": ("batch", "words", "hidden"),
            "marker_states": ("batch", "markers", "hidden"),
        },
        kept=frozenset({"word_states"}),
    ),
    Graph(
        "count",
        inputs={"parents": ("groups", "hidden")},
        outputs={"count_logits": ("groups", "counts")},
    ),
    Graph(
        "queries",
        inputs={
            "items": ("groups", "items", "hidden"),
            "item_mask": ("groups", "items"),
            "steps": ("steps",),
        },
        outputs={"queries": ("groups", "steps", "items", "hidden")},
    ),
    Graph(
        "spans",
        inputs={
            "word_states": ("batch", "words", "hidden"),
            "queries": ("batch", "queries", "hidden"),
        },
        outputs={"span_logits": ("batch", "queries", "words", "width")},
    ),
    Graph(
        "classify",
        inputs={"labels": ("labels", "hidden")},
        outputs={"class_logits": ("labels",)},
    ),
)
