"""What is public: the page about it, what pages and examples use of it, and its docstrings."""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_docs import PAGES
from write_api import PACKAGES, PAGE, names, page

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
GUESTS = "onepass.integrations."  # whose modules are public as they are
# What a user meets first: whoever looks up one of these wants to see it used.
SHOWN = {
    "onepass", "onepass.batch", "onepass.client", "onepass.evaluation", "onepass.redact",
    "onepass.typed",
}  # fmt: skip
FROM = re.compile(r"^\s*from (onepass[\w.]*) import ([\w, ]+|\([^)]*\))", re.MULTILINE)
IMPORT = re.compile(r"^\s*import (onepass[\w.]*)", re.MULTILINE)
ENTRY = re.compile(r"^ +([\w*]+): (.*)$")
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$", re.MULTILINE)
# What needs the name before it to be a sentence: "of the task", "takes the counts", "likewise".
NOT_ALONE = re.compile(
    r"(of|that|which|what|who|where|for|in|on|from|to|by|if|as(?! in `)|is|are|has|takes|gives|"
    r"opens|makes|holds|decides|receives|called|likewise)\b"
)


def public() -> Iterator[tuple[str, Any]]:
    """Yield each public class and function, under one of its names."""
    seen = set()
    for package, own in names().items():
        for name in own:
            value = getattr(import_module(package), name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and value not in seen:
                seen.add(value)
                yield f"{package}.{name}", value


PUBLIC = dict(public())


def said(value: object) -> str:
    """Return a docstring."""
    return inspect.cleandoc(value.__doc__ or "")  # of itself, not of a base


def entries(text: str) -> dict[str, str]:
    """Return the arguments and attributes that a docstring explains, with their first lines."""
    found: dict[str, str] = {}
    parts = SECTION.split(text)
    for section, body in zip(parts[1::2], parts[2::2], strict=True):
        if section in ("Args", "Attributes"):
            lines = re.split(r"\n(?! |$)", body)[0].splitlines()
            found |= {m[1]: m[2] for line in lines if (m := ENTRY.match(line)) and line[4] != " "}
    return found


def methods(value: object) -> Iterator[tuple[str, object]]:
    """Yield a class or function with its public methods, those of our own bases among them."""
    yield "", value
    for base in value.__mro__ if inspect.isclass(value) else ():
        for name, one in vars(base).items() if base.__module__.startswith("onepass") else ():
            own = one.__func__ if isinstance(one, classmethod | staticmethod) else one
            if inspect.isfunction(own) and not name.startswith("_"):
                yield name, own


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("path", [*PAGES, *EXAMPLES], ids=lambda path: path.name)
def test_pages_and_examples_use_public_names(path: Path):
    known, text = names(), path.read_text(encoding="utf-8")
    for package, listed in FROM.findall(text):
        if not package.startswith(GUESTS):
            assert set(re.findall(r"\w+", listed)) <= set(known.get(package, ())), package
    assert set(IMPORT.findall(text)) <= known.keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_its_public_names(package: str):
    module = import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_say_what_they_are(name: str):
    first = " ".join(said(PUBLIC[name]).split("\n\n")[0].split())
    assert re.fullmatch(r"[A-Z`].*\.", first)


@pytest.mark.parametrize("name", [name for name, one in PUBLIC.items() if is_dataclass(one)])
def test_fields_are_explained(name: str):
    own = inspect.get_annotations(PUBLIC[name])  # without those of its bases
    fields = {field for field in own if not field.startswith("_")}
    assert fields <= entries(said(PUBLIC[name])).keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_an_entry_can_be_read_without_its_name(name: str):
    for method, own in methods(PUBLIC[name]):
        for argument, text in entries(said(own)).items():
            assert not NOT_ALONE.match(text), f"{method} {argument}: {text}"


def test_an_entry_that_needs_its_name_is_found():
    text = (
        "Do it.\n\nArgs:\n    name: of it.\n    way: one;\n        of two.\n\nRaises:\n    A: no."
    )
    assert entries(text) == {"name": "of it.", "way": "one;"}
    assert NOT_ALONE.match("of it.")
    assert not NOT_ALONE.match("as in `extract`.")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in PUBLIC.items()
        if name.rpartition(".")[0] in SHOWN
        if not (inspect.isclass(value) and issubclass(value, Exception))
    ],
)
def test_what_a_user_meets_first_is_shown_in_use(name: str):
    assert ">>> " in said(PUBLIC[name])
