"""``onepass calibrate``: scores of a checkpoint that can be taken at their word, and thresholds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from onepass.cli import loading
from onepass.cli.annotated import annotated_files
from onepass.cli.options import (
    Backend,
    BackendOption,
    GoldLimitOption,
    GoldOption,
    Precision,
    PrecisionOption,
    ReportFormat,
    ReportOption,
    ThreadsOption,
)
from onepass.cli.output import json_text, say, section, show
from onepass.cli.progress import StatusLine
from onepass.errors import InputError
from onepass.results.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from onepass.corpus.example import Example
    from onepass.evaluation.answered import Answered
    from onepass.evaluation.calibration import Gathered
    from onepass.evaluation.counts import Counts
    from onepass.evaluation.goals import Goal
    from onepass.evaluation.halves import HeldOut

_ROOM = 1 << 16  # bytes, as a file of settings may have

EXAMPLES = """Examples:

\b
  onepass calibrate runs/mine/best --data held_out.jsonl
  onepass calibrate runs/mine/best --data held_out/ --limit 200 --format json
  onepass calibrate runs/mine/best --data held_out.jsonl --goal precision=0.9 --per-label
"""


def calibrate(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="DIRECTORY", help="Directory of a checkpoint; the result is written into it."
        ),
    ],
    data: GoldOption,
    limit: GoldLimitOption = None,
    goal: Annotated[
        str,
        typer.Option(
            metavar="GOAL",
            help="Aim of the thresholds: f1, the best F1; precision=SHARE, the lowest at which so "
            "many findings are right; recall=SHARE, the highest at which so much is found.",
        ),
    ] = "f1",
    per_label: Annotated[
        bool,
        typer.Option(
            "--per-label",
            help="Also fit a threshold for each label and relation type with 50 annotations.",
        ),
    ] = False,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    form: ReportOption = ReportFormat.TABLE,
) -> None:
    """Fit a checkpoint's scores and thresholds on annotated texts, and keep them with it.

    It takes some hundred texts that the checkpoint was not trained on. Afterwards, a finding with
    a score of 0.8 is right about 80 % of the time on texts like these, and the default thresholds
    are those with the best F1 to be expected there (for fields with choices, the best accuracy), or
    for another goal. The report says for each kind of finding how far scores were from the truth
    before and after (expected calibration error), and how good it is at its threshold, on halves
    that were not fitted on.
    """
    from onepass.evaluation.answered import answer
    from onepass.evaluation.calibration import FEWEST, fitted, gather
    from onepass.evaluation.goals import Goal
    from onepass.evaluation.halves import held_out

    aim = Goal.parse(goal)
    if not checkpoint.is_dir():
        raise InputError(
            f"{str(checkpoint)!r} is no directory; calibrate a checkpoint that is one. "
            "(onepass export --safetensors NAME -o DIR  makes one of a model of the hub.)"
        )
    files = annotated_files(data)
    chosen = loading.choice(str(checkpoint.absolute()), backend, precision, threads)
    with _writing(checkpoint) as staged:  # before the work
        staged.write_bytes(bytes(_ROOM))
    model = loading.load_model(chosen)
    line, left_out = StatusLine(), list[str]()
    answered = answer(model.uncalibrated(), _examples(files.values(), limit, line, left_out))
    line.clear()
    for sentence in left_out:
        say(sentence)
    on = gather(answered, aim, per_label=per_label)
    found = fitted(on)
    if not found["calibration"]:
        raise InputError(
            f"Too little is found in {counted(len(answered.pairs), 'text')} to fit anything: it "
            f"takes {FEWEST} findings of a kind, some right and some wrong; give more annotated "
            "texts."
        )
    judged = held_out(answered, aim, per_label=per_label)
    show(_report(found, on, judged, form))  # first: it is there, whatever comes
    _tell_missed(found, on, judged, aim)
    path, gone = _keep(checkpoint, found, answered)
    say(f"{path} holds what was fitted on {counted(len(answered.pairs), 'text')}")
    _tell_gone(gone)
    _tell_unjudged([kind for kind in found["calibration"] if kind not in judged], FEWEST)
    _tell_unlabeled(found, FEWEST)


@dataclass(frozen=True, slots=True)
class _Gone:
    """Thresholds of before that are no more.

    Attributes:
        lost: kinds and labels with those that could not be kept.
        replaced: labels whose fitted thresholds went with those of their kind.
        rewritten: labels with those that nothing had fitted, in whose place one is fitted now.
    """

    lost: Sequence[tuple[str, float]]
    replaced: Sequence[str]
    rewritten: Sequence[tuple[str, float]]


@contextmanager
def _writing(checkpoint: Path) -> Iterator[Path]:
    """Give the name of a file in a checkpoint to write to, which does not stay there."""
    staged = checkpoint / f".onepass.json-{uuid4().hex}"
    try:
        yield staged
    except OSError as error:
        raise InputError(
            f"{checkpoint} cannot be written ({error.strerror or error}); make room there, or "
            "calibrate a copy."
        ) from error
    finally:
        with suppress(OSError):  # it was said when it was written
            staged.unlink(missing_ok=True)


def _examples(
    files: Iterable[Path], limit: int | None, line: StatusLine, left_out: list[str]
) -> Iterator[Example]:
    from itertools import islice

    from onepass.corpus.formats import read_any

    done = 0
    for path in files:
        for example in islice(read_any(path, on_left_out=left_out.append), limit):
            done += 1
            line.draw(f"{done:,} texts")
            yield example


def _keep(checkpoint: Path, found: dict[str, Any], answered: Answered) -> tuple[Path, _Gone]:
    """Put what was fitted beside what a checkpoint says of other kinds and of itself.

    Returns:
        The file, and the thresholds of before that are not in it.
    """
    from onepass.evaluation.recalibration import carried, carried_labels
    from onepass.hub.checkpoint import SETTINGS_FILE
    from onepass.models.kept import Calibration
    from onepass.models.registry import read_settings
    from onepass.models.settings import FITTED_LABELS, own_settings

    kept = read_settings(checkpoint)
    lines = {kind: Calibration(**line) for kind, line in found["calibration"].items()}
    after = {**kept.calibration, **lines}
    old = {kind: at for kind, at in kept.thresholds.items() if kind not in found["thresholds"]}
    thresholds = carried(old, kept.calibration, after)
    own: dict[str, float] = found.get("labels", {})
    outdated = [name for name, kind in kept.fitted_labels.items() if kind in lines]
    others = {
        name: at for name, at in kept.labels.items() if name not in outdated and name not in own
    }
    moved = carried_labels(others, kept.calibration, after, answered.pairs, kept.fitted_labels)
    still = {name: kind for name, kind in kept.fitted_labels.items() if name in moved}
    path = checkpoint / SETTINGS_FILE
    settings = own_settings(checkpoint)
    settings["thresholds"] = thresholds | found["thresholds"]
    settings["calibration"] = settings.get("calibration", {}) | found["calibration"]
    for key, value in (
        ("labels", moved | own),
        (FITTED_LABELS, still | found.get(FITTED_LABELS, {})),
    ):
        settings.pop(key, None)
        settings |= {key: value} if value else {}
    with _writing(checkpoint) as staged:
        staged.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        staged.replace(path)
    pairs = ((old, thresholds), (others, moved))
    lost = [(name, at) for was, now in pairs for name, at in was.items() if name not in now]
    rewritten = [
        (name, at) for name, at in kept.labels.items() if name in own and name not in outdated
    ]
    return path, _Gone(lost, [name for name in outdated if name not in own], rewritten)


def _tell_unjudged(kinds: Sequence[str], fewest: int) -> None:
    """Say why the report has no errors and no scores of some kinds."""
    if kinds:
        say(
            f"{', '.join(kinds)}: no error and no score is measured, which takes {fewest} "
            "findings, some right and some wrong, in each half of the texts"
        )


def _tell_unlabeled(found: dict[str, Any], fewest: int) -> None:
    """Say why no label has a threshold, where they were asked for."""
    if "labels" in found and not found["labels"]:
        say(
            f"No label has a threshold of its own, which takes {fewest} annotations of it, and "
            "that it is found both rightly and wrongly"
        )


def _tell_gone(gone: _Gone) -> None:
    """Say which thresholds of before are no more, with the value of those that were set by hand."""
    if gone.replaced:
        names = ", ".join(map(repr, gone.replaced))
        say(
            f"Thresholds that were fitted before for labels of these kinds are gone: {names}; "
            "--per-label fits them, too."
        )
    if gone.rewritten:
        say(f"Fitted ones are in the place of the thresholds of {_with_values(gone.rewritten)}")
    if gone.lost:
        say(
            "Thresholds of the scores before are left out where nothing tells what they are among "
            f"the new ones: {_with_values(gone.lost)}; set them anew."
        )


def _with_values(thresholds: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name!r} ({at:g})" for name, at in thresholds)


def _tell_missed(
    found: dict[str, Any], on: Gathered, judged: dict[str, HeldOut], goal: Goal
) -> None:
    """Say which kinds and labels do not reach a goal: on texts that were not fitted on, if any."""
    for kind, at in on.best.items():
        if kind not in found["thresholds"]:
            continue
        held = judged[kind].counts if kind in judged else None
        counts, texts = on.curves[kind][at], "these texts"
        if held is not None and held.gold:
            counts, texts = held, "held-out halves"
        if counts.gold and kind != "choices" and not goal.reached(counts):
            share = counts.scores()[goal.measure]
            say(f"{kind}: the {goal.measure} is {share:.3f} on {texts}, not {goal.least:g}")
    for own in (on.labels or {}).values():
        for name, (_, counts) in own.items():
            if name in found["labels"] and not goal.reached(counts):
                share = counts.scores()[goal.measure]
                say(f"{name!r}: the {goal.measure} is {share:.3f} on these texts")


def _report(
    found: dict[str, Any], on: Gathered, judged: dict[str, HeldOut], form: ReportFormat
) -> str:
    of_labels = {
        name: counts for own in (on.labels or {}).values() for name, (_, counts) in own.items()
    }
    labels = {name: (at, of_labels[name]) for name, at in found.get("labels", {}).items()}
    if form is ReportFormat.JSON:
        errors = {
            kind: {"before": one.before.error, "after": one.after.error}
            for kind, one in judged.items()
        }
        scores = {kind: one.counts.row() for kind, one in judged.items() if one.counts.gold}
        told = {"calibration_error": errors, "held_out": scores}
        if on.labels is not None:
            told["label_scores"] = {name: counts.row() for name, (_, counts) in labels.items()}
        return json_text({**found, **told})
    rows = [
        (
            "kind", "threshold", "scale", "shift", "error before", "after",
            "precision", "recall", "f1",
        )
    ]  # fmt: skip
    for kind in dict.fromkeys((*found["calibration"], *found["thresholds"])):
        own = found["calibration"].get(kind, {})
        threshold = found["thresholds"].get(kind)
        rows.append(
            (
                kind,
                "" if threshold is None else f"{threshold:.4g}",
                *(f"{own[part]:.3f}" if part in own else "" for part in ("scale", "shift")),
                *_judged(judged.get(kind)),
            )
        )
    table = section("Calibration", rows)
    return table + (_label_table(labels) if labels else "")


def _label_table(labels: dict[str, tuple[float, Counts]]) -> str:
    """Return the thresholds of labels, and what holds there in the texts that are fitted on."""
    rows: list[tuple[str, ...]] = [("label", "threshold", "gold", "precision", "recall", "f1")]
    for name, (at, counts) in labels.items():
        scores = (f"{share:.3f}" for share in counts.scores().values())
        rows.append((name, f"{at:.4g}", str(counts.gold), *scores))
    return section("Labels", rows)


def _judged(one: HeldOut | None) -> tuple[str, ...]:
    """Return the columns of a report that tell of texts that were not fitted on."""
    if one is None:
        return ("",) * 5
    scores = one.counts.scores().values() if one.counts.gold else ()
    shown = [f"{number:.3f}" for number in (one.before.error, one.after.error, *scores)]
    return (*shown, *[""] * (5 - len(shown)))
