"""From a prompt and a window of a text to the arrays that the graphs read.

It knows where things stand in a sequence, and nothing of what the network makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onepass.arrays import Array, Float32s, Int64s
from onepass.encoding.sequences import padded
from onepass.models.gliclass.config import BI, FUSED, GliclassConfig
from onepass.models.gliclass.prompt import Prompt
from onepass.models.gliclass.text import TwoReadings
from onepass.text.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window of a text under one prompt.

    Attributes:
        prompt: the labels, and what stands beside the text.
        text: (pieces,) of the window, with what is read right in front of it.
        frame: pieces in front of and behind every sequence.
    """

    prompt: Prompt
    text: Int64s
    frame: tuple[Int64s, Int64s]

    @property
    def pieces(self) -> int:
        """Return how many pieces the longest of its sequences has."""
        before, after = self.frame
        beside = len(before) + len(self.prompt.head) + len(self.prompt.tail) + len(after)
        return max(beside + len(self.text), len(self.prompt.classes))

    @property
    def ids(self) -> Int64s:
        """Return the (pieces,) of the sequence that the text stands in."""
        before, after = self.frame
        return np.concatenate([before, self.prompt.head, self.text, self.prompt.tail, after])

    @property
    def tail_start(self) -> int:
        """Return the piece behind the text."""
        return len(self.frame[0]) + len(self.prompt.head) + len(self.text)

    @property
    def labels_start(self) -> int:
        """Return the piece from which places of labels are counted."""
        if len(self.prompt.classes):
            return 0
        return self.tail_start if self.prompt.labels_behind else len(self.frame[0])


def read_window(prompt: Prompt, text: TwoReadings, window: Window) -> Reading:
    """Return the reading of a window.

    Args:
        prompt: what is asked.
        text: in pieces.
        window: of its words.
    """
    marker = prompt.behind_marker
    if prompt.joined or prompt.joined_behind:
        pieces = text.joined(
            window, prompt.joined, prompt.joined_behind, behind_marker=marker, most=prompt.most
        )
    else:
        pieces = text.window(window, behind_marker=marker)
    return Reading(prompt, pieces, text.tokenizer.frame)


def collate(
    readings: Sequence[Reading], config: GliclassConfig, *, vectors: bool = True
) -> dict[str, Array]:
    """Return the inputs of the graph "classify", padded, in the order of the graph.

    Args:
        readings: a batch.
        config: which inputs there are.
        vectors: whether label vectors are among them, where the graph reads some.
    """
    ids, mask = padded([reading.ids for reading in readings])
    labels, label_mask = _labels(readings)
    inputs: dict[str, Any] = {"ids": ids, "mask": mask}
    if config.decoder is not None:
        section, section_mask = _sections(readings)
        inputs |= {"section": section, "section_mask": section_mask}
        behind = (labels - section[:, :1, None]) * label_mask[..., None]
        return {**inputs, "labels": behind, "label_mask": label_mask}
    if config.two_sequences:
        inputs["class_ids"], inputs["class_mask"] = padded([r.prompt.classes for r in readings])
    elif config.segment_embeddings and config.architecture not in (BI, FUSED):
        inputs["segments"] = _segments(readings, ids.shape[1])
    inputs["text_mask"] = _text_mask(readings, mask) if config.text_features else mask
    if config.architecture != BI:
        inputs["labels"] = labels
    if config.label_vectors and vectors:
        inputs["vectors"] = _vectors(readings, label_mask)
    inputs["label_mask"] = label_mask
    return inputs


def _sections(readings: Sequence[Reading]) -> tuple[Int64s, Int64s]:
    """Return (batch, section_pieces) places of the pieces behind the first marker behind the text.

    That is where the labels stand, with the marker that ends them; 0 at padding of the mask.
    """
    places = [
        np.arange(one.labels_start + 1, one.labels_start + len(one.prompt.tail), dtype=np.int64)
        for one in readings
    ]
    return padded(places)


def _labels(readings: Sequence[Reading]) -> tuple[Int64s, Int64s]:
    """Return (batch, labels, 2) ranges, 0 at padding, and the (batch, labels) mask."""
    counts = np.array([len(reading.prompt.items) for reading in readings])
    mask = np.arange(int(counts.max())) < counts[:, None]
    ranges = np.zeros((*mask.shape, 2), dtype=np.int64)
    if len(readings[0].prompt.ranges):
        starts = np.repeat([reading.labels_start for reading in readings], counts)
        ranges[mask] = np.concatenate([r.prompt.ranges for r in readings]) + starts[:, None]
    return ranges, mask.astype(np.int64)


def _text_mask(readings: Sequence[Reading], mask: Int64s) -> Int64s:
    """Return the (batch, pieces) mask of the pieces from the marker behind the labels on."""
    firsts = [
        reading.labels_start + reading.prompt.features if reading.prompt.features >= 0 else 0
        for reading in readings
    ]
    return mask * (np.arange(mask.shape[1]) >= np.array(firsts)[:, None])


def _segments(readings: Sequence[Reading], pieces: int) -> Int64s:
    """Return (batch, pieces): 0 up to the marker behind the labels, then 1, 2 from examples on."""
    order = np.arange(pieces)
    texts = np.array([r.labels_start + r.prompt.features for r in readings])[:, None]
    examples = np.array(
        [r.tail_start + r.prompt.examples if r.prompt.examples >= 0 else pieces for r in readings]
    )[:, None]
    return (order >= texts).astype(np.int64) + (order >= examples)


def _vectors(readings: Sequence[Reading], label_mask: Int64s) -> Float32s:
    """Return (batch, labels, hidden) vectors, 0 at padding."""
    own = [reading.prompt.vectors for reading in readings]
    known = [vectors for vectors in own if vectors is not None]
    out = np.zeros((*label_mask.shape, known[0].shape[1]), dtype=np.float32)
    out[label_mask.astype(bool)] = np.concatenate(known)
    return out
