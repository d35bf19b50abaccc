"""``onepass models inspect``, and ``onepass models`` as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.legacy import make_base, make_legacy, pieces_of
from tests.tiny import make_tiny_checkpoint

Onepass = Callable[..., Any]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    base = make_base(tmp_path / "base")
    return make_legacy(tmp_path / "old", str(base), pieces_of(base) + 3)


def test_json(onepass: Onepass, tmp_path: Path):
    tiny = make_tiny_checkpoint(tmp_path / "tiny")
    done = onepass("models", "inspect", str(tiny), "--format", "json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found) == {
        "name", "directory", "revision", "family", "architecture", "runs", "parameters", "dtypes",
        "parts", "special_tokens", "limits", "word_splitter", "thresholds", "labels", "calibration",
        "settings", "graphs", "missing", "problems",
    }  # fmt: skip
    assert (found["family"], found["runs"], found["problems"]) == ("gliner2", True, [])
    assert found["limits"] == {"pieces": 512, "words": None, "width": 4}
    assert sum(part["parameters"] for part in found["parts"]) == found["parameters"]


def test_table(onepass: Onepass, old: Path):
    done = onepass("models", "inspect", str(old))
    assert (done.code, done.err) == (0, "")
    for line in (
        "  architecture  UniEncoderSpan", "  can be run    no", "Special tokens\n  none",
        "  pieces of a window  not known", "  words of a window   384",
        "  longest span        4 words", "  words               of the family",
        "  tokenizer.json, taken from ", "Exports\n  none",
        "Problems\n  There are no weights of the span layer.\n",
    ):  # fmt: skip
        assert line in done.out
    assert "Parts (" in done.out


def test_the_built_in_model(onepass: Onepass):
    done = onepass("models", "inspect", "builtin", "-f", "json")
    found = json.loads(done.out)
    assert (found["name"], found["runs"], found["parts"]) == ("builtin", True, [])
    assert [one["precision"] for one in found["graphs"]] == ["int8"]
    assert found["graphs"][0]["size_bytes"] > 10**6
    assert (found["architecture"], found["settings"]["pair_words"]) == (
        "span, count_lstm_v2, word shapes, reranker",
        40,
    )
    table = onepass("models", "inspect", "builtin").out
    assert "Parts\n  there are exports alone, no weights\n" in table
    assert "  distinct_values  true\n" in table


def test_what_cannot_be_run_is_said(onepass: Onepass, tmp_path: Path):
    config = '{"model_type": "GLiClass", "architecture_type": "tri-encoder"}'
    (tmp_path / "config.json").write_text(config)
    done = onepass("models", "inspect", str(tmp_path))
    assert done.code == 0
    assert "  can be run    no" in done.out
    assert "architecture_type 'tri-encoder'" in " ".join(done.out.split())


def test_what_is_not_there(onepass: Onepass):
    done = onepass("models", "inspect", "./no-such-directory")
    assert (done.code, done.out) == (2, "")
    assert "no-such-directory" in done.err
    assert "Missing argument 'CHECKPOINT'" in onepass("models", "inspect").err
    assert "No such command 'inspekt'" in onepass("models", "inspekt").err


def test_models_still_lists(onepass: Onepass):
    done = onepass("models")
    assert done.code == 0
    assert done.out.startswith("Built in\n  builtin")
    assert "urchade/gliner_medium-v2.1" in done.out.partition("Not supported yet")[0]
    listed = json.loads(onepass("models", "--format", "json").out)
    assert set(listed) == {"builtin", "cached", "known"}
