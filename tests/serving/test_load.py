"""The load test of benchmarks/serve runs, and a small flood loses nothing."""

import json
import subprocess
import sys
from pathlib import Path

LOAD = Path(__file__).resolve().parents[2] / "benchmarks" / "serve" / "load.py"


def test_a_small_flood(tmp_path: Path):
    output = tmp_path / "load.json"
    options = ["--clients", "2", "--seconds", "0.5", "--flood-seconds", "1.5", "--words", "20"]
    more = ["--serve", "--queue-texts 2 --batch-texts 1", "--output", str(output)]
    subprocess.run([sys.executable, str(LOAD), *options, *more], check=True, timeout=120)
    found = json.loads(output.read_text())
    flood = found["flood"]
    assert set(flood["answers"]) <= {"200", "429"}
    assert "200" in flood["answers"]
    assert sum(flood["answers"].values()) == flood["sent"]
    assert (flood["lost"], flood["wrong_text"]) == ({}, 0)
    counted = found["metrics"]
    asked = {s: counted.get(f'onepass_requests_total{{route="/v1/extract",status="{s}"}}', 0)
             for s in ("200", "429")}  # fmt: skip
    seen = [*found["levels"], flood, found["after_the_flood"]]
    assert asked["200"] >= sum(part["answers"].get("200", 0) for part in seen)
    assert asked["429"] >= flood["answers"].get("429", 0)
    assert found["stopped"]["exit_code"] == 0
    assert not found["text_in_log"]
