"""LoRA: what is trained, what is saved, and what is refused."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint
from torch import nn
from transformers.pytorch_utils import Conv1D

from onepass import Extractor
from onepass.errors import InputError
from onepass.training.adapters import adapt, merged
from onepass.training.config import TrainConfig
from onepass.training.lora import LoraOptions
from onepass.training.run import train_from_config

ROWS = [
    {"input": "Tim Cook runs.", "output": {"entities": {"person": ["Tim Cook"], "place": []}}},
    {"input": "Paris is red.", "output": {"entities": {"person": [], "place": ["Paris"]}}},
]
PARTS = {"text_encoder": "encoder."}


class Net(nn.Module):
    """Two layers of an encoder and a head whose weight is used in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"qkv": nn.Linear(4, 12), "up": nn.Linear(4, 8)})
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder["up"](x) @ self.head.weight.t() + self.encoder["qkv"](x)[..., :2]


def trainable(network: nn.Module) -> set[str]:
    return {name for name, p in network.named_parameters() if p.requires_grad}


def test_without_targets_all_layers_of_the_encoder_are_adapted_and_the_head_is_trained():
    network = Net()
    assert adapt(network, LoraOptions(rank=2), PARTS) == ["encoder.qkv", "encoder.up"]
    names = trainable(network)
    assert {"head.weight", "head.bias"} < names
    assert all("lora_" in name for name in names if not name.startswith("head."))
    assert len(names) == 2 + 4


def test_published_names_of_projections_are_understood():
    assert adapt(Net(), LoraOptions(targets=("query_proj",)), PARTS) == ["encoder.qkv"]
    assert adapt(Net(), LoraOptions(targets=("u?",), heads="frozen"), PARTS) == ["encoder.up"]


def test_frozen_heads_stay():
    network = Net()
    adapt(network, LoraOptions(heads="frozen"), PARTS)
    assert not any(name.startswith("head.") for name in trainable(network))


def test_a_start_changes_nothing_and_a_merged_network_says_what_the_adapted_one_says():
    torch.manual_seed(0)
    network, x = Net(), torch.randn(3, 4)
    before = network(x)
    adapted = adapt(network, LoraOptions(rank=2, alpha=8), PARTS)
    assert torch.equal(network(x), before)
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter)
    changed = network(x)
    assert not torch.allclose(changed, before)
    with merged(network, adapted):
        assert {type(module) for module in network.encoder.values()} == {nn.Linear}
        torch.testing.assert_close(network(x), changed)
    assert "lora_A" in dict(network.encoder["up"].named_children())


def test_layers_of_gpt2_hold_their_weights_the_other_way_round():
    torch.manual_seed(0)
    network, x = nn.Sequential(Conv1D(6, 4), Conv1D(6, 6), nn.Linear(6, 2)), torch.randn(3, 4)
    adapted = adapt(network, LoraOptions(rank=2), {"text_encoder": ""})
    assert adapted == ["0", "1", "2"]
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.3)
    changed = network(x)
    with merged(network, adapted):
        assert [type(module) for module in network] == [Conv1D, Conv1D, nn.Linear]
        torch.testing.assert_close(network(x), changed, rtol=1e-5, atol=1e-5)
    assert network.get_submodule("0").weight.shape == (4, 6)


def test_a_layer_whose_weight_is_used_in_parts_has_the_change_in_its_weight():
    torch.manual_seed(0)
    network, x = Net(), torch.randn(3, 4)
    adapted = adapt(network, LoraOptions(heads="adapt", targets=("head",)), PARTS)
    change = network.get_parameter("head.lora_B.onepass.weight")
    nn.init.normal_(change)
    changed = network(x)
    with merged(network, adapted):
        torch.testing.assert_close(network(x), changed)
    changed.sum().backward()
    assert change.grad is not None
    assert bool(change.grad.abs().sum() > 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rank": 0}, "'lora.rank' must be a whole number from 1, but 0 was given"),
        ({"alpha": -1}, "'lora.alpha' must be a number above 0"),
        ({"alpha": True}, "'lora.alpha' must be a number above 0"),
        ({"dropout": 1}, "'lora.dropout' must be a number from 0 to below 1"),
        ({"heads": "some"}, "'lora.heads' must be one of full, adapt, frozen"),
        ({"targets": [3]}, "'lora.targets' must be a list of names of layers"),
        ({"targets": 5}, "'lora.targets' must be a list of names of layers, but 5 was"),
        ({"targets": None}, "'lora.targets' must be a list of names of layers"),
        ({"ranks": 3}, "'lora' has no key 'ranks'; its keys are rank"),
        ("16", "'lora' must be an object"),
    ],
)
def test_wrong_options_are_told_in_one_sentence(given, message):
    with pytest.raises(InputError, match=message):
        LoraOptions.from_dict(given)


def test_targets_that_no_layer_has_are_refused():
    with pytest.raises(InputError, match=r"No linear layer .* fits lora.targets \['wq'\]"):
        adapt(Net(), LoraOptions(targets=("wq",)), PARTS)


def test_without_linear_layers_nothing_can_be_adapted():
    network = nn.ModuleDict({"encoder": nn.Embedding(3, 4), "head": nn.Linear(4, 2)})
    with pytest.raises(InputError, match=r"have no linear layer that 'lora' can adapt; leave it"):
        adapt(network, LoraOptions(), PARTS)


def test_a_run_trains_saves_whole_weights_and_resumes(tmp_path, write):
    start = make_tiny_checkpoint(tmp_path / "start", backbone="deberta-v2")
    data = write("data.jsonl", *ROWS)

    def run(output: str, **given):
        config = {
            "model": str(start), "data": str(data), "output": str(tmp_path / output), "steps": 6,
            "precision": "fp32", "device": "cpu", "held_out": 0, "score_every": 3,
            "encoder_rate": 1e-2, "head_rate": 1e-2,
            "lora": {"rank": 1, "targets": ["query_proj", "dense"]},
        }  # fmt: skip
        asked = TrainConfig.from_dict(config | given)
        assert TrainConfig.from_dict(asked.to_dict()) == asked
        return train_from_config(asked)

    run("whole")
    (tmp_path / "part").mkdir()
    (tmp_path / "whole" / "step-3").rename(tmp_path / "part" / "step-3")
    other = {"rank": 1, "targets": ["query_proj", "dense"], "alpha": 2}
    with pytest.raises(
        InputError, match=r"begun with lora.alpha 32, but 2 was given: its low-rank"
    ):
        run("part", resume=True, lora=other)
    run("part", resume=True)
    before = load_file(start / "model.safetensors")
    whole, part = (load_file(tmp_path / n / "final/model.safetensors") for n in ("whole", "part"))
    assert set(whole) == set(before)  # the published layout, nothing of the adapters
    assert all(torch.equal(whole[name], part[name]) for name in whole)
    changed = {name for name in whole if not torch.equal(whole[name], before[name])}
    encoder = {name for name in changed if name.startswith("encoder.")}
    assert encoder
    for name in encoder:  # of rank one in each of the layers that were one in ours
        change = whole[name] - before[name]
        assert torch.linalg.matrix_rank(change, atol=1e-5) <= 1, name
    assert not any("norm" in name.lower() or "embeddings" in name for name in encoder)
    assert changed - encoder  # the heads were trained whole
    Extractor.from_pretrained(tmp_path / "whole/final", backend="torch").entities("Tim", ["person"])
