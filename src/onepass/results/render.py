"""Extractions as a page for a browser, for people to look at.

It shows foreign text, so nothing of that reaches the page as anything but text. This file knows
nothing about files or notebooks; it returns strings.
"""

from __future__ import annotations

from collections.abc import Iterable

from onepass.results import arguments
from onepass.results.html_parts import (
    classes_html,
    escape,
    highlight,
    legend,
    records_html,
    relations_html,
)
from onepass.results.page import CSS, colors_of, page
from onepass.results.types import Extraction
from onepass.results.wording import coverage_line


def to_html(docs: Extraction | Iterable[Extraction], *, title: str = "onepass") -> str:
    """Return one self-contained page that shows extractions.

    The page loads nothing. Each text stands once, as it is; entities are underlined, those that
    overlap in lanes below each other; relations are drawn as arcs and listed. A label has the same
    color in every text of the page. A slider hides what scores less; nothing else runs.

    Args:
        docs: one extraction, or several.
        title: the title of the page.

    Returns:
        The page. Characters that a page cannot hold (NUL, lone surrogates) show as U+FFFD.

    Raises:
        InputError: if something else is given.

    >>> "a &lt; b" in to_html(Extraction("a < b"))
    True
    """
    shown = arguments.extractions(docs)
    colors = colors_of(entity.label for doc in shown for entity in doc.entities)
    body = "\n".join(f'<div class="onepass">{_sections(doc, colors)}</div>' for doc in shown)
    return page(escape(arguments.name(title, "The title")), body)


def to_fragment(doc: Extraction) -> str:
    """Return the same as `to_html` without the page around it and its slider, for a notebook.

    Nothing in it runs.

    >>> to_fragment(Extraction("a")).startswith('<div class="onepass"><style>')
    True
    """
    colors = colors_of(entity.label for entity in arguments.extraction(doc).entities)
    return f'<div class="onepass"><style>{CSS}</style>{_sections(doc, colors)}</div>'


def _sections(doc: Extraction, colors: dict[str, str]) -> str:
    parts = [legend(doc, colors), highlight(doc, colors)]
    parts += [classes_html(doc), records_html(doc), relations_html(doc, colors)]
    return "".join(parts) + f"<p><small>{coverage_line(doc)}</small></p>"
