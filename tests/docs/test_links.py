"""Links of the Markdown pages lead to files and headings that are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(
        page
        for top in ("docs", "recipes", "benchmarks", "data")
        for page in sorted(ROOT.joinpath(top).rglob("*.md"))
    ),
]
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return what stands behind ``#`` in a link to each heading, as GitHub makes it."""
    kept = (re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in HEADING.findall(text))
    return {title.replace(" ", "-") for title in kept}


def broken(page: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere."""
    own = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(CODE.sub("", own)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        text = (
            BLOCK.sub("", target.read_text(encoding="utf-8")) if anchor and target.exists() else ""
        )
        if not target.exists() or (anchor and anchor not in anchors(text)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    assert not list(broken(page))


def test_every_page_stands_in_the_index():
    index = LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert not pages - {link.partition("#")[0] for link in index}


def test_every_benchmark_stands_in_their_index():
    index = LINK.findall((ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8"))
    programs = {page.parent.name for page in (ROOT / "benchmarks").glob("*/*.py")} - {"common"}
    assert programs == {link.partition("/")[0] for link in index} - {".."}


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "# What `it` is: all\n[a](#what-it-is-all) [b](page.md#what-it-is-all) [`c`](https://x.org/#d)\n"
        "```\n# no heading\n[e](e.md)\n```\n`[f](f.md)` [g](g.md) [h](#no-heading)\n"
    )
    assert list(broken(page)) == ["g.md", "#no-heading"]
