"""When to give no answer: what every floor of single-label tasks would give, from one run.

A task abstains where its best label, scored by itself, stays below the floor. Examples whose task
has no true label are those that nothing fits. It knows nothing about files or checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onepass.corpus.example import Example
from onepass.errors import InputError
from onepass.evaluation.judged import Judged
from onepass.evaluation.predict import Extracts, predict
from onepass.evaluation.run import Progress
from onepass.evaluation.thresholds import GRID, Sweep, grid_of
from onepass.models.thresholds import ABSTAIN
from onepass.results.types import Extraction


def sweep_abstain(
    model: Extracts,
    examples: Iterable[Example],
    *,
    thresholds: Sequence[float] = GRID,
    progress: Progress | None = None,
) -> Sweep:
    """Find out how often every floor of single-label tasks would answer rightly.

    Args:
        model: an `onepass.Extractor`, or anything with its ``extract``; it is run once.
        examples: annotated texts that the model was not trained on. Some tasks must have no true
            label: about as many as are expected in use, since the best floor depends on that.
        thresholds: the floors to try, each from 0 to 1.
        progress: a function that gets the number of examples that are done.

    Returns:
        One curve, "abstain": floor to the share of questions with the right answer, or rightly
        with none. Its best floor goes into the ``thresholds`` of a checkpoint's ``onepass.json``.

    Raises:
        InputError: if no single-label task has a true label, or every one has; if there is no
            threshold, or one is outside [0, 1].
        SchemaError: if an example or the model cannot ask what was annotated.

    >>> from onepass import Extractor
    >>> from onepass.corpus import GoldTask
    >>> labels = ("refund", "delivery")
    >>> asked = GoldTask("request", labels, ("refund",)), GoldTask("request", labels, ())
    >>> examples = [
    ...     Example("Please give me my money back.", classifications=asked[:1]),
    ...     Example("The sun is shining.", classifications=asked[1:]),
    ... ]
    >>> sweep_abstain(Extractor(), examples, thresholds=[0.0, 1.0]).curves["abstain"]
    {0.0: 0.5, 1.0: 0.5}
    """
    grid = grid_of(thresholds)  # before the work
    fits: list[Judged] = []
    done = 0
    for batch in predict(model, examples, abstain=0.0):
        for prediction, gold in batch.pairs():
            fits += fits_of(prediction, gold)
        done += batch.done
        if progress is not None:
            progress(done)
    answerable = sum(fit.answerable for fit in fits)
    if not 0 < answerable < len(fits):
        raise InputError(
            f"Of {len(fits)} single-label questions {answerable} have a true label; to know when "
            "to abstain, give some with one and some with none."
        )
    return Sweep({ABSTAIN: abstain_curve(fits, grid)})


def fits_of(prediction: Extraction, gold: Example) -> list[Judged]:
    """Return the answers to the single-label tasks of one text, which were asked at a floor of 0.

    Args:
        prediction: answers without a fit are left out.
        gold: what was annotated.

    >>> from onepass.corpus.example import GoldTask
    >>> from onepass.results.types import Classification, LabelScore
    >>> answer = Classification((LabelScore("calm", 0.9),), {"calm": 0.9, "angry": 0.1}, fit=0.2)
    >>> gold = Example("Hm.", classifications=(GoldTask("tone", ("calm", "angry"), ()),))
    >>> fits_of(Extraction("Hm.", classifications={"tone": answer}), gold)
    [Judged(score=0.2, answerable=False, right=False)]
    """
    found = []
    for task in gold.classifications:
        answer = prediction.classifications.get(task.name)
        if task.multi_label or answer is None or answer.fit is None:
            continue
        best = {one.label for one in answer.labels[:1]}
        found.append(Judged(answer.fit, bool(task.true), bool(best & set(task.true))))
    return found


def abstain_curve(fits: Sequence[Judged], thresholds: Sequence[float]) -> dict[float, float]:
    """Return the share of questions that each floor answers rightly.

    Args:
        fits: at least one.
        thresholds: floors, inclusive.

    >>> abstain_curve([Judged(0.2, False, False), Judged(0.6, True, True)], [0.1, 0.4, 0.7])
    {0.1: 0.5, 0.4: 1.0, 0.7: 0.5}
    """
    return {
        at: sum(fit.right if fit.score >= at else not fit.answerable for fit in fits) / len(fits)
        for at in sorted(set(thresholds))
    }
