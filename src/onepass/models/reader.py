"""A run, stage by stage: one opened model reads texts under one schema.

Plan the schema as prompts, read texts as pieces, cut windows, batch readings of similar length,
score, decode, assemble. Each stage is a function of the family or of `onepass.decoding`; this
module only puts them in order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onepass.backends.base import Backend
from onepass.decoding.assemble import Choice, WindowFindings, assemble
from onepass.decoding.findings import Findings
from onepass.decoding.overlap import POLICIES
from onepass.errors import InputError, TextTooLong
from onepass.models.family import Model, Text
from onepass.models.thresholds import PLAIN, SINGLE, Given, Thresholds, resolve_thresholds
from onepass.results.types import Coverage, Extraction
from onepass.schema import Schema, read_schema
from onepass.text.windows import Window, plan_windows

ON_LONG = ("window", "error", "truncate")

_BATCH_PIECES = 4096  # padded pieces of one run of the backbone
_WINDOW_PIECES = 640  # of a text that does not fit at once: attention costs grow with the square
_OVERLAP_WORDS = 48
_PLANS = 64  # schemas whose prompts are kept


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of every text of a run, checked and planned.

    Attributes:
        schema: what to find; nobody else holds it, so nobody changes it.
        prompts: the passes that ask all of it.
        thresholds: of its labels, fields and types.
        choice: how findings become results.
        on_long: what happens to a text that does not fit beside the longest prompt.
    """

    schema: Schema
    prompts: Sequence[Any]
    thresholds: Thresholds
    choice: Choice
    on_long: str


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One window of one text under one prompt."""

    text: int
    window: int
    prompt: int
    reading: Any


class Reader:
    """Reads texts with one model; may be used from several threads.

    Args:
        model: an opened checkpoint.
        backend: that runs its graphs.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.registry import open_backend, open_model
    >>> checkpoint = builtin_checkpoint()
    >>> model = open_model(checkpoint)
    >>> reader = Reader(model, open_backend(model, checkpoint))
    >>> schema = {"classifications": {"tone": ["calm", "angry"]}}
    >>> asked = reader.ask(schema, threshold=None, overlap="flat", on_long="window")
    >>> [list(doc.classifications) for doc in reader.read(["How dare you!", "Fine."], asked)]
    [['tone'], ['tone']]
    """

    def __init__(self, model: Model, backend: Backend) -> None:
        self.model = model
        self.backend = backend
        self._plans: OrderedDict[Schema, Sequence[Any]] = OrderedDict()

    def ask(self, schema: object, *, threshold: Given, overlap: str, on_long: str) -> Asked:
        """Check the arguments of a call and plan its prompts.

        Args:
            schema: what `onepass.schema.read_schema` accepts.
            threshold: of the call.
            overlap: one of `onepass.decoding.overlap.POLICIES`.
            on_long: one of `ON_LONG`.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a wrong option.
        """
        if overlap not in POLICIES:
            raise InputError(f"overlap {overlap!r} is not known; {', '.join(POLICIES)} are.")
        if on_long not in ON_LONG:
            raise InputError(f"on_long {on_long!r} is not known; {', '.join(ON_LONG)} are.")
        asked = read_schema(schema).checked().copy()
        calibration = self.model.calibration
        thresholds = resolve_thresholds(asked, threshold, self.model.thresholds, calibration)
        several = calibration.get("classifications", PLAIN)
        choice = Choice(
            overlap,
            thresholds.classes,
            class_scale=(several.scale, several.shift),
            single_scale=calibration.get(SINGLE, PLAIN).scale,
        )
        return Asked(asked, self._plan(asked), thresholds, choice, on_long)

    def read(self, texts: Sequence[str], asked: Asked) -> list[Extraction]:
        """Return the extraction of each text; all of them are held at once.

        Args:
            texts: strings.
            asked: what `ask` returned.

        Raises:
            TextTooLong: for a long text if ``asked.on_long`` is "error".
        """
        family = self.model.family
        room = self.model.max_pieces - max(prompt.pieces for prompt in asked.prompts) - 2
        read = [
            family.read_text(text, self.model.tokenizer, max_word_pieces=room) for text in texts
        ]
        windows = [_windows(text, room, asked.on_long) for text in read]
        jobs = [
            _Job(t, w, p, family.read_window(prompt, read[t], window))
            for t, parts in enumerate(windows)
            for w, window in enumerate(parts)
            for p, prompt in enumerate(asked.prompts)
        ]
        findings = self._findings(jobs, asked, windows)
        out = []
        for number, text in enumerate(read):
            parts = [
                WindowFindings(
                    window, tuple(findings[number, w, p] for p in range(len(asked.prompts)))
                )
                for w, window in enumerate(windows[number])
            ]
            coverage = _coverage(text, windows[number])
            out.append(assemble(text.words, asked.schema, parts, asked.choice, coverage))
        return out

    def _plan(self, schema: Schema) -> Sequence[Any]:
        """Return the prompts of a schema; those of the last few schemas are kept."""
        prompts = self._plans.get(schema)
        if prompts is None:
            model = self.model
            prompts = model.family.plan(schema, model.tokenizer, model.max_pieces // 2)
            self._plans[schema] = prompts
            while len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return prompts

    def _findings(
        self, jobs: Sequence[_Job], asked: Asked, windows: Sequence[Sequence[Window]]
    ) -> dict[tuple[int, int, int], Findings]:
        """Score and decode every job: sorted by length, batched by padded pieces."""
        family = self.model.family
        found: dict[tuple[int, int, int], Findings] = {}
        for batch in _batches(jobs):
            readings = [job.reading for job in batch]
            scores = family.score(readings, self.model.settings, self.backend)
            for job, one in zip(batch, scores, strict=True):
                window = windows[job.text][job.window]
                found[job.text, job.window, job.prompt] = family.decode(
                    one, job.reading, asked.schema, asked.thresholds, window.end - window.start
                )
        return found


def _windows(text: Text, room: int, on_long: str) -> list[Window]:
    """Return the windows of a text for which a number of pieces is left beside the prompt."""
    longest = int(text.lengths.max(initial=0))  # a word is never cut between windows
    size = max(min(room, _WINDOW_PIECES), longest)
    windows = plan_windows(text.lengths, size, overlap=_OVERLAP_WORDS, whole=room)
    if len(windows) == 1 or on_long == "window":
        return windows
    if on_long == "error":
        raise TextTooLong(
            f"The text has {int(text.lengths.sum())} pieces, but {room} fit beside this schema; "
            "shorten it, or read it with on_long='window'."
        )
    ends = np.cumsum(text.lengths)
    return [Window(0, int(np.searchsorted(ends, room, side="right")))]


def _batches(jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
    """Yield jobs of similar length, longest first, within a budget of padded pieces."""
    batch: list[_Job] = []
    for job in sorted(jobs, key=lambda job: job.reading.pieces, reverse=True):
        longest = batch[0].reading.pieces if batch else job.reading.pieces
        if batch and (len(batch) + 1) * longest > _BATCH_PIECES:
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch


def _coverage(text: Text, windows: Sequence[Window]) -> Coverage:
    words = text.words
    chars = len(words.text)
    end = windows[-1].end
    if end == len(words):
        return Coverage(chars, chars - text.cut, len(windows), text.cut > 0)
    read = int(words.ends[end - 1]) if end else 0
    return Coverage(chars, max(read - text.cut, 0), len(windows), True)
