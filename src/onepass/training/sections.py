"""The inner options of a configuration, read from their JSON forms.

It knows which key holds which options, and nothing about the rest of a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from onepass.errors import InputError
from onepass.models.boundary.targets import BoundaryLoss
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.schema.shown import shown
from onepass.training.asking.means import SamplingOptions
from onepass.training.checks import check, is_from_0
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions
from onepass.training.rl.config import RlOptions
from onepass.training.selftrain import SelfTraining

Loss = LossWeights | BoundaryLoss | GlinerLoss | GliclassLoss
Part = TypeVar("Part", bound=SamplingOptions | Loss)
_NUMBERS = (SamplingOptions, LossWeights, BoundaryLoss)  # whose values are all numbers from 0


def read_sections(values: dict[str, Any]) -> None:
    """Put the inner options in place of their JSON forms."""
    if "sampling" in values:
        values["sampling"] = _part(SamplingOptions, values["sampling"], "sampling")
    if values.get("self_train") is not None:
        values["self_train"] = SelfTraining.from_dict(values["self_train"])
        values.setdefault("data", ())
    if values.get("lora") is not None:
        values["lora"] = LoraOptions.from_dict(values["lora"])
    if values.get("rl") is not None:
        values["rl"] = RlOptions.from_dict(values["rl"])
    if values.get("distill") is not None:
        values["distill"] = DistillOptions.from_dict(values["distill"])


def read_loss(given: Mapping[str, Any] | Loss | None, kind: type[Loss], of: str) -> Loss:
    """Return the options of a loss.

    Args:
        given: their JSON form, or the options; None for the defaults.
        kind: the options that the family has.
        of: the checkpoint that is trained, for the message.

    Raises:
        InputError: for an unknown key, a wrong value, or the options of another family.

    >>> read_loss({"spans": 1}, GlinerLoss, "the gliner checkpoint 'start'")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: 'loss' of the gliner checkpoint 'start' has no key 'spans'; its \
keys are kind, alpha, ...
    """
    return kind() if given is None else _part(kind, given, "loss", f" of {of}")


def _part(kind: type[Part], given: object, name: str, of: str = "") -> Part:
    """Return one of the inner options from its JSON form; ``of`` says whose they are."""
    if isinstance(given, kind):
        return given
    names = [f.name for f in fields(kind)]
    if not isinstance(given, Mapping):
        raise InputError(f"{name!r}{of} must be an object, but {shown(given)} was given.")
    for key, value in given.items():
        if key not in names:
            raise InputError(f"{name!r}{of} has no key {key!r}; its keys are {', '.join(names)}.")
        if kind in _NUMBERS:
            check(f"{name}.{key}", value, is_from_0(value), "a number from 0")
    return kind(**given)
