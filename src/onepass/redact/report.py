"""Counts of what was replaced in some texts, without anything that stood there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from onepass.redact.checks import libraries
from onepass.results.redacted import Found, Redacted
from onepass.results.wording import counted

_COUNTED = ("model", "pattern", "repeat", "passed", "failed")


class Report:
    """Counts of what was replaced in some texts.

    >>> from onepass.results.types import Coverage
    >>> report = Report()
    >>> one = Found("person", "Bo", 0, 2, 0.9, "model", None, "label", "[person]", 0)
    >>> report.add(Redacted("[person]", (one,), Coverage(2, 2, 1, False)))
    >>> report.to_dict()["found"]["person"]
    {'count': 1, 'action': 'label', 'model': 1, 'pattern': 0, 'repeat': 0,
     'passed': 0, 'failed': 0}
    """

    def __init__(self) -> None:
        self.texts = 0
        self._labels: dict[str, dict[str, Any]] = {}

    def add(self, redacted: Redacted) -> None:
        """Count a text."""
        self.add_found(redacted.found)

    def add_found(self, found: Iterable[Found]) -> None:
        """Count a text by what was replaced in it."""
        self.texts += 1
        for one in found:
            row = self._labels.setdefault(
                one.label,
                {"count": 0, "action": one.action, **dict.fromkeys(_COUNTED, 0)},
            )
            row["count"] += 1
            row[one.source] += 1
            if one.check is not None:
                row["passed" if one.check else "failed"] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values, and which libraries took part in the checks."""
        return {"texts": self.texts, "found": self._labels, "libraries": libraries()}

    def summary(self) -> str:
        """Return the counts in one line.

        >>> Report().summary()
        'nothing was replaced in 0 texts'
        """
        texts = counted(self.texts, "text")
        found = ", ".join(self._counted())
        return f"replaced in {texts}: {found}" if found else f"nothing was replaced in {texts}"

    def _counted(self) -> Iterator[str]:
        for label, row in sorted(self._labels.items(), key=lambda item: -item[1]["count"]):
            yield f"{row['count']:,} {label}"
