"""How good a calibration is on examples that it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass, field

from onepass.evaluation.answered import Answered
from onepass.evaluation.calibration import F1, FEWEST, fitted, gather
from onepass.evaluation.counts import Counts
from onepass.evaluation.goals import Goal
from onepass.evaluation.platt import calibrated, tempered
from onepass.evaluation.reliability import Reliability
from onepass.models.thresholds import SINGLE


@dataclass(slots=True)
class HeldOut:
    """How a kind does on examples that it was not fitted on.

    Attributes:
        before: distances between scores and the truth as they are.
        after: of calibrated ones.
        counts: what holds at the fitted thresholds; empty where no threshold is fitted.
    """

    before: Reliability = field(default_factory=Reliability)
    after: Reliability = field(default_factory=Reliability)
    counts: Counts = field(default_factory=Counts)


def held_out(answered: Answered, goal: Goal = F1, *, per_label: bool = False) -> dict[str, HeldOut]:
    """Judge each half of the examples by what is fitted on the other half.

    In a half a label gets a threshold from half as many annotations.

    Args:
        answered: what `answer` returned.
        goal: see `calibrate`.
        per_label: see `calibrate`.

    Returns:
        What came of it, by kind; of kinds that both halves fit.
    """
    halves = [
        gather(half, goal, per_label=per_label, fewest=FEWEST // 2) for half in answered.halves()
    ]
    lines = [fitted(half)["calibration"] for half in halves]
    found = {kind: HeldOut() for kind in lines[0] if kind in lines[1]}
    for half, taught, line in zip(halves, reversed(halves), reversed(lines), strict=True):
        for kind, one in found.items():
            scale, shift = (line[kind][part] for part in ("scale", "shift"))
            if kind == SINGLE:
                for probs, true in half.singles:
                    top = int(probs.argmax())
                    one.before.add([(float(probs[top]), top == true)])
                    one.after.add([(float(tempered(probs, scale)[top]), top == true)])
                continue
            pairs = half.pairs.get(kind, [])
            one.before.add(pairs)
            one.after.add((calibrated(score, scale, shift), right) for score, right in pairs)
            one.counts.merge(half.count(kind, taught))
    return found
