"""What is public: the page about it is up to date, and pages and examples use nothing else."""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_docs import PAGES
from write_api import PACKAGES, PAGE, names, page

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
# Modules of guests are public as they are; the page of the demo shows what its form is made of.
ALSO = ("onepass.integrations.", "onepass.demo.")
IMPORT = re.compile(r"^\s*from (onepass[\w.]*) import ([\w, ]+|\([^)]*\))", re.MULTILINE)


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("path", [*PAGES, *EXAMPLES], ids=lambda path: path.name)
def test_pages_and_examples_use_public_names(path: Path):
    public = names()
    for package, listed in IMPORT.findall(path.read_text(encoding="utf-8")):
        if not package.startswith(ALSO):
            used = set(re.findall(r"\w+", listed))
            assert used <= {*public.get(package, ()), "__version__"}, package


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_say_what_they_are(package: str):
    module = import_module(package)
    for name in names()[package]:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            said = inspect.getdoc(value) or ""
            assert re.match(r"[A-Z].*\.($|\n)", " ".join(said.split("\n\n")[0].split())), name
            assert said != (inspect.getdoc(object) or ""), name
