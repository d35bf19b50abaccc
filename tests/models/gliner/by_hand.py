"""A GLiNER checkpoint whose scores are written by hand: its program without a network.

Words, labels and spans are told apart by numbers in their vectors, by which the other graphs find
what was written for them. Behind the end of a short text everything scores high, so that a score of
padding that counts is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onepass import Schema
from onepass.arrays import Array
from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.findings import WindowFindings
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.family import Asking
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.decode import decode
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.naming import Namer
from onepass.models.gliner.prompt import Kind, Prompt
from onepass.models.gliner.score import score
from onepass.models.kept import Kept
from onepass.models.thresholds import resolve_thresholds
from onepass.results.types import Coverage, Extraction
from onepass.schema.options import Threshold
from onepass.text.windows import Window
from onepass.text.words import split_words

LOW, HIGH = -9.0, 9.0  # logits of what is not written, and of padding
HIDDEN, LABELS = 12, 4  # a vector: scores of at most 4 labels, then numbers of rows and places
_ROW, _FIRST, _LAST, _OWNER, _LABEL = 4, 5, 6, 7, 8
END = 3  # the piece that ends a name

SPAN = GlinerConfig.from_dict({"max_width": 3})
TOKEN = GlinerConfig.from_dict({"span_mode": "token_level"})
SCORED = GlinerConfig.from_dict({"span_mode": "token_level", "represent_spans": True})
RELEX = GlinerConfig.from_dict({"max_width": 3, "relations_layer": "none"})
NEAR = GlinerConfig.from_dict({"max_width": 3, "relations_layer": "dot"})
NAMES = GlinerConfig.from_dict({"max_width": 3, "labels_decoder": "gpt2"})
BARE = GlinerConfig.from_dict({"max_width": 3, "labels_decoder": "gpt2", "decoder_mode": "prompt"})

Span = tuple[int, int]  # first and last word
Found = tuple[str, str]  # label and words


@dataclass(frozen=True)
class Text:
    """A text and the logits of what is in it.

    Attributes:
        words: with spaces between them.
        spans: by label, first and last word; for a checkpoint that scores spans of tokens again,
            what it says the second time.
        tokens: by label and word: that it starts, ends and is inside.
        pairs: by type, head and tail.
        near: pairs of spans that the adjacency layer proposes.
        names: probabilities by name, for a span; or for a label, where names stand for labels.
        labels: of the schema that are asked; None for all.
        types: likewise.
    """

    words: str
    spans: Mapping[tuple[int, int, int], float] = field(default_factory=dict)
    tokens: Mapping[tuple[int, int], tuple[float, float, float]] = field(default_factory=dict)
    pairs: Mapping[tuple[int, Span, Span], float] = field(default_factory=dict)
    near: frozenset[tuple[Span, Span]] = frozenset()
    names: Mapping[Span | int, Mapping[str, float]] = field(default_factory=dict)
    labels: tuple[int, ...] | None = None
    types: tuple[int, ...] | None = None


class ByHand:
    """A backend that answers what was written.

    Args:
        texts: the rows of the only batch.
        config: of the checkpoint.
        namer: spells names.

    Attributes:
        ran: names of the graphs that were run.
    """

    name, precision = "by hand", "fp32"

    def __init__(self, texts: Sequence[Text], config: GlinerConfig, namer: Namer | None) -> None:
        self.texts, self.config, self.namer = texts, config, namer
        self.ran: list[str] = []

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        self.ran.append(graph)
        answer = {
            "encode": self.encode,
            "queries": lambda given: (given["label_states"],),
            "spans": self.spans,
            "tokens": self.tokens,
            "span_states": self.span_states,
            "adjacency": self.adjacency,
            "pairs": self.pairs,
            "generate": self.generate,
        }[graph]
        return answer(inputs)

    def encode(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        rows, words = given["words"].shape[:2]
        states = np.zeros((rows, words, HIDDEN), dtype=np.float32)
        states[:, :, _ROW] = np.arange(rows)[:, None]
        outputs = [states]
        for name in ("labels", "types"):
            if name in given:
                own = np.zeros((rows, given[name].shape[1], HIDDEN), dtype=np.float32)
                own[:, :, _OWNER] = np.arange(rows)[:, None]
                for label in range(own.shape[1]):
                    own[:, label, _LABEL] = label
                    own[:, label, label % LABELS] = 1  # meets the score of its label
                outputs.append(own)
        return tuple(outputs)

    def spans(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        states, queries = given["word_states"], given["queries"]
        shape = (len(states), queries.shape[1], states.shape[1], self.config.max_width)
        logits = np.full(shape, HIGH, dtype=np.float32)
        for line, row in enumerate(states[:, 0, _ROW].astype(int)):
            text = self.texts[row]
            logits[line, :, : len(text.words.split())] = LOW
            for (label, first, last), value in text.spans.items():
                logits[line, label, first, last - first] = value
        return (logits,)

    def tokens(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        states = given["word_states"]
        shape = (len(states), given["label_states"].shape[1], states.shape[1], 3)
        logits = np.full(shape, HIGH, dtype=np.float32)
        for row, text in enumerate(self.texts):
            logits[row, :, : len(text.words.split())] = LOW
            for (label, word), values in text.tokens.items():
                logits[row, label, word] = values
        return (logits,)

    def span_states(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        places = given["places"]
        states = np.zeros((*places.shape[:2], HIDDEN), dtype=np.float32)
        for row, text in enumerate(self.texts):
            for number, (first, last) in enumerate(places[row].tolist()):
                own = [text.spans.get((label, first, last), LOW) for label in range(LABELS)]
                states[row, number, :LABELS] = own
                states[row, number, [_ROW, _FIRST, _LAST]] = row, first, last
        return (states,)

    def adjacency(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        states = given["span_states"]
        rows, spans = states.shape[:2]
        out = np.full((rows, spans, spans), 0.1, dtype=np.float32)
        for row in range(rows):
            own = [span_of(state) for state in states[row]]
            for i, head in enumerate(own):
                for j, tail in enumerate(own):
                    out[row, i, j] = 0.9 if (head, tail) in self.texts[row].near else 0.1
        return (out,)

    def pairs(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        heads, tails, types = given["heads"], given["tails"], given["relations"]
        logits = np.full(types.shape[:2], LOW, dtype=np.float32)
        for line, (head, tail) in enumerate(zip(heads, tails, strict=True)):
            written = self.texts[int(head[_ROW])].pairs
            for kind in range(types.shape[1]):
                logits[line, kind] = written.get((kind, span_of(head), span_of(tail)), LOW)
        return (logits,)

    def generate(self, given: Mapping[str, Array]) -> tuple[Array, ...]:
        assert self.namer is not None
        tokenizer = self.namer.tokenizer
        sequences = int(given["limits"][1])
        ids = np.full((len(given["states"]), sequences, 8), -1, dtype=np.int64)
        scores = np.full(ids.shape[:2], -np.inf, dtype=np.float32)
        for row, state in enumerate(given["states"]):
            bare = self.config.bare_prompt
            key: Any = int(state[_LABEL]) if bare else span_of(state)
            names = self.texts[int(state[_OWNER if bare else _ROW])].names[key]
            best = sorted(names.items(), key=lambda one: -one[1])[:sequences]
            for number, (name, probability) in enumerate(best):
                (pieces,) = tokenizer.pieces([name])
                ids[row, number, : len(pieces)] = pieces
                scores[row, number] = np.log(probability)
        return ids, scores


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def span_of(state: Array) -> Span:
    return int(state[_FIRST]), int(state[_LAST])


def read(
    texts: Sequence[Text],
    config: GlinerConfig,
    schema: Schema,
    *,
    threshold: Threshold = None,
    overlap: Any = "flat",
    tokenizer: PieceTokenizer | None = None,
) -> tuple[list[Extraction], ByHand]:
    """Return what our program makes of the scores of texts, and what ran for it.

    Args:
        texts: that are read in one batch.
        config: of the checkpoint.
        schema: what is asked.
        threshold: of the call.
        overlap: of the call.
        tokenizer: of the decoder.
    """
    thresholds = resolve_thresholds(schema, threshold, Kept())
    asking = Asking(schema, thresholds, overlap)
    namer = None if tokenizer is None else Namer(tokenizer, END, None, False, config)
    backend = ByHand(texts, config, namer)
    readings = [_reading(text, schema, config) for text in texts]
    out = []
    for text, reading, scores in zip(
        texts, readings, score(readings, config, backend, asking, namer), strict=True
    ):
        words = split_words(text.words)
        found = decode(scores, reading, asking, len(words))
        parts = [WindowFindings(Window(0, len(words)), (found,))]
        coverage = Coverage(len(text.words), len(text.words), 1, False)
        choice = Choice(overlap, thresholds.classes, ties="first")
        out.append(assemble(words, schema, parts, choice, coverage))
    return out, backend


def _reading(text: Text, schema: Schema, config: GlinerConfig) -> Reading:
    labels = range(len(schema.entity_labels)) if text.labels is None else text.labels
    types = range(len(schema.relation_types)) if text.types is None else text.types
    types = types if config.relations is not None else ()
    places = np.arange(len(labels) + len(types))
    prompt = Prompt(
        Kind.SPANS,
        tuple(labels),
        tuple(types),
        places,
        places[: len(labels)],
        places[len(labels) :],
        tuple(schema.entity_labels[label].name for label in labels),
        end=places[:0],
    )
    words = split_words(text.words)
    ones = np.ones(len(words), dtype=np.int64)
    return Reading(prompt, ones, ones, words)
