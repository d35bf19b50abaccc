"""Names that a checkpoint writes itself: which spans get them, and how pieces become text.

In the mode "span" the decoder reads the vector of a span and its words, and its names stand beside
the label. In the mode "prompt" it reads the vector of a marker, and one name stands for all that
was found under that marker. The network writes; this module knows no torch.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onepass.arrays import Array, Float32s, Int64s
from onepass.backends.base import Backend
from onepass.decoding.candidates import Candidates
from onepass.decoding.findings import Names
from onepass.decoding.overlap import Policy, select
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, SchemaError
from onepass.models.family import Asking
from onepass.models.gliner.config import DecoderConfig, GlinerConfig
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.states import States, distinct_places
from onepass.models.tokenizer_config import named_token
from onepass.schema import Naming
from onepass.schema.shown import shown
from onepass.text.words import Words

DECODER_TOKENIZER = "decoder_tokenizer"
MOST_PIECES = 15  # of a name that may be any; its end counts

_Key = tuple[int, int] | int  # first word and word after the last; or a label of the prompt


@dataclass(frozen=True, slots=True, eq=False)
class Namer:
    """The decoder of a checkpoint without its weights.

    Attributes:
        tokenizer: of the decoder.
        end: piece that ends a name.
        longest: most steps that it reads and writes together; None where there is no limit.
        full_context: whether it reads the words of a span.
        config: of the checkpoint.
    """

    tokenizer: PieceTokenizer
    end: int
    longest: int | None
    full_context: bool
    config: GlinerConfig

    def allowed(self, naming: Naming) -> dict[tuple[int, ...], str]:
        """Return the pieces of each choice, and which one they are; none if all are allowed.

        Raises:
            SchemaError: for a choice that cannot be written.
        """
        forms = [self.tokenizer.plain(choice) for choice in naming.choices]
        found: dict[tuple[int, ...], str] = {}
        for choice, own in zip(naming.choices, self.tokenizer.pieces(forms), strict=True):
            if not own:
                raise SchemaError(
                    f"The name {shown(choice)} has no piece in the vocabulary of this checkpoint; "
                    "leave it out."
                )
            if self.longest is not None and len(own) + 2 > self.longest:  # vector and end
                raise SchemaError(
                    f"The name {shown(choice)} takes {len(own)} pieces, but this checkpoint writes "
                    f"{self.longest - 2} at most; shorten it."
                )
            found.setdefault(own, choice)
        return found

    def words(self, reading: Reading, start: int, end: int) -> Int64s:
        """Return the pieces of the words [start, end) of a window, as the decoder reads them."""
        if reading.words is None:
            raise ValueError("The words of a reading are needed to name what is in it.")
        words = reading.words
        forms = Words(words.text, words.starts[start:end], words.ends[start:end]).forms()
        ids, _ = self.tokenizer.flat([" " + self.tokenizer.plain(form) for form in forms])
        return ids

    def text(self, pieces: Sequence[int]) -> str:
        """Return the name that pieces spell."""
        return self.tokenizer.text(pieces).strip()


def read_namer(directory: Path, config: GlinerConfig) -> Namer | None:
    """Return the decoder of a checkpoint directory; None if the checkpoint has none.

    Raises:
        CheckpointError: if its tokenizer is not there, or nothing says which piece ends a name.
    """
    if config.decoder is None:
        return None
    folder = directory / DECODER_TOKENIZER
    tokenizer = PieceTokenizer(folder / "tokenizer.json")
    encoder = config.decoder.encoder or {}
    longest = encoder.get("max_position_embeddings", encoder.get("n_positions"))
    end = _end(folder, tokenizer, config.decoder)
    return Namer(tokenizer, end, longest, config.decoder.full_context, config)


def _end(folder: Path, tokenizer: PieceTokenizer, config: DecoderConfig) -> int:
    token = named_token(folder, "eos")
    if token is not None:
        return tokenizer.id_of(token)
    end = (config.encoder or {}).get("eos_token_id")
    end = end[0] if isinstance(end, list) and end else end
    if not isinstance(end, int):
        raise CheckpointError(
            f"Nothing says which piece ends a name: give the tokenizer in {folder} an eos_token, "
            "or the labels_decoder_config an eos_token_id."
        )
    return end


def name_found(
    readings: Sequence[Reading],
    states: States,
    found: Sequence[Candidates],
    namer: Namer,
    backend: Backend,
    asking: Asking,
) -> list[tuple[Names, ...]]:
    """Return the names of what was found in each reading, one entry a candidate.

    Args:
        readings: the rows.
        states: of the encoder.
        found: entities that hold, in words of the text. Answers to questions get no names, nor do
            spans that will not be kept beside others.
        namer: the decoder.
        backend: that runs its graphs.
        asking: its schema says how entities are named.
    """
    labels = len(asking.schema.entity_labels)
    entities = [
        one if _asks_entities(reading, labels) else one.take(np.zeros(0, dtype=np.int64))
        for reading, one in zip(readings, found, strict=True)
    ]
    running = _Running(namer, backend)
    if namer.config.bare_prompt:
        starts = running.of_markers(states, entities)
    else:
        likely = [_likely(one, asking.overlap) for one in entities]
        starts = running.of_spans(readings, states, likely)
    names = dict(zip(starts.keys, running.write(starts, asking), strict=True))
    return [
        tuple(names.get((row, key), ()) for key in _keys(one, namer.config))
        for row, one in enumerate(found)
    ]


def _asks_entities(reading: Reading, labels: int) -> bool:
    prompt = reading.prompt
    return prompt.kind is Kind.SPANS and all(item < labels for item in prompt.items)


def _likely(found: Candidates, policy: Policy) -> Candidates:
    """Return what may be kept of the entities of a reading where they overlap.

    There can be a thousand times as many, and writing is slow. What is kept here, and what would be
    kept in its place: another window may know better than the first of two that overlap.
    """
    rest = np.arange(len(found))
    kept = [rest[:0]]
    for _ in range(2):
        rows = select(found.take(rest), policy=policy, ties="first")
        kept.append(rest[rows])
        rest = np.delete(rest, rows)
    return found.take(np.concatenate(kept))


def _keys(found: Candidates, config: GlinerConfig) -> list[_Key]:
    """Return what the names of each candidate are written from."""
    if config.bare_prompt:
        return list(found.labels.tolist())
    return list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))


_NO_PIECES: Int64s = np.zeros(0, dtype=np.int64)


class _Starts(NamedTuple):
    """What names are written from."""

    keys: list[tuple[int, _Key]]  # (row, key) of each name
    vectors: Float32s  # (names, hidden)
    pieces: list[Int64s]  # what stands behind each vector


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """A decoder and what runs its graphs."""

    namer: Namer
    backend: Backend

    def of_spans(
        self, readings: Sequence[Reading], states: States, found: Sequence[Candidates]
    ) -> _Starts:
        """Return what a name is written from for each different span."""
        before = [reading.before for reading in readings]
        places, counts = distinct_places(found, before)
        if not places.shape[1]:
            return _Starts([], np.zeros((0, states.words.shape[2]), dtype=np.float32), [])
        inputs = {**states.of_spans, "places": places}
        (vectors,) = self.backend.run("span_states", inputs)  # (batch, spans, hidden)
        keys: list[tuple[int, _Key]] = []
        pieces: list[Int64s] = []
        for row, (reading, count) in enumerate(zip(readings, counts, strict=True)):
            for first, last in (places[row, :count] - before[row]).tolist():
                keys.append((row, (first, last + 1)))
                full = self.namer.full_context
                pieces.append(self.namer.words(reading, first, last + 1) if full else _NO_PIECES)
        real = np.arange(places.shape[1]) < np.array(counts)[:, None]  # (batch, spans)
        return _Starts(keys, vectors[real], pieces)

    def of_markers(self, states: States, found: Sequence[Candidates]) -> _Starts:
        """Return what a name is written from for each marker under which something was found."""
        rows, labels = np.concatenate(
            [
                np.stack([np.full_like(own, row), own])
                for row, own in enumerate(np.unique(one.labels) for one in found)
            ],
            axis=1,
        )
        vectors = states.labels[rows, labels]  # (names, hidden)
        if len(rows) and not self.namer.config.tokens:  # as the spans meet them
            vectors = self.backend.run("queries", {"label_states": vectors[None]})[0][0]
        keys: list[tuple[int, _Key]] = list(zip(rows.tolist(), labels.tolist(), strict=True))
        return _Starts(keys, vectors, [_NO_PIECES] * len(keys))

    def write(self, starts: _Starts, asking: Asking) -> list[Names]:
        """Return the names written from each vector and the pieces behind it."""
        namer, naming = self.namer, asking.schema.naming
        if naming is None or not len(starts.vectors):
            return []
        choices = namer.allowed(naming)
        limits = [namer.end, naming.count, naming.count, MOST_PIECES]
        inputs: dict[str, Array] = {
            "states": np.ascontiguousarray(starts.vectors),
            "pieces": _padded(starts.pieces),
            "allowed": _padded([np.array(own, dtype=np.int64) for own in choices]),
            "limits": np.array(limits, dtype=np.int64),
        }
        # (rows, sequences, steps), (rows, sequences)
        ids, scores = self.backend.run("generate", inputs)
        return [
            _names(own.tolist(), logs.tolist(), namer, choices)
            for own, logs in zip(ids, scores, strict=True)
        ]


def _names(
    sequences: Sequence[Sequence[int]],
    logs: Sequence[float],
    namer: Namer,
    choices: dict[tuple[int, ...], str],
) -> Names:
    """Return the different names that sequences spell, best first, with their probabilities."""
    best: dict[str, float] = {}
    for sequence, log in zip(sequences, logs, strict=True):
        if log == -math.inf:  # there are fewer choices than names asked for
            break
        pieces = tuple(one for one in sequence if one >= 0)
        text = choices[pieces] if pieces in choices else namer.text(pieces)
        if text:
            best.setdefault(text, min(max(math.exp(log), sys.float_info.min), 1.0))
    return tuple(best.items())


def _padded(rows: Sequence[Int64s]) -> Int64s:
    """Return (rows, longest) with -1 behind the end of a row."""
    out = np.full((len(rows), max(map(len, rows), default=0)), -1, dtype=np.int64)
    for line, row in enumerate(rows):
        out[line, : len(row)] = row
    return out
