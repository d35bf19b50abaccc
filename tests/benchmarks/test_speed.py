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
pytest.importorskip("openvino")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.encoders import TINY, Size  # noqa: E402
from benchmarks.common.timing import ratio, spread, take_turns  # noqa: E402
from benchmarks.speed import checkpoints, exact, installed, ours, page, plot, speed  # noqa: E402
from benchmarks.speed.bars import bars  # noqa: E402
from benchmarks.speed.cells import Grid, cells  # noqa: E402
from benchmarks.speed.question import Question, System, compare, equality  # noqa: E402
from benchmarks.speed.rate import operations  # noqa: E402
from benchmarks.speed.wording import make_batch, make_labels, make_text, tokenizer  # noqa: E402


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return the result of a quick run of what takes no whole processes."""
    output = tmp_path_factory.mktemp("speed") / "result.json"
    options = ["--quick", "--threads", "1", "--only", "labels,one,mixed,long"]
    variants = ["--variants", ",".join(exact.SYSTEMS)]
    assert speed.main([*options, *variants, "--output", str(output)]) == 0
    return json.loads(output.read_text(encoding="utf-8"))


def test_all_systems_are_measured_and_equal(quick: dict):
    asked = {(cell["part"], cell["kind"], cell["task"]) for cell in quick["cells"]}
    assert len(asked) == 7 + 3 + 2  # one text, a batch, windows
    for cell in quick["cells"]:
        assert cell["systems"].keys() == cell["ratios"].keys() | set(exact.SYSTEMS)
        for took in cell["systems"].values():
            assert took["fastest_seconds"] <= took["median_seconds"] <= took["slowest_seconds"]
        if cell["part"] != "long":
            assert all(found["equal"] for found in cell["equality"].values())
            compared = sorted(found["system"] for found in cell["equality"].values())
            assert compared == sorted(exact.SYSTEMS * len(cell["ratios"]))
    found = sum(e["facts"] for c in quick["cells"] for e in c.get("equality", {}).values())
    assert found > 50  # equal answers that say nothing would prove nothing
    assert [one["task"] for one in quick["label_cost"]] == ["entities", "classes"]
    assert not speed.unequal(quick)


def test_int8_is_to_be_had(tmp_path: Path):
    made = checkpoints.make("gliner2", tmp_path, TINY)
    opened, skipped = ours.open_variants([exact.ONNX, "onepass-int8"], made, threads=1)
    assert list(opened) == [exact.ONNX, "onepass-int8"]
    assert not skipped


def test_a_page_is_made_of_it(quick: dict):
    text = page.page(quick)
    assert "## Where a peer is faster" in text
    assert "## A batch of mixed length" in text
    assert text.index("## One text") < text.index("## Targets"), "results come first"
    assert f"OpenVINO {quick['versions']['openvino']}" in text
    assert "gliner2, fp32, the faster backend, one text" in text
    assert "Reduced precisions" not in text  # none was asked
    drawn = ElementTree.fromstring(plot.plot(quick))
    points = [one for one in drawn.iter() if one.tag.endswith("circle")]
    assert len(points) == 7 * 2 * 2  # of each task, in both panels


def test_the_page_is_that_of_the_committed_result():
    result = json.loads(page.RESULT.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(result, page.results_elsewhere())
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


def test_bars_take_the_faster_exact_system_of_each_cell():
    def cell(onnx: float, openvino: float) -> dict:
        ratios = {"onepass": onnx, "onepass-openvino": openvino, "onepass-bf16": 9.0}
        medians = {name: {"median": value} for name, value in ratios.items()}
        return {"part": "one", "ratios": {"gliner2": medians, "gliclass": medians}}

    found = {bar.what: bar for bar in bars({"cells": [cell(2.0, 3.0), cell(4.0, 1.0)]})}
    for peer in (
        "gliner2, fp32, the faster backend, one text",
        "gliclass, fp32, the faster backend",
    ):
        assert (found[peer].measured, found[peer].reached) == ("3 to 4x", True)


def test_tables_show_both_exact_times(quick: dict):
    cell = next(c for c in quick["cells"] if c["kind"] == "gliclass")
    took = {"warmed_up": True}
    systems = {
        "gliclass": took | {"median_seconds": 6.0},
        "onepass": took | {"median_seconds": 3.0},
    }
    other = took | {"median_seconds": 2.0}
    two = {"median": 2.0, "low": 2.0, "high": 2.0}
    three = {"median": 3.0, "low": 3.0, "high": 3.0}

    def row(**more: dict) -> str:
        ratios = {"gliclass": {"onepass": two} | dict.fromkeys(more, three)}
        own = cell | {"systems": systems | more, "ratios": ratios, "equality": {}}
        text = page.page({**quick, "cells": [own]})
        return next(line for line in text.splitlines() if line.startswith("| gliclass | classes"))

    assert row().endswith("| gliclass | 6,000 ms | 3,000 ms | - | 2.00 |")
    both = row(**{exact.OPENVINO: other})
    assert both.endswith("| gliclass | 6,000 ms | 3,000 ms | 2,000 ms | 3.00 |")


def test_both_exact_systems_are_compared_with_the_peer():
    def system(name: str) -> System:
        return System(name, lambda *_: [], lambda one, _: one)

    fact = ("entity", "a")
    answers = {"onepass": [{fact: 0.9}], exact.OPENVINO: [{fact: 0.8}], "gliner": [{fact: 0.9}]}
    systems = {name: system(name) for name in exact.SYSTEMS}
    peers = {"gliner": system("gliner")}
    found = equality(answers, systems, peers, Question("entities", 1), 1e-4)
    cell = {"part": "one", "kind": "gliner", "task": "entities", "labels": 1, "words": 8}
    assert speed.unequal({"cells": [cell | {"equality": found}]}) == [
        "one gliner entities 1 8: onepass-openvino beside gliner"
    ]


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
    # of one piece nothing is read: 4 * 4 weights behind its attention, and 2 * 4 * 8
    assert operations(size, 1, 2) - operations(size, 1, 2, read=1) == 2 * (16 + 64)


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


def test_files_of_an_installation_count_once(tmp_path: Path):
    (tmp_path / "one").write_bytes(bytes(2_000_000))
    (tmp_path / "same").hardlink_to(tmp_path / "one")
    (tmp_path / "link").symlink_to("one")
    found = installed.sizes(tmp_path)
    assert found["of_files"] == 2.0
    assert found["on_disk"] == pytest.approx(2.0, abs=0.1)
