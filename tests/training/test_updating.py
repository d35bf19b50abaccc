"""Steps of the optimizer, scaled and not."""

import shutil
from pathlib import Path

import pytest
import torch
from tests.training.test_stopping import Toy, equal, options, weights

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.hardware import choose_precision
from onepass.training.loop import train
from onepass.training.run import train_from_config
from onepass.training.updating import Updates
from onepass.training.working import Working


def make(precision: str) -> tuple[torch.nn.Module, Updates]:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    groups = [{"params": list(network.parameters()), "lr": 0.1, "weight_decay": 0.0}]
    return network, Updates(network, groups, betas=(0.9, 0.98), clip=1.0, precision=precision)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_losses_are_scaled_in_fp16_alone(precision):
    _, updates = make(precision)
    assert updates.scale == 1.0
    assert updates.scaled(torch.tensor(2.0)) == 2.0
    assert "scaler" not in updates.state_dict()
    _, updates = make("fp16")
    assert updates.scale > 1.0
    assert updates.scaled(torch.tensor(2.0)) == 2.0 * updates.scale


def test_a_scaled_step_is_the_step():
    found = []
    for precision in ("fp32", "fp16"):
        network, updates = make(precision)
        for _ in range(3):
            network.zero_grad()
            loss = network(torch.ones(1, 3)).square().sum() * 1e-2
            updates.scaled(loss).backward()
            updates.step(0.5)
        found.append(network.weight.detach())
    assert torch.allclose(*found, atol=1e-6)


def test_a_step_that_overflowed_is_left_out_and_the_scale_falls():
    network, updates = make("fp16")
    before, scale = network.weight.detach().clone(), updates.scale
    updates.scaled(network(torch.full((1, 3), 1e38)).sum()).backward()
    updates.step(1.0)
    assert torch.equal(network.weight, before)
    assert updates.scale == scale / 2
    again = make("fp16")[1]
    again.load_state_dict(updates.state_dict())
    assert again.scale == scale / 2


def test_of_two_optimizers_neither_steps_where_a_gradient_overflowed():
    torch.manual_seed(0)
    network = torch.nn.Linear(64, 80)
    group = {"params": list(network.parameters()), "lr": 0.1, "weight_decay": 0.1}
    updates = Updates(
        network, [group], optimizer="muon", betas=(0.9, 0.98), clip=1.0, precision="fp16"
    )
    before = [one.detach().clone() for one in network.parameters()]
    updates.scaled(network(torch.ones(1, 64)).sum()).backward()
    network.bias.grad[0] = float("inf")  # which AdamW alone would see
    updates.step(1.0)
    assert all(map(torch.equal, before, network.parameters()))


def test_a_state_of_another_precision_is_read():
    for first, second in (("fp16", "fp32"), ("fp32", "fp16")):
        network, updates = make(first)
        updates.scaled(network(torch.ones(1, 3)).sum()).backward()
        updates.step(1.0)
        _, again = make(second)
        again.load_state_dict(updates.state_dict())
        taken, given = again.state_dict()["state"], updates.state_dict()["state"]
        assert [one["step"] for one in taken.values()] == [1, 1]
        for number, one in taken.items():
            assert torch.equal(one["exp_avg"], given[number]["exp_avg"])


def test_a_working_copy_is_in_half_precision():
    network = torch.nn.Linear(3, 2)
    working = Working(network, "fp16")
    working.load()
    working.network(torch.ones(1, 3, dtype=torch.float16)).sum().backward()
    working.hand_over()
    assert working.network.weight.dtype == torch.float16
    assert network.weight.grad is not None
    assert network.weight.grad.dtype == torch.float32


class HalfToy(Toy):
    """The toy task, computed in the precision of its network."""

    def loss(self, network, batch):
        right = batch.sum(1, keepdim=True).sign()
        loss = (network(batch.to(network.weight.dtype)).float() - right).square().mean()
        return loss, {"loss": float(loss.detach())}


def test_a_run_in_fp16_learns_and_is_resumed_to_the_same_numbers(tmp_path):
    first, last = [], []
    task = HalfToy()
    whole = task.loss

    def loss(network, batch):
        assert network.weight.dtype == torch.float16
        found = whole(network, batch)
        (first if len(first) < 5 else last).append(found[1]["loss"])
        return found

    task.loss = loss
    train(task, options(precision="fp16", keep=9), tmp_path / "whole")
    assert sum(last[-5:]) < 0.7 * sum(first)
    assert weights(tmp_path / "whole" / "final")["weight"].dtype == torch.float32
    shutil.copytree(tmp_path / "whole" / "step-8", tmp_path / "half" / "step-8")
    train(HalfToy(), options(precision="fp16"), tmp_path / "half", resume=True)
    assert equal(tmp_path / "whole" / "final", tmp_path / "half" / "final")


def test_fp16_is_for_gpus(tmp_path: Path, checkpoint: Path):
    assert choose_precision("fp16", "cuda") == "fp16"
    given = {"model": str(checkpoint), "data": "data.jsonl", "output": str(tmp_path / "run")}
    config = TrainConfig.from_dict(given | {"precision": "fp16", "device": "cpu"})
    with pytest.raises(InputError, match=r"fp16 is for GPUs, but .* on the CPU; use bf16 or fp32"):
        train_from_config(config)


def test_fp16_is_not_for_rewards():
    given = {"model": "start", "data": "data.jsonl", "output": "run", "precision": "fp16"}
    with pytest.raises(InputError, match="'rl' has no 'precision' fp16; give bf16, fp32 or auto"):
        TrainConfig.from_dict(given | {"rl": {"rewards": {"f1": 1.0}}})
