"""A run, stage by stage: one opened model reads texts under one schema.

Plan the schema as prompts, read texts as pieces, cut windows, batch readings of similar length,
score, decode, assemble. Each stage is a function of the family or of `onepass.decoding`; this
module only puts them in order.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, get_args

from onepass.backends.base import Backend
from onepass.decoding.assemble import Choice, WindowFindings, assemble
from onepass.decoding.consistency_solve import SOLVERS, check_solver
from onepass.decoding.findings import Findings
from onepass.decoding.overlap import policy_of
from onepass.errors import InputError
from onepass.hub import Checkpoint
from onepass.hub.exports import graphs_fingerprint, weights_fingerprint
from onepass.models.batching import ON_CPU, Budget, batches
from onepass.models.cutting import Cut, coverage_of, cut_texts
from onepass.models.family import Asking, Closer, FollowUp, Model, Seen
from onepass.models.labels import LabelVectors
from onepass.models.lanes import Lanes
from onepass.models.readable import check_readable, names_of
from onepass.models.thresholds import PLAIN, SINGLE, resolve_thresholds
from onepass.models.wanted import Check, Unwanted, current_check
from onepass.results.types import Extraction
from onepass.schema import Label, Schema, read_schema
from onepass.schema.options import OnLong, Threshold
from onepass.schema.shown import shown
from onepass.text.windows import Window

ON_LONG: tuple[OnLong, ...] = get_args(OnLong)

_PLANS = 64  # schemas whose prompts are kept


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of every text of a run, checked and planned.

    Attributes:
        asking: schema, thresholds and overlap policy; nobody else holds the schema, so nobody
            changes it.
        prompts: the passes that ask all of it.
        closer: what is asked once more in shorter windows; None if nothing is.
        choice: how findings become results.
        on_long: what happens to a text that does not fit beside the longest prompt.
    """

    asking: Asking
    prompts: Sequence[Any]
    closer: Closer | None
    choice: Choice
    on_long: str


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One window of one text under one prompt."""

    text: int
    window: int
    prompt: int
    reading: Any


_Plan = tuple[Sequence[Any], Closer | None]
_Found = dict[tuple[int, int], list[Findings]]  # of a text's window, in the order of the prompts


class Reader:
    """Reads texts with one model; may be used from several threads.

    Args:
        model: an opened checkpoint.
        backend: that runs its graphs.
        batching: how much one run of the backbone reads.
        lanes: for many runs; None runs one after the other.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.opening import open_backend
    >>> from onepass.models.registry import open_model
    >>> checkpoint = builtin_checkpoint()
    >>> model = open_model(checkpoint)
    >>> reader = Reader(model, open_backend(model, checkpoint))
    >>> schema = {"classifications": {"tone": ["calm", "angry"]}}
    >>> asked = reader.ask(schema, threshold=None, overlap="flat", on_long="window")
    >>> [list(doc.classifications) for doc in reader.read(["How dare you!", "Fine."], asked)]
    [['tone'], ['tone']]
    """

    def __init__(
        self,
        model: Model,
        backend: Backend,
        batching: Budget = ON_CPU,
        lanes: Lanes | None = None,
    ) -> None:
        self.model = model
        self.backend = backend
        self.batching = batching
        self.lanes = lanes
        self._plans: OrderedDict[tuple[Schema, LabelVectors | None], _Plan] = OrderedDict()
        self._plans_lock = threading.Lock()

    def ask(
        self,
        schema: object,
        *,
        threshold: Threshold,
        overlap: str,
        on_long: str,
        vectors: LabelVectors | None = None,
        solver: str = "greedy",
    ) -> Asked:
        """Check the arguments of a call and plan its prompts.

        Args:
            schema: what `onepass.schema.read_schema` accepts.
            threshold: of the call.
            overlap: one of `onepass.decoding.overlap.POLICIES`.
            on_long: one of `ON_LONG`.
            vectors: of labels that need not be encoded again.
            solver: one of `onepass.decoding.consistency_solve.SOLVERS`.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a wrong option.
            MissingExtra: if the exact solver or a library that reads values is not installed.
        """
        chosen = next((one for one in SOLVERS if one == solver), None)
        if chosen is None:
            raise InputError(f"solver {shown(solver)} is not known; {', '.join(SOLVERS)} are.")
        if chosen == "exact":
            check_solver()
        policy = policy_of(overlap)
        if on_long not in ON_LONG:
            raise InputError(f"on_long {shown(on_long)} is not known; {', '.join(ON_LONG)} are.")
        asked = read_schema(schema).checked().copy()
        calibration = self.model.calibration
        thresholds = resolve_thresholds(
            asked,
            threshold,
            self.model.thresholds,
            calibration,
            self.model.label_thresholds,
        )
        several = calibration.get("classifications", PLAIN)
        choice = Choice(
            policy,
            thresholds.classes,
            thresholds.floors,
            class_scale=(several.scale, several.shift),
            single_scale=calibration.get(SINGLE, PLAIN).scale,
            ties=self.model.family.ties,
            solver=chosen,
        )
        asking = Asking(asked, thresholds, policy)
        prompts, closer = self._plan(asked, vectors)
        if vectors is not None:
            self._check_vectors(vectors)
        return Asked(asking, prompts, closer, choice, on_long)

    def read(
        self, texts: Sequence[str], asked: Asked, first: int | None = None
    ) -> list[Extraction]:
        """Return the extraction of each text; all of them are held at once.

        Args:
            texts: strings.
            asked: what `ask` returned.
            first: number of the first text, by which errors name texts; None if it is the only one.

        Raises:
            TextTooLong: for a long text if ``asked.on_long`` is "error"; before any is read.
            Unwanted: if nobody wants it any more, see `onepass.models.wanted`.
        """
        family = self.model.family
        limits = self.model.limits
        follow = family.follow(asked.asking.schema, self.model.settings)
        again = () if asked.closer is None else asked.closer.prompts
        longest = max(prompt.pieces for prompt in (*asked.prompts, *again))
        if follow is not None:  # what it will ask depends on the text
            longest = max(longest, self._budget)
        room = limits.pieces - longest - 2
        tokenizer, splitter = self.model.tokenizer, self.model.splitter
        most = limits.words
        if most is not None:  # words that stand in front of a text count, too
            most = max(most - max(prompt.words for prompt in asked.prompts), 1)
        read = [
            family.read_text(text, tokenizer, max_word_pieces=room, splitter=splitter)
            for text in texts
        ]
        cut = cut_texts(read, room, most, asked.on_long, asked.closer, first)
        jobs = [
            _Job(t, w, p, family.read_window(prompt, cut.texts[t], window))
            for t, windows in enumerate(cut.windows)
            for w, window in enumerate(windows)
            for p, prompt in enumerate(asked.prompts if w < len(cut.whole[t]) else again)
        ]
        findings = self._findings(jobs, asked, cut.windows)
        if follow is not None:
            self._follow(follow, cut, asked, findings)
        return _assembled(cut, findings, asked)

    def encode_labels(self, labels: Sequence[Label]) -> LabelVectors:
        """Return the vectors that a separate label encoder makes of labels.

        Raises:
            InputError: if this checkpoint has no label encoder.
        """
        family = self.model.family
        if family.encode_labels is None:
            raise InputError(
                f"A {family.name} checkpoint has no label encoder: its labels are read together "
                "with each text."
            )
        texts, vectors = family.encode_labels(labels, self.model.settings, self.backend)
        names = tuple(label.name for label in labels)
        own = tuple(label.threshold for label in labels)
        thresholds = own if any(one is not None for one in own) else ()
        return LabelVectors(names, tuple(texts), vectors, self._fingerprint, thresholds)

    @cached_property
    def _fingerprint(self) -> str | None:
        """Digest of the weights, which label vectors carry; that of the graphs without them."""
        checkpoint = Checkpoint(self.model.directory, self.model.name, None)
        return weights_fingerprint(checkpoint) or graphs_fingerprint(checkpoint)

    def _check_vectors(self, vectors: LabelVectors) -> None:
        if None not in (vectors.model, self._fingerprint) and vectors.model != self._fingerprint:
            raise InputError(
                f"The label vectors were made by another checkpoint than {self.model.name}; make "
                "them again with its encode_labels()."
            )

    def _plan(self, schema: Schema, vectors: LabelVectors | None) -> _Plan:
        """Return the prompts of a schema; those of the last few are kept, with their vectors."""
        family, settings = self.model.family, self.model.settings
        key = (schema, vectors)
        with self._plans_lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        # Outside the lock: a plan may run a label encoder. Two threads may make the same one.
        planned = family.plan(schema, self.model.tokenizer, settings, self._budget)
        check_readable(names_of(schema), self.model.tokenizer)
        prompts = family.prepare(planned, settings, self.backend, vectors)
        closer = family.closer(schema, self.model.tokenizer, settings, self._budget)
        if closer is not None:
            again = family.prepare(closer.prompts, settings, self.backend, vectors)
            closer = replace(closer, prompts=again)
        plan = prompts, closer
        with self._plans_lock:
            self._plans[key] = plan
            while len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return plan

    def _follow(
        self,
        follow: FollowUp,
        cut: Cut,
        asked: Asked,
        findings: _Found,
    ) -> None:
        """Ask what depends on what was found, and add its findings."""
        texts, windows, model = cut.texts, cut.windows, self.model
        places, prompts = [], []
        for (t, w), found in findings.items():
            seen = Seen(texts[t], windows[t][w], tuple(found))
            for prompt in follow(seen, asked.asking, model.tokenizer, self._budget):
                places.append((t, w))
                prompts.append(prompt)
        if not prompts:
            return
        ready = model.family.prepare(prompts, model.settings, self.backend, None)  # all at once
        jobs = [
            _Job(t, w, 0, model.family.read_window(prompt, texts[t], windows[t][w]))
            for (t, w), prompt in zip(places, ready, strict=True)
        ]
        for place, more in self._findings(jobs, asked, windows).items():
            findings[place] += more

    @property
    def _budget(self) -> int:
        """Pieces that a prompt may have: the rest is for the text."""
        return self.model.limits.pieces // 2

    def _findings(
        self, jobs: Sequence[_Job], asked: Asked, windows: Sequence[Sequence[Window]]
    ) -> _Found:
        """Score and decode every job: sorted by length, batched by padded pieces."""
        runs = list(batches(jobs, _pieces, self.batching))
        lanes = self.lanes
        # The check is that of this thread; lanes have others.
        read = partial(self._read_batch, asked=asked, windows=windows, wanted=current_check())
        if lanes is not None and lanes.pays([len(run) * _pieces(run[0]) for run in runs]):
            decoded = lanes.each(partial(read, backend=lanes.backend), runs)
        else:
            decoded = [read(run, backend=self.backend) for run in runs]
        found: dict[tuple[int, int], list[tuple[int, Findings]]] = {}
        for run, answers in zip(runs, decoded, strict=True):
            for job, one in zip(run, answers, strict=True):
                found.setdefault((job.text, job.window), []).append((job.prompt, one))
        return {
            place: [findings for _, findings in sorted(own, key=lambda pair: pair[0])]
            for place, own in found.items()
        }

    def _read_batch(
        self,
        batch: Sequence[_Job],
        asked: Asked,
        windows: Sequence[Sequence[Window]],
        wanted: Check,
        backend: Backend,
    ) -> list[Findings]:
        """Score and decode jobs that run through the backbone together."""
        if not wanted():
            raise Unwanted
        family = self.model.family
        readings = [job.reading for job in batch]
        scores = family.score(readings, self.model.settings, backend, asked.asking)
        found = []
        for job, one in zip(batch, scores, strict=True):
            window = windows[job.text][job.window]
            words = window.end - window.start
            found.append(family.decode(one, job.reading, asked.asking, words))
        return found


def _assembled(cut: Cut, findings: _Found, asked: Asked) -> list[Extraction]:
    """Return what was found in each text, from what was found in its windows."""
    schema, choice = asked.asking.schema, asked.choice
    out = []
    for t, (text, windows) in enumerate(zip(cut.texts, cut.windows, strict=True)):
        whole = cut.whole[t]
        parts = [WindowFindings(window, tuple(findings[t, w])) for w, window in enumerate(windows)]
        own, closer = parts[: len(whole)], parts[len(whole) :]
        out.append(assemble(text.words, schema, own, choice, coverage_of(text, whole), closer))
    return out


def _pieces(job: _Job) -> int:
    length: int = job.reading.pieces
    return length
