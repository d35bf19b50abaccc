"""The wheel holds the whole package and asks for no torch; the sdist holds all that is tested."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 50 * 2**20  # the built-in model may take 45 MB of it


def build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    done = subprocess.run(
        [*command, "--directory", str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_every_file_of_the_package(wheel: Path):
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "onepass").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
    assert "onepass/py.typed" in packed
    assert wheel.stat().st_size <= MAX_BYTES


def test_base_install_has_no_torch(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    needs = metadata.get_all("Requires-Dist", [])
    names = {re.match(r"[\w-]+", need)[0] for need in needs if "extra ==" not in need}
    assert names == {
        "huggingface-hub",
        "numpy",
        "onnxruntime",
        "pydantic",
        "safetensors",
        "tokenizers",
        "typer",
    }


def test_sdist_holds_what_tests_and_pages_name(tmp_path: Path):
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = archive.getnames()
    packed = {name.partition("/")[2] for name in names}
    assert {"Makefile", "conftest.py", "constraints.txt", "pyproject.toml"} <= packed
    assert {"CITATION.cff", "Dockerfile", "compose.yaml", ".dockerignore"} <= packed
    assert {
        "tests/conftest.py",
        "data/README.md",
        "src/onepass/builtin/model/config.json",
    } <= packed
