"""What a GLiNER checkpoint is asked in one pass: markers and labels in front of the text.

``[CLS] <<ENT>> label <<ENT>> label ... <<SEP>> word word ...``; with relations
``... <<SEP>> <<REL>> type ... <<SEP>> word ...``. A checkpoint with a label encoder has no such
prompt: its labels are vectors. Streaming ones write ``label <<LABEL>> ... <<SEP>> word``, and frame
nothing. One that names what it finds may have markers only. An instruction
stands as words before those of the text. Every prompt keeps the typed ids of what it asks, so
nothing is ever parsed back out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.decoding.candidates import SpanFind
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.config import GlinerConfig
from onepass.text.patterns import PLAIN
from onepass.text.words import split_words

_NOTHING: Int64s = np.zeros(0, dtype=np.int64)
_NO_PLACES: Int64s = np.zeros((0, 2), dtype=np.int64)


class Kind(StrEnum):
    """What the answers of a prompt are."""

    SPANS = "spans"  # entities, answers to a question
    CLASSES = "classes"  # spans of the instruction, which lists the classes
    TAILS = "tails"  # what entities are related to


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """Words in front of a text.

    Attributes:
        ids: (pieces,).
        lengths: (words,) pieces of each word.
        places: (classes, 2) first and last word of what can be chosen in it.
    """

    ids: Int64s
    lengths: Int64s
    places: Int64s


NO_INSTRUCTION = Instruction(_NOTHING, _NOTHING, _NO_PLACES)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One encoded pass.

    Attributes:
        kind: what its answers are.
        items: what each label stands for: indices of `Schema.span_labels` for spans; the labels of
            a classification for classes; relation types for tails.
        types: indices of the relation types that are asked beside the labels.
        ids: (pieces,) from the first piece of the sequence to the last ``<<SEP>>``.
        label_places: (labels,) position of the piece whose vector is the label's.
        type_places: (types,) likewise.
        texts: what is read of each label.
        end: (pieces,) ids that end the sequence behind a text.
        task: index of the classification.
        heads: for each label, the entity whose tails it asks for.
        instruction: words in front of the text.
        later: words in front of the same window that prompts asked after this one will have.
        vectors: (labels, hidden) once a label encoder has read them.
        queries: (labels, hidden) what the heads of spans make of them, where texts do not matter.
    """

    kind: Kind
    items: tuple[int, ...]
    types: tuple[int, ...]
    ids: Int64s
    label_places: Int64s
    type_places: Int64s
    texts: tuple[str, ...]
    end: Int64s
    task: int = 0
    heads: tuple[SpanFind, ...] = ()
    instruction: Instruction = NO_INSTRUCTION
    later: int = 0
    vectors: Float32s | None = None
    queries: Float32s | None = None

    @property
    def pieces(self) -> int:
        """Number of pieces, those of the instruction included."""
        return len(self.ids) + len(self.instruction.ids)

    @property
    def words(self) -> int:
        """Number of words in front of a window, which count as those of the window do."""
        return max(len(self.instruction.lengths), self.later)

    def with_vectors(self, vectors: Float32s, queries: Float32s | None) -> Prompt:
        """Return the prompt with its label vectors and queries, (labels, hidden)."""
        return replace(self, vectors=vectors, queries=queries)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes prompts for one checkpoint.

    Attributes:
        tokenizer: of the text encoder.
        config: of the checkpoint.
        budget: pieces that one prompt may have.
    """

    tokenizer: PieceTokenizer
    config: GlinerConfig
    budget: int

    @property
    def frame(self) -> tuple[Int64s, Int64s]:
        """Ids that begin and end a sequence."""
        return self.tokenizer.frame if self.config.streaming is None else (_NOTHING, _NOTHING)

    @property
    def most_words(self) -> int:
        """Words that one prompt may have: the other half of what is read at once is the text's."""
        return self.config.max_words // 2

    def fits(self, prompt: Prompt) -> bool:
        """Return whether a prompt leaves room for a text."""
        words = len(prompt.instruction.lengths)
        return prompt.pieces <= self.budget and words <= self.most_words

    def write(
        self,
        kind: Kind,
        items: Sequence[int],
        texts: Sequence[str],
        *,
        types: Sequence[tuple[int, str]] = (),
        instruction: Instruction = NO_INSTRUCTION,
    ) -> Prompt:
        """Return one prompt.

        Args:
            kind: of its answers.
            items: what each label stands for.
            texts: what is read of each label.
            types: relation types with what is read of them.
            instruction: words in front of the text.
        """
        before, end = self.frame
        ids, label_places, type_places = before, _NOTHING, _NOTHING
        if self.config.fixed is not None:  # what ends a prompt stands there alone
            ids, _, _ = self._markers([], [])
        elif not self.config.bi_encoder:
            ids, label_places, type_places = self._markers(texts, [text for _, text in types])
        return Prompt(
            kind,
            tuple(items),
            tuple(index for index, _ in types),
            ids,
            label_places,
            type_places,
            tuple(texts),
            end,
            instruction=instruction,
        )

    def _markers(self, texts: Sequence[str], types: Sequence[str]) -> tuple[Int64s, Int64s, Int64s]:
        """Return the ids of labels and types with their markers, and the places of both."""
        config, plain = self.config, self.tokenizer.plain
        elements = [part for text in texts for part in (config.ent_token, plain(text))]
        step, marker = 2, 0
        if config.bare_prompt:
            elements, step = [config.ent_token] * len(texts), 1
        if config.streaming is not None:  # a marker sees what stands in front of it
            elements = [part for text in texts for part in (plain(text), config.ent_token)]
            marker = 1
        elements.append(config.sep_token)
        types_embed = True
        if config.relations is not None:
            types_embed = config.relations.embed_token
            elements += [part for text in types for part in (config.relations.token, plain(text))]
            elements.append(config.sep_token)
        before, _ = self.frame
        ids, lengths = self.tokenizer.flat(elements)
        firsts = len(before) + np.cumsum(lengths) - lengths  # each element's first piece
        labels = step * len(texts)
        return (
            np.concatenate([before, ids]),
            firsts[marker:labels:step] + (not config.embed_token),
            firsts[labels + 1 : labels + 1 + 2 * len(types) : 2] + (not types_embed),
        )

    def instruct(self, text: str, choices: Sequence[tuple[int, int]] = ()) -> Instruction:
        """Return the words of an instruction.

        Args:
            text: of the instruction.
            choices: characters [start, end) of each part that can be chosen.
        """
        words = split_words(text, PLAIN)
        ids, lengths = self.tokenizer.flat([self.tokenizer.plain(form) for form in words.forms()])
        words, lengths = words.only(lengths > 0), lengths[lengths > 0]
        bounds = np.array(choices, dtype=np.int64).reshape(-1, 2)
        first = np.searchsorted(words.starts, bounds[:, 0], side="left")
        last = np.searchsorted(words.ends, bounds[:, 1], side="right") - 1
        return Instruction(ids, lengths, np.stack([first, last], axis=1))
