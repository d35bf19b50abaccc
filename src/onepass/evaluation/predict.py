"""Examples through a model, in batches that share a schema.

It knows nothing about scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from onepass.corpus.example import Example
from onepass.evaluation.gold_schema import schema_of
from onepass.extractor import Extractor
from onepass.models.gliner.family import GLINER
from onepass.results.types import Extraction, Value
from onepass.schema import Schema
from onepass.schema.options import (
    DEFAULTS,
    CallOptions,
    OnLong,
    Overlap,
    Solver,
    Threshold,
)

_CHUNK = 256  # examples that are looked at together; bounds memory


class Extracts(Protocol):
    """The part of `onepass.Extractor` that evaluation needs."""

    def extract(
        self,
        text: list[str],
        schema: Schema,
        /,
        *,
        threshold: Threshold,
        overlap: Overlap,
        on_long: OnLong,
        solver: Solver,
    ) -> list[Extraction]:
        """Return one extraction for each text."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples with an equal schema, and what the model says of them.

    Attributes:
        examples: that were asked, in the order of the data.
        predictions: one for each of them.
        seconds: time the model took.
        skipped: examples that ask nothing.

    Raises:
        ValueError: for another number of predictions than examples.
    """

    examples: tuple[Example, ...] = ()
    predictions: tuple[Extraction, ...] = ()
    seconds: float = 0.0
    skipped: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        found, texts = len(self.predictions), len(self.examples)
        if found != texts:
            raise ValueError(f"The model returned {found} results for {texts} texts.")

    @property
    def done(self) -> int:
        """Examples that need not be looked at any more, asked or not."""
        return len(self.examples) + len(self.skipped)

    def pairs(self) -> Iterator[tuple[Extraction, Example]]:
        """Yield each prediction with its example."""
        return zip(self.predictions, self.examples, strict=True)


def predict(
    model: Extracts,
    examples: Iterable[Example],
    options: CallOptions = DEFAULTS,
    *,
    abstain: float | None = None,
) -> Iterator[Batch]:
    """Ask a model everything that was annotated in each example.

    Args:
        model: what is asked.
        examples: read as needed, a few hundred at a time.
        options: of each call.
        abstain: of single-label tasks; at 0 they never do, but their answers have a `fit`.

    Raises:
        SchemaError: if an example or the model cannot ask what was annotated.
        ValueError: if the model returns another number of extractions than texts.
    """
    return _predict(model, examples, lambda _: options, abstain)


def _predict(
    model: Extracts,
    examples: Iterable[Example],
    options_of: Callable[[Schema], CallOptions],
    abstain: float | None,
) -> Iterator[Batch]:
    """Ask as `predict` does, with options that may differ by schema."""
    stream = iter(examples)
    while chunk := list(islice(stream, _CHUNK)):
        groups: dict[Schema, list[Example]] = {}
        for example in chunk:
            groups.setdefault(schema_of(example, abstain=abstain), []).append(example)
        for schema, group in groups.items():
            if schema.is_empty:
                yield Batch(skipped=tuple(group))
                continue
            texts = [example.text for example in group]
            options = options_of(schema)
            began = time.perf_counter()
            found = model.extract(
                texts,
                schema,
                threshold=options.threshold,
                overlap=options.overlap,
                on_long=options.on_long,
                solver=options.solver,
            )
            seconds = time.perf_counter() - began
            yield Batch(tuple(group), tuple(found), seconds)


def is_gliner(model: Extracts) -> bool:
    """Say whether a checkpoint chooses as GLiNER's do.

    It chooses entities by their scores alone, however general their labels are, and relates those
    that it keeps.
    """
    return isinstance(model, Extractor) and model.family == GLINER.name


def predict_all(
    model: Extracts,
    examples: Iterable[Example],
    *,
    lowest: float,
    overlap: Overlap,
    abstain: float | None = None,
    by_label: bool = False,
) -> Iterator[Batch]:
    """Ask a model for all from which `onepass.evaluation.thresholds.at_threshold` selects.

    Args:
        model: what is asked.
        examples: as in `predict`.
        lowest: threshold.
        overlap: the policy that thresholds are meant for.
        abstain: as in `predict`.
        by_label: whether labels may have thresholds of their own. A surer entity may be gone then
            while one that it keeps out is there. Where a GLiNER checkpoint relates what it keeps,
            those are left out all the same: it would relate each of them to each.

    Raises:
        SchemaError: if an example or the model cannot ask what was annotated.
        ValueError: if the model returns another number of extractions than texts.
    """
    every = CallOptions(lowest, "all")
    if not is_gliner(model):
        yield from predict(model, examples, every, abstain=abstain)
        return
    # Such a checkpoint chooses entities by their scores alone, so what it keeps at one threshold
    # for all is what it keeps at a lower one and reaches this one; and it relates those.
    kept = CallOptions(lowest, overlap)

    def options_of(schema: Schema) -> CallOptions:
        return every if by_label and not schema.relation_types else kept

    for batch in _predict(model, examples, options_of, abstain):
        yield replace(batch, predictions=tuple(map(_bounded, batch.predictions)))


def _bounded(doc: Extraction) -> Extraction:
    """Return an extraction in which the ends of a relation are no surer than their entities."""
    best: dict[tuple[int | None, int | None], float] = {}
    for one in doc.entities:
        best[one.start, one.end] = max(one.score, best.get((one.start, one.end), 0.0))

    def end(value: Value) -> Value:
        return replace(value, score=min(value.score, best[value.start, value.end]))

    return replace(
        doc,
        relations=tuple(replace(r, head=end(r.head), tail=end(r.tail)) for r in doc.relations),
    )
