"""A component for spaCy: ``nlp.add_pipe("onepass", config={"labels": ["person"]})``.

It needs no import where the package is installed: spaCy finds the factory by its entry point. What
is written into a document, and where, stands in `onepass.results.spacy_doc`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request
from onepass.errors import InputError, MissingExtra
from onepass.integrations.opening import extractor_of, schema_with_labels
from onepass.results.spacy_doc import fill_doc
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver

try:
    from spacy.language import Language
    from spacy.scorer import get_ner_prf
    from spacy.tokens import Doc
    from spacy.training import Example
    from spacy.util import minibatch
except ImportError as error:
    raise MissingExtra("The component for spaCy", "spacy") from error

if TYPE_CHECKING:
    from onepass.extractor import Extractor


@dataclass(frozen=True, slots=True)
class Settings:
    """How documents are read and filled.

    Attributes:
        request: what is asked, and how.
        spans_key: of ``doc.spans`` and ``doc.user_data``.
        overwrite_ents: whether entities that a document has already give way.
        batch_size: texts that are read together, if spaCy does not say.
    """

    request: Request
    spans_key: str
    overwrite_ents: bool
    batch_size: int


class OnepassComponent:
    """Fills documents with what a model finds in their texts.

    Args:
        model: that finds it.
        settings: how.
    """

    def __init__(self, model: Extractor, settings: Settings) -> None:
        self._model, self._settings = model, settings

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels that are asked for, which ``nlp.pipe_labels`` lists."""
        return tuple(one.name for one in self._settings.request.schema.entity_labels)

    def __call__(self, doc: Doc) -> Doc:
        """Fill one document."""
        return next(self.pipe([doc]))

    def score(self, examples: Iterable[Example], **_: Any) -> dict[str, Any]:
        """Return precision, recall and F1 of ``doc.ents``, which ``nlp.evaluate`` asks for."""
        scores: dict[str, Any] = get_ner_prf(examples)
        return scores

    def pipe(self, docs: Iterable[Doc], *, batch_size: int | None = None) -> Iterator[Doc]:
        """Yield documents, filled, in their order; texts are read in batches."""
        own = self._settings
        for batch in minibatch(docs, batch_size or own.batch_size):
            found = own.request.many(self._model, [doc.text for doc in batch])
            for doc, one in zip(batch, found, strict=True):
                fill_doc(doc, one, own.spans_key, overwrite=own.overwrite_ents)
                yield doc


@Language.factory(
    "onepass",
    assigns=["doc.ents", "doc.spans", "doc.cats"],
    default_config={
        "labels": [],
        "schema": None,
        "model": None,
        "revision": None,
        "threshold": None,
        "overlap": "flat",
        "on_long": "window",
        "solver": "greedy",
        "spans_key": "onepass",
        "overwrite_ents": False,
        "batch_size": 64,
    },
)
def make_component(  # noqa: PLR0913  spaCy gives each setting by its name
    nlp: Language,
    name: str,
    labels: list[str] | dict[str, str],
    schema: Mapping[str, Any] | None,
    model: str | None,
    revision: str | None,
    threshold: float | dict[str, float] | None,
    overlap: Overlap,
    on_long: OnLong,
    solver: Solver,
    spans_key: str,
    overwrite_ents: bool,
    batch_size: int,
) -> OnepassComponent:
    """Return the component for a pipeline; spaCy calls it.

    Args:
        nlp: the pipeline.
        name: of the component in it.
        labels: of entities: names, or a mapping to descriptions.
        schema: the JSON form of a schema, for classes, records and relations.
        model: a hub id or directory; None for the built-in model.
        revision: branch, tag or commit of a hub id.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`.
        solver: as in `Extractor.extract`.
        spans_key: where all entities go in ``doc.spans``, and the whole result in
            ``doc.user_data``; ``doc.ents`` takes the entities that do not overlap.
        overwrite_ents: whether entities of earlier components give way.
        batch_size: texts that are read together, if ``nlp.pipe`` does not say.

    Raises:
        SchemaError: if nothing is asked for, or what cannot be asked.
        InputError: for a wrong threshold, or a batch of no texts; spaCy itself refuses a word that
            is none of an option.
    """
    if batch_size < 1:
        raise InputError(f"batch_size must be 1 or more, but {batch_size} was given.")
    options = CallOptions(threshold, overlap, on_long, solver)
    request = Request(schema_with_labels(labels, schema), options)
    settings = Settings(request, spans_key, overwrite_ents, batch_size)
    return OnepassComponent(extractor_of(model, revision), settings)
