"""ONNX Runtime, as onepass loads it, keeps no id of its user and sends nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SWITCH = "ORT_DISABLE_TELEMETRY"
EXTRACT = "from onepass import Extractor; Extractor().extract('Tim Cook', {'entities': ['person']})"
# Nothing of it is loaded here: what it sends where it may is not for a test.
FIRST = "import os, sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime')"
IMPORT = "import onepass.backends.onnx_runtime"
COMMAND = ["-m", "onepass", "extract", "Tim Cook", "-e", "person"]


def kept(home: Path, *arguments: str, **environment: str) -> list[str]:
    """Return the files in an empty home directory after a process has run."""
    told = {name: value for name, value in os.environ.items() if name != SWITCH}
    told.pop("XDG_CACHE_HOME", None)
    told["ONEPASS_CACHE"] = str(home.with_name(f"{home.name}-cache"))  # not in the home directory
    subprocess.run(
        [sys.executable, *arguments],
        check=True, capture_output=True, env=told | {"HOME": str(home)} | environment,
    )  # fmt: skip
    return sorted(path.name for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("arguments", [["-c", EXTRACT], COMMAND], ids=["python", "command"])
def test_nothing_is_kept_in_the_home_directory(tmp_path: Path, arguments: list[str]) -> None:
    assert kept(tmp_path, *arguments) == []


def test_worker_processes_keep_nothing(tmp_path: Path) -> None:
    rows, home = tmp_path / "rows.jsonl", tmp_path / "home"
    home.mkdir()
    rows.write_text('{"text": "Tim Cook"}\n')
    job = ["-m", "onepass", "extract", "--input", str(rows), "-e", "person", "--workers", "2"]
    assert kept(home, *job, "-o", str(tmp_path / "out.jsonl")) == []


@pytest.mark.parametrize(("given", "told"), [({}, "1"), ({SWITCH: "0"}, "0")])
def test_whoever_wants_telemetry_may_turn_it_on(given: dict[str, str], told: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"{FIRST}; {IMPORT}; print(os.environ['{SWITCH}'])"],
        check=True, capture_output=True, text=True,
        env={name: value for name, value in os.environ.items() if name != SWITCH} | given,
    )  # fmt: skip
    assert said.stdout.strip() == told
