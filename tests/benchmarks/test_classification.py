"""The classification benchmarks run on tiny things, and say what they did not measure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("gliclass")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.classification import checkpoints, quality, report, speed, systems  # noqa: E402
from benchmarks.common import timing  # noqa: E402

from onepass import Extractor  # noqa: E402
from onepass.errors import InputError  # noqa: E402

DATASETS = json.loads(quality.DATASETS.read_text(encoding="utf-8"))["datasets"]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a tiny GLiClass checkpoint and a tiny NLI one."""
    root = tmp_path_factory.mktemp("models")
    return (
        checkpoints.make_gliclass(root / "gliclass", checkpoints.TINY),
        checkpoints.make_nli(root / "nli", checkpoints.TINY),
    )


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# -- quality --------------------------------------------------------------------------------------


def test_data_sets_have_two_names_for_each_label():
    assert len(DATASETS) == 14
    sizes = {"20_newsgroups": 20, "massive": 60, "banking77": 77, "ag_news": 4, "snips": 7}
    for name, entry in DATASETS.items():
        raw, humanized = entry["raw"], entry["humanized"]
        if raw is None:
            assert name == "cap_sotu"
            assert humanized is None
            continue
        assert len(raw) == len(humanized) == len(set(raw)) == len(set(humanized))
        assert len(raw) == sizes.get(name, len(raw))
        assert not any("_" in label for label in humanized)
        places: dict[str, int] = {}  # a name means one label only, raw or humanized
        for i, pair in enumerate(zip(raw, humanized, strict=True)):
            for label in pair:
                assert places.setdefault(label, i) == i


def test_scores_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    chosen = np.random.default_rng(0)
    true, found = (list(chosen.choice(list("abcde"), 60)) for _ in range(2))
    got = quality.score(true, found)
    assert got["macro_f1"] == pytest.approx(metrics.f1_score(true, found, average="macro"))
    assert got["micro_f1"] == pytest.approx(metrics.f1_score(true, found, average="micro"))
    assert got["accuracy"] == pytest.approx(metrics.accuracy_score(true, found))


def test_a_label_may_be_a_number_a_raw_or_a_humanized_name(tmp_path: Path):
    entry = DATASETS["rotten_tomatoes"]
    rows = [{"text": str(i), "label": one} for i, one in enumerate([1, "pos", "negative", 0])]
    path = write(tmp_path / "rotten_tomatoes.jsonl", rows)
    asked = quality.read(path, entry, "raw", None)
    assert asked.labels == ("neg", "pos")
    assert [label for _, label in asked.rows] == ["pos", "pos", "neg", "neg"]
    other = quality.read(path, entry, "humanized", 1)
    assert other.rows == [("0", "positive")]
    write(path, [{"text": "a", "label": "good"}])
    with pytest.raises(InputError, match="has the label 'good'"):
        quality.read(path, entry, "raw", None)


def test_labels_that_are_not_known_come_from_the_file(tmp_path: Path):
    path = write(tmp_path / "a.jsonl", [{"text": "a", "label": x} for x in ("law", "art", "law")])
    assert quality.read(path, DATASETS["cap_sotu"], "raw", None).labels == ("art", "law")
    row = {"text": "a", "task": "t", "labels": ["west", "east"], "gold": ["east"]}
    assert quality.read(write(path, [row]), None, "own", None).labels == ("west", "east")
    for bad in ([{**row, "multi_label": True}], [row, {**row, "labels": ["east"]}]):
        with pytest.raises(InputError):
            quality.read(write(path, bad), None, "own", None)


def test_several_models_on_what_is_there(made, tmp_path: Path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    texts = checkpoints.make_texts(20, 8)
    write(data / "ag_news.jsonl", [{"text": t, "label": i % 4} for i, t in enumerate(texts)])
    write(data / "imdb.jsonl", [{"text": t, "label": "negative"} for t in texts])
    mine = {"task": "t", "labels": ["east", "west"], "gold": ["west"]}
    write(data / "mine.jsonl", [{"text": t, **mine} for t in texts])
    output = tmp_path / "quality.json"
    models = [part for path in made for part in ("--model", str(path))]
    arguments = [*models, "--data", str(data), "--output", str(output), "--quick"]
    assert quality.main([*arguments, "--template", "{}"]) == 0
    result = json.loads(output.read_text(encoding="utf-8"))
    assert set(result["missing"]) == DATASETS.keys() - {"ag_news", "imdb"}
    for path in made:
        found = result["models"][str(path)]
        assert found["means"]["paper, raw"]["over"] == ["imdb", "ag_news"]
        assert found["means"]["other, own"]["over"] == ["mine"]
        for names in quality.NAMES:
            scores = found["paper"][names]
            assert scores["ag_news"]["texts"] == quality.QUICK
            mean = (scores["ag_news"]["macro_f1"] + scores["imdb"]["macro_f1"]) / 2
            assert found["means"][f"paper, {names}"]["macro_f1"] == pytest.approx(mean)
    model = Extractor.from_pretrained(made[0])
    labels = DATASETS["ag_news"]["raw"]
    answers = [model.classify(text, labels).labels[0].label for text in texts[: quality.QUICK]]
    right = np.mean([answer == labels[i % 4] for i, answer in enumerate(answers)])
    found = result["models"][str(made[0])]["paper"]["raw"]["ag_news"]
    assert found["accuracy"] == pytest.approx(right)
    printed = capsys.readouterr()
    assert printed.out.count("MISSING") == 12
    assert "2 data sets (paper, raw: imdb, ag_news)" in printed.out
    assert "12 data sets of the paper are missing" in printed.err


# -- speed ----------------------------------------------------------------------------------------


def test_texts_have_the_pieces_that_they_should():
    own = checkpoints.tokenizer()
    assert {len(own.encode(text).ids) - 2 for text in checkpoints.make_texts(3, 40)} == {40}
    labels = checkpoints.make_labels(128)
    assert len(set(labels)) == 128
    assert {len(own.encode(one).ids) - 1 for one in labels} == {checkpoints.PIECES_A_LABEL}
    pair = own.encode("art bank", f"This example is {labels[0]}.")
    assert len(pair.ids) == 2 + speed.HYPOTHESIS


def test_the_network_on_a_device_gives_the_scores_of_onnx(made):
    texts, labels = checkpoints.make_texts(2, 12), checkpoints.make_labels(5)
    paths = dict(zip((False, True), made, strict=True))
    for name, pairs in (("onepass", False), ("onepass-nli", True)):
        system = systems.open_system(name, paths, device="cpu", threads=1)
        wanted = system.scores(texts, labels)
        found = systems.onepass_torch(paths[pairs], "cpu")(texts, labels)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_all_systems_are_measured_and_drawn(tmp_path: Path, capsys):
    arguments = ["--quick", "--threads", "1", "--devices", "cpu", "--output", str(tmp_path)]
    assert speed.main(arguments) == 0
    result = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert result["command"] == ["speed.py", *arguments]
    found = result["devices"]["cpu"]
    assert {tuple(row["systems"]) for row in found["agreement"]} == {
        ("onepass", "gliclass"), ("onepass-nli", "transformers-nli")
    }  # fmt: skip
    assert [(c["kind"], c["batch"], c["labels"]) for c in found["cells"]] == [
        ("throughput", 1, 1), ("throughput", 1, 4), ("throughput", 2, 1), ("throughput", 2, 4),
        ("latency", 1, 5),
    ]  # fmt: skip
    for cell in found["cells"]:
        assert list(cell["systems"]) == list(systems.SYSTEMS)
        for took in cell["systems"].values():
            assert took["runs"] == 2
            assert took["fastest_seconds"] <= took["median_seconds"] <= took["slowest_seconds"]
    assert (tmp_path / "speed.txt").read_text(encoding="utf-8") == capsys.readouterr().out
    plot = ElementTree.parse(tmp_path / "speed-cpu.svg").getroot()
    assert sum(one.tag.endswith("circle") for one in plot.iter()) == 16


class Slow:
    """Takes a hundredth of a second a label, or so it says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        clock = SimpleNamespace(perf_counter=lambda: self.now, sleep=lambda seconds: None)
        monkeypatch.setattr(timing, "time", clock)  # other threads keep theirs
        self.system = systems.System("slow", True, self.scores)

    def scores(self, texts, labels):
        self.now += 0.01 * len(labels) * len(texts)
        return np.zeros((len(texts), len(labels)))


def test_what_takes_too_long_is_not_measured(monkeypatch: pytest.MonkeyPatch):
    slow = Slow(monkeypatch)
    timings: speed.Timings = {"slow": []}
    found = {}
    for labels in (1, 4, 10, 64):
        cell = speed.Cell("throughput", 1, 16, labels)
        found[labels] = speed.measure(cell, [slow.system], timings, repeats=3, limit=0.13)["slow"]
    assert (found[1]["runs"], found[1]["warmed_up"]) == (3, True)
    assert found[4]["runs"] == 2  # a warm-up and two more fit
    assert (found[10]["runs"], found[10]["warmed_up"]) == (1, False)
    assert found[10]["examples_per_second"] == pytest.approx(10)
    assert list(found[64]) == ["not_measured"]
    assert "expected 1 s" in found[64]["not_measured"]
    cells = [
        {"kind": "throughput", "batch": 1, "length": 16, "labels": n, "systems": {"slow": took}}
        for n, took in found.items()
    ]
    facts = {
        "machine": {"cpu": "x"}, "threads": 1, "encoder": {"like": "tiny"}, "limit_seconds": 0.13,
        "devices": {"cpu": {"agreement": [], "cells": cells}},
    }  # fmt: skip
    text = report.tables(facts)
    assert "mean" not in text  # of fewer cells than there are
    assert "not measured, 1 times" in text
    assert report.plot(facts, "cpu").startswith("<svg")


def test_scores_that_differ_or_say_nothing_stop_it():
    row = {"systems": ["a", "b"], "length": 1, "labels": 2}
    good = {**row, "largest_difference": 1e-6, "spread": 0.1}
    assert not speed.fails([])
    assert not speed.fails([good, {**good, "spread": 0.0}])
    assert speed.fails([good, {**good, "largest_difference": 2e-4}])
    assert speed.fails([{**good, "spread": 1e-5}])
