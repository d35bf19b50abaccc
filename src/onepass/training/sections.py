"""The inner options of a configuration, read from their JSON forms.

It knows which key holds which options, and nothing about the rest of a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from onepass.errors import InputError
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.schema.types import shown
from onepass.training.asking.means import SamplingOptions
from onepass.training.checks import check, is_number
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions
from onepass.training.rl.config import RlOptions
from onepass.training.selftrain import SelfTraining

Part = TypeVar("Part", SamplingOptions, LossWeights)


def read_sections(values: dict[str, Any]) -> None:
    """Put the inner options in place of their JSON forms."""
    if "sampling" in values:
        values["sampling"] = _part(SamplingOptions, values["sampling"], "sampling")
    if values.get("loss") is not None:
        values["loss"] = _loss(values["loss"])
    if values.get("self_train") is not None:
        values["self_train"] = SelfTraining.from_dict(values["self_train"])
        values.setdefault("data", ())
    if values.get("lora") is not None:
        values["lora"] = LoraOptions.from_dict(values["lora"])
    if values.get("rl") is not None:
        values["rl"] = RlOptions.from_dict(values["rl"])
    if values.get("distill") is not None:
        values["distill"] = DistillOptions.from_dict(values["distill"])


def _part(kind: type[Part], given: object, name: str) -> Part:
    """Return one of the inner options from its JSON form."""
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise InputError(f"{name!r} must be an object, but {shown(given)} was given.")
    names = [f.name for f in fields(kind)]
    for key, value in given.items():
        if key not in names:
            raise InputError(f"{name!r} has no key {key!r}; its keys are {', '.join(names)}.")
        check(f"{name}.{key}", value, is_number(value), "a number from 0")
    return kind(**given)


def _loss(given: object) -> LossWeights | GlinerLoss | GliclassLoss | None:
    """Return the options of a loss; their keys say for which family they are, none for any."""
    names = {f.name for f in fields(GlinerLoss)}
    if isinstance(given, GlinerLoss | GliclassLoss):
        return given
    if given == {}:
        return None
    own = {f.name for f in fields(GliclassLoss)}
    if isinstance(given, Mapping) and set(given) & (own - names):
        for key in given:
            if key not in own:
                raise InputError(
                    f"'loss' has no key {key!r} of a GLiClass checkpoint; its keys are "
                    f"{', '.join(f.name for f in fields(GliclassLoss))}."
                )
        return GliclassLoss(**given)
    if not isinstance(given, Mapping) or not set(given) & names:
        return _part(LossWeights, given, "loss")
    for key in given:
        if key not in names:
            raise InputError(
                f"'loss' has no key {key!r} of a GLiNER checkpoint; its keys are "
                f"{', '.join(f.name for f in fields(GlinerLoss))}."
            )
    return GlinerLoss(**given)
