"""The named graphs of the GLiNER2 span family: inputs, outputs and their axes.

The torch network and the exported ONNX files both answer to these names; `score` runs them.
"""

from __future__ import annotations

from dataclasses import replace

from onepass.backends.base import Graph
from onepass.models.gliner2.rivals import PLACES, SCORES

ENCODE = Graph(
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
)
CLASSIFY = Graph(
    "classify",
    inputs={"labels": ("labels", "hidden")},
    outputs={"class_logits": ("labels",)},
)
_TOLD = replace(ENCODE, inputs={**ENCODE.inputs, "types": ("batch", "pieces")})
_HEADS = (
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
    CLASSIFY,
)
RERANK = Graph(
    "rerank",
    inputs={
        "scores": ("groups", "candidates", "numbers"),
        "places": ("groups", "candidates", "whole"),
        "mask": ("groups", "candidates"),
    },
    outputs={"value_logits": ("groups", "candidates")},
    floats=frozenset({"scores"}),
    sizes={"numbers": SCORES, "whole": PLACES},
)
GRAPHS = (ENCODE, *_HEADS)


def graphs(*, shapes: bool, reranker: bool = False) -> tuple[Graph, ...]:
    """Return what a checkpoint can run.

    Args:
        shapes: whether its backbone is told the shapes of words, as types of pieces.
        reranker: whether it scores candidates for values of records once more.

    >>> list(graphs(shapes=True)[0].inputs)
    ['ids', 'mask', 'words', 'markers', 'types']
    """
    heads = (*_HEADS, RERANK) if reranker else _HEADS
    return (_TOLD if shapes else ENCODE, *heads)
