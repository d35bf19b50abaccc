"""Whether the state of a run fits the one that resumes it: the same layers, trained in like groups.

It knows neither the model nor where states are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onepass.errors import InputError

_GROUPS = "param_groups"  # of the state of an optimizer
_ALPHA = "lora_alpha"  # of a group


def check_network(saved: Mapping[str, Any], own: Mapping[str, Any], where: str) -> None:
    """Refuse weights of other layers.

    Args:
        saved: name to weight of the run.
        own: likewise, of the network that goes on.
        where: the run, for the message.

    Raises:
        InputError: if a name or a shape is another.

    >>> import torch
    >>> check_network({"a": torch.ones(2)}, {"a": torch.ones(3)}, "run/step-4")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: run/step-4 has other layers than the model that resumes it ('a' is \
the first): it was begun with another model, lora or rl.value; give what it was begun with, or \
start without resume in another output directory.
    """
    names = sorted({*saved, *own})
    other = [n for n in names if _shape(saved.get(n)) != _shape(own.get(n))]
    if other:
        raise InputError(
            f"{where} has other layers than the model that resumes it ({other[0]!r} is the first): "
            "it was begun with another model, lora or rl.value; give what it was begun with, or "
            "start without resume in another output directory."
        )


def check_groups(saved: Mapping[str, Any], own: Mapping[str, Any], where: str) -> None:
    """Refuse the state of an optimizer whose groups hold other parameters.

    Args:
        saved: state of the run, of an optimizer, or of several by name.
        own: likewise, of what goes on.
        where: the run, for the message.

    Raises:
        InputError: if the groups, or the parameters in one, are others, or low-rank changes count
            otherwise.
    """
    before, now = list(_groups(saved)), list(_groups(own))
    if len(before) != len(now) or not all(map(_alike, before, now)):
        raise InputError(
            f"{where} was begun with another freeze, lora, layer_decay, shape_rate or "
            "optimizer, or with rates of which others are equal: its parameters are grouped "
            "otherwise than those of the run that resumes it; give what it was begun with, or "
            "start without resume in another output directory."
        )
    for one, other in zip(before, now, strict=True):
        then, given = one.get(_ALPHA), other.get(_ALPHA)  # earlier versions noted none
        if then is not None and given is not None and then != given:
            raise InputError(
                f"{where} was begun with lora.alpha {then:g}, but {given:g} was "
                "given: its low-rank changes would count otherwise; give what it was begun with, "
                "or start without resume in another output directory."
            )


def configured(saved: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of an optimizer with the settings of the run that goes on.

    An optimizer that loads a state takes rates, weight decay and betas from it, too.

    Args:
        saved: state of the run, which fits, of an optimizer, or of several by name.
        own: likewise, of what goes on.

    >>> group = {"params": [0], "weight_decay": 0.01}
    >>> configured({"param_groups": [group]}, {"param_groups": [group | {"weight_decay": 0.1}]})
    {'param_groups': [{'params': [0], 'weight_decay': 0.1}]}
    """
    if _GROUPS in saved:
        return {**saved, _GROUPS: own[_GROUPS]}
    return {
        name: configured(state, own[name]) if isinstance(own.get(name), Mapping) else state
        for name, state in saved.items()
    }


def _groups(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if _GROUPS in state:
        yield from state[_GROUPS]
        return
    for name in sorted(state):
        if isinstance(state[name], Mapping):
            yield from _groups(state[name])


def _alike(saved: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Return whether two groups hold the same parameters; earlier versions noted no names."""
    if "names" in saved and "names" in own:
        return list(saved["names"]) == list(own["names"])
    return len(saved["params"]) == len(own["params"])


def _shape(weight: Any) -> tuple[int, ...] | None:
    """Return the shape of a weight, None if there is none."""
    return None if weight is None else tuple(getattr(weight, "shape", ()))
