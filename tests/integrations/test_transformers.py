"""The transformers for LangChain and LlamaIndex, with their own documents and pipelines."""

import asyncio
from typing import Any

import pytest

from onepass import Extractor
from onepass.errors import InputError, SchemaError

LABELS = ["person", "company"]
OPTIONS: dict[str, Any] = {
    "threshold": {"person": 0.9}, "overlap": "all", "on_long": "truncate", "solver": "exact",
}  # fmt: skip


def test_langchain_documents_get_metadata(model: Extractor, texts: list[str]) -> None:
    documents = pytest.importorskip("langchain_core.documents")
    from onepass.integrations.langchain import OnepassTransformer

    given = [documents.Document(page_content=text, metadata={"n": n}, id=str(n))
             for n, text in enumerate(texts)]  # fmt: skip
    transformer = OnepassTransformer(LABELS, schema={"relations": ["runs"]}, model=model)
    done = transformer.transform_documents(given)
    expected = model.extract(texts, {"entities": LABELS, "relations": ["runs"]})
    for before, after, doc in zip(given, done, expected, strict=True):
        assert before.metadata == {"n": after.metadata["n"]}  # the given ones stay
        assert (after.page_content, after.id) == (before.page_content, before.id)
        assert {"text": after.page_content, **after.metadata["onepass"]} == doc.to_dict()
    streamed = transformer.transform_documents(iter(given))  # type: ignore[arg-type]
    assert [one.metadata for one in streamed] == [one.metadata for one in done]
    waited = asyncio.run(transformer.atransform_documents(given))
    assert [one.metadata for one in waited] == [one.metadata for one in done]
    with pytest.raises(SchemaError, match="Nothing is asked for"):
        OnepassTransformer()
    with pytest.raises(InputError, match="solver 'best' is not known"):
        OnepassTransformer(LABELS, solver="best")  # type: ignore[arg-type]
    asked = OnepassTransformer(LABELS, model=model, **OPTIONS).transform_documents(given[2:])[0]
    found = model.extract(texts[2], {"entities": LABELS}, **OPTIONS)
    assert asked.metadata["onepass"]["entities"] == found.to_dict()["entities"]


def test_llamaindex_nodes_get_metadata(model: Extractor, texts: list[str]) -> None:
    pytest.importorskip("llama_index.core")
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.schema import MetadataMode, TextNode

    from onepass.integrations.llamaindex import OnepassTransformation

    nodes = [TextNode(text=text, metadata={"source": "Tim Cook"}) for text in texts]
    done = IngestionPipeline(transformations=[OnepassTransformation(labels=LABELS)]).run(
        nodes=nodes
    )
    assert len(done) == len(texts)
    for node, doc in zip(done, model.extract(texts, {"entities": LABELS}), strict=True):
        assert {"text": node.text, **node.metadata["onepass"]} == doc.to_dict()
        assert "company" not in node.get_content(metadata_mode=MetadataMode.LLM)
        assert "company" not in node.get_content(metadata_mode=MetadataMode.EMBED)
    stored = OnepassTransformation(labels=LABELS, key="found", hidden=False)
    again = OnepassTransformation.from_dict(stored.to_dict())
    shown = again([TextNode(text=texts[0])])[0]
    assert "company" in shown.get_content(metadata_mode=MetadataMode.LLM)
    with pytest.raises(ValueError, match="Nothing is asked for"):
        OnepassTransformation()
    with pytest.raises(ValueError, match="solver"):
        OnepassTransformation(labels=LABELS, solver="best")
    with pytest.raises(ValueError, match="no setting 'schema'; its settings are: labels, asked"):
        OnepassTransformation(labels=LABELS, schema={"relations": ["runs"]})
    assert OnepassTransformation.model_validate(stored.model_dump()) == stored
    asked = OnepassTransformation.from_dict(
        OnepassTransformation(labels=LABELS, **OPTIONS).to_dict()
    )([TextNode(text=texts[2])])[0]
    found = model.extract(texts[2], {"entities": LABELS}, **OPTIONS)
    assert asked.metadata["onepass"]["entities"] == found.to_dict()["entities"]
    with pytest.raises(InputError, match="revision='v1'"):
        OnepassTransformation(labels=LABELS, revision="v1")([TextNode(text="a")])


def test_llamaindex_settings_that_change_count(model: Extractor, texts: list[str]) -> None:
    """The cache of a pipeline goes by the settings: what they say must be what was asked."""
    pytest.importorskip("llama_index.core")
    from llama_index.core.schema import TextNode

    from onepass.integrations.llamaindex import OnepassTransformation

    changed = OnepassTransformation(labels=["city"])
    changed([TextNode(text=texts[0])])
    changed.labels, changed.threshold = LABELS, 0.1
    node = changed([TextNode(text=texts[0])])[0]
    found = model.extract(texts[0], {"entities": LABELS}, threshold=0.1)
    assert node.metadata["onepass"]["entities"] == found.to_dict()["entities"] != []
    changed.model, changed.revision = "builtin", "v1"
    with pytest.raises(InputError, match="revision='v1'"):
        changed([TextNode(text="a")])
