"""OpenVINO, as onepass loads it, keeps no id of its user and sends nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onepass.builtin import builtin_checkpoint

pytest.importorskip("openvino", reason="the extra openvino is not installed")

EXTRACT = """
from onepass import Extractor
Extractor(backend="openvino").extract("Tim Cook", {"entities": ["person"]})
"""
CONVERT = """
import sys
from onepass.backends.openvino_runtime import openvino
openvino.convert_model(sys.argv[1])
"""


def kept(place: Path, script: str, *arguments: str) -> list[str]:
    """Return the files in an empty home directory after a script has run."""
    told = {name: value for name, value in os.environ.items() if name != "CI"}  # CI is not asked
    told.pop("XDG_CACHE_HOME", None)
    home, cache = place / "home", place / "cache"
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True, capture_output=True,
        env=told | {"HOME": str(home), "ONEPASS_CACHE": str(cache)},
    )  # fmt: skip
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def test_nothing_is_kept_in_the_home_directory(tmp_path: Path) -> None:
    assert kept(tmp_path, EXTRACT) == []


def test_its_converter_still_works(tmp_path: Path) -> None:
    graph = next(builtin_checkpoint().directory.glob("onnx/*/classify.onnx"))
    assert kept(tmp_path, CONVERT, str(graph)) == []
