"""Steps along orthogonal matrices, beside AdamW for what is no matrix of a layer."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.muon import Muon, matrices, orthogonal
from onepass.training.updating import Updates


def test_low_rank_changes_stay_with_adamw_whatever_their_rank():
    layer = nn.Linear(64, 80)
    layer.lora_A = nn.ModuleDict({"default": nn.Linear(64, 64, bias=False)})
    assert matrices(layer) == [layer.weight]


@pytest.mark.parametrize("shape", [(64, 200), (200, 64)])
def test_singular_values_become_about_one(shape):
    torch.manual_seed(0)
    found = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert found.min() > 0.6
    assert found.max() < 1.3


def test_directions_stay():
    torch.manual_seed(0)
    matrix = torch.randn(64, 80)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    nearest = (left @ right).flatten()
    assert torch.cosine_similarity(orthogonal(matrix).flatten(), nearest, dim=0) > 0.97


def test_a_step_is_the_one_of_torch():
    """In torch's own optimizer, but for its numbers of eight bits."""
    ours, theirs = (nn.Parameter(torch.zeros(64, 96)) for _ in range(2))
    group = {"params": [ours], "lr": 0.1, "weight_decay": 0.01}
    torch.manual_seed(0)
    mine = Muon([group])
    other = torch.optim.Muon(
        [theirs], lr=0.1, weight_decay=0.01, adjust_lr_fn="match_rms_adamw", momentum=0.95
    )
    for _ in range(3):
        ours.grad = torch.randn(64, 96)
        theirs.grad = ours.grad.clone()
        mine.step()
        other.step()
    np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=0.02 * ours.abs().max().item())


def test_stacked_layers_are_stepped_one_by_one():
    torch.manual_seed(0)
    gradient = torch.randn(3 * 64, 64)
    stacked = nn.Parameter(torch.zeros(3 * 64, 64))
    parts = [nn.Parameter(torch.zeros(64, 64)) for _ in range(3)]
    stacked.grad = gradient
    for part, own in zip(parts, gradient.split(64), strict=True):
        part.grad = own.clone()
    Muon([{"params": [stacked, *parts], "lr": 1.0, "weight_decay": 0.0}]).step()
    torch.testing.assert_close(stacked.detach(), torch.cat([part.detach() for part in parts]))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Embedding(70, 64)
        self.inner = nn.Linear(64, 64)
        self.out = nn.Linear(64, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.out(self.inner(self.rows(ids)).tanh())


def made(optimizer: str) -> tuple[Words, Updates]:
    torch.manual_seed(0)
    network = Words()
    names, params = zip(*network.named_parameters(), strict=True)
    groups = [{"params": list(params), "names": list(names), "lr": 0.01, "weight_decay": 0.0}]
    how = {"betas": (0.9, 0.98), "clip": 1.0, "precision": "fp32"}
    return network, Updates(network, groups, optimizer=optimizer, **how)


def step(network: Words, updates: Updates) -> float:
    network.zero_grad()
    loss = nn.functional.cross_entropy(network(torch.arange(70)), torch.arange(70) % 2)
    updates.scaled(loss).backward()
    updates.step(1.0)
    return loss.item()


def test_rows_outputs_and_biases_are_left_to_adamw():
    network, updates = made("muon")
    assert matrices(network) == [network.inner.weight]
    state = updates.state_dict()
    assert state["muon"]["param_groups"][0]["names"] == ["inner.weight"]
    others = {name for name, _ in network.named_parameters()} - {"inner.weight"}
    assert set(state["adamw"]["param_groups"][0]["names"]) == others
    before = {name: one.detach().clone() for name, one in network.named_parameters()}
    losses = [step(network, updates) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert all(not torch.equal(one, before[name]) for name, one in network.named_parameters())


def test_a_resumed_state_goes_on_to_the_same_weights():
    network, updates = made("muon")
    for _ in range(3):
        step(network, updates)
    again, resumed = made("muon")
    again.load_state_dict(network.state_dict())
    resumed.load_state_dict(deepcopy(updates.state_dict()))
    step(network, updates)
    step(again, resumed)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_name_is_refused():
    with pytest.raises(InputError, match="'optimizer' must be one of adamw, muon, but 'sgd'"):
        TrainConfig("start", ("data.jsonl",), "run", optimizer="sgd")
