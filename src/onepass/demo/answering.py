"""What the page shows for a question: the text with its marks, the JSON and the program.

A refusal is an answer, too: its one sentence stands where the text would. This module does not know
the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onepass.batch.answering import Request
from onepass.demo.code import program
from onepass.demo.form import Asked
from onepass.errors import OnepassError
from onepass.results.html_parts import escape
from onepass.results.render import to_fragment

if TYPE_CHECKING:
    from onepass.extractor import Extractor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page shows.

    Attributes:
        html: the text with what was found, or the sentence of a refusal.
        json: of the extraction, or nothing.
        code: the program that gives the same, or nothing.
    """

    html: str
    json: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """A model that answers what the page asks.

    Args:
        model: that reads.
        opened: the expression that opens it, as `onepass.demo.code.opening` returns it.
    """

    model: Extractor
    opened: str

    def answer(self, ask: Callable[[], Asked]) -> Answer:
        """Return what to show for a question, whatever is wrong with it.

        Args:
            ask: reads the form; what it refuses is shown.

        >>> from onepass import Extractor
        >>> from onepass.demo.form import entity_part
        >>> answering = Answering(Extractor(), "Extractor()")
        >>> answer = answering.answer(lambda: Asked("Ann Lee met Bo.", (entity_part("person"),)))
        >>> "Ann Lee" in answer.html, '"label": "person"' in answer.json
        (True, True)
        >>> answering.answer(lambda: Asked("", ())).html
        '<p class="refused" role="alert">There is no text; ...</p>'
        """
        try:
            asked = ask()
            doc = Request(asked.schema, asked.options).one(self.model, asked.text)
        except OnepassError as error:
            return Answer(f'<p class="refused" role="alert">{escape(str(error))}</p>')
        return Answer(to_fragment(doc), doc.to_json(indent=2), program(asked, self.opened))
