"""The version is the same wherever it is written."""

import re
from pathlib import Path

from onepass import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_pages_repeat_the_version_of_the_package():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"This is version (\S+) ", readme) == [__version__]
    assert re.findall(r"(?m)^version: (\S+)$", citation) == [__version__]
