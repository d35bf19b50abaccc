import torch

from onepass.training.working import Working


def test_a_copy_hands_over_gradients_and_what_its_normalizations_saw():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).train()
    working = Working(network, "bf16")
    working.load()
    working.network(torch.randn(8, 3, dtype=torch.bfloat16)).float().square().sum().backward()
    working.hand_over()
    assert network[0].weight.grad.dtype == torch.float32
    norm = network[1]
    assert norm.running_mean.abs().sum() > 0
    assert torch.equal(norm.running_mean, working.network[1].running_mean.float())
    assert int(norm.num_batches_tracked) == 1


def test_without_a_copy_there_is_nothing_to_hand_over():
    network = torch.nn.Linear(3, 4)
    working = Working(network, "fp32")
    assert working.network is network
