"""A document transformer for LangChain: what is found in a document goes into its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request
from onepass.errors import MissingExtra
from onepass.integrations.opening import Labels, extractor_of, schema_with_labels
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold

try:
    from langchain_core.documents import BaseDocumentTransformer, Document
except ImportError as error:
    raise MissingExtra("The transformer for LangChain", "langchain") from error

if TYPE_CHECKING:
    from onepass.extractor import Extractor


class OnepassTransformer(BaseDocumentTransformer):
    """Adds to each document what a model finds in its text.

    Args:
        labels: of entities: names, or a mapping to descriptions.
        schema: anything that `Extractor.extract` takes, beside or in place of labels.
        model: an `Extractor`, a hub id or a directory; None for the built-in model.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`.
        solver: as in `Extractor.extract`.
        key: of the metadata; it holds `Extraction.to_dict` without the text.

    Raises:
        SchemaError: if nothing is asked for, or what cannot be asked.
        InputError: for an unknown option.
    """

    def __init__(
        self,
        labels: Labels = (),
        *,
        schema: Any = None,
        model: Extractor | str | Path | None = None,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        solver: Solver = "greedy",
        key: str = "onepass",
    ) -> None:
        options = CallOptions(threshold, overlap, on_long, solver)
        self._request = Request(schema_with_labels(labels, schema), options)
        self._model, self._key = extractor_of(model), key

    def transform_documents(
        self, documents: Sequence[Document], **kwargs: Any
    ) -> Sequence[Document]:
        """Return copies of documents with what was found in them; their texts are read together.

        Args:
            documents: that are read.
            kwargs: of LangChain; none has a meaning here.
        """
        documents = list(documents)  # loaders give them one by one
        texts = [document.page_content for document in documents]
        docs = self._request.many(self._model, texts)
        done = []
        for document, doc in zip(documents, docs, strict=True):
            found = doc.to_dict()
            del found["text"]  # the document has it
            metadata = {**document.metadata, self._key: found}
            done.append(document.model_copy(update={"metadata": metadata}))
        return done
