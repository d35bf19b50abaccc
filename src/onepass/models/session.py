"""A text that comes piece by piece, such as a call that is written down while it goes on.

It holds the text and what was found in its windows; how a window is read is left to the reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onepass.errors import InputError
from onepass.models.reader import KnownWindows, Planned, Reader
from onepass.results.types import Extraction
from onepass.schema.shown import shown

if TYPE_CHECKING:
    from onepass.typed.plan import TypedPlan


class Session:
    """A text that grows, and what is found in it; `onepass.Extractor.session` begins one.

    After each piece it finds what `Extractor.extract` finds in the whole text so far. Windows of
    the text that are as they were are not read again, so that a piece costs as much as one window
    or two, however long the text is. A session is for one thread at a time.

    >>> from onepass import Extractor
    >>> session = Extractor().session({"entities": ["person"]})
    >>> for piece in ("Ann Lee called. ", "Then Bo Hansen did."):
    ...     print([entity.text for entity in session.add(piece).entities])
    ['Ann Lee']
    ['Ann Lee', 'Bo Hansen']
    >>> session.text
    'Ann Lee called. Then Bo Hansen did.'
    """

    def __init__(self, reader: Reader, asked: Planned, plan: TypedPlan | None) -> None:
        self._reader = reader
        self._asked = asked
        self._plan = plan
        self._known: KnownWindows = {}
        self._text = ""

    @property
    def text(self) -> str:
        """The text so far."""
        return self._text

    def add(self, piece: str) -> Extraction:
        """Return what is found in the text, with a piece more at its end.

        A word that goes on in the next piece is read again as a whole there.

        Args:
            piece: the text that follows, with the blanks between it and what was there.

        Returns:
            An `Extraction` of the whole text; typed, as from `Extractor.extract`, if a class was
            asked.

        Raises:
            InputError: for what is no string; TextTooLong, if ``on_long`` of the session is
                "error", for a text that becomes too long. The text stays as it was.
        """
        if not isinstance(piece, str):
            raise InputError(
                f"A piece of a text must be a string, but {shown(piece)} ({type(piece).__name__}) "
                "was given."
            )
        text = self._text + piece
        doc = self._reader.read_on(text, self._asked, self._known)
        self._text = text
        return doc if self._plan is None else self._plan.read(doc)
