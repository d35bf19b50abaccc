"""One question about one text: each method asks for one kind of thing and returns it alone.

It builds schemas and takes results apart; how a text is read is left to who inherits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onepass.errors import SchemaError
from onepass.results.types import Classification, Entity, Extraction, Record, Relation
from onepass.schema import Schema
from onepass.schema.leaves import Fields, Labels, Relations
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold
from onepass.schema.shown import shown
from onepass.schema.task import ROOT, ClassificationTask, WindowScores
from onepass.schema.trees import Tree

# Methods of gliner and gliner2 that have other names here, and what does the same.
_ELSEWHERE = {
    "predict_entities": "entities(text, labels)",
    "batch_predict_entities": 'extract(texts, {"entities": labels})',
    "inference": 'extract(texts, {"entities": labels})',
    "run": 'extract(texts, {"entities": labels})',
    "predict_relations": "extract(text, Schema().entities(labels).relations(types))",
    "extract_entities": "entities(text, labels)",
    "classify_text": "classify(text, labels)",
    "extract_json": "records(text, structures)",
    "extract_relations": "relations(text, types)",
    "batch_extract": "extract(texts, schema)",
    "batch_extract_entities": 'extract(texts, {"entities": labels})',
    "batch_classify_text": 'extract(texts, {"classifications": {task: labels}})',
    "batch_extract_json": 'extract(texts, {"structures": structures})',
    "batch_extract_relations": 'extract(texts, {"relations": types})',
    "create_schema": "onepass.Schema()",
}


class Shortcuts(ABC):
    """What `onepass.extractor.Extractor` offers beside `extract` and `stream`.

    Each takes those options of `extract` that can change what it returns: ``overlap`` is only of
    entities, and ``solver`` only of relations and records.
    """

    def entities(
        self,
        text: str,
        labels: Labels,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
    ) -> tuple[Entity, ...]:
        """Return the entities of one text.

        Args:
            text: the text to read.
            labels: a list, or a mapping to descriptions.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.

        >>> from onepass import Extractor
        >>> [entity.text for entity in Extractor().entities("Tim Cook left.", ["person"])]
        ['Tim Cook']
        """
        options = CallOptions(threshold, overlap, on_long)
        return self._one(text, Schema().entities(labels), options).entities

    def classify(
        self,
        text: str,
        labels: Tree,
        *,
        name: str = "class",
        multi_label: bool = False,
        abstain: bool | float | None = None,
        window_scores: WindowScores | None = None,
        threshold: Threshold = None,
        on_long: OnLong = "window",
    ) -> Classification:
        """Return the answer to one question about a text.

        Args:
            text: the text to classify.
            labels: a list, a mapping to descriptions, or a tree, as in `Schema.classification`.
            name: the name of the task, which the model reads, such as "sentiment".
            multi_label: whether any number of labels may hold, instead of exactly one.
            abstain: whether there may be no answer, as in `Schema.classification`.
            window_scores: the way in which the scores of windows become one, as in
                `Schema.classification`.
            threshold: as in `extract`.
            on_long: as in `extract`.

        >>> from onepass import Extractor
        >>> tree = {"sport": ["football", "tennis"], "science": ["physics", "biology"]}
        >>> Extractor().classify("She won the tennis match in three sets.", tree).path
        ('sport', 'tennis')
        """
        schema = Schema().classification(
            name, labels, multi_label=multi_label, abstain=abstain, window_scores=window_scores
        )
        _check_roots(schema.classification_tasks[0])
        options = CallOptions(threshold, on_long=on_long)
        return self._one(text, schema, options).classifications[name]

    def records(
        self,
        text: str,
        structures: Mapping[str, Fields],
        *,
        threshold: Threshold = None,
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> Mapping[str, tuple[Record, ...]]:
        """Return the records of one text.

        A field holds a `Value`, None or a tuple of values; which, ``isinstance`` tells a type
        checker.

        Args:
            text: the text to read.
            structures: a mapping of names to fields, as in `Schema.structure`.
            threshold: as in `extract`.
            on_long: as in `extract`.
            solver: as in `extract`.

        >>> from onepass import Extractor
        >>> found = Extractor().records("The pen costs 2 dollars.", {"product": ["name::str"]})
        >>> found["product"][0]["name"].text
        'pen'
        """
        if not isinstance(structures, Mapping):
            raise SchemaError(
                "structures must be a mapping of names to fields, but "
                f"{shown(structures)} ({type(structures).__name__}) was given."
            )
        schema = Schema()
        for name, fields in structures.items():
            schema.structure(name, fields)
        options = CallOptions(threshold, on_long=on_long, solver=solver)
        return self._one(text, schema, options).records

    def relations(
        self,
        text: str,
        types: Relations,
        *,
        threshold: Threshold = None,
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> tuple[Relation, ...]:
        """Return the relations of one text.

        Args:
            text: the text to read.
            types: a list, or a mapping to descriptions.
            threshold: as in `extract`.
            on_long: as in `extract`.
            solver: as in `extract`.

        >>> from onepass import Extractor
        >>> (relation,) = Extractor().relations("Tim Cook runs Apple.", ["runs"])
        >>> relation.head.text, relation.tail.text
        ('Tim Cook', 'Apple')
        """
        options = CallOptions(threshold, on_long=on_long, solver=solver)
        return self._one(text, Schema().relations(types), options).relations

    if not TYPE_CHECKING:  # or every name would be known

        def __getattr__(self, name: str) -> Any:
            if name not in _ELSEWHERE:
                raise AttributeError(
                    f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
                )
            raise AttributeError(
                f"{name} of other libraries is {_ELSEWHERE[name]} here.", name=name, obj=self
            )

    @abstractmethod
    def _one(self, text: str, schema: Schema, options: CallOptions) -> Extraction:
        """Return the extraction of what must be a single text."""


def _check_roots(task: ClassificationTask) -> None:
    """Refuse a tree whose one root always holds: most likely it was meant as the task's name."""
    if not task.parents or task.parents.count(ROOT) > 1 or task.multi_label or task.abstain:
        return
    root = shown(task.labels[0].name)
    raise SchemaError(
        f"The labels are a tree with one root, {root}, which always holds; give what stands below "
        f"it as the labels, and name={root} if it is the name of the task."
    )
