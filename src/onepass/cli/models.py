"""``onepass models``: the models that can be named, and where they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from onepass.cli.options import ReportFormat, ReportOption
from onepass.cli.output import json_text, section, show

if TYPE_CHECKING:
    from onepass.hub.cached import CachedModel
    from onepass.hub.registry import KnownModel


def models(context: typer.Context, form: ReportOption = ReportFormat.TABLE) -> None:
    """List the built-in model, downloaded models, and published models that onepass knows.

    --model takes any checkpoint of a supported family, listed here or not.
    """
    if context.invoked_subcommand is not None:
        return
    from onepass.builtin import builtin_checkpoint
    from onepass.hub.cached import cached_models
    from onepass.hub.registry import KNOWN

    own = builtin_checkpoint()
    cached = cached_models()
    if form is ReportFormat.JSON:
        show(json_text(_as_dict(own.name, own.kind, cached, KNOWN)))
        return
    parts = [
        section("Built in", [(own.name, own.kind, "the model that is used if none is given")]),
        section("Downloaded", [_cached_cells(model) for model in cached]),
        section("Published", [_known_cells(model) for model in KNOWN if model.supported]),
        section(
            "Not supported yet", [_known_cells(model) for model in KNOWN if not model.supported]
        ),
    ]
    show("\n".join(parts))


def _as_dict(
    name: str, kind: str, cached: list[CachedModel], known: tuple[KnownModel, ...]
) -> dict[str, Any]:
    return {
        "builtin": {"name": name, "family": kind},
        "cached": [
            {
                "name": model.name,
                "family": model.kind,
                "revision": model.revision,
                "size_bytes": model.size_bytes,
                "path": str(model.path),
            }
            for model in cached
        ],
        "known": [asdict(model) for model in known],
    }


def _cached_cells(model: CachedModel) -> tuple[str, ...]:
    return model.name, model.kind, f"{model.size_bytes / 1e6:,.0f} MB", model.revision[:12]


def _known_cells(model: KnownModel) -> tuple[str, ...]:
    size = "" if model.parameters is None else f"{model.parameters / 1e6:,.0f}M"
    family = f"{model.family} {model.architecture}"
    return model.id, family, size, model.languages, model.license, model.note
