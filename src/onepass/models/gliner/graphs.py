"""The named graphs of a GLiNER checkpoint: inputs, outputs and their axes, by its parts.

The torch network and the exported ONNX files both answer to these names; `score` runs them.
"""

from __future__ import annotations

from onepass.backends.base import Graph
from onepass.models.gliner.config import GlinerConfig

_IDS = {"ids": ("batch", "pieces"), "mask": ("batch", "pieces")}
_WORDS = {"words": ("batch", "words", "depth"), "word_counts": ("batch",)}
_WORD_STATES = {"word_states": ("batch", "words", "hidden")}
_LABEL_STATES = {"label_states": ("batch", "labels", "hidden")}

ENCODE_LABELS = Graph(
    "encode_labels",
    inputs={"label_ids": ("labels", "pieces"), "label_mask": ("labels", "pieces")},
    outputs={"vectors": ("labels", "hidden")},
)
FUSE = Graph(
    "fuse",
    inputs={
        **_WORD_STATES, "word_counts": ("batch",), **_LABEL_STATES, "label_counts": ("batch",)
    },
    outputs={
        "fused_words": ("batch", "words", "hidden"),
        "fused_labels": ("batch", "labels", "hidden"),
    },
    kept=frozenset({"fused_words"}),
)  # fmt: skip
CONTEXT = Graph(
    "context",
    inputs={**_WORD_STATES, "word_counts": ("batch",)},
    outputs={"in_context": ("batch", "words", "hidden")},
    kept=frozenset({"in_context"}),
)
READ_PROMPT = Graph(
    "read_prompt",
    inputs={
        "prompt_states": ("batch", "pieces", "hidden"), "piece_counts": ("batch",),
        "labels": ("batch", "labels"),
    },
    outputs=_LABEL_STATES,
)  # fmt: skip
FIXED_LABELS = Graph(
    "fixed_labels", inputs={"rows": ("labels",)}, outputs={"vectors": ("labels", "hidden")}
)
QUERIES = Graph(
    "queries",
    inputs=_LABEL_STATES,
    outputs={"queries": ("batch", "labels", "hidden")},
)
SPANS = Graph(
    "spans",
    inputs={
        **_WORD_STATES, "word_counts": ("batch",), "queries": ("batch", "labels", "hidden")
    },
    outputs={"span_logits": ("batch", "labels", "words", "width")},
)  # fmt: skip
TOKENS = Graph(
    "tokens",
    inputs={**_WORD_STATES, **_LABEL_STATES},
    outputs={"token_logits": ("batch", "labels", "words", "three")},
)
SPAN_STATES = Graph(
    "span_states",
    inputs={
        **_WORD_STATES, "word_counts": ("batch",), "places": ("batch", "spans", "two")
    },
    outputs={"span_states": ("batch", "spans", "hidden")},
)  # fmt: skip
ADJACENCY = Graph(
    "adjacency",
    inputs={"span_states": ("batch", "spans", "hidden"), "span_counts": ("batch",)},
    outputs={"adjacency": ("batch", "spans", "spans")},
)
PAIRS = Graph(
    "pairs",
    inputs={
        "heads": ("pairs", "hidden"), "tails": ("pairs", "hidden"),
        "relations": ("pairs", "labels", "hidden"),
    },
    outputs={"pair_logits": ("pairs", "labels")},
)  # fmt: skip
GENERATE = Graph(
    "generate",
    inputs={
        "states": ("rows", "hidden"), "pieces": ("rows", "depth"), "allowed": ("names", "steps"),
        "limits": ("four",),
    },
    outputs={"ids": ("rows", "sequences", "steps"), "scores": ("rows", "sequences")},
    exportable=False,
)  # fmt: skip


def graphs(config: GlinerConfig) -> tuple[Graph, ...]:
    """Return what a checkpoint of these parts can run.

    >>> [graph.name for graph in graphs(GlinerConfig.from_dict({}))]
    ['encode', 'queries', 'spans']
    """
    found = [_encode(config)]
    if config.bi_encoder:
        found.append(ENCODE_LABELS)
    if config.fixed is not None:
        found.append(FIXED_LABELS)
    if config.streaming is not None:
        found.append(READ_PROMPT)
    if config.fusion:
        found.append(FUSE)
    if config.context is not None:
        found.append(CONTEXT)
    if not config.tokens or config.relations:
        found.append(QUERIES)
    found.append(TOKENS if config.tokens else SPANS)
    if config.represent_spans or config.relations or config.decoder:
        found.append(SPAN_STATES)
    if config.relations:
        if config.relations.adjacency != "none":
            found.append(ADJACENCY)
        found.append(PAIRS)
    if config.decoder:
        found.append(GENERATE)
    return tuple(found)


def _encode(config: GlinerConfig) -> Graph:
    """Return the graph that reads texts, with the markers of what stands in their prompts."""
    inputs = {**_IDS, **_WORDS}
    outputs = dict(_WORD_STATES)
    if not config.without_labels:
        inputs["labels"] = ("batch", "labels")
        outputs |= _LABEL_STATES
    if config.relations:
        inputs["types"] = ("batch", "types")
        outputs["type_states"] = ("batch", "types", "hidden")
    return Graph("encode", inputs, outputs, kept=frozenset(_WORD_STATES))
