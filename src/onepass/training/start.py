"""What a run begins with, scored like what it ends with: a run that does harm says so.

It knows nothing about what is scored, nor how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onepass.training.progress import shown_scores
from onepass.training.task import TrainingTask

Report = Callable[[str], None]


def score_start(task: TrainingTask, report: Report) -> Mapping[str, float]:
    """Return the held-out scores of a network before its first step, and tell of them.

    Args:
        task: whose network it is.
        report: receives the line.
    """
    task.network.eval()
    scores = task.score()
    task.network.train()
    if scores:
        report(f"before  held out: {shown_scores(scores)}")
    return scores


def tell_of_loss(before: Mapping[str, float], after: Mapping[str, float], report: Report) -> None:
    """Say so if a run ends with a lower score than it began with.

    Args:
        before: held-out scores of its start; empty where there are none.
        after: those of its end.
        report: receives the line.

    >>> tell_of_loss({"score": 0.5}, {"score": 0.25}, print)
    held out, the score fell from 0.5000 to 0.2500: more data, lower rates or fewer epochs may help
    """
    one, other = before.get("score"), after.get("score")
    if one is not None and other is not None and other < one:
        report(
            f"held out, the score fell from {one:.4f} to {other:.4f}: more data, lower rates or "
            "fewer epochs may help"
        )
