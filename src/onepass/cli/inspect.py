"""``onepass models inspect``: what a checkpoint is made of, and whether it can be run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onepass.cli.options import ReportFormat, ReportOption, RevisionOption
from onepass.cli.output import json_text, section, show

if TYPE_CHECKING:
    from onepass.models.inspect import InspectedPart, Inspection

_UNKNOWN, _NO_LIMIT = "not known", "no limit"


def inspect(
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT",
            help="Model id on the hub, directory of a checkpoint, or 'builtin'.",
        ),
    ],
    revision: RevisionOption = None,
    form: ReportOption = ReportFormat.TABLE,
) -> None:
    """Show what a checkpoint is made of, how it decides, and what it lacks.

    Shows its family and variant, its parts and their sizes (without weights, the size of the
    exported graphs), special tokens, limits, and what its onepass.json says: thresholds,
    calibration and settings of the family. Only configurations and headers are read. A model of
    the hub is downloaded first if it is not here.
    """
    from onepass.builtin import named
    from onepass.models.inspect import inspect_checkpoint

    found = inspect_checkpoint(named(checkpoint, revision))
    show(json_text(_as_dict(found)) if form is ReportFormat.JSON else _table(found))


def _as_dict(found: Inspection) -> dict[str, Any]:
    checkpoint = found.checkpoint
    return {
        "name": checkpoint.name,
        "directory": str(checkpoint.directory),
        "revision": checkpoint.revision,
        "family": checkpoint.kind,
        "architecture": found.architecture,
        "runs": not found.problems,
        "parameters": found.parameters,
        "dtypes": list(found.dtypes),
        "parts": [asdict(part) for part in found.parts],
        "special_tokens": dict(found.tokens),
        "limits": {"pieces": found.pieces, "words": found.words, "width": found.width},
        "word_splitter": found.splitter,
        "thresholds": dict(found.thresholds),
        "labels": dict(found.label_thresholds),
        "calibration": {kind: asdict(one) for kind, one in found.calibration.items()},
        "settings": dict(found.settings),
        "graphs": [asdict(one) | {"path": str(one.path)} for one in found.graphs],
        "missing": list(found.lacks),
        "problems": list(found.problems),
    }


def _table(found: Inspection) -> str:
    checkpoint = found.checkpoint
    about = [
        ("name", checkpoint.name),
        ("directory", str(checkpoint.directory)),
        *([("revision", checkpoint.revision)] if checkpoint.revision else []),
        ("family", checkpoint.kind),
        ("architecture", found.architecture),
        ("can be run", "no" if found.problems else "yes"),
    ]
    size = f"{_count(found.parameters)} in {' and '.join(found.dtypes)}"
    return "\n".join(
        (
            section("Checkpoint", about),
            section(f"Parts ({size})" if found.parts else "Parts", _parts(found)),
            section("Special tokens", [(t, _number(i)) for t, i in found.tokens.items()]),
            section("Limits", _limits(found)),
            section("Thresholds", _thresholds(found)),
            section(
                "Settings", [(key, json.dumps(value)) for key, value in found.settings.items()]
            ),
            section(
                "Exports",
                [
                    (
                        one.precision,
                        _megabytes(one.size_bytes),
                        str(one.path),
                        one.problem or "used",
                    )
                    for one in found.graphs
                ],
            ),
            section("Missing", [(lack,) for lack in found.lacks]),
            section("Problems", [(problem,) for problem in found.problems]),
        )
    )


def _parts(found: Inspection) -> list[tuple[str, ...]]:
    """Return a row for each part; without weights they cannot be told apart."""
    if not found.parts and any(one.problem is None for one in found.graphs):
        return [("there are exports alone, no weights",)]
    return [_part(part) for part in found.parts]


def _part(part: InspectedPart) -> tuple[str, ...]:
    origin = ", ".join(x for x in (part.base, part.encoder) if x)
    return part.name, _count(part.parameters), _megabytes(part.size_bytes), origin


def _limits(found: Inspection) -> list[tuple[str, str]]:
    pieces = _UNKNOWN if found.pieces is None else f"{found.pieces:,}"
    words = _NO_LIMIT if found.words is None else f"{found.words:,}"
    width = _NO_LIMIT if found.width is None else f"{found.width} words"
    return [
        ("pieces of a window", pieces),
        ("words of a window", words),
        ("longest span", width),
        ("words", found.splitter or "of the family"),
    ]


def _thresholds(found: Inspection) -> list[tuple[str, str, str]]:
    kinds = dict.fromkeys((*found.thresholds, *found.calibration))
    rows = []
    for kind in kinds:
        own, scale = found.thresholds.get(kind), found.calibration.get(kind)
        calibrated = (
            "" if scale is None else f"scores: scale {scale.scale:g}, shift {scale.shift:g}"
        )
        rows.append((kind, "" if own is None else f"{own:g}", calibrated))
    rows += [(f"label {name}", f"{own:g}", "") for name, own in found.label_thresholds.items()]
    return rows


def _number(value: int | None) -> str:
    return "not there" if value is None else str(value)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"


def _count(parameters: int) -> str:
    return f"{parameters / 1e6:,.1f}M" if parameters >= 1e5 else f"{parameters:,}"
