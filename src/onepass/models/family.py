"""A checkpoint family as one record of torch-free functions, and an opened model of it.

A run is a list of stages: plan (schema to prompts), read (text to pieces), window, encode (arrays),
score (backend), decode (findings). Everything above works with these names only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from onepass.backends.base import Backend, Graph
from onepass.decoding.findings import Findings
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.thresholds import Calibration, Thresholds
from onepass.schema import Schema
from onepass.text.windows import Window
from onepass.text.words import Words


class Text(Protocol):
    """A text in words and pieces."""

    @property
    def words(self) -> Words:
        """Return the words, with offsets into the text as given."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Return (words,) pieces of each word."""

    @property
    def cut(self) -> int:
        """Return how many characters stand in words that were cut, and so were not read whole."""


class Sized(Protocol):
    """A prompt, or a reading: something with a number of pieces."""

    @property
    def pieces(self) -> int:
        """Return how many pieces it has."""


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture family.

    Attributes:
        name: as in `Extractor.family`.
        graphs: what a backend must be able to run.
        network: "module:function" that loads the torch network of a directory.
        read_config: a checkpoint directory to its settings.
        plan: schema, tokenizer and budget in pieces to prompts.
        read_text: text, tokenizer and most pieces of a word to pieces.
        read_window: prompt, text and window to a reading.
        score: readings, settings and backend to scores, one an entry.
        decode: scores, reading, schema, thresholds and own words to findings.
    """

    name: str
    graphs: tuple[Graph, ...]
    network: str
    read_config: Callable[[Path], Any]
    plan: Callable[[Schema, PieceTokenizer, int], Sequence[Any]]
    read_text: Callable[..., Any]
    read_window: Callable[[Any, Any, Window], Any]
    score: Callable[[Sequence[Any], Any, Backend], Sequence[Any]]
    decode: Callable[[Any, Any, Schema, Thresholds, int], Findings]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """An opened checkpoint: everything about it that does not need torch.

    Attributes:
        family: whose functions apply.
        name: hub id, directory or "builtin".
        directory: where its files are.
        settings: what `Family.read_config` returned.
        tokenizer: its tokenizer.
        max_pieces: longest sequence, prompt included.
        thresholds: what it was calibrated to, by kind of task.
        calibration: of its scores, by kind of task; "single" is for single-label tasks.
    """

    family: Family
    name: str
    directory: Path
    settings: Any
    tokenizer: PieceTokenizer
    max_pieces: int
    thresholds: Mapping[str, float]
    calibration: Mapping[str, Calibration]
