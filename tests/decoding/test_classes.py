"""Answers of classification tasks: trees, abstaining, and how windows come together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import Schema
from onepass.decoding.classes import ClassRules, WindowLogits, answer_task, window_logits
from onepass.decoding.findings import Findings
from onepass.results.types import Classification
from onepass.schema import ClassificationTask
from onepass.schema.task import WINDOW_SCORES, WindowScores

TREE = {"sport": ["ball", "ice"], "science": {"physics": ["optics"], "life": []}}
# sport, sport/ball, sport/ice, science, science/physics, science/physics/optics, science/life


def task(labels: object, **options: object) -> ClassificationTask:
    schema = Schema().classification("topic", labels, **options)  # type: ignore[arg-type]
    return schema.classification_tasks[0]


def window(*logits: float, words: int = 10, alone: tuple[float, ...] = ()) -> WindowLogits:
    return WindowLogits(words, np.array(logits), np.array(alone or logits))


def answer(
    asked: ClassificationTask, *windows: WindowLogits, threshold: float = 0.0, **rules: object
) -> Classification:
    thresholds = np.full(len(asked.labels), threshold, dtype=np.float32)
    return answer_task(asked, windows, ClassRules(thresholds, **rules))  # type: ignore[arg-type]


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def test_a_tree_in_a_path_out() -> None:
    found = answer(task(TREE), window(0, -9, -9, 2, 1, -9, 0.5))
    assert found.path == ("science", "physics", "optics")
    assert found.paths == (found.path,)
    chosen = [one.label for one in found.labels]
    assert chosen == ["science", "science/physics", "science/physics/optics"]
    assert [one.score for one in found.labels] == [found.scores[name] for name in chosen]
    science = sigmoid(2 - 0)
    assert found.scores["science"] == pytest.approx(science)
    assert found.scores["science/physics"] == pytest.approx(science * sigmoid(1 - 0.5))
    assert found.scores["science/physics/optics"] == found.scores["science/physics"]
    assert found.scores["sport/ball"] == pytest.approx((1 - science) / 2)
    assert found.fit is None


def test_what_is_below_speaks_for_what_is_above() -> None:
    logits = (-3.0, 2.0, -4.0, -2.0, -4.0, -5.0, -6.0)
    assert answer(task(TREE), window(*logits)).path == ("sport", "ball")
    several = answer(task(TREE, multi_label=True), window(*logits), threshold=0.5)
    assert several.paths == (("sport", "ball"),)
    assert several.scores["sport"] == several.scores["sport/ball"] == pytest.approx(sigmoid(2))


def test_one_word_in_two_branches_is_told_apart_by_the_branches() -> None:
    tree = {"fruit": ["orange"], "color": ["Orange", "red"]}
    logits = (3.0, 5.0, -3.0, 5.0, -4.0)
    assert answer(task(tree), window(*logits)).path == ("fruit", "orange")
    several = answer(task(tree, multi_label=True), window(*logits), threshold=0.5)
    assert several.paths == (("fruit", "orange"),)
    assert several.scores["color/Orange"] == pytest.approx(sigmoid(-3))


def test_a_label_below_its_threshold_leaves_the_shorter_path() -> None:
    logits = window(0, 0, 0, 2, 1, 0, 0.5)
    scores = answer(task(TREE), logits).scores
    assert scores["science"] > 0.8 > scores["science/physics"]
    assert answer(task(TREE), logits, threshold=0.8).path == ("science",)
    assert answer(task(TREE), logits, threshold=0.95).paths == ()
    own = {"science": {"physics": {"threshold": 0.95, "labels": ["optics"]}, "life": []}}
    asked = task(own)
    limits = np.array([label.threshold or 0.0 for label in asked.labels], dtype=np.float32)
    found = answer_task(asked, [window(2, 1, 3, 0.5)], ClassRules(limits))
    assert found.path == ("science",)  # optics, below its threshold by way of physics, goes too


def test_several_paths_of_a_tree_best_first() -> None:
    asked = task(TREE, multi_label=True)
    found = answer(asked, window(3, 1, 2, 1.5, -9, -9, 0.5), threshold=0.5)
    assert found.paths == (("sport", "ice"), ("sport", "ball"), ("science", "life"))
    assert [one.label for one in found.labels] == [
        "sport", "sport/ice", "science", "sport/ball", "science/life",
    ]  # fmt: skip
    assert found.path == ("sport", "ice")


@st.composite
def trees_with_windows(draw: st.DrawFn) -> tuple[ClassificationTask, list[WindowLogits]]:
    multi_label, how = draw(st.booleans()), draw(st.none() | st.sampled_from(WINDOW_SCORES))
    asked = task(
        draw(st.sampled_from([TREE, ["a", "b"]])), multi_label=multi_label, window_scores=how
    )
    count = len(asked.labels)
    logits = st.lists(st.floats(-20, 20), min_size=count, max_size=count)
    parts = draw(st.lists(st.tuples(logits, st.integers(0, 50)), min_size=1, max_size=4))
    return asked, [window(*values, words=words) for values, words in parts]


@settings(max_examples=100, deadline=None)
@given(trees_with_windows(), st.floats(0, 1))
def test_scores_are_consistent_whatever_the_windows_say(drawn, threshold) -> None:  # type: ignore[no-untyped-def]
    asked, windows = drawn
    found = answer(asked, *windows, threshold=threshold)
    scores = list(found.scores.values())
    for index in range(len(scores)):
        below = [i for i, parent in enumerate(asked.parents) if parent == index]
        assert all(scores[i] <= scores[index] for i in below)
        if below and not asked.multi_label:
            assert sum(scores[i] for i in below) == pytest.approx(scores[index])
    if not asked.multi_label:
        roots = [i for i, parent in enumerate(asked.parents) if parent == -1] or range(len(scores))
        assert sum(scores[i] for i in roots) == pytest.approx(1)
    names = {one.label for one in found.labels}
    for index, parent in enumerate(asked.parents):
        if asked.result_names[index] in names and parent != -1:
            assert asked.result_names[parent] in names


# -- abstaining ----------------------------------------------------------------------------------

FLAT = ["calm", "angry", "sad"]


def test_off_by_default_the_best_of_what_does_not_fit_wins() -> None:
    found = answer(task(FLAT), window(-9, -6, -8))
    assert found.path == ("angry",)
    assert found.scores["angry"] > 0.8


def test_nothing_is_answered_where_nothing_fits() -> None:
    found = answer(task(FLAT), window(-9, -6, -8), floor=0.5)
    assert (found.labels, found.paths, found.path) == ((), None, ())
    assert found.scores["angry"] > 0.8  # scores say which of the labels, not whether any
    assert found.fit == pytest.approx(sigmoid(-6))
    found = answer(task(FLAT), window(-9, 1, 0), floor=0.5)
    assert found.path == ("angry",)
    assert found.fit == pytest.approx(sigmoid(1))


def test_what_is_judged_is_the_calibrated_score_by_itself() -> None:
    logits = window(-9, 1, 0, alone=(5.0, -1.0, 4.0))
    found = answer(task(FLAT), logits, floor=0.1, scale=(2.0, 1.0), single_scale=0.5)
    assert found.fit == pytest.approx(sigmoid(2 * -1 + 1))
    assert found.path == ("angry",)
    assert answer(task(FLAT), logits, floor=0.3, scale=(2.0, 1.0)).path == ()


def test_a_score_at_the_floor_is_enough() -> None:
    for floor in (0.0, 0.5):
        assert answer(task(["a", "b"]), window(0.0, -1.0), floor=floor).path == ("a",)
    assert answer(task(["a", "b"]), window(-1e3, -2e3), floor=0.0).path == ("a",)


@pytest.mark.parametrize("how", [None, *WINDOW_SCORES])
def test_the_best_window_decides_whether_anything_fits(how: WindowScores | None) -> None:
    asked = task(FLAT, window_scores=how)
    parts = window(-9, -8, -7, words=100), window(-9, 3, -9, words=90), window(-9, 1, -9)
    found = answer(asked, *parts, floor=0.5)
    assert found.path == ("angry",)
    assert found.fit == pytest.approx(sigmoid(3))


def test_a_path_ends_where_nothing_below_fits() -> None:
    found = answer(task(TREE), window(-9, -9, -9, 2, -1, -3, -2), floor=0.5)
    assert found.path == ("science",)
    assert found.fit == pytest.approx(sigmoid(2))
    found = answer(task(TREE), window(-9, -9, -9, -2, -1, 2, -2), floor=0.5)
    assert found.path == ("science", "physics", "optics")  # the exact word fits better
    assert answer(task(TREE), window(-9, -9, -9, -2, -1, -2, -2), floor=0.5).paths == ()


# -- windows -------------------------------------------------------------------------------------


def test_three_ways_to_put_windows_together() -> None:
    parts = window(9, -9, words=30), window(-9, 9, words=10)
    assert answer(task(["a", "b"]), *parts).scores["a"] == pytest.approx(0.75)
    assert answer(task(["a", "b"], window_scores="length"), *parts).scores["a"] == pytest.approx(
        0.75
    )
    assert answer(task(["a", "b"], window_scores="mean"), *parts).scores["a"] == pytest.approx(0.5)
    assert answer(task(["a", "b"], window_scores="max"), *parts).scores["a"] == pytest.approx(0.5)
    several = [
        task(["a", "b"], multi_label=True, window_scores=how) for how in (None, "mean", "length")
    ]
    found = [answer(one, *parts).scores["a"] for one in several]
    assert found == pytest.approx([1.0, 0.5, 0.75], abs=1e-3)


def test_with_max_one_sure_window_is_enough() -> None:
    parts = window(5, 0, 0, words=10), *[window(0, 0.5, 0, words=100) for _ in range(5)]
    assert answer(task(FLAT), *parts).path == ("angry",)
    assert answer(task(FLAT, window_scores="max"), *parts).path == ("calm",)


def test_the_logits_of_all_prompts_stand_together() -> None:
    findings = [
        Findings(classes={(0, (2,)): np.array([1.0], np.float32), (1, (0,)): np.array([7.0])}),
        Findings(
            classes={(0, (0, 1)): np.array([3.0, 2.0], np.float32)},
            classes_alone={(0, (0, 1)): np.array([-3.0, -2.0], np.float32)},
        ),
    ]
    found = window_logits(0, 3, 12, findings)
    assert (found.logits.tolist(), found.alone.tolist()) == ([3, 2, 1], [-3, -2, 1])
    assert found.words == 12
