"""The GPU benchmark runs on a CPU and a tiny checkpoint, and its tables say what it found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("gliner2")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.gpu import device, inside, tables, throughput  # noqa: E402

from onepass.models.batching import ON_CPU  # noqa: E402

SYSTEMS = ("onepass-fp32", "gliner2-fp32", "onepass-bf16", "gliner2-bf16")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return the result of a quick run."""
    output = tmp_path_factory.mktemp("gpu") / "result.json"
    options = ["--quick", "--device", "cpu", "--repeats", "1", "--seconds", "60"]
    assert throughput.main([*options, "--output", str(output)]) == 0
    return json.loads(output.read_text(encoding="utf-8"))


def test_all_systems_are_measured_and_equal(quick: dict):
    assert not quick["skipped"]
    assert not quick["not_measured"]
    assert [(cell["texts"], cell["batch"]) for cell in quick["cells"]] == list(throughput.QUICK)
    for cell in quick["cells"]:
        assert tuple(cell["systems"]) == SYSTEMS
        assert all(one["texts_per_second"] > 0 for one in cell["systems"].values())
        assert set(cell["ratios"]) == {"gliner2-fp32", "gliner2-bf16"}
        assert cell["answers"]["exact"]["equal"]
        assert cell["answers"]["exact"]["facts"] > 0
        assert 0 < cell["answers"]["onepass-bf16"]["largest_difference"] < 0.1
    assert not throughput.unequal(quick)


def test_it_says_where_the_time_goes(quick: dict):
    assert [one["system"] for one in quick["inside"]] == list(SYSTEMS)
    for one in quick["inside"]:
        assert one["encoder_runs"] > 0
        assert one["encoder_seconds"] > 0
        assert one["operations"] == quick["inside"][0]["operations"]  # the same texts
        assert one["busy"]["launches"] > 0
        assert ("host_seconds" in one) == one["system"].startswith("onepass")
    read = quick["inside"][0]["pieces"]
    assert 0 < read["real"] <= read["padded"]
    tried = [(one["pieces"], one["padding"]) for one in quick["budgets"]]
    assert tried == [(ON_CPU.pieces, ON_CPU.padding), *inside.BUDGETS]
    assert [one["usual"] for one in quick["budgets"]] == [True] + [False] * len(inside.BUDGETS)


def test_tables_say_what_was_found(quick: dict):
    text = tables.tables(quick)
    for system in SYSTEMS:
        assert system in text
    assert "gliner2 2.1.0" in text
    assert "(usual)" in text


def test_different_answers_are_seen(quick: dict):
    cell = quick["cells"][0]
    other = cell | {"answers": {"exact": cell["answers"]["exact"] | {"equal": False}}}
    assert len(throughput.unequal(quick | {"cells": [cell, other]})) == 1


def test_a_run_stops_when_its_seconds_are_used_up(tmp_path: Path):
    output = tmp_path / "result.json"
    options = ["--quick", "--device", "cpu", "--seconds", "0.1", "--systems", "onepass-fp32"]
    assert throughput.main([*options, "--output", str(output)]) == 0
    result = json.loads(output.read_text(encoding="utf-8"))
    assert result["not_measured"] == [list(one) for one in throughput.QUICK]
    assert result["rates"]["fp32"]


def test_only_encoders_are_timed():
    class DebertaV2Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    with device.EncoderClock("cpu") as clock:
        torch.nn.Identity()(torch.zeros(1))
        DebertaV2Model()(torch.zeros(1))
        DebertaV2Model()(torch.zeros(1))
    assert clock.runs == 2
    assert clock.seconds > 0
    DebertaV2Model()(torch.zeros(1))
    assert clock.runs == 2  # it is over
