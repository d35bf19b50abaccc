"""Systems on sets: scores of each system, of each level, and of the depth that is asked.

It knows the two forms of rows: onepass's own examples, and nested records in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.hierarchy.sources import Row
from benchmarks.hierarchy.systems import SYSTEMS, Extracts, answers

from onepass.corpus.example import Example, GoldValue
from onepass.corpus.jsonl import example_from_dict
from onepass.evaluation.gold_schema import schema_of
from onepass.evaluation.nested import (
    NestedScorer,
    Tree,
    tree_of_gold,
    tree_of_node,
    tree_of_record,
)
from onepass.evaluation.records import normalize
from onepass.results.types import Extraction
from onepass.schema.json_model import shape_of_json
from onepass.schema.shape import LEVELS, Shape
from onepass.schema.types import Structure
from onepass.typed.link import link

_SHAPES = json.loads((Path(__file__).parent / "shapes.json").read_text(encoding="utf-8"))
SHAPES = {name: shape_of_json(schema) for name, schema in _SHAPES.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """A text with the structures to ask and the gold trees of each outermost one."""

    text: str
    structures: tuple[Structure, ...]
    shape: Shape | None
    wanted: tuple[tuple[str, tuple[Tree, ...]], ...]

    def found(self, doc: Extraction, name: str) -> list[Tree]:
        """Return the trees of an outermost structure in an answer."""
        if self.shape is not None:
            return [tree_of_node(node) for node in link(doc, self.shape)]
        fields = {field.name for one in self.structures if one.name == name for field in one.fields}
        return [tree_of_record(row, fields) for row in doc.records.get(name, ())]


def question(row: Row, *, depth: int = LEVELS) -> Question:
    """Return what is asked of a row of a set, down to a level."""
    if "shape" not in row:
        example = example_from_dict(row)
        wanted = tuple(
            (s.name, tuple(_flat(record, example) for record in s.records))
            for s in example.structures
        )
        return Question(example.text, tuple(schema_of(example).structures), None, wanted)
    shape = pruned(SHAPES[row["shape"]], depth)
    trees = tuple(tree_of_gold(record, shape) for record in row["records"])
    return Question(row["text"], shape.structures(), shape, ((shape.name, trees),))


def _flat(record: Any, example: Example) -> Tree:
    return Tree(
        frozenset(
            (name, normalize(_words(value, example.text)))
            for name, values in record.items()
            for value in values
        )
    )


def _words(value: GoldValue, text: str) -> str:
    if value.span is not None:
        return text[slice(*value.span)]
    return value.choice if value.choice is not None else value.text or ""


def pruned(shape: Shape, depth: int) -> Shape:
    """Return a shape without what is below a level."""
    if depth == 1:
        return replace(shape, children=())
    children = (replace(one, shape=pruned(one.shape, depth - 1)) for one in shape.children)
    return replace(shape, children=tuple(children))


def levels(shape: Shape) -> int:
    """Return how many levels a shape has."""
    return 1 + max((levels(child.shape) for child in shape.children), default=0)


def score(
    model: Extracts, questions: Iterable[Question], systems: Sequence[str] = tuple(SYSTEMS)
) -> dict[str, dict[str, Any]]:
    """Return the scores of each system, with those of each level."""
    scorers = {name: NestedScorer() for name in systems}
    for one in questions:
        said = answers(model, one.text, one.structures, grouped=len(systems) > 1)
        for system, scorer in scorers.items():
            for name, wanted in one.wanted:
                scorer.add(one.found(said[system], name), wanted)
    return {name: _scores(scorer) for name, scorer in scorers.items()}


def _scores(scorer: NestedScorer) -> dict[str, Any]:
    total = scorer.total()
    return {
        **_rounded(total.scores()),
        "gold_values": total.values.gold,
        "gold_records": total.records.gold,
        "levels": {str(k): _rounded(v) for k, v in scorer.level_scores().items()},
    }


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}


def depth_scores(model: Extracts, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the scores of the same texts when one level is asked, two, and all there are."""
    deepest = max((levels(SHAPES[row["shape"]]) for row in rows), default=0)
    return {
        str(depth): score(model, [question(row, depth=depth) for row in rows], ("records",))[
            "records"
        ]
        for depth in range(1, deepest + 1)
    }
