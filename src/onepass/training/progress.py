"""Where a run stands: step, clock, schedule of the rates, lines of progress and ``log.jsonl``.

It knows nothing about models, data or checkpoints.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from onepass.training.samples import Sample

LOG = "log.jsonl"  # in the directory of a run
_LOWEST_RATE = 0.02  # of the base rate, at the end
_DEFAULT_WARMUP = 1000  # steps
_MOST_WARMUP = 0.1  # of the run, where no warm-up is given


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends, and how it begins.

    Attributes:
        steps: optimizer steps in all.
        examples: examples in all.
        minutes: wall time in all.
        warmup: steps of warm-up; None for 1000, but at most a tenth of the run.
        patience: scores in a row that are no better than the best one; None for any number.
    """

    steps: int | None
    examples: int | None
    minutes: float | None
    warmup: int | None
    patience: int | None = None

    def done(self, step: int, examples: int, seconds: float) -> float:
        """Return how much of the run is done, 0 to 1, by the limit that is nearest.

        >>> Limits(100, None, 1.0, None).done(step=10, examples=0, seconds=30)
        0.5
        """
        shares = [0.0]
        if self.steps:
            shares.append(step / self.steps)
        if self.examples:
            shares.append(examples / self.examples)
        if self.minutes:
            shares.append(seconds / 60 / self.minutes)
        return min(max(shares), 1.0)

    def rate(self, step: int, done: float) -> float:
        """Return the factor on the learning rates: linear warm-up, linear decay to 2 %.

        >>> limits = Limits(100, None, None, warmup=10)
        >>> limits.rate(step=4, done=0.0), limits.rate(step=50, done=1.0)
        (0.5, 0.020000000000000018)
        """
        if self.warmup is None:
            warm = max((step + 1) / _DEFAULT_WARMUP, done / _MOST_WARMUP)
        else:
            warm = (step + 1) / max(1, self.warmup)
        return min(1.0, warm) * (1.0 - (1.0 - _LOWEST_RATE) * done)


class Progress:
    """Step, clock and log of one run.

    Args:
        log: the JSONL file that rows are added to; None for none.
        limits: where the run ends.
        log_every: steps between lines.
        report: receives lines.

    Attributes:
        step: optimizer steps so far.
        scores: the last held-out scores.
        best_scores: those of the best step.
        best_at: that step, and how many examples were used until then; None where it is not known.
    """

    def __init__(
        self, log: Path | None, limits: Limits, log_every: int, report: Callable[[str], None]
    ) -> None:
        self.step = 0
        self.scores: dict[str, float] = {}
        self.best_scores: dict[str, float] = {}
        self.best_at: tuple[int, int] | None = None
        self._log, self._limits, self._log_every, self._report = log, limits, log_every, report
        self._best = float("-inf")
        self._waited = 0  # scores since the best one
        self._scored_at = -1  # step of the last score
        self._examples = 0
        self._spent = 0.0  # seconds of earlier sessions
        self._started = monotonic()
        self._recent: dict[str, tuple[float, int]] = {}  # sum and count since the last line
        self._is_new = True  # nothing was noted, and nothing restored

    def seconds(self) -> float:
        """Return the wall time of the run, earlier sessions included."""
        return self._spent + monotonic() - self._started

    def done(self) -> float:
        """Return how much of the run is done, 0 to 1."""
        return self._limits.done(self.step, self._examples, self.seconds())

    def over(self) -> bool:
        """Return whether a limit is reached, or scores have not improved for too long."""
        return self.done() >= 1.0 or self._is_stuck()

    def _is_stuck(self) -> bool:
        patience = self._limits.patience
        return patience is not None and self._waited >= patience

    def is_scored(self) -> bool:
        """Return whether the present step was scored."""
        return self._scored_at == self.step

    def rate(self) -> float:
        """Return the factor on the learning rates for the next step."""
        return self._limits.rate(self.step, self.done())

    def best_or_none(self) -> float | None:
        """Return the best score so far, None if there was none."""
        return None if self._best == float("-inf") else self._best

    def stepped(self, terms: Mapping[str, float], examples: int) -> None:
        """Count a step, and tell of the last ones now and then.

        Args:
            terms: of the loss, by name.
            examples: used so far.
        """
        self._begin()
        self.step += 1
        self._examples = examples
        for name, value in terms.items():
            total, count = self._recent.get(name, (0.0, 0))
            self._recent[name] = (total + value, count + 1)
        if self.step % self._log_every and self.done() < 1.0:  # the last steps have a line, too
            return
        means = {name: total / count for name, (total, count) in sorted(self._recent.items())}
        self._recent = {}
        done = max(self.done(), 1e-6)
        seconds = self.seconds()
        left = seconds * (1 - done) / done
        self._report(
            f"step {self.step}  {100 * done:.1f} %  {shown_scores(means)}  "
            f"{seconds / 60:.1f} min, {left / 60:.0f} min left"
        )
        self._note({"step": self.step, "seconds": round(seconds, 1), "loss": means})

    def scored(self, scores: Mapping[str, float], samples: Sequence[Sample] = ()) -> bool:
        """Note held-out scores and return whether ``score`` is the best so far.

        Args:
            scores: by name.
            samples: of what was said of held-out texts; are shown.
        """
        self._begin()
        self.scores = dict(scores)
        self._scored_at = self.step
        if not scores:
            return False
        self._report(f"step {self.step}  held out: {shown_scores(scores)}")
        row = {"step": self.step, "scores": self.scores}
        if samples:
            row["samples"] = [asdict(sample) for sample in samples]
        for sample in samples:
            for line in sample.lines():
                self._report(line)
        self._note(row)
        if not scores.get("score", float("-inf")) > self._best:
            self._waited += 1
            if self._is_stuck():
                self._report(
                    f"step {self.step}  stopped: {self._waited} scores in a row without a better "
                    f"one than {self._best:.4f}"
                )
            return False
        self._best, self._waited = scores["score"], 0
        self.best_scores, self.best_at = self.scores, (self.step, self._examples)
        return True

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON."""
        return {
            "step": self.step,
            "seconds": self.seconds(),
            "best": self.best_or_none(),
            "waited": self._waited,
            "scores": self.scores,
            "scored_at": self._scored_at,
            "best_scores": self.best_scores,
            "best_at": self.best_at,
            "recent": self._recent,
        }

    def restore(self, state: Mapping[str, Any], examples: int) -> None:
        """Continue where a `state` was taken; later and broken rows of the log are dropped.

        Args:
            state: as it was taken.
            examples: used until then.
        """
        self.step, self._spent = int(state["step"]), float(state["seconds"])
        self._best = float("-inf") if state["best"] is None else float(state["best"])
        self._waited = int(state.get("waited", 0))  # earlier versions did not count
        self.scores = dict(state.get("scores", {}))
        self._scored_at = int(state.get("scored_at", -1))
        self.best_scores = dict(state.get("best_scores", {}))
        at = state.get("best_at")
        self.best_at = None if at is None else (int(at[0]), int(at[1]))
        self._recent = {name: (s, n) for name, (s, n) in state.get("recent", {}).items()}
        self._is_new = False
        self._examples = examples
        self._started = monotonic()
        if self._log is not None and self._log.is_file():
            kept = [line for line in self._log.read_bytes().split(b"\n") if self._is_past(line)]
            partial = self._log.with_name(f".{self._log.name}.{os.getpid()}")
            partial.write_bytes(b"".join(line + b"\n" for line in kept))
            partial.replace(self._log)  # whole at every moment, whenever the run is killed
        self._report(f"resumed at step {self.step}")

    def _begin(self) -> None:
        """Drop what a run left that died in the same directory before its first checkpoint."""
        if self._is_new and self._log is not None:
            self._log.unlink(missing_ok=True)
        self._is_new = False

    def _is_past(self, line: bytes) -> bool:
        """Return whether a line of the log is whole, and of a step up to the present one."""
        try:
            return int(json.loads(line)["step"]) <= self.step
        except (ValueError, TypeError, KeyError):  # the end of a run that was killed
            return False

    def _note(self, row: Mapping[str, Any]) -> None:
        if self._log is None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def shown_scores(values: Mapping[str, float]) -> str:
    """Return named numbers as a part of a line.

    >>> shown_scores({"entities": 0.5, "score": 0.25})
    'entities 0.5000  score 0.2500'
    """
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())
