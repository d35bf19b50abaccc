"""LoRA as peft writes it, added to the layers of a checkpoint when its weights are read.

The factors of the changes stand among the weights, beside the layers. What cannot be added exactly
is refused by its name. This module knows no network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from onepass.encoding.options import Options
from onepass.errors import CheckpointError
from onepass.hub.adapter_names import FACTOR, is_change, layer_name, unwrapped
from onepass.hub.checkpoint import ADAPTER_CONFIG
from onepass.hub.files import read_json

_READ = {"peft_type", "lora_alpha", "use_rslora", "fan_in_fan_out", "init_lora_weights"}
_WITHOUT_EFFECT = {  # on a trained adapter; any other option that is set might change the sum
    "auto_mapping", "base_model_name_or_path", "bias", "ensure_weight_tying", "exclude_modules",
    "inference_mode", "layers_pattern", "layers_to_transform", "lora_dropout", "megatron_core",
    "modules_to_save", "peft_version", "qalora_group_size", "r", "rank_pattern", "revision",
    "target_modules", "task_type",
}  # fmt: skip
_PLAIN = (True, False, "gaussian", "orthogonal")  # others change the layers at the start

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class _Adapter:
    """How much changes count: ``alpha`` by their rank, or by its root, and which way round."""

    alpha: float
    rooted: bool
    turned: bool

    @classmethod
    def read(cls, path: Path) -> _Adapter:
        """Read ``adapter_config.json``.

        Raises:
            CheckpointError: if it is broken, or its changes are more than a product of two factors.
        """
        config = read_json(path)
        options = Options(config, str(path))
        options.one_of("peft_type", ("LORA",))
        known = _READ | _WITHOUT_EFFECT
        more = sorted(key for key, value in config.items() if value and key not in known)
        if config.get("init_lora_weights", True) not in _PLAIN:
            more.append("init_lora_weights")
        if more:
            raise CheckpointError(
                f"The adapter of {path} sets {', '.join(more)}, which is not supported; merge it "
                "(merge_and_unload of peft) and save the checkpoint again."
            )
        return cls(
            alpha=options.number("lora_alpha"),
            rooted=options.flag("use_rslora", False),
            turned=options.flag("fan_in_fan_out", False),
        )

    def change(self, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """Return what is added to a layer, from factors (rank, inputs) and (outputs, rank)."""
        rank = down.shape[0]
        scale = self.alpha / (math.sqrt(rank) if self.rooted else rank)
        change = scale * (up.float() @ down.float())  # (outputs, inputs)
        return change.T if self.turned else change


def merged(state: State, configs: Mapping[str, Path]) -> dict[str, torch.Tensor]:
    """Return weights by the names that they have without peft, with the changes in the layers.

    Args:
        state: published names to tensors, where the factors of an adapter may be among them.
        configs: the ``adapter_config.json`` of each adapter, by the prefix of the names of its
            layers; the longest that fits counts.

    Raises:
        CheckpointError: naming a weight of an adapter that cannot be added to a layer.

    >>> list(merged({"model.base_model.model.layer.w": torch.zeros(1)}, {}))
    ['model.layer.w']
    """
    layers: dict[str, torch.Tensor] = {}
    factors: dict[str, dict[str, dict[str, torch.Tensor]]] = {}
    for name, tensor in state.items():
        if found := FACTOR.fullmatch(unwrapped(name)):
            layer, side, adapter = found.groups()
            factors.setdefault(layer, {}).setdefault(adapter, {})[side] = tensor
        elif is_change(name):
            raise _not_added(name, "is more than a change of a linear layer")
        elif (plain := layer_name(name)) is not None:
            layers[plain] = tensor
    paths = {layer: _config_of(layer, configs) for layer in factors}
    adapters = {path: _Adapter.read(path) for path in set(paths.values())}
    for layer, sides in factors.items():
        if len(sides) > 1:
            raise _not_added(f"{layer}.lora_A", f"is one of {len(sides)} for the same layer")
        (pair,) = sides.values()
        layers[f"{layer}.weight"] = _added(layers, layer, pair, adapters[paths[layer]])
    return layers


def _config_of(layer: str, configs: Mapping[str, Path]) -> Path:
    prefixes = [prefix for prefix in configs if layer.startswith(prefix)]
    if not prefixes:
        raise _not_added(
            f"{layer}.lora_A",
            f"has no {ADAPTER_CONFIG}, which says how much it counts, beside the weights or in "
            "the directory that the configuration names as the base model",
        )
    return configs[max(prefixes, key=len)]


def _added(
    layers: State, layer: str, pair: Mapping[str, torch.Tensor], adapter: _Adapter
) -> torch.Tensor:
    base = layers.get(f"{layer}.weight")
    if base is None or set(pair) != {"A", "B"}:
        raise _not_added(f"{layer}.lora_{min(pair)}", "has no layer, or no second factor")
    shapes = [tuple(tensor.shape) for tensor in (base, pair["A"], pair["B"])]
    if all(len(shape) == 2 for shape in shapes) and shapes[1][0] == shapes[2][1] > 0:
        change = adapter.change(pair["A"], pair["B"])
        if change.shape == base.shape:
            return base.float() + change
    raise _not_added(
        f"{layer}.lora_A", f"does not fit its layer: the shapes are {', '.join(map(str, shapes))}"
    )


def _not_added(name: str, problem: str) -> CheckpointError:
    return CheckpointError(
        f"The weights of this checkpoint hold an adapter beside its layers, of which {name} "
        f"{problem}; merge it (merge_and_unload of peft) and save the checkpoint again."
    )
