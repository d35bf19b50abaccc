"""Packages whose names are loaded when they are used: who is told of which names."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import onepass

PACKAGE = Path(onepass.__file__).parent
LAZY = [
    path
    for path in sorted(PACKAGE.rglob("__init__.py"))
    if "_HOMES = {" in path.read_text(encoding="utf-8")
]


def package_of(path: Path) -> str:
    """Return the name of a package by its file."""
    return ".".join(path.parent.relative_to(PACKAGE.parent).parts)


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_type_checkers_see_the_names_that_are_loaded(path: Path):
    package, tree = package_of(path), ast.parse(path.read_text("utf-8"))
    blocks = [one for one in tree.body if isinstance(one, ast.If)]
    seen = {
        (name.name, one.module)
        for one in blocks[0].body  # that of TYPE_CHECKING
        if isinstance(one, ast.ImportFrom)
        for name in one.names
    }
    module = import_module(package)
    loaded = {
        (name, package + home if home.startswith(".") else home)
        for home, names in module._HOMES.items()
        for name in names
    }
    assert seen == loaded
    assert {name for name, _ in seen} == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize(
    ("absent", "package", "name", "extra"),
    [
        ("fastapi", "onepass.serving", "create_app", "serve"),
        ("prometheus_client", "onepass.serving", "serve", "serve"),
        ("torch", "onepass.training", "train_from_config", "train"),
        ("torch", "onepass.training.rl", "Episode", "train"),
    ],
)
def test_a_name_without_its_extra_says_which(absent: str, package: str, name: str, extra: str):
    script = f"""
import sys
from onepass.errors import MissingExtra
sys.modules[{absent!r}] = None
try:
    from {package} import {name}
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f"pip install 'onepass[{extra}]'" in done.stdout, done.stderr
