"""The page docs/api.md: the public names, with the first sentence of what each says of itself.

`write_docs.py` writes it (``make docs``), and so does ``python tests/docs/write_api.py``.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/api.md"
# Packages by what they are for, and the page about each.
PACKAGES = {
    "onepass": "extractor.md",
    "onepass.schema": "schema.md",
    "onepass.results": "results.md",
    "onepass.typed": "typed.md",
    "onepass.batch": "files.md",
    "onepass.batch.ray": "files.md#datasets-of-ray-and-frames-of-spark",
    "onepass.client": "service.md",
    "onepass.serving": "service.md",
    "onepass.redact": "redact.md",
    "onepass.hub": "checkpoints.md",
    "onepass.corpus": "data.md",
    "onepass.training": "training.md",
    "onepass.training.rl": "training.md",
    "onepass.evaluation": "evaluation.md",
    "onepass.text": "checkpoints.md",
    "onepass.demo": "demo.md",
}
# Of what has no docstring: types, and values.
_SAID = {
    "Record": "One record: fields to their values (a value, several, or None).",
    "Email": "A string that reads as an e-mail address; for fields of Pydantic classes.",
    "Iban": "A string that reads as an IBAN; for fields of Pydantic classes.",
    "Phone": "A string that reads as a phone number; for fields of Pydantic classes.",
    "Url": "A string that reads as a link; for fields of Pydantic classes.",
    "ACTIONS": "The actions: what a place can be replaced by.",
    "PII": "The kinds of personal data that are looked for if nothing else is said.",
    "KNOWN": "Checkpoints that are known by name, with what is known of them.",
    "PALETTE": "The colors of labels.",
    "Threshold": "Type of the option `threshold`: a number, numbers by kind or name, or None.",
    "Overlap": "Type of the option `overlap`.",
    "OnLong": "Type of the option `on_long`.",
    "Solver": "Type of the option `solver`.",
    "__version__": "The version of onepass.",
}
_HEAD = """# Public names

What stands here is public; what does not may change in any release, whatever its name looks like.
Guests (spaCy, Presidio, ...) have [modules of their own](integrations.md). This page is made by
`make docs`.
"""


def names() -> dict[str, list[str]]:
    """Return the public names of each package."""
    return {package: sorted(import_module(package).__all__) for package in PACKAGES}


def page() -> str:
    """Return the page as it should be."""
    parts = [_HEAD]
    for package, about in PACKAGES.items():
        module = import_module(package)
        rows = ["| name | what it is |", "| --- | --- |"]
        rows += [
            f"| `{name}` | {_SAID.get(name) or _sentence(getattr(module, name))} |"
            for name in names()[package]
        ]
        parts.append(f"## {package}\n\n{_sentence(module)} [More]({about})\n")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _sentence(value: object) -> str:
    """Return the first paragraph of a docstring, in one line and without marks of code."""
    first = inspect.getdoc(value).split("\n\n")[0]  # type: ignore[union-attr]  # all have one
    return " ".join(first.split()).replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
