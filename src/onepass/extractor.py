"""The facade: a model that reads texts under a schema.

A run is a list of stages: plan the schema as prompts, read texts as pieces, cut windows, batch
readings of similar length, score, decode, assemble. Each stage is a function of the family or of
`onepass.decoding`; this module only puts them in order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, overload

import numpy as np

from onepass.backends.base import Backend
from onepass.decoding.assemble import Choice, WindowFindings, assemble
from onepass.decoding.findings import Findings
from onepass.decoding.overlap import POLICIES, Policy
from onepass.errors import CheckpointError, InputError, TextTooLong
from onepass.hub import Checkpoint, locate
from onepass.hub.registry import find_known
from onepass.models.family import Model, Text
from onepass.models.registry import open_backend, open_model
from onepass.models.thresholds import (
    PLAIN,
    SINGLE,
    Given,
    Thresholds,
    resolve_thresholds,
)
from onepass.results.types import Classification, Coverage, Entity, Extraction, Record, Relation
from onepass.schema import Schema, read_schema
from onepass.text.windows import Window, plan_windows

ON_LONG = ("window", "error", "truncate")

_BATCH_PIECES = 4096  # padded pieces of one run of the backbone
_WINDOW_PIECES = 640  # of a text that does not fit at once: attention costs grow with the square
_OVERLAP_WORDS = 48
_STREAM_CHARS = 200_000  # of texts that are read together
_STREAM_TEXTS = 256
_PLANS = 64  # schemas whose prompts are kept


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One window of one text under one prompt."""

    text: int
    window: int
    prompt: int
    reading: Any


class Extractor:
    """A model that finds entities, classes, records and relations in texts.

    ``Extractor()`` is the model that comes with the package; `from_pretrained` opens any other. One
    object may be used from several threads.

    Args:
        backend: "auto", "onnx" or "torch".
        precision: "auto", "fp32" or "int8".
        threads: of one run; None means all cores that the process may use.

    Raises:
        BackendError: for an unknown backend or precision.

    >>> doc = Extractor().extract("Marie Curie was born in Warsaw.", {"entities": ["person"]})
    >>> [entity.text for entity in doc.entities]
    ['Marie Curie']
    """

    def __init__(
        self, *, backend: str = "auto", precision: str = "auto", threads: int | None = None
    ) -> None:
        from onepass.builtin import builtin_checkpoint

        self._open(builtin_checkpoint(), backend=backend, precision=precision, threads=threads)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        backend: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> Extractor:
        """Open a checkpoint.

        Args:
            name: a directory or a hub id ("owner/name").
            backend: "auto", "onnx" or "torch".
            precision: "auto", "fp32" or "int8".
            threads: of one run; None means all cores that the process may use.
            revision: branch, tag or commit on the hub.
            cache_dir: where downloads are kept; the hub library's own place if None.
            token: for private or gated checkpoints.
            local_files_only: never touch the network.

        Raises:
            CheckpointError: if it is not there, incomplete or of an unsupported kind.
            BackendError: for an unknown backend or precision.
            MissingExtra: if torch is needed and not installed.
        """
        known = find_known(str(name))
        if known is not None and not known.supported:  # say so before its weights are fetched
            raise CheckpointError(
                f"{name} is a {known.family} checkpoint of the kind {known.architecture!r}, which "
                "this version cannot run yet; see  onepass models  for those that it can."
            )
        checkpoint = locate(
            name,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        self = cls.__new__(cls)
        self._open(checkpoint, backend=backend, precision=precision, threads=threads)
        return self

    def _open(
        self, checkpoint: Checkpoint, *, backend: str, precision: str, threads: int | None
    ) -> None:
        self._model: Model = open_model(checkpoint)
        self._backend: Backend = open_backend(
            self._model, checkpoint, backend=backend, precision=precision, threads=threads
        )
        self._plans: OrderedDict[Schema, Sequence[Any]] = OrderedDict()

    def __repr__(self) -> str:
        return f"Extractor({self.name!r}, {self.family}, {self._backend.name})"

    @property
    def name(self) -> str:
        """Return the hub id or directory of the checkpoint, or "builtin"."""
        return self._model.name

    @property
    def family(self) -> str:
        """Return the family of the checkpoint."""
        return self._model.family.name

    @property
    def backend(self) -> str:
        """Return what runs the graphs, "onnx" or "torch"."""
        return self._backend.name

    @property
    def precision(self) -> str:
        """Return the number format of the weights."""
        return self._backend.precision

    @property
    def max_pieces(self) -> int:
        """Return the longest sequence that is read at once, prompt included."""
        return self._model.max_pieces

    # -- extraction --------------------------------------------------------------------------

    @overload
    def extract(  # type: ignore[overload-overlap]  # a string is an iterable of strings, too
        self,
        text: str,
        schema: object,
        *,
        threshold: Given = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Extraction: ...
    @overload
    def extract(
        self,
        text: Iterable[str],
        schema: object,
        *,
        threshold: Given = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> list[Extraction]: ...

    def extract(
        self,
        text: str | Iterable[str],
        schema: object,
        *,
        threshold: Given = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Extraction | list[Extraction]:
        """Find what a schema asks for.

        Args:
            text: one text, or a list of texts.
            schema: a `Schema`, its JSON form (dict or string), or a pydantic model class.
            threshold: a number for everything, or numbers by kind ("entities", "classifications",
                "records", "relations") or by name; None means what the checkpoint was calibrated
                to. Thresholds of the schema's own labels and fields come first.
            overlap: which entities may share words: "flat" (one label a place), "label" (flat
                within each label), "nested" (no crossing) or "all".
            on_long: texts longer than the window are read in overlapping windows ("window"),
                refused ("error") or cut ("truncate").

        Returns:
            An `Extraction`, or a list of them in the order of the texts.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a text that is not a string, or an unknown option.
            TextTooLong: for a long text if ``on_long`` is "error".
        """
        if isinstance(text, str):
            return self._run([text], schema, threshold, overlap, on_long)[0]
        if not isinstance(text, Iterable):
            raise InputError(
                f"The text must be a string or a list of strings, but a "
                f"{type(text).__name__} was given."
            )
        return list(
            self.stream(text, schema, threshold=threshold, overlap=overlap, on_long=on_long)
        )

    def stream(
        self,
        texts: Iterable[str],
        schema: object,
        *,
        threshold: Given = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Iterator[Extraction]:
        """Yield the extraction of each text, in order, holding only a few texts at a time.

        Args:
            texts: any iterable of strings; it is read as results are taken.
            schema: as in `extract`.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.

        Raises:
            SchemaError, InputError, TextTooLong: as `extract` does.
        """
        held: list[str] = []
        chars = 0
        for text in texts:
            _check_text(text)
            held.append(text)
            chars += len(text)
            if chars >= _STREAM_CHARS or len(held) >= _STREAM_TEXTS:
                yield from self._run(held, schema, threshold, overlap, on_long)
                held, chars = [], 0
        if held:
            yield from self._run(held, schema, threshold, overlap, on_long)

    def entities(
        self,
        text: str,
        labels: Any,
        *,
        threshold: Given = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> tuple[Entity, ...]:
        """Return the entities of one text; labels are a list, or a mapping to descriptions.

        The options are those of `extract`.
        """
        schema = Schema().entities(labels)
        doc = self.extract(text, schema, threshold=threshold, overlap=overlap, on_long=on_long)
        return doc.entities

    def classify(
        self,
        text: str,
        labels: Any,
        *,
        multi_label: bool = False,
        threshold: Given = None,
        on_long: str = "window",
    ) -> Classification:
        """Return the answer to one question about a text.

        Args:
            text: what is classified.
            labels: a list, or a mapping to descriptions.
            multi_label: whether any number of labels may hold, instead of exactly one.
            threshold: as in `extract`; the task is called "class".
            on_long: as in `extract`.
        """
        schema = Schema().classification("class", labels, multi_label=multi_label)
        doc = self.extract(text, schema, threshold=threshold, on_long=on_long)
        return doc.classifications["class"]

    def records(
        self,
        text: str,
        structures: Mapping[str, Any],
        *,
        threshold: Given = None,
        on_long: str = "window",
    ) -> Mapping[str, tuple[Record, ...]]:
        """Return the records of one text; structures map a name to its fields.

        The options are those of `extract`.
        """
        schema = Schema()
        for name, fields in structures.items():
            schema.structure(name, fields)
        return self.extract(text, schema, threshold=threshold, on_long=on_long).records

    def relations(
        self, text: str, types: Any, *, threshold: Given = None, on_long: str = "window"
    ) -> tuple[Relation, ...]:
        """Return the relations of one text; types are a list, or a mapping to descriptions.

        The options are those of `extract`.
        """
        schema = Schema().relations(types)
        return self.extract(text, schema, threshold=threshold, on_long=on_long).relations

    # -- stages ------------------------------------------------------------------------------

    def _run(
        self, texts: Sequence[str], schema: object, threshold: Given, overlap: str, on_long: str
    ) -> list[Extraction]:
        for text in texts:
            _check_text(text)
        if overlap not in POLICIES:
            raise InputError(f"overlap {overlap!r} is not known; {', '.join(POLICIES)} are.")
        if on_long not in ON_LONG:
            raise InputError(f"on_long {on_long!r} is not known; {', '.join(ON_LONG)} are.")
        asked = read_schema(schema).checked()
        calibration = self._model.calibration
        thresholds = resolve_thresholds(asked, threshold, self._model.thresholds, calibration)
        prompts = self._plan(asked)
        room = self._model.max_pieces - max(prompt.pieces for prompt in prompts) - 2
        family = self._model.family
        read = [
            family.read_text(text, self._model.tokenizer, max_word_pieces=room) for text in texts
        ]
        windows = [self._windows(text, room, on_long) for text in read]
        jobs = [
            _Job(t, w, p, family.read_window(prompt, read[t], window))
            for t, parts in enumerate(windows)
            for w, window in enumerate(parts)
            for p, prompt in enumerate(prompts)
        ]
        findings = self._findings(jobs, asked, thresholds, windows)
        several = calibration.get("classifications", PLAIN)
        choice = Choice(
            cast(Policy, overlap),
            thresholds.classes,
            class_scale=(several.scale, several.shift),
            single_scale=calibration.get(SINGLE, PLAIN).scale,
        )
        out = []
        for number, text in enumerate(read):
            parts = [
                WindowFindings(
                    window,
                    tuple(findings[number, w, p] for p in range(len(prompts))),
                )
                for w, window in enumerate(windows[number])
            ]
            out.append(assemble(text.words, asked, parts, choice, _coverage(text, windows[number])))
        return out

    def _plan(self, schema: Schema) -> Sequence[Any]:
        """Return the prompts of a schema; those of the last few schemas are kept."""
        prompts = self._plans.get(schema)
        if prompts is None:
            model = self._model
            prompts = model.family.plan(schema, model.tokenizer, model.max_pieces // 2)
            self._plans[schema.copy()] = prompts
            while len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return prompts

    def _windows(self, text: Text, room: int, on_long: str) -> list[Window]:
        windows = plan_windows(
            text.lengths, min(room, _WINDOW_PIECES), overlap=_OVERLAP_WORDS, whole=room
        )
        if len(windows) == 1 or on_long == "window":
            return windows
        if on_long == "error":
            raise TextTooLong(
                f"The text has {int(text.lengths.sum())} pieces, but {room} fit beside this "
                "schema; shorten it, or read it with on_long='window'."
            )
        ends = np.cumsum(text.lengths)
        return [Window(0, int(np.searchsorted(ends, room, side="right")))]

    def _findings(
        self,
        jobs: Sequence[_Job],
        schema: Schema,
        thresholds: Thresholds,
        windows: Sequence[Sequence[Window]],
    ) -> dict[tuple[int, int, int], Findings]:
        """Score and decode every job: sorted by length, batched by padded pieces."""
        family = self._model.family
        found: dict[tuple[int, int, int], Findings] = {}
        for batch in _batches(jobs):
            readings = [job.reading for job in batch]
            scores = family.score(readings, self._model.settings, self._backend)
            for job, one in zip(batch, scores, strict=True):
                window = windows[job.text][job.window]
                found[job.text, job.window, job.prompt] = family.decode(
                    one, job.reading, schema, thresholds, window.end - window.start
                )
        return found


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


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise InputError(
            f"A text must be a string, but {text!r:.60} ({type(text).__name__}) was given."
        )


def _coverage(text: Text, windows: Sequence[Window]) -> Coverage:
    words = text.words
    chars = len(words.text)
    end = windows[-1].end
    if end == len(words):
        return Coverage(chars, chars, len(windows), False)
    return Coverage(chars, int(words.ends[end - 1]) if end else 0, len(windows), True)
