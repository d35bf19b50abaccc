"""A run, stage by stage: one opened model reads texts under one schema.

Plan the schema as prompts, read texts as pieces, cut windows, batch readings of similar length,
score, decode, assemble. Each stage is a function of the family or of `onepass.decoding`; this
module only puts them in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from onepass.backends.base import Backend
from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.consistency_solve import check_solver
from onepass.decoding.findings import Findings, WindowFindings
from onepass.models.batching import ON_CPU, Budget, batches
from onepass.models.cancelling import Check, Unwanted, current_check
from onepass.models.cutting import Cut, WindowKey, coverage_of, cut_texts, window_keys
from onepass.models.family import Asking, FollowUp, Model, Reading, Seen
from onepass.models.kept import PLAIN
from onepass.models.labels import LabelVectors
from onepass.models.lanes import Lanes
from onepass.models.plans import Plan, Plans
from onepass.models.thresholds import SINGLE, resolve_thresholds
from onepass.results.types import Extraction
from onepass.schema import Label, read_schema
from onepass.schema.options import DEFAULTS, CallOptions
from onepass.text.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What is asked of every text of a run, checked and planned.

    Attributes:
        asking: schema, thresholds and overlap policy; nobody else holds the schema, so nobody
            changes it.
        plan: the prompts that ask all of it.
        choice: how findings become results.
        options: of the call.
    """

    asking: Asking
    plan: Plan
    choice: Choice
    options: CallOptions


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One window of one text under one prompt."""

    text: int
    window: int
    prompt: int
    reading: Reading


_Found = dict[tuple[int, int], list[Findings]]  # of a text's window, in the order of the prompts
KnownWindows = dict[WindowKey, list[Findings]]  # of one text, likewise


class Reader:
    """Reads texts with one model; may be used from several threads.

    Args:
        model: an opened checkpoint.
        backend: that runs its graphs.
        batching: how much one run of the backbone reads.
        lanes: for many runs; None runs one after the other.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.opening import open_backend
    >>> from onepass.models.registry import read_model
    >>> checkpoint = builtin_checkpoint()
    >>> model = read_model(checkpoint)
    >>> reader = Reader(model, open_backend(model, checkpoint))
    >>> schema = {"classifications": {"tone": ["calm", "angry"]}}
    >>> asked = reader.ask(schema)
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
        self._plans = Plans(model)

    def ask(
        self,
        schema: object,
        options: CallOptions = DEFAULTS,
        vectors: LabelVectors | None = None,
    ) -> Planned:
        """Check what is asked and plan its prompts.

        Args:
            schema: what `onepass.schema.read_schema` accepts.
            options: of the call.
            vectors: of labels that need not be encoded again.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a threshold of a name that is not asked for.
            MissingExtra: if the exact solver or a library that reads values is not installed.
        """
        if options.solver == "exact":
            check_solver()
        asked = read_schema(schema).checked().copy()
        thresholds = resolve_thresholds(asked, options.threshold, self.model.kept)
        calibration = thresholds.calibration
        several = calibration.get("classifications", PLAIN)
        choice = Choice(
            options.overlap,
            thresholds.classes,
            thresholds.floors,
            class_scale=(several.scale, several.shift),
            single_scale=calibration.get(SINGLE, PLAIN).scale,
            ties=self.model.family.ties,
            solver=options.solver,
        )
        asking = Asking(asked, thresholds, options.overlap)
        plan = self._plans.of(asked, self.backend, vectors)
        return Planned(asking, plan, choice, options)

    def read(
        self, texts: Sequence[str], asked: Planned, first: int | None = None
    ) -> list[Extraction]:
        """Return the extraction of each text; all of them are held at once.

        Args:
            texts: strings.
            asked: what `ask` returned.
            first: number of the first text, by which errors name texts; None if it is the only one.

        Raises:
            TextTooLong: for a long text if ``on_long`` of the call is "error"; before any is read.
            Unwanted: if nobody wants it any more, see `onepass.models.cancelling`.
        """
        cut = self._cut(texts, asked, first)
        every = [(t, w) for t, windows in enumerate(cut.windows) for w in range(len(windows))]
        return _assembled(cut, self._found(cut, asked, every), asked)

    def read_on(self, text: str, asked: Planned, known: KnownWindows) -> Extraction:
        """Return the extraction of a text, reading only windows that are not known yet.

        Args:
            text: a string, which may go on where one that was read before ended.
            asked: what `ask` returned, always the same for what is known.
            known: the windows of the text before; they become those of this one.

        Raises:
            TextTooLong: for a long text if ``on_long`` of the call is "error".
        """
        cut = self._cut([text], asked, None)
        keys = window_keys(cut, 0)
        found = self._found(cut, asked, [(0, w) for w, key in enumerate(keys) if key not in known])
        for w, key in enumerate(keys):
            found.setdefault((0, w), known.get(key, []))
        known.clear()
        known.update((key, found[0, w]) for w, key in enumerate(keys))
        return _assembled(cut, found, asked)[0]

    def encode_labels(self, labels: Sequence[Label]) -> LabelVectors:
        """Return the vectors that a separate label encoder makes of labels.

        Raises:
            InputError: if this checkpoint has no label encoder.
        """
        return self._plans.encode_labels(labels, self.backend)

    def _cut(self, texts: Sequence[str], asked: Planned, first: int | None) -> Cut:
        """Return the words and windows of texts."""
        family, limits = self.model.family, self.model.limits
        prompts, closer = asked.plan
        again = () if closer is None else closer.prompts
        longest = max(prompt.pieces for prompt in (*prompts, *again))
        if self._follow_up(asked) is not None:  # what it will ask depends on the text
            longest = max(longest, self._plans.budget)
        room = limits.pieces - longest - 2
        tokenizer, splitter = self.model.tokenizer, self.model.kept.splitter
        most = limits.words
        if most is not None:  # words that stand in front of a text count, too
            most = max(most - max(prompt.words for prompt in prompts), 1)
        read = [
            family.read_text(text, tokenizer, max_word_pieces=room, splitter=splitter)
            for text in texts
        ]
        return cut_texts(read, room, most, asked.options.on_long, closer, first)

    def _found(self, cut: Cut, asked: Planned, places: Sequence[tuple[int, int]]) -> _Found:
        """Return what is found in some windows: (text, window)."""
        prompts, closer = asked.plan
        again = () if closer is None else closer.prompts
        windows = cut.windows
        jobs = [
            _Job(t, w, p, self.model.family.read_window(prompt, cut.texts[t], windows[t][w]))
            for t, w in places
            for p, prompt in enumerate(prompts if w < len(cut.whole[t]) else again)
        ]
        findings = self._findings(jobs, asked, windows)
        follow = self._follow_up(asked)
        if follow is not None:
            self._follow(follow, cut, asked, findings)
        return findings

    def _follow_up(self, asked: Planned) -> FollowUp | None:
        return self.model.family.follow(asked.asking.schema, self.model.settings)

    def _follow(
        self,
        follow: FollowUp,
        cut: Cut,
        asked: Planned,
        findings: _Found,
    ) -> None:
        """Ask what depends on what was found, and add its findings."""
        texts, windows, model = cut.texts, cut.windows, self.model
        places, prompts = [], []
        for (t, w), found in findings.items():
            seen = Seen(texts[t], windows[t][w], tuple(found))
            for prompt in follow(seen, asked.asking, model.tokenizer, self._plans.budget):
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

    def _findings(
        self, jobs: Sequence[_Job], asked: Planned, windows: Sequence[Sequence[Window]]
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
        asked: Planned,
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


def _assembled(cut: Cut, findings: _Found, asked: Planned) -> list[Extraction]:
    """Return what was found in each text, from what was found in its windows."""
    schema, choice, wanted = asked.asking.schema, asked.choice, current_check()
    out = []
    for t, (text, windows) in enumerate(zip(cut.texts, cut.windows, strict=True)):
        if not wanted():  # an exact choice takes seconds
            raise Unwanted
        whole = cut.whole[t]
        parts = [WindowFindings(window, tuple(findings[t, w])) for w, window in enumerate(windows)]
        own, closer = parts[: len(whole)], parts[len(whole) :]
        out.append(assemble(text.words, schema, own, choice, coverage_of(text, whole), closer))
    return out


def _pieces(job: _Job) -> int:
    return job.reading.pieces
