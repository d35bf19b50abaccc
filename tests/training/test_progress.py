import json
import re

import pytest

from onepass.training.progress import Limits, Progress


def make(tmp_path, lines, *, steps=10, log_every=2, warmup=None):
    limits = Limits(steps, None, None, warmup)
    return Progress(tmp_path / "run" / "log.jsonl", limits, log_every, lines.append)


def rows(tmp_path):
    text = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_nearest_limit_ends_a_run():
    limits = Limits(steps=100, examples=1000, minutes=2.0, warmup=None)
    assert limits.done(10, 500, 30.0) == 0.5
    assert limits.done(10, 50, 90.0) == 0.75
    assert limits.done(200, 0, 0.0) == 1.0
    assert Limits(None, 10, None, None).done(999, 5, 999.0) == 0.5


def test_rates_rise_over_the_warm_up_and_fall_to_two_percent():
    limits = Limits(1000, None, None, warmup=100)
    rates = [limits.rate(step, step / 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert max(rates) == pytest.approx(1 - 0.98 * 0.1, abs=0.01)
    assert rates[-1] == pytest.approx(0.02)


def test_a_warm_up_that_is_not_given_takes_at_most_a_tenth():
    short = Limits(50, None, None, warmup=None)
    assert short.rate(5, 5 / 50) == pytest.approx(1 - 0.98 * 0.1)
    long = Limits(100_000, None, None, warmup=None)
    assert long.rate(499, 499 / 100_000) == pytest.approx(0.5, rel=0.01)
    assert Limits(50, None, None, warmup=0).rate(0, 0.0) == 1.0


def test_lines_show_means_and_the_time_left(tmp_path):
    lines: list[str] = []
    progress = make(tmp_path, lines)
    progress.stepped({"spans": 1.0, "rank": 4.0}, 3)
    assert lines == []
    progress.stepped({"spans": 2.0}, 6)
    assert re.fullmatch(
        r"step 2  20\.0 %  rank 4\.0000  spans 1\.5000  \d+\.\d min, \d+ min left", lines[0]
    )
    (row,) = rows(tmp_path)
    assert row["loss"] == {"rank": 4.0, "spans": 1.5}
    assert row["step"] == 2


def test_the_last_steps_have_a_line_too(tmp_path):
    lines: list[str] = []
    progress = make(tmp_path, lines, steps=3)
    for step in range(3):
        progress.stepped({"spans": float(step)}, step)
    assert [row["step"] for row in rows(tmp_path)] == [2, 3]
    assert rows(tmp_path)[1]["loss"] == {"spans": 2.0}
    assert lines[1].startswith("step 3  100.0 %  spans 2.0000")


def test_the_time_left_follows_the_share_done(tmp_path, monkeypatch):
    lines: list[str] = []
    now = [100.0]
    monkeypatch.setattr("onepass.training.progress.monotonic", lambda: now[0])
    progress = make(tmp_path, lines, steps=8)
    now[0] += 600.0
    progress.stepped({}, 1)
    progress.stepped({}, 2)
    assert lines[0].endswith("10.0 min, 30 min left")


def test_the_best_score_is_kept_and_ties_go_to_the_first(tmp_path):
    progress = make(tmp_path, [])
    assert progress.best_or_none() is None
    assert progress.scored({"score": 0.0, "entities": 0.0})
    assert not progress.scored({"score": 0.0})
    assert progress.scored({"score": 0.2})
    assert not progress.scored({"entities": 0.9})  # nothing that counts
    assert progress.best_or_none() == 0.2
    assert rows(tmp_path)[0]["scores"] == {"score": 0.0, "entities": 0.0}


def test_without_scores_nothing_is_said(tmp_path):
    lines: list[str] = []
    assert not make(tmp_path, lines).scored({})
    assert lines == []
    assert not (tmp_path / "run").exists()


def test_a_restored_run_counts_on_and_drops_later_rows(tmp_path):
    progress = make(tmp_path, [])
    for step in range(6):
        progress.stepped({"spans": float(step)}, step)
        if step == 3:
            progress.scored({"score": 0.5})
            state = json.loads(json.dumps(progress.state()))
    assert [row["step"] for row in rows(tmp_path)] == [2, 4, 4, 6]
    lines: list[str] = []
    again = make(tmp_path, lines)
    again.restore(state, 3)
    assert [row["step"] for row in rows(tmp_path)] == [2, 4, 4]
    assert (again.step, again.best_or_none(), again.done()) == (4, 0.5, 0.4)
    assert again.seconds() >= state["seconds"]
    assert lines == ["resumed at step 4"]


def test_a_restored_run_goes_on_with_its_means_and_its_best(tmp_path):
    progress = make(tmp_path, [], log_every=3)
    progress.stepped({"spans": 1.0, "rank": 5.0}, 4)
    progress.scored({"score": 0.5})
    progress.stepped({"spans": 3.0}, 8)
    state = json.loads(json.dumps(progress.state()))
    again = make(tmp_path, [], log_every=3)
    again.restore(state, 8)
    again.stepped({"spans": 5.0}, 12)
    assert rows(tmp_path)[-1]["loss"] == {"rank": 5.0, "spans": 3.0}
    assert again.best_at == (1, 4)
    old = {name: value for name, value in state.items() if name not in ("best_at", "recent")}
    again = make(tmp_path, [], log_every=3)
    again.restore(old, 8)
    assert again.best_at is None


def test_a_run_that_does_not_resume_begins_with_an_empty_log(tmp_path):
    make(tmp_path, []).scored({"score": 0.5})
    progress = make(tmp_path, [])
    progress.stepped({"spans": 1.0}, 1)
    assert not (tmp_path / "run" / "log.jsonl").exists()
    progress.stepped({"spans": 1.0}, 2)
    progress.scored({"score": 0.1})
    assert [row["step"] for row in rows(tmp_path)] == [2, 2]


def test_a_run_without_a_score_is_restored_without_one(tmp_path):
    progress = make(tmp_path, [])
    again = make(tmp_path, [])
    again.restore(json.loads(json.dumps(progress.state())), 0)
    assert again.best_or_none() is None


def test_a_log_whose_last_line_is_broken_is_restored_without_it(tmp_path):
    progress = make(tmp_path, [])
    for step in range(4):
        progress.stepped({"spans": float(step)}, step)
    state = json.loads(json.dumps(progress.state()))
    log = tmp_path / "run" / "log.jsonl"
    for broken in (b'{"step": 4, "lo', b'{"step"\xc3', b"[]\n{}\n"):
        whole = log.read_bytes()
        log.write_bytes(whole + broken)
        make(tmp_path, []).restore(state, 3)
        assert log.read_bytes() == whole
    assert [file.name for file in log.parent.iterdir()] == ["log.jsonl"]
