"""A transformation for LlamaIndex: what is found in a node goes into its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onepass.batch.answering import Request
from onepass.errors import InputError, MissingExtra
from onepass.integrations.opening import extractor_of, schema_with_labels
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver

try:
    from llama_index.core.bridge.pydantic import Field, PrivateAttr, model_validator
    from llama_index.core.schema import BaseNode, MetadataMode, TransformComponent
except ImportError as error:
    raise MissingExtra("The transformation for LlamaIndex", "llamaindex") from error


class OnepassTransformation(TransformComponent):
    """Adds to each node what a model finds in its text.

    Its settings are plain values, so that a pipeline can be stored and its cache knows them. The
    model does not read the metadata, and neither embeddings nor language models are shown what was
    found unless ``hidden`` is false.

    >>> settings = OnepassTransformation(labels=["person"]).to_dict()
    >>> settings["labels"], settings["model"]
    (['person'], None)
    """

    labels: list[str] | dict[str, str] = Field(
        default_factory=list, description="Labels of entities, or a mapping to descriptions."
    )
    asked: dict[str, Any] | None = Field(
        default=None, description="The JSON form of a schema, beside or in place of labels."
    )
    model: str | None = Field(
        default=None, description="A hub id or a directory; None for the built-in model."
    )
    revision: str | None = Field(
        default=None, description="Branch, tag or commit of a hub id; None for its main branch."
    )
    threshold: float | dict[str, float] | None = Field(
        default=None, description="As in Extractor.extract."
    )
    overlap: Overlap = Field(default="flat", description="As in Extractor.extract.")
    on_long: OnLong = Field(default="window", description="As in Extractor.extract.")
    solver: Solver = Field(default="greedy", description="As in Extractor.extract.")
    key: str = Field(default="onepass", description="Of the metadata that holds what was found.")
    hidden: bool = Field(
        default=True, description="Whether embeddings and language models are not shown it."
    )
    _model: Any = PrivateAttr(default=None)
    _opened: Any = PrivateAttr(default=None)  # the name and revision that it was opened by

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Refuse settings that there are not; LlamaIndex stores the name of the class with them."""
        for name in given:
            if name not in cls.model_fields and name != "class_name":
                raise InputError(
                    f"A OnepassTransformation has no setting {name!r}; its settings are: "
                    f"{', '.join(cls.model_fields)}."
                )
        return given

    def model_post_init(self, context: Any, /) -> None:
        """Check what is asked; pydantic calls this."""
        super().model_post_init(context)
        self._request()

    @classmethod
    def class_name(cls) -> str:
        """Return what LlamaIndex stores it under."""
        return "OnepassTransformation"

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Return nodes with what was found in them; their texts are read together.

        Args:
            nodes: that are read and changed.
            kwargs: of LlamaIndex; none has a meaning here.
        """
        request, named = self._request(), (self.model, self.revision)
        if self._opened != named:
            self._model, self._opened = extractor_of(*named), named
        texts = [node.get_content(metadata_mode=MetadataMode.NONE) for node in nodes]
        docs = request.many(self._model, texts)
        for node, doc in zip(nodes, docs, strict=True):
            found = doc.to_dict()
            del found["text"]  # the node has it
            node.metadata[self.key] = found
            if self.hidden:
                for keys in (node.excluded_embed_metadata_keys, node.excluded_llm_metadata_keys):
                    if self.key not in keys:
                        keys.append(self.key)
        return nodes

    def _request(self) -> Request:
        """Return what is asked now: settings may change, and the cache of a pipeline goes by them.

        Raises:
            SchemaError, InputError: for settings that cannot be asked.
        """
        options = CallOptions(self.threshold, self.overlap, self.on_long, self.solver)
        return Request(schema_with_labels(self.labels, self.asked), options)
