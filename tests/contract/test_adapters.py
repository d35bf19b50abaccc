"""An adapter of a checkpoint of any family opens as the checkpoint with its layers changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from onepass.hub import locate
from onepass.models.inspect import inspect_checkpoint
from onepass.models.registry import FAMILIES, load_network, read_model
from tests.every_family import MAKE


@pytest.mark.parametrize("family", MAKE)
def test_changes_are_added_to_the_layer_that_they_are_of(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    base, mine = tmp_path / "base", tmp_path / "mine"
    MAKE[family](base)
    mine.mkdir()
    weights = load_file(base / "model.safetensors")
    layer = next(name for name in weights if name.endswith(("query.weight", "query_proj.weight")))
    down, up = torch.ones(2, weights[layer].shape[1]), torch.ones(weights[layer].shape[0], 2)
    changed = f"base_model.model.{layer.removesuffix('.weight')}"
    factors = {f"{changed}.lora_A.weight": down, f"{changed}.lora_B.weight": up}
    save_file(factors, mine / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "lora_alpha": 6, "base_model_name_or_path": str(base)}
    (mine / "adapter_config.json").write_text(json.dumps(settings))
    adapted = read_model(locate(mine))
    inspected = inspect_checkpoint(locate(mine))
    assert inspected.problems == ()
    assert inspected.parameters == inspect_checkpoint(locate(base)).parameters
    found = load_network(adapted.family, adapted.directory).state_dict()

    save_file(weights | {layer: weights[layer] + 3 * up @ down}, base / "model.safetensors")
    expected = load_network(FAMILIES[family], read_model(locate(base)).directory).state_dict()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor)
