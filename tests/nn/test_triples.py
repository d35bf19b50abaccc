"""Triple scorers against those of gliner."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gliner.modeling.multitask.triples_layers import TriplesScoreLayer
from tests.nn.tracing import traced

from onepass.errors import CheckpointError
from onepass.models.gliner.config import TRIPLES
from onepass.nn.keymap import to_ours, to_theirs
from onepass.nn.triples import TripleScorer, build_triples

HIDDEN = 20  # cut into quarters, and not a power of two
PREFIX = "interaction."
DISTANCES = ("UM", "SE", "TransE", "TransH", "TransF", "PairRE")


def scorers(kind: str, hidden: int = HIDDEN) -> tuple[TriplesScoreLayer, TripleScorer]:
    """Return the reference's scorer and ours with its weights."""
    torch.manual_seed(0)
    theirs = TriplesScoreLayer(kind, hidden).eval()
    for name, tensor in theirs.state_dict().items():  # fresh biases and statistics hide mistakes
        if tensor.is_floating_point():
            tensor += 0.1 * (torch.rand_like(tensor) if "var" in name else torch.randn_like(tensor))
    ours = build_triples(kind, hidden).eval()
    state = {name.removeprefix(PREFIX): t for name, t in theirs.state_dict().items()}
    missing = ours.load_state_dict(to_ours(state, ours.keys()))
    assert not missing.missing_keys
    return theirs, ours


def vectors(
    pairs: int = 7, labels: int = 3, hidden: int = HIDDEN
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = ((pairs, hidden), (pairs, labels, hidden), (pairs, hidden))
    heads, relations, tails = (0.25 * torch.randn(size, generator=generator) for size in sizes)
    return heads, relations, tails


def as_the_reference_does(
    layer: TriplesScoreLayer, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
) -> torch.Tensor:
    """Return (pairs, labels), every triple in a row of its own."""
    pairs, labels, hidden = relations.shape
    h, t = (x[:, None].expand(-1, labels, -1).reshape(-1, hidden) for x in (heads, tails))
    return layer(h, relations.reshape(-1, hidden), t).view(pairs, labels)


def one_by_one(
    layer: TriplesScoreLayer, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
) -> torch.Tensor:
    """Return (pairs, labels), every triple in a call of its own."""
    rows = [
        [layer(h[None], r[None], t[None])[0] for r in several]
        for h, several, t in zip(heads, relations, tails, strict=True)
    ]
    return torch.tensor(rows)


@torch.no_grad()
def test_tucker_of_the_reference_mixes_triples_and_ours_scores_each_by_itself() -> None:
    theirs, ours = scorers("TuckER")
    given = vectors()
    expected = one_by_one(theirs, *given)
    assert (as_the_reference_does(theirs, *given) - expected).abs().max() > 0.01
    torch.testing.assert_close(ours(*given), expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.01


@pytest.mark.parametrize("kind", [kind for kind in TRIPLES if kind != "TuckER"])
@torch.no_grad()
def test_equals_the_reference(kind: str) -> None:
    theirs, ours = scorers(kind)
    given = vectors()
    expected = as_the_reference_does(theirs, *given)
    torch.testing.assert_close(ours(*given), expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.01
    if kind != "UM":
        assert expected.std(1).max() > 1e-4  # the relation matters


@pytest.mark.parametrize("kind", [kind for kind in TRIPLES if kind != "TuckER"])  # 1.8 GB
@torch.no_grad()
def test_equals_the_reference_at_its_own_size(kind: str) -> None:
    torch.manual_seed(0)
    theirs = TriplesScoreLayer(kind, 768).eval()
    ours = build_triples(kind, 768).eval()
    state = {name.removeprefix(PREFIX): t for name, t in theirs.state_dict().items()}
    ours.load_state_dict(to_ours(state, ours.keys()))
    given = vectors(3, 2, 768)
    expected = as_the_reference_does(theirs, *given)
    torch.testing.assert_close(ours(*given), expected, atol=1e-5, rtol=1e-5)


def test_the_reference_fixes_768_where_ours_follows_the_checkpoint() -> None:
    sized = []
    for kind in TRIPLES:
        layer = None if kind == "TuckER" else TriplesScoreLayer(kind)  # as gliner builds it
        shapes = {} if layer is None else {n: t.shape for n, t in layer.state_dict().items()}
        if any(size % 768 == 0 for shape in shapes.values() for size in shape):
            sized.append(kind)
            with pytest.raises(RuntimeError):
                as_the_reference_does(layer, *vectors())
    assert sized == ["TransH", "TransF", "PairRE", "TripleRE", "ERMLP", "ConvKB"]
    for kind in [*sized, "TuckER"]:
        assert build_triples(kind, HIDDEN).eval()(*vectors()).shape == (7, 3)


@pytest.mark.parametrize("kind", TRIPLES)
def test_names_go_both_ways(kind: str) -> None:
    theirs, ours = scorers(kind)
    back = to_theirs(ours.state_dict(), ours.keys())
    assert {PREFIX + name for name in back} == set(theirs.state_dict())
    for name, tensor in back.items():
        assert torch.equal(tensor, theirs.state_dict()[PREFIX + name])


@pytest.mark.parametrize("kind", TRIPLES)
@torch.no_grad()
def test_every_pair_and_relation_stands_alone(kind: str) -> None:
    _, ours = scorers(kind)
    heads, relations, tails = vectors()
    together = ours(heads, relations, tails)
    for pair in range(len(heads)):
        one = slice(pair, pair + 1)
        for label in range(relations.shape[1]):
            alone = ours(heads[one], relations[one, label : label + 1], tails[one])
            torch.testing.assert_close(alone[0, 0], together[pair, label], atol=1e-6, rtol=1e-6)
    assert ours(heads[:0], relations[:0], tails[:0]).shape == (0, 3)


@pytest.mark.parametrize("kind", DISTANCES)
@torch.no_grad()
def test_a_distance_is_between_minus_ten_and_zero(kind: str) -> None:
    _, ours = scorers(kind)
    found = torch.cat([ours(*(scale * x for x in vectors())).flatten() for scale in (0.1, 1, 90)])
    assert found.max() <= 0
    assert found.min() == -10


@pytest.mark.parametrize("kind", TRIPLES)
@torch.no_grad()
def test_exported_graph_equals_torch(kind: str, tmp_path: Path) -> None:
    _, ours = scorers(kind)
    names = ("heads", "relations", "tails")
    axes = {
        "heads": ("pairs", "hidden"),
        "relations": ("pairs", "labels", "hidden"),
        "tails": ("pairs", "hidden"),
        "out": ("pairs", "labels"),
    }
    run = traced(
        ours, dict(zip(names, vectors(4, 6), strict=True)), axes, tmp_path / "triples.onnx"
    )
    for pairs, labels in ((1, 1), (9, 2), (30, 11)):
        given = vectors(pairs, labels)
        torch.testing.assert_close(run(*given), ours(*given), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", TRIPLES)
@pytest.mark.parametrize("pairs", [1, 5])
def test_it_trains(kind: str, pairs: int) -> None:
    scorer = build_triples(kind, HIDDEN).train()
    given = [x.requires_grad_() for x in vectors(pairs)]
    scorer(*given).sum().backward()
    for x in [*given, *scorer.parameters()]:
        if x is not given[1] or kind != "UM":
            assert x.grad is not None
            assert x.grad.isfinite().all()


def test_transf_starts_as_a_translation() -> None:
    heads, relations, tails = vectors()
    expected = -(heads[:, None] + relations - tails[:, None]).norm(dim=-1)
    found = build_triples("TransF", HIDDEN)(heads, relations, tails)
    torch.testing.assert_close(found, expected.clamp(min=-10))


def test_a_scorer_keeps_nothing_beside_its_published_weights() -> None:
    assert not build_triples("HolE", HIDDEN).state_dict()


@pytest.mark.parametrize("kind", ["UM", "SE"])
def test_two_equal_spans_have_a_gradient(kind: str) -> None:
    heads, relations, _ = (x.requires_grad_() for x in vectors())
    build_triples(kind, HIDDEN)(heads, relations, heads.detach()).sum().backward()
    assert heads.grad is not None
    assert heads.grad.isfinite().all()


@pytest.mark.parametrize("hidden", [1, 2, 5, 6, 20])
@torch.no_grad()
def test_circular_correlation_of_any_size(hidden: int) -> None:
    heads, relations, tails = vectors(4, 2, hidden)
    correlation = torch.stack([(heads * tails.roll(-k, 1)).sum(1) for k in range(hidden)], 1)
    expected = (relations * correlation[:, None]).sum(-1)
    torch.testing.assert_close(build_triples("HolE", hidden)(heads, relations, tails), expected)


@pytest.mark.parametrize(
    ("kind", "hidden", "message"),
    [
        ("ConvE", 768, "emb_dim1"),
        ("RotatE", 768, "'RotatE' is not known"),
        ("QuatE", 6, "multiple of 4"),
        ("SimplE", 5, "multiple of 2"),
        ("ComplEx", 5, "multiple of 2"),
    ],
)
def test_what_cannot_be_built_is_refused(kind: str, hidden: int, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        build_triples(kind, hidden)


def test_conve_is_unreachable_in_the_reference_too() -> None:
    with pytest.raises(ValueError, match="emb_dim1"):
        TriplesScoreLayer("ConvE")
