"""LoRA added to layers: the sums are those of peft, and what would not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from onepass.errors import CheckpointError
from onepass.nn.adapters import merged

peft = pytest.importorskip("peft")

PLAIN: dict[str, Any] = {"peft_type": "LORA", "lora_alpha": 8, "r": 2}
A, B = "x.lora_A.default.weight", "x.lora_B.default.weight"


def written(directory: Path, **options: Any) -> dict[str, Path]:
    path = directory / "adapter_config.json"
    path.write_text(json.dumps(PLAIN | options))
    return {"": path}


def state(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    factors = {A: torch.ones(2, 3), B: torch.ones(4, 2)}
    return {"x.base_layer.weight": torch.zeros(4, 3)} | factors | more


class Two(nn.Module):
    """Two layers with a bias each, and a third that is trained whole."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.head = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.last(torch.tanh(self.first(x))))
        return out


@pytest.mark.parametrize("beside", [False, True], ids=["among the weights", "in a file"])
@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"bias": "lora_only"}], ids=str)
def test_sums_are_those_of_peft(tmp_path: Path, options: dict[str, Any], beside: bool) -> None:
    torch.manual_seed(0)
    plain = Two().state_dict()
    network = Two()
    network.load_state_dict(plain)
    config = peft.LoraConfig(
        r=3, lora_alpha=7, target_modules=["first", "last"], rank_pattern={"last": 2},
        modules_to_save=["head"], **options,
    )  # fmt: skip
    adapted = peft.get_peft_model(network, config).eval()
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.normal_()
    adapted.save_pretrained(str(tmp_path))
    own = peft.get_peft_model_state_dict(adapted)
    found = plain | own if beside else adapted.state_dict()
    ours = Two()
    ours.load_state_dict(merged(found, {"": tmp_path / "adapter_config.json"}))
    x = torch.randn(9, 6)
    torch.testing.assert_close(ours(x), adapted(x))
    assert not torch.allclose(ours.first.weight, plain["first.weight"])


def test_changes_of_turned_layers_are_turned(tmp_path: Path) -> None:
    turned = state() | {"x.base_layer.weight": torch.zeros(3, 4)}
    found = merged(turned, written(tmp_path, fan_in_fan_out=True))
    torch.testing.assert_close(found["x.weight"], torch.full((3, 4), 8.0))


def test_half_precision_is_added_up_in_fp32(tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in state().items()}
    assert merged(half, written(tmp_path))["x.weight"].dtype == torch.float32


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"x.lora_magnitude_vector.default.weight": torch.ones(4)},
            "lora_magnitude_vector.default.weight is more",
        ),
        ({"x.lora_B.default.bias": torch.ones(4)}, "lora_B.default.bias is more than"),
        ({"x.lora_A.other.weight": torch.ones(2, 3)}, "one of 2 for the same layer"),
        ({"y.lora_A.default.weight": torch.ones(2, 3)}, "y.lora_A has no layer"),
        ({B: torch.ones(3, 2)}, r"the shapes are \(4, 3\), \(2, 3\), \(3, 2\)"),
        ({A: torch.ones(0, 3), B: torch.ones(4, 0)}, "does not fit its layer"),
    ],
)
def test_what_cannot_be_added_is_named(
    tmp_path: Path, more: dict[str, torch.Tensor], said: str
) -> None:
    with pytest.raises(CheckpointError, match=f"{said}.*merge_and_unload"):
        merged(state(**more), written(tmp_path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"use_dora": True}, "sets use_dora, which"),
        ({"alpha_pattern": {"x": 3}, "use_bdlora": {"a": 1}}, "sets alpha_pattern, use_bdlora"),
        ({"init_lora_weights": "pissa"}, "sets init_lora_weights"),
        ({"peft_type": "IA3"}, "peft_type 'IA3' .* LORA"),
        ({"lora_alpha": None}, "lora_alpha .* must be a number"),
    ],
)
def test_settings_that_mean_more_are_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(CheckpointError, match=said):
        merged(state(), written(tmp_path, **options))


def test_settings_are_needed() -> None:
    with pytest.raises(CheckpointError, match=r"x\.lora_A has no adapter_config.json"):
        merged(state(), {"other.": Path("nowhere")})
