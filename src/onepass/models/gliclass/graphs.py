"""The named graphs of a GLiClass checkpoint: inputs, outputs and their axes, by its architecture.

The torch network and the exported ONNX files both answer to these names; `score` runs them.
"""

from __future__ import annotations

from onepass.backends.base import Graph
from onepass.models.gliclass.config import BI, FUSED, GliclassConfig

_TEXT = {"ids": ("batch", "pieces"), "mask": ("batch", "pieces")}
_SEGMENTS = {"segments": ("batch", "pieces")}
_CLASSES = {"class_ids": ("batch", "class_pieces"), "class_mask": ("batch", "class_pieces")}
_TEXT_MASK = {"text_mask": ("batch", "pieces")}
_SECTION = {"section": ("batch", "class_pieces"), "section_mask": ("batch", "class_pieces")}
_LABELS = {"labels": ("batch", "labels", "two")}
_VECTORS = {"vectors": ("batch", "labels", "hidden")}
_LABEL_MASK = {"label_mask": ("batch", "labels")}
_LOGITS = {"logits": ("batch", "labels")}

ENCODE_LABELS = Graph(
    "encode_labels",
    inputs={"label_ids": ("labels", "pieces"), "label_mask": ("labels", "pieces")},
    outputs={"label_vectors": ("labels", "hidden")},
)


def graphs(config: GliclassConfig) -> tuple[Graph, ...]:
    """Return what a checkpoint of these parts can run.

    >>> [graph.name for graph in graphs(GliclassConfig.from_dict({}))]
    ['classify']
    """
    if config.architecture == BI:
        inputs = {**_TEXT, **_TEXT_MASK, **_VECTORS, **_LABEL_MASK}
        return ENCODE_LABELS, Graph("classify", inputs, _LOGITS)
    if config.architecture == FUSED:
        inputs = {**_TEXT, **_TEXT_MASK, **_LABELS, **_VECTORS, **_LABEL_MASK}
        return ENCODE_LABELS, Graph("classify", inputs, _LOGITS)
    if config.decoder is not None:
        return (Graph("classify", {**_TEXT, **_SECTION, **_LABELS, **_LABEL_MASK}, _LOGITS),)
    inputs = dict(_TEXT)
    if config.two_sequences:
        inputs |= _CLASSES
    elif config.segment_embeddings:
        inputs |= _SEGMENTS
    inputs |= {**_TEXT_MASK, **_LABELS, **_LABEL_MASK}
    return (Graph("classify", inputs, _LOGITS),)
