"""``onepass calibrate``: scores fitted on annotated texts, kept with a checkpoint."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor
from onepass.cli import loading
from onepass.corpus.example import Example, GoldTask, Mention
from onepass.corpus.formats import read_any
from onepass.corpus.jsonl import write_examples

Onepass = Callable[..., Any]
SCHEMA = {"entities": ["person"]}
load_model = loading.load_model  # the real one


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "load_model", load_model)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    directory = make_tiny_checkpoint(tmp_path / "tiny")
    (directory / "onepass.json").write_text(
        json.dumps({"spare_instances": 2, "thresholds": {"entities": 0.9, "records": 0.3}})
    )
    return directory


@pytest.fixture
def data(tmp_path: Path) -> Path:
    calm, angry = (GoldTask("tone", ("calm", "angry"), (tone,)) for tone in ("calm", "angry"))
    words = [(0, 3), (4, 8), (9, 11)]  # each is found everywhere, and is right in a third
    examples = [
        Example(
            f"tim cook in paris {n}",
            (Mention(*words[n % 3], "person"),),
            ("person",),
            classifications=(calm if n % 7 else angry,),
        )
        for n in range(80)
    ]
    write_examples(tmp_path / "gold.jsonl", examples)
    return tmp_path / "gold.jsonl"


def test_what_is_fitted_is_kept(onepass: Onepass, checkpoint: Path, data: Path) -> None:
    raw = Extractor.from_pretrained(checkpoint).uncalibrated()
    done = onepass("calibrate", str(checkpoint), "--data", str(data), "-f", "json")
    assert done.code == 0
    assert done.err == (
        f"{checkpoint / 'onepass.json'} holds what was fitted on 80 texts\n"
        "single: no error and no score is measured, which takes 50 findings, some right and some "
        "wrong, in each half of the texts\n"
    )
    found = json.loads(done.out)
    kept = json.loads((checkpoint / "onepass.json").read_text())
    thresholds = {"records": 0.3, **found["thresholds"]}  # of records nothing was fitted
    assert kept == {
        "spare_instances": 2,
        "thresholds": thresholds,
        "calibration": found["calibration"],
    }
    assert set(found["calibration"]) == {"entities", "single"}
    for kind, error in found["calibration_error"].items():
        assert error["after"] < 0.05 < error["before"], kind
    before, after = (
        one.extract("tim cook in paris 7", SCHEMA, threshold=0.0, overlap="all").entities
        for one in (raw, Extractor.from_pretrained(checkpoint))
    )
    scores = {(e.start, e.end): e.score for e in after}
    line = kept["calibration"]["entities"]
    for found_before in before:
        logit = line["scale"] * log_odds(found_before.score) + line["shift"]
        score = scores[found_before.start, found_before.end]
        assert log_odds(score) == pytest.approx(logit, abs=1e-3)


def test_labels_without_thresholds_are_told(onepass: Onepass, checkpoint: Path, data: Path) -> None:
    asked = ("--data", str(data), "--limit", "45", "--per-label")  # 45 annotations of its label
    done = onepass("calibrate", str(checkpoint), *asked)
    assert (done.code, "Labels" in done.out) == (0, False)
    assert "No label has a threshold of its own, which takes 50 annotations" in done.err


def test_thresholds_of_labels_move_with_the_scores(
    onepass: Onepass, checkpoint: Path, data: Path
) -> None:
    settings = checkpoint / "onepass.json"
    before = {"scale": 2.0, "shift": -1.0}
    settings.write_text(
        json.dumps(
            {"calibration": {"entities": before}, "labels": {"person": 0.5, "strange": 0.25}}
        )
    )
    done = onepass("calibrate", str(checkpoint), "--data", str(data), "-f", "json")
    kept = json.loads(settings.read_text())
    line = kept["calibration"]["entities"]
    assert line != before
    at = log_odds(kept["labels"]["person"])
    assert at == pytest.approx(line["scale"] * 0.5 + line["shift"], abs=1e-3)  # raw logit 0.5
    assert set(kept["labels"]) == {"person"}
    assert done.err.splitlines()[1] == (
        "Thresholds of the scores before are left out where nothing tells what they are among the "
        "new ones: 'strange' (0.25); set them anew."
    )


def log_odds(score: float) -> float:
    return math.log(score / (1 - score))


def test_the_table(onepass: Onepass, checkpoint: Path, data: Path) -> None:
    done = onepass("calibrate", str(checkpoint), "--data", str(data), "--limit", "70")
    assert "fitted on 70 texts" in done.err
    title, header, *rows = done.out.splitlines()
    assert title == "Calibration"
    columns = "kind threshold scale shift error before after precision recall f1"
    assert header.split() == columns.split()
    assert [row.split()[0] for row in rows] == ["entities", "single"]
    assert [len(row.split()) for row in rows] == [9, 3]  # too few of the latter in each half


def test_a_goal_and_thresholds_of_labels(
    onepass: Onepass, checkpoint: Path, tmp_path: Path
) -> None:
    words = [(0, 3), (4, 8), (9, 11)]
    examples = [
        Example(
            f"tim cook in paris {n}",
            (Mention(*words[n % 3], "person"), *([Mention(12, 17, "place")] if n % 2 else [])),
            ("person", "place"),
        )
        for n in range(140)
    ]
    write_examples(tmp_path / "gold.jsonl", examples)
    settings = checkpoint / "onepass.json"
    settings.write_text(json.dumps({"labels": {"place": 0.9, "other": 0.25, "person": 0.8}}))
    asked = ("--data", str(tmp_path / "gold.jsonl"), "--per-label", "--goal", "recall=0.9")
    done = onepass("calibrate", str(checkpoint), *asked, "-f", "json")
    found, kept = json.loads(done.out), json.loads(settings.read_text())
    assert set(found["labels"]) == {"person"}
    assert kept["labels"]["person"] == found["labels"]["person"]
    assert set(kept["labels"]) == {"person", "place"}  # that of a label of no known kind is lost
    assert kept["labels"]["place"] != 0.9
    assert kept["fitted_labels"] == {"person": "entities"}
    told = "Fitted ones are in the place of the thresholds of 'person' (0.8)"
    assert told in done.err.splitlines()
    assert set(found["label_scores"]) == {"person"}
    assert {"precision", "recall", "f1"} < set(found["held_out"]["entities"])
    done = onepass("calibrate", str(checkpoint), *asked)
    assert "in the place of" not in done.err  # of what was fitted
    assert "Labels\n  label   threshold  gold  precision  recall  f1\n  person  " in done.out
    again = onepass("calibrate", str(checkpoint), *asked[:2])
    kept = json.loads(settings.read_text())
    assert "Thresholds that were fitted before for labels of these kinds are gone: 'person'" in (
        again.err
    )
    assert "place" in kept["labels"]  # is set by hand
    assert "fitted_labels" not in kept
    done = onepass("calibrate", str(checkpoint), *asked[:2], "--goal", "precision=0.999")
    assert done.code == 0
    assert "entities: the precision is 0." in done.err
    assert "on held-out halves, not 0.999" in done.err


def test_a_goal_is_missed_by_what_is_fitted_alone(
    onepass: Onepass, checkpoint: Path, data: Path
) -> None:
    first, *others = read_any(data)
    task = GoldTask("kind", ("a", "b"), ("a",), multi_label=True)  # in one text, which is too few
    write_examples(data, [replace(first, classifications=(task,)), *others])
    done = onepass("calibrate", str(checkpoint), "--data", str(data), "--goal", "precision=1")
    assert "entities: the precision is 0." in done.err
    assert "classifications" not in done.out + done.err


def test_labels_of_another_kind_keep_what_was_fitted(
    onepass: Onepass, checkpoint: Path, data: Path
) -> None:
    """Their kind is known, though the texts do not ask for it."""
    settings = checkpoint / "onepass.json"
    own = {"labels": {"works for": 0.75}, "fitted_labels": {"works for": "relations"}}
    settings.write_text(json.dumps(own))
    done = onepass("calibrate", str(checkpoint), "--data", str(data))
    kept = json.loads(settings.read_text())
    assert {key: kept[key] for key in own} == own
    assert "works for" not in done.err


@pytest.mark.parametrize("goal", ["", "f2", "precision", "recall=0", "precision=1.1", "f1=0.5"])
def test_an_unknown_goal(onepass: Onepass, checkpoint: Path, data: Path, goal: str) -> None:
    done = onepass("calibrate", str(checkpoint), "--data", str(data), "--goal", goal)
    assert (done.code, done.out) == (2, "")
    assert "A goal is f1, precision=SHARE or recall=SHARE" in done.err


@pytest.mark.parametrize(
    ("name", "limit", "sentence"),
    [
        ("tiny", "9", "Too little is found in 9 texts to fit anything: it takes 50"),
        ("none", "9", "is no directory; calibrate a checkpoint that is one"),
        ("builtin", "9", "is no directory; calibrate a checkpoint that is one"),
    ],
)
def test_what_cannot_be_calibrated(
    onepass: Onepass, checkpoint: Path, data: Path, name: str, limit: str, sentence: str
) -> None:
    before = (checkpoint / "onepass.json").read_text()
    where = name if name == "builtin" else str(checkpoint.with_name(name))
    done = onepass("calibrate", where, "--data", str(data), "--limit", limit)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert (checkpoint / "onepass.json").read_text() == before


@pytest.mark.parametrize("late", [False, True])
def test_a_full_disk_is_told_before_the_work_or_at_least_with_what_was_fitted(
    onepass: Onepass, checkpoint: Path, data: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    name = "write_text" if late else "write_bytes"
    write = getattr(Path, name)

    def full(path: Path, *given: Any, **options: Any) -> Any:
        if path.parent != checkpoint:  # the cache is on another disk
            return write(path, *given, **options)
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(checkpoint.iterdir()), (checkpoint / "onepass.json").read_text()
    monkeypatch.setattr(Path, name, full)
    if not late:
        monkeypatch.setattr(loading, "load_model", pytest.fail)
    done = onepass("calibrate", str(checkpoint), "--data", str(data))
    assert (done.code, done.err) == (
        2,
        f"onepass: {checkpoint} cannot be written (No space left on device); make room there, or "
        "calibrate a copy.\n",
    )
    assert done.out.startswith("Calibration\n") if late else not done.out
    assert before == (sorted(checkpoint.iterdir()), (checkpoint / "onepass.json").read_text())
