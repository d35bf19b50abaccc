"""A text that is put together piece by piece and knows where its values stand."""

from __future__ import annotations

from dataclasses import dataclass, field

Span = tuple[int, int]


@dataclass(slots=True)
class Placed:
    """One record as it was written: the places of its values by slot, and its choices."""

    spans: dict[str, list[Span]] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    sentences: list[set[str]] = field(default_factory=list)  # slots that one sentence named


class Writer:
    """Collects text and places.

    >>> writer = Writer()
    >>> writer.add("Call ")
    >>> writer.value("Ann"), writer.text
    ((5, 8), 'Call Ann')
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0

    @property
    def text(self) -> str:
        """Return what was written so far."""
        return "".join(self._parts)

    def add(self, text: str) -> None:
        """Write text that is no value."""
        self._parts.append(text)
        self.length += len(text)

    def value(self, text: str) -> Span:
        """Write a value and return its place."""
        start = self.length
        self.add(text)
        return start, self.length
