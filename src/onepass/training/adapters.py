"""LoRA through peft: low-rank changes of linear layers in place of training them whole.

Checkpoints hold merged weights, so that a trained model is like any other; the low-rank factors are
in ``training.pt`` while a run goes on. It knows no family: layers are chosen by the names of their
modules, or by the names that the published layouts have for them.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from onepass.errors import InputError, MissingExtra
from onepass.training.lora import LoraOptions
from onepass.training.parts import ENCODERS, HEADS

_NAME = "onepass"  # of the adapter, inside peft
# Published names of projections that are one layer, or are called otherwise, in our encoders.
_OURS: Mapping[str, tuple[str, ...]] = {
    "query_proj": ("qkv",), "key_proj": ("qkv",), "value_proj": ("qkv",),
    "query": ("qkv",), "key": ("qkv",), "value": ("qkv",),
    "pos_key_proj": ("distance_key",), "pos_query_proj": ("distance_query",),
    "dense": ("attention_out", "up", "down", "dense"),
    "q": ("qkv", "cross_query"), "k": ("qkv", "cross_key_value"), "v": ("qkv", "cross_key_value"),
    "o": ("attention_out", "cross_out"), "wi": ("up",), "wi_0": ("up",), "wi_1": ("up",),
    "wo": ("down",), "Wqkv": ("qkv",), "Wo": ("attention_out", "down"), "Wi": ("up",),
    "linear_1": ("text.first", "classes.first", "projection.first"),
    "linear_2": ("text.last", "classes.last", "projection.last"),
    "mlp.0": ("mlp.first",), "mlp.2": ("mlp.second",), "mlp.4": ("mlp.last",),
    "score_mlp.0": ("mlp.first",), "score_mlp.2": ("mlp.second",), "score_mlp.4": ("mlp.last",),
    "out_mlp.0": ("scorer.first",), "out_mlp.3": ("scorer.last",),
    "q_proj": ("scorer.q",), "k_proj": ("scorer.k",), "v_proj": ("scorer.v",),
    "proj_text": ("scorer.text",), "proj_label": ("scorer.label",),
}  # fmt: skip


def adapt(network: nn.Module, options: LoraOptions, parts: Mapping[str, str]) -> list[str]:
    """Put low-rank changes beside linear layers of a network and freeze what is not trained.

    Args:
        network: is changed in place.
        options: what is adapted.
        parts: of the network, see `onepass.training.trainee.Trainee.parts`.

    Returns:
        The names of the adapted layers.

    Raises:
        InputError: if there is no layer to adapt, or none fits the targets.
        MissingExtra: if peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
        from peft.tuners.lora.layer import Linear as LoraLinear
    except ImportError as error:
        raise MissingExtra("Training with LoRA", "train") from error

    class Adapted(LoraLinear):
        """Has the change in its weight too, for code that uses the weight in parts.

        There is no dropout then.
        """

        @property
        def weight(self) -> Any:
            return _changed(self)

    names = _targets(network, options, parts)
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,  # type: ignore[arg-type]  # it need not be whole
        lora_dropout=options.dropout,
        target_modules=names,
    )
    config._register_custom_module(dict.fromkeys(_layers(), Adapted))
    inject_adapter_in_model(config, network, adapter_name=_NAME)  # freezes all but the changes
    if options.heads == "full":
        for name, parameter in network.named_parameters():
            if _part(name, parts) not in ENCODERS:
                parameter.requires_grad_(True)
    return names


def _targets(network: nn.Module, options: LoraOptions, parts: Mapping[str, str]) -> list[str]:
    """Return the names of the layers to adapt."""
    layers = _layers()
    wanted = [ours for name in options.targets for ours in (name, *_OURS.get(name, ()))]
    found, outside = [], False
    for name, module in network.named_modules():
        if type(module) not in layers:  # a subclass may compute something else
            continue
        if wanted and not _fits(name, wanted):
            continue
        if _part(name, parts) in ENCODERS or options.heads == "adapt":
            found.append(name)
        else:
            outside = True
    if not found and outside and wanted:
        raise InputError(
            f"lora.targets {list(options.targets)} fit only layers outside the encoders, which "
            "lora.heads 'adapt' adapts; give that, or other targets."
        )
    if not found and not wanted:
        raise InputError(
            "The encoders of this model have no linear layer that 'lora' can adapt; leave it out, "
            "which trains them whole."
        )
    if not found:
        raise InputError(
            f"No linear layer that may be adapted fits lora.targets {list(options.targets)}; "
            "give last parts of module names, or none for all layers of the encoders."
        )
    return found


def _fits(name: str, wanted: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(f".{name}", f"*.{end}") for end in wanted)


def _part(name: str, parts: Mapping[str, str]) -> str:
    return next((part for part, prefix in parts.items() if name.startswith(prefix)), HEADS)


def alpha(network: nn.Module, adapted: Sequence[str]) -> float | None:
    """Return how much the changes count, see `onepass.training.lora.LoraOptions`.

    Args:
        network: that `adapt` changed.
        adapted: what `adapt` returned; None is returned if there is none.
    """
    for name in adapted:
        module: Any = network.get_submodule(name)
        return float(module.lora_alpha[_NAME])
    return None


@contextmanager
def merged(network: nn.Module, adapted: Sequence[str]) -> Iterator[None]:
    """Give a network plain layers for a while, with the changes in their weights.

    Everything that saves, exports or prepares a network sees it as if it had been trained whole.

    Args:
        network: that `adapt` changed.
        adapted: what `adapt` returned; nothing happens if there is none.
    """
    swapped: list[tuple[nn.Module, str, nn.Module]] = []
    for name in adapted:
        parent_name, _, own = name.rpartition(".")
        parent, module = network.get_submodule(parent_name), network.get_submodule(name)
        swapped.append((parent, own, module))
        setattr(parent, own, _plain(module))
    try:
        yield
    finally:
        for parent, own, module in swapped:
            setattr(parent, own, module)


def _layers() -> tuple[type[nn.Module], ...]:
    """Return the layers that are adapted; that of GPT-2 has its weight as (inputs, outputs)."""
    from transformers.pytorch_utils import Conv1D  # transformers is slow to load

    return nn.Linear, Conv1D


def _changed(module: Any) -> Any:
    """Return the weight of an adapted layer with the change added."""
    base = module.get_base_layer()
    change = module.lora_B[_NAME].weight @ module.lora_A[_NAME].weight  # (outputs, inputs)
    if not isinstance(base, nn.Linear):
        change = change.T
    return base.weight + module.scaling[_NAME] * change


def _plain(module: Any) -> nn.Module:
    """Return the layer that was adapted, with the change added to the weight."""
    out = deepcopy(module.get_base_layer()).requires_grad_()
    with torch.no_grad():
        out.weight.copy_(_changed(module))
    out.train(module.training)
    return out
