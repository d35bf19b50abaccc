"""Scores of trees are consistent along every path, whatever the logits are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.decoding.trees import (
    best_path,
    cap,
    children_of,
    hold_together,
    leaves,
    lift,
    share_out,
    sum_up,
)

FEW = settings(max_examples=100, deadline=None)


@st.composite
def walks(draw: st.DrawFn) -> list[int]:
    """The parents of a tree of up to 12 labels, in the order of a walk."""
    way, parents = [-1], []
    for index in range(draw(st.integers(1, 12))):
        del way[draw(st.integers(1, len(way))) :]
        parents.append(way[-1])
        way.append(index)
    return parents


@st.composite
def trees(draw: st.DrawFn, low: float = -30, high: float = 30) -> tuple[list[int], np.ndarray]:
    parents = draw(walks())
    values = st.lists(st.floats(low, high), min_size=len(parents), max_size=len(parents))
    return parents, np.array(draw(values))


@FEW
@given(trees())
def test_a_parent_scores_the_sum_of_its_children(tree: tuple[list[int], np.ndarray]) -> None:
    parents, logits = tree
    scores = share_out(logits, parents)
    for parent, own in children_of(parents, len(parents)).items():
        whole = 1.0 if parent == -1 else scores[parent]
        assert scores[own].sum() == pytest.approx(whole)
    np.testing.assert_allclose(sum_up(scores, parents), scores, atol=1e-12)
    assert scores[leaves(parents, len(parents))].sum() == pytest.approx(1)


@FEW
@given(trees())
def test_a_leaf_scores_the_product_along_its_path(tree: tuple[list[int], np.ndarray]) -> None:
    parents, logits = tree
    scores = share_out(logits, parents)
    for index in range(len(parents)):
        product, at = 1.0, index
        while at != -1:
            siblings = [i for i, parent in enumerate(parents) if parent == parents[at]]
            raised = np.exp(logits[siblings] - logits[siblings].max())
            product *= raised[siblings.index(at)] / raised.sum()
            at = parents[at]
        assert scores[index] == pytest.approx(product)


@FEW
@given(trees(), st.randoms(use_true_random=False))
def test_the_order_of_siblings_does_not_matter(tree, shuffle) -> None:  # type: ignore[no-untyped-def]
    parents, logits = tree
    below = children_of(parents, len(parents))
    order: list[int] = []  # new place -> old label

    def walk(top: int) -> None:
        own = list(below.get(top, ()))
        shuffle.shuffle(own)
        for label in own:
            order.append(label)
            walk(label)

    walk(-1)
    place = {old: new for new, old in enumerate(order)} | {-1: -1}
    moved = [place[parents[old]] for old in order]
    shared = [bool(index % 3 == 1) for index in range(len(parents))]
    lifted = lift(logits, parents, shared)
    np.testing.assert_allclose(
        lift(logits[order], moved, [shared[old] for old in order]), lifted[order]
    )
    np.testing.assert_allclose(share_out(lifted[order], moved), share_out(lifted, parents)[order])
    np.testing.assert_allclose(cap(logits[order], moved), cap(logits, parents)[order])


@FEW
@given(trees(0, 1))
def test_no_child_is_above_its_parent(tree: tuple[list[int], np.ndarray]) -> None:
    parents, scores = tree
    every = [cap(scores, parents), lift(scores, parents, [False] * len(parents))]
    for consistent in [*every, sum_up(scores, parents), share_out(10 * scores, parents)]:
        for index, parent in enumerate(parents):
            assert parent == -1 or consistent[index] <= consistent[parent]
    assert (every[0] <= scores).all()
    assert (every[1] >= scores).all()


@FEW
@given(trees())
def test_the_best_path_goes_down_to_a_leaf(tree: tuple[list[int], np.ndarray]) -> None:
    parents, logits = tree
    scores = share_out(logits, parents)
    path = best_path(scores, parents)
    assert [parents[label] for label in path] == [-1, *path[:-1]]
    assert leaves(parents, len(parents))[path[-1]]
    for label in path:
        assert scores[label] >= max(scores[i] for i, p in enumerate(parents) if p == parents[label])


def test_a_list_is_a_tree_of_roots() -> None:
    logits = np.array([1.0, 3.0, 2.0])
    for parents in ([], [-1, -1, -1]):
        raised = np.exp(logits - 3)
        np.testing.assert_array_equal(share_out(logits, parents), raised / raised.sum())
        np.testing.assert_array_equal(cap(logits, parents), logits)
        np.testing.assert_array_equal(lift(logits, parents, [False] * 3), logits)
        assert leaves(parents, 3).all()
        assert best_path(logits, parents) == [1]


def test_a_word_of_two_branches_lifts_neither() -> None:
    parents = [-1, 0, -1, 2]
    logits = np.array([1.0, 9.0, 0.0, 9.0])
    assert lift(logits, parents, [False, True, False, True]).tolist() == [1.0, 9.0, 0.0, 9.0]
    # What stands below it is told apart again.
    parents = [-1, 0, 1, -1, 3]
    logits = np.array([1.0, 2.0, 5.0, 0.0, 2.0])
    shared = [False, True, False, False, True]
    assert lift(logits, parents, shared).tolist() == [5.0, 5.0, 5.0, 0.0, 2.0]


def test_what_holds_holds_with_all_above_it() -> None:
    held = np.array([True, False, True, True, True])
    assert hold_together(held, [-1, 0, 1, 0, -1]).tolist() == [True, False, False, True, True]


def test_rounding_lifts_no_sum_above_one() -> None:
    scores = np.full(30, 1 / 29)
    scores[0] = 0.0
    assert sum_up(scores + 1e-16, [-1, *[0] * 29])[0] <= 1.0
