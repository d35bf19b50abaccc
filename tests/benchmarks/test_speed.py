"""The speed benchmark runs on tiny checkpoints, and its page is that of its committed result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("gliner2")
pytest.importorskip("gliner")
pytest.importorskip("gliclass")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.encoders import TINY, Size  # noqa: E402
from benchmarks.common.timing import ratio, spread, take_turns  # noqa: E402
from benchmarks.speed import page, plot, speed  # noqa: E402
from benchmarks.speed.bars import bars  # noqa: E402
from benchmarks.speed.cells import Grid, cells  # noqa: E402
from benchmarks.speed.question import compare  # noqa: E402
from benchmarks.speed.rate import operations  # noqa: E402
from benchmarks.speed.wording import make_batch, make_labels, make_text, tokenizer  # noqa: E402


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return the result of a quick run of what takes no whole processes."""
    output = tmp_path_factory.mktemp("speed") / "result.json"
    options = ["--quick", "--threads", "1", "--only", "labels,one,mixed,long"]
    assert speed.main([*options, "--variants", "onepass", "--output", str(output)]) == 0
    return json.loads(output.read_text(encoding="utf-8"))


def test_all_systems_are_measured_and_equal(quick: dict):
    asked = {(cell["part"], cell["kind"], cell["task"]) for cell in quick["cells"]}
    assert len(asked) == 7 + 3 + 2  # one text, a batch, windows
    for cell in quick["cells"]:
        assert cell["systems"].keys() > cell["ratios"].keys()
        for took in cell["systems"].values():
            assert took["fastest_seconds"] <= took["median_seconds"] <= took["slowest_seconds"]
        if cell["part"] != "long":
            assert all(found["equal"] for found in cell["equality"].values())
    found = sum(e["facts"] for c in quick["cells"] for e in c.get("equality", {}).values())
    assert found > 50  # equal answers that say nothing would prove nothing
    assert [one["task"] for one in quick["label_cost"]] == ["entities", "classes"]
    assert not speed.unequal(quick)


def test_a_page_is_made_of_it(quick: dict):
    text = page.page(quick)
    assert "## Where a peer is faster" in text
    assert "## A batch of mixed length" in text
    drawn = ElementTree.fromstring(plot.plot(quick))
    points = [one for one in drawn.iter() if one.tag.endswith("circle")]
    assert len(points) == 7 * 2 * 2  # of each task, in both panels


def test_the_page_is_that_of_the_committed_result():
    result = json.loads(page.RESULT.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(result)
    assert page.PLOT.read_text(encoding="utf-8") == plot.plot(result)
    assert result["encoder"]["hidden"] == 768
    assert not speed.unequal(result)


def test_bars_say_what_was_reached():
    ratios = {"gliner2": {"onepass": {"median": 3.0}, "onepass-int8": {"median": 4.0}}}
    result = {"cells": [{"part": "one", "ratios": ratios}], "label_cost": []}
    found = {bar.what: (bar.measured, bar.reached) for bar in bars(result)}
    assert found["gliner2, fp32, one text"] == ("3x", True)
    assert found["gliner2, reduced precision, one text"] == ("4x", False)
    assert found["gliner, fp32"] == ("not measured", None)


def test_what_differs_is_seen():
    a, b = ("entity", "a"), ("entity", "b")
    same = compare([{a: 0.9}], [{a: 0.90001}], 0.5, 1e-4)
    assert same["equal"]
    assert not compare([{a: 0.9}], [{a: 0.901}], 0.5, 1e-4)["equal"]
    assert not compare([{a: 0.9}], [{a: 0.9, b: 0.6}], 0.5, 1e-4)["equal"]
    assert compare([{a: 0.9}], [{a: 0.9, b: 0.50005}], 0.5, 1e-4)["equal"]  # at the threshold


def test_texts_and_labels_are_what_they_should_be():
    own = tokenizer(200)
    assert [len(text.split()) for text in map(make_text, (30, 200))] == [30, 200]
    assert len(own.encode(make_text(200)).ids) == 200 + 50 + 3  # endings, full stop, frame
    lengths = [len(text.split()) for text in make_batch(64)]
    assert (min(lengths), max(lengths), len(set(lengths))) == (10, 350, 64)
    assert lengths != sorted(lengths)
    assert len(set(make_labels(128))) == 128


def test_the_grid_has_each_number_of_labels_and_each_length():
    asked = list(cells("one", "gliclass", "gliclass", Grid()))
    assert {cell.labels for cell in asked} == {5, 20, 50, 128}
    assert {cell.words for cell in asked} == {30, 200, 500}
    assert len(asked) == 6
    assert len(list(cells("one", "gliclass", "gliclass", Grid(whole=True)))) == 12


def test_operations_of_an_encoder():
    size = Size(hidden=4, layers=1, heads=1, inner=8, vocabulary=9)
    # 2 pieces: 4 * 4 * 4 + 2 * 4 * 8 weights each; 2 and 2 rows of 4 for pairs, 4 and 4 by distance
    assert operations(size, 1, 2) == 2 * 2 * (128 + 4 * (2 * 2 + 2 * 4))
    assert operations(TINY, 3, 10) == 3 * operations(TINY, 1, 10)


def test_systems_take_turns_and_the_first_run_is_left_out():
    now = [0.0]
    order: list[str] = []

    def call(name: str, seconds: float):
        def run() -> None:
            order.append(name)
            now[0] += seconds

        return run

    calls = {"fast": call("fast", 1.0), "slow": call("slow", 3.0)}
    took = take_turns(calls, repeats=2, limit=7.0, clock=lambda: now[0])
    assert order == ["fast", "slow", "fast", "slow", "fast"]  # a third slow run would pass 7 s
    slow, fast = spread(took["slow"]), spread(took["fast"])
    assert ratio(slow, fast) == {"median": 3.0, "low": 3.0, "high": 3.0}
