"""Adjacency layers against those of gliner."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gliner.modeling.multitask.relations_layers import RelationsRepLayer
from tests.nn.tracing import traced

from onepass.errors import CheckpointError
from onepass.models.gliner.config import ADJACENCIES
from onepass.nn.adjacency import Adjacency
from onepass.nn.keymap import to_ours, to_theirs

HIDDEN = 24
KINDS = [kind for kind in ADJACENCIES if kind != "none"]
COUNTS = torch.tensor([6, 1, 4])
PREFIX = "relation_rep_layer."


def layers(kind: str) -> tuple[RelationsRepLayer, Adjacency]:
    """Return the reference's layer and ours with its weights."""
    torch.manual_seed(0)
    theirs = RelationsRepLayer(HIDDEN, kind).eval()
    for parameter in theirs.parameters():  # zero biases would hide mistakes
        parameter.data += 0.1 * torch.randn_like(parameter)
    ours = Adjacency(kind, HIDDEN).eval()
    state = {name.removeprefix(PREFIX): t for name, t in theirs.state_dict().items()}
    ours.load_state_dict(to_ours(state, ours.keys()))
    return theirs, ours


def vectors(batch: int = 3, spans: int = 6) -> torch.Tensor:
    return 0.4 * torch.randn(batch, spans, HIDDEN, generator=torch.Generator().manual_seed(1))


def mask_of(states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (torch.arange(states.shape[1]) < counts[:, None]).long()


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_equals_the_reference(kind: str) -> None:
    theirs, ours = layers(kind)
    states = vectors()
    expected = theirs(states, mask_of(states, COUNTS))
    torch.testing.assert_close(ours(states, COUNTS), expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.01  # something was compared


@pytest.mark.parametrize("kind", KINDS)
def test_names_go_both_ways(kind: str) -> None:
    theirs, ours = layers(kind)
    back = to_theirs(ours.state_dict(), ours.keys())
    assert {PREFIX + name for name in back} == set(theirs.state_dict())
    for name, tensor in back.items():
        assert torch.equal(tensor, theirs.state_dict()[PREFIX + name])


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_padding_changes_nothing(kind: str) -> None:
    _, ours = layers(kind)
    states = vectors()
    together = ours(states, COUNTS)
    for row, count in enumerate(COUNTS.tolist()):
        alone = ours(states[row : row + 1, :count], COUNTS[row : row + 1])
        torch.testing.assert_close(alone[0], together[row, :count, :count], atol=1e-6, rtol=0)
        assert together[row, count:].abs().sum() == 0
        assert together[row, :, count:].abs().sum() == 0


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_order_changes_nothing_but_the_order(kind: str) -> None:
    _, ours = layers(kind)
    states, order = vectors(1), torch.tensor([3, 0, 5, 1, 4, 2])
    found = ours(states, COUNTS[:1])[:, order][:, :, order]
    torch.testing.assert_close(ours(states[:, order], COUNTS[:1]), found, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_logits_are_the_log_odds(kind: str) -> None:
    _, ours = layers(kind)
    states = vectors()
    real = mask_of(states, COUNTS).bool()
    pairs = real[:, :, None] & real[:, None]
    found = torch.sigmoid(ours.logits(states, COUNTS))[pairs]
    torch.testing.assert_close(found, ours(states, COUNTS)[pairs], atol=2e-6, rtol=0)


@torch.no_grad()
def test_a_text_without_spans_is_nan_in_the_reference_and_zero_here() -> None:
    theirs, ours = layers("attention")
    states, counts = vectors(2), torch.tensor([4, 0])
    assert theirs(states, mask_of(states, counts))[1].isnan().any()
    assert (ours(states, counts)[1] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_without_spans_gives_no_nan_gradient(kind: str) -> None:
    _, ours = layers(kind)
    states, counts = vectors(2).requires_grad_(), torch.tensor([4, 0])
    ours(states, counts).sum().backward()
    assert states.grad is not None
    assert states.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_exported_graph_equals_torch(kind: str, tmp_path: Path) -> None:
    _, ours = layers(kind)
    axes = {
        "states": ("batch", "spans", "hidden"),
        "counts": ("batch",),
        "out": ("batch", "spans", "tails"),
    }
    inputs = {"states": vectors(2, 5), "counts": torch.tensor([5, 3])}
    run = traced(ours, inputs, axes, tmp_path / "adjacency.onnx")
    for batch, spans in ((1, 1), (3, 7), (2, 40)):
        states = vectors(batch, spans)
        counts = torch.arange(spans, spans - batch, -1).clamp(min=0)
        expected = ours(states, counts)
        torch.testing.assert_close(run(states, counts), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("kind", "hidden", "message"),
    [("none", 8, "relations_layer 'none'"), ("gat", 12, "hidden_size 12")],
)
def test_what_cannot_be_built_is_refused(kind: str, hidden: int, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Adjacency(kind, hidden)
