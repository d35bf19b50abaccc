"""Records of boundary checkpoints: which spans begin one, and what the others belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onepass.models.boundary.records import Asked, anchors, assign
from onepass.schema import Schema

PLACES = np.array([[0, 1], [2, 3], [4, 5], [6, 7]])


class Told:
    """A backend whose graph says what it is told."""

    name, precision = "told", "fp32"

    def __init__(self, logits: Any) -> None:
        self.logits = np.asarray(logits, dtype=np.float32)

    def run(self, graph: str, inputs: Any) -> tuple[np.ndarray]:
        assert graph == "assign"
        return (self.logits,)


def asked(fields: list[str], records: list[int], probs: Any, choices: Any = None) -> Asked:
    structure = Schema().structure("x", fields).structures[0]
    count = len(fields)
    return Asked(
        structure.fields, choices or {}, 0, np.array(records),
        np.broadcast_to(PLACES, (count, 4, 2)), np.asarray(probs, dtype=np.float32),
        np.zeros((8, 2), dtype=np.float32), np.zeros((count, 3), dtype=np.float32),
    )  # fmt: skip


def test_of_anchors_that_overlap_the_best_is_a_record() -> None:
    places = np.array([[0, 1], [0, 3], [2, 5], [5, 6], [7, 7]])
    probs = np.array([0.6, 0.7, 0.9, 0.8, 0.0], dtype=np.float32)
    assert anchors(places, probs, 0.5).tolist() == [2, 3, 0]
    assert anchors(places, probs, 0.0).tolist() == [2, 3, 0]  # the last fills up a row


def test_a_single_value_is_of_one_record() -> None:
    logits = np.full((1, 2, 2, 5), -9.0)
    logits[0, :, 1, 0] = 0  # none
    logits[0, :, 1, 3] = [4, 5]  # both want the third span, the second wants it more
    logits[0, :, 1, 4] = [3, 0]
    (found,) = assign([asked(["a::str", "b::str"], [0, 1], np.ones((2, 4)))], Told(logits), 1.0)
    assert found[:, 1].argmax(-1).tolist() == [3, 2]
    assert found[:, 0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]  # the anchors
    assert found[0, 1, 2] == found[1, 1, 3] == 0


def test_each_value_of_a_list_is_of_the_record_that_wants_it_most() -> None:
    logits = np.full((1, 2, 2, 5), -9.0)
    logits[0, 0, 1], logits[0, 1, 1] = [0, -9, -9, 2, 3], [0, -9, -9, 4, 1]
    probs = [[1, 1, 0, 0], [0, 0, 0.9, 0.6]]
    (found,) = assign([asked(["a::str", "b"], [0, 1], probs)], Told(logits), 1.0)
    assert found[0, 1] == pytest.approx([0, 0, 0, 0.6])  # the lesser of both scores
    assert found[1, 1] == pytest.approx([0, 0, 0.9, 0], abs=1e-3)


def test_a_field_of_choices_holds_choices_alone_and_several_records_may_hold_one() -> None:
    logits = np.full((1, 2, 2, 5), 0.0)
    logits[0, :, 1, 2] = 3
    logits[0, :, 1, 4] = 9  # a span of the text, which is no choice
    choices = {1: np.array([0, 2])}
    group = asked(["a::str", "b::[x|y]::str"], [2, 3], np.ones((2, 4)), choices)
    (found,) = assign([group], Told(logits), 1.0)
    own = np.exp(3) / (np.exp(3) + 2)
    assert found[:, 1, 1] == pytest.approx([own, own])
    assert not found[:, 1, 2:].any()


def test_records_are_in_the_order_of_the_text() -> None:
    group = asked(["a::str"], [3, 0, 2], np.ones((1, 4)))
    (found,) = assign([group], Told(np.zeros((1, 3, 1, 5))), 1.0)
    assert found[:, 0].argmax(-1).tolist() == [0, 2, 3]
