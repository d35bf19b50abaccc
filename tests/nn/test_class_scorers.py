"""Scorers against formulas that join, expand and copy, one text and one label at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.nn.tracing import traced
from torch.nn import functional

from onepass.nn.class_scorers import (
    ClassScorer,
    CrossAttentionScorer,
    DotScorer,
    HopfieldScorer,
    MlpScorer,
    WeightedDotScorer,
)

HIDDEN = 8
SCORERS: dict[str, Callable[[], ClassScorer]] = {
    "dot": DotScorer,
    "weighted-dot": lambda: WeightedDotScorer(HIDDEN),
    "mlp": lambda: MlpScorer(HIDDEN),
    "hopfield": lambda: HopfieldScorer(HIDDEN),
    "cross-attn": lambda: CrossAttentionScorer(HIDDEN, 2, 12, 0.5),
}
Weights = dict[str, torch.Tensor]  # by published names
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def layer(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def layers(
    weights: Weights, names: tuple[str, ...], x: torch.Tensor, activation: Callable = torch.relu
) -> torch.Tensor:
    for name in names[:-1]:
        x = activation(layer(weights, name, x))
    return layer(weights, names[-1], x)


def norm(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(x, (HIDDEN,), weights[f"{name}.weight"], weights[f"{name}.bias"])


def dot(weights: Weights, text: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    return [text @ label for label in labels]


def weighted_dot(weights: Weights, text: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    t1, t2 = layer(weights, "proj_text", text).chunk(2)
    pairs = [layer(weights, "proj_label", label).chunk(2) for label in labels]
    names = ("out_mlp.0", "out_mlp.3")
    return [layers(weights, names, torch.cat([t1, c1, t2 * c2])) for c1, c2 in pairs]


def mlp(weights: Weights, text: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    names = ("mlp.0", "mlp.2", "mlp.4")
    return [layers(weights, names, torch.cat([text, label])) for label in labels]


def hopfield(weights: Weights, text: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    key, value = layer(weights, "k_proj", text), layer(weights, "v_proj", text)
    fit = torch.stack([4 * layer(weights, "q_proj", label) @ key for label in labels])
    names = ("mlp.0", "mlp.2", "mlp.4")
    return [
        layers(weights, names, label + share * value)
        for label, share in zip(labels, fit.softmax(0), strict=True)
    ]


def cross_attention(
    weights: Weights, text: torch.Tensor, labels: torch.Tensor
) -> list[torch.Tensor]:
    keys = layer(weights, "k", norm(weights, "kv_norm", text)).chunk(2, dim=1)
    values = layer(weights, "v", text).chunk(2, dim=1)
    names = ("score_mlp.0", "score_mlp.2", "score_mlp.4")
    scores = []
    for label in labels:
        queries = layer(weights, "q", norm(weights, "q_norm", label)).chunk(2)
        seen = [
            ((key @ query) / (HIDDEN / 2) ** 0.5).softmax(0) @ value
            for query, key, value in zip(queries, keys, values, strict=True)
        ]
        context = norm(weights, "norm", layer(weights, "out", torch.cat(seen)))
        both = torch.cat([context, label])
        scores.append(layers(weights, names, both, functional.gelu))
    return scores


PLAIN = {
    "dot": dot, "weighted-dot": weighted_dot, "mlp": mlp, "hopfield": hopfield,
    "cross-attn": cross_attention,
}  # fmt: skip


def made(name: str) -> tuple[ClassScorer, Weights]:
    """Return a scorer of random weights far from nothing, and its weights by published names."""
    torch.manual_seed(0)
    scorer = SCORERS[name]()
    with torch.no_grad():
        for weight in scorer.parameters():
            weight.copy_(torch.randn_like(weight) * (0.3 if weight.ndim > 1 else 0.5))
    own, entries = scorer.state_dict(), scorer.keys()
    table = {entry.theirs: own[entry.ours] for entry in entries}
    assert len(table) == len(own)
    return scorer.eval(), table


def inputs(name: str, batch: int = 3, pieces: int = 5, labels: int = 4) -> Inputs:
    torch.manual_seed(1)
    text = torch.randn(batch, *([pieces] if name == "cross-attn" else []), HIDDEN)
    text_mask = (torch.arange(pieces) < torch.tensor([pieces, 2, 1])[:batch, None]).long()
    label_mask = (torch.arange(labels) < torch.tensor([2, labels, 1])[:batch, None]).long()
    return text, torch.randn(batch, labels, HIDDEN), text_mask, label_mask


@pytest.mark.parametrize("name", SCORERS)
@torch.no_grad()
def test_plain_formula(name: str) -> None:
    scorer, weights = made(name)
    text, labels, text_mask, label_mask = inputs(name)
    got = scorer(text, labels, text_mask, label_mask)
    assert got.shape == (3, 4)
    for row in range(3):
        count = int(label_mask[row].sum())
        own = text[row, : int(text_mask[row].sum())] if name == "cross-attn" else text[row]
        expected = torch.stack(PLAIN[name](weights, own, labels[row, :count])).reshape(count)
        assert expected.std(correction=0) > 0.05 or count == 1
        torch.testing.assert_close(got[row, :count], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SCORERS)
@torch.no_grad()
def test_padding_counts_for_nothing(name: str) -> None:
    scorer, _ = made(name)
    text, labels, text_mask, label_mask = inputs(name)
    before = scorer(text, labels, text_mask, label_mask)
    labels[label_mask == 0] = 50.0
    if name == "cross-attn":
        text[text_mask == 0] = 50.0
    after = scorer(text, labels, text_mask, label_mask)
    real = label_mask.bool()
    torch.testing.assert_close(after[real], before[real], atol=0, rtol=0)


@pytest.mark.parametrize("name", SCORERS)
def test_every_weight_learns(name: str) -> None:
    scorer, _ = made(name)
    scorer.train()
    logits = scorer(*inputs(name))
    assert torch.isfinite(logits).all()
    if name == "dot":
        return
    logits.square().sum().backward()
    without = [n for n, p in scorer.named_parameters() if p.grad is None or not p.grad.any()]
    assert without in ([], ["k.bias"])  # a shift of all keys changes no softmax


@pytest.mark.parametrize("name", SCORERS)
@torch.no_grad()
def test_exported(name: str, tmp_path: Path) -> None:
    scorer, _ = made(name)
    names = ("text", "labels", "text_mask", "label_mask")
    sample = dict(zip(names, inputs(name, batch=2, pieces=6, labels=9), strict=True))
    axes = {
        "text": ("batch", "pieces", "hidden") if name == "cross-attn" else ("batch", "hidden"),
        "labels": ("batch", "labels", "hidden"), "text_mask": ("batch", "pieces"),
        "label_mask": ("batch", "labels"), "out": ("batch", "labels"),
    }  # fmt: skip
    run = traced(scorer, sample, axes, tmp_path / "scorer.onnx")
    for sizes in ({}, {"pieces": 40, "labels": 30}, {"batch": 1, "pieces": 1, "labels": 1}):
        given = inputs(name, **sizes)
        real = given[3].bool()
        torch.testing.assert_close(run(*given)[real], scorer(*given)[real], atol=1e-5, rtol=1e-5)
