"""The page on GPUs is that of its committed results."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.gpu import page  # noqa: E402

from onepass.models.batching import ON_GPU  # noqa: E402


@pytest.fixture
def results() -> tuple[dict, dict]:
    """Return what was committed: texts a second, and attention."""
    result, attention = (
        json.loads(path.read_text(encoding="utf-8")) for path in (page.THROUGHPUT, page.ATTENTION)
    )
    return result, attention


def test_the_page_is_that_of_the_committed_results(results: tuple[dict, dict]):
    result, attention = results
    assert page.PAGE.read_text(encoding="utf-8") == page.page(result, attention)
    assert result["encoder"]["hidden"] == 768
    assert all(cell["answers"]["exact"]["equal"] for cell in result["cells"])
    assert result["machine"]["name"] == attention["machine"]["gpu"]
    assert not attention["left_out"]


def test_runs_on_a_gpu_are_those_that_were_fastest(results: tuple[dict, dict]):
    tried = results[0]["budgets"]
    for name in ("onepass-fp32", "onepass-fp16"):
        best = min((one for one in tried if one["system"] == name), key=lambda one: one["seconds"])
        assert (best["pieces"], best["padding"]) == (ON_GPU.pieces, ON_GPU.padding)


def test_the_page_says_where_the_peer_is_faster(results: tuple[dict, dict]):
    result, attention = deepcopy(results)
    text = page.page(result, attention)
    assert "the runs do not say which side is faster" in text
    for cell in result["cells"]:
        for ratios in cell["ratios"].values():
            for one in ratios.values():
                one.update(median=2.0, low=2.0, high=2.0)
    assert "In no cell of this result." in page.page(result, attention)
    result["cells"][0]["ratios"]["gliner2-fp16"]["onepass-fp16"].update(median=0.5, high=0.6)
    text = page.page(result, attention)
    assert "0.50 (2.00 to 0.60)" in text
    assert "the runs do not say" not in text


def test_the_page_says_what_differs(results: tuple[dict, dict]):
    result, attention = deepcopy(results)
    assert "In fp32 both find the same" in page.page(result, attention)
    result["cells"][0]["answers"]["exact"]["equal"] = False
    result["not_measured"] = []
    text = page.page(result, attention)
    assert "In fp32 **answers differ**" in text
    assert "There was no time" not in text
