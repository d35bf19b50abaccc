"""What a job is, and the page that says so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from onepass.batch import Job, ModelChoice

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def test_the_page_names_every_field():
    page = PAGE.read_text(encoding="utf-8")
    _, _, part = page.partition("A `Job` has these fields")
    table, _, models = part.partition("`ModelChoice` names")
    cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    assert {*re.findall("`(.+?)`", " ".join(cells))} == {field.name for field in fields(Job)}
    named = {*re.findall("`([a-z]+)`", models.partition("\n\n")[0])}
    assert {field.name for field in fields(ModelChoice)} <= named
