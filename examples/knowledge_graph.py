"""News become a graph: nodes are people, companies and places, edges are what is said of them.

Every edge says in which text it stands, where, and with what score. The built-in model takes a
future member of the board, and in the last text one who has left, for employees. A node is a name
as it is written: "Helio" and "Helio Labs" would be two.

    python examples/knowledge_graph.py > graph.json
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from onepass import Extraction, Extractor, Schema, Value

NEWS = (
    "Maria Rossi founded Helio Labs in Milan in 2011. Helio Labs makes solar roof tiles.",
    "Northwind, a utility based in Oslo, bought Helio Labs for $40 million on Monday.",
    "Maria Rossi will join the board of Northwind, whose chief executive is Erik Dahl.",
    "Erik Dahl worked for Statnett before he joined Northwind in 2019.",
)
PERSON, COMPANY, PLACE = ["person"], ["company"], ["location"]
SCHEMA = (
    Schema()
    .entities(["person", "company", "location"])
    .relations(
        {
            "founded": {"description": "a person founded a company", "head": PERSON,
                        "tail": COMPANY},
            "works for": {"description": "a person is employed by a company", "head": PERSON,
                          "tail": COMPANY},
            "bought": {"description": "a company bought another company", "head": COMPANY,
                       "tail": COMPANY},
            "based in": {"description": "a company has its seat in a place", "head": COMPANY,
                         "tail": PLACE},
        }
    )
)  # fmt: skip


def graph(docs: Iterable[Extraction]) -> dict[str, Any]:
    """Return nodes and edges; an edge that several texts give has all of their evidence."""
    nodes: dict[str, dict[str, Any]] = {}
    edges: dict[tuple[str, str, str], dict[str, Any]] = {}
    for number, doc in enumerate(docs):
        for entity in doc.entities:
            node = nodes.setdefault(
                key(entity.text), {"id": key(entity.text), "label": entity.label, "mentions": 0}
            )
            node["mentions"] += 1
        for relation in doc.relations:
            ends = key(relation.head.text), relation.type, key(relation.tail.text)
            edge = edges.setdefault(
                ends, {"from": ends[0], "type": ends[1], "to": ends[2], "evidence": []}
            )
            edge["evidence"].append(
                {"text": number, "head": place(relation.head), "tail": place(relation.tail),
                 "score": round(relation.score, 3)}
            )  # fmt: skip
    return {"nodes": list(nodes.values()), "edges": list(edges.values())}


def key(name: str) -> str:
    """Return what stands for a name, however its blanks are written."""
    return " ".join(name.split())


def place(value: Value) -> str:
    """Return where a value stands."""
    return f"{value.start}:{value.end}"


if __name__ == "__main__":
    print(json.dumps(graph(Extractor().stream(NEWS, SCHEMA)), indent=2, ensure_ascii=False))
