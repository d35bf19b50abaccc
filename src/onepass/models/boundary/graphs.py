"""The named graphs of the boundary family: inputs, outputs and their axes.

The torch network and the exported ONNX files both answer to these names; `score` runs them.
"""

from __future__ import annotations

from onepass.backends.base import Graph
from onepass.models.boundary.config import BoundaryConfig
from onepass.models.gliner2.graphs import CLASSIFY, ENCODE

_WORDS = {"word_states": ("batch", "words", "hidden"), "word_counts": ("batch",)}
_QUERIES = {"queries": ("batch", "queries", "hidden")}


def graphs(config: BoundaryConfig) -> tuple[Graph, ...]:
    """Return what a checkpoint can run.

    >>> config = BoundaryConfig.from_dict(
    ...     {"config_version": 3, "boundary_head": {"enable_records": False}}
    ... )
    >>> [graph.name for graph in graphs(config)]
    ['encode', 'classify', 'boundaries', 'spans', 'relate']
    """
    found = [ENCODE, CLASSIFY, _boundaries(config), _spans(config)]
    if config.records is not None:
        found.append(_assign(2 * config.head.size))
    if config.relations is not None:
        found.append(_RELATE)
    return tuple(found)


def _boundaries(config: BoundaryConfig) -> Graph:
    """Return what is known of places without a look at spans."""
    outputs: dict[str, tuple[str, ...]] = {
        "place_states": ("batch", "places", "size"),
        "start_logits": ("batch", "queries", "places"),
        "end_logits": ("batch", "queries", "places"),
        "inside_logits": ("batch", "queries", "words"),
        "start_keys": ("batch", "places", "size"),
        "end_keys": ("batch", "places", "size"),
    }
    if config.proposals.pool == "per_query":
        outputs["gates"] = ("batch", "queries", "size")
    if config.head.abstains:
        outputs["nothing_logits"] = ("batch", "queries")
    return Graph(
        "boundaries", inputs={**_WORDS, **_QUERIES}, outputs=outputs,
        sizes={"size": config.head.size},
    )  # fmt: skip


def _spans(config: BoundaryConfig) -> Graph:
    """Return the scores of spans but for those of their starts and ends."""
    inputs: dict[str, tuple[str, ...]] = {
        "place_states": ("batch", "places", "size"),
        **_WORDS,
        **_QUERIES,
    }
    if config.proposals.pool == "shared":
        inputs |= {
            "query_mask": ("batch", "queries"),
            "places": ("batch", "spans", "two"),
            "span_mask": ("batch", "spans"),
            "prior": ("batch", "spans"),
        }
    else:
        inputs |= {
            "places": ("batch", "queries", "spans", "two"),
            "inside": ("batch", "queries", "spans"),
        }
    return Graph(
        "spans",
        inputs=inputs,
        outputs={"span_logits": ("batch", "queries", "spans")},
        floats=frozenset({"place_states", "prior", "inside"}),
        sizes={"size": config.head.size},
    )


def _assign(ends: int) -> Graph:
    return Graph(
        "assign",
        inputs={
            "anchors": ("groups", "records", "ends"),
            "fields": ("groups", "fields", "hidden"),
            "values": ("groups", "fields", "values", "ends"),
        },
        outputs={"assign_logits": ("groups", "records", "fields", "choices")},
        floats=frozenset({"anchors", "values"}),
        sizes={"ends": ends},
    )


_RELATE = Graph(
    "relate",
    inputs={
        **_WORDS,
        **_QUERIES,
        "roles": ("batch", "pairs", "two"),
        "places": ("batch", "pairs", "four"),
    },
    outputs={"pair_logits": ("batch", "pairs")},
)
