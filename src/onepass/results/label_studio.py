"""Extractions as tasks of Label Studio, to be looked at and corrected there.

Its places count UTF-16 units, as browsers do. `onepass.corpus.label_studio` reads what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onepass.errors import InputError
from onepass.results.types import Extraction

_TEXT, _LABEL = "text", "label"  # the names of the tags <Text> and <Labels> of its configuration


def to_task(doc: Extraction, section: str, model_version: str) -> dict[str, Any]:
    """Return a task (see `Extraction.to_label_studio`)."""
    if section not in ("predictions", "annotations"):
        raise InputError(
            f"The section must be 'predictions' or 'annotations', but {section!r:.60} was given."
        )
    results = list(_results(doc))
    if section == "annotations":
        return {"data": {_TEXT: doc.text}, "annotations": [{"result": results}]}
    # The least sure of what was found: tasks are worth a look in this order.
    least = min((one["score"] for one in results), default=0.0)
    held = {"model_version": model_version, "score": least, "result": results}
    return {"data": {_TEXT: doc.text}, "predictions": [held]}


def _results(doc: Extraction) -> Iterator[dict[str, Any]]:
    units = _Units(doc.text)
    regions: dict[tuple[int, int], str] = {}  # place to the id of the first region there
    for number, entity in enumerate(doc.entities):
        place = (entity.start, entity.end)
        regions.setdefault(place, f"e{number}")
        yield _region(f"e{number}", units, place, [entity.label], entity.score)
    for relation in doc.relations:
        for value in (relation.head, relation.tail):
            at = value.place
            if at is not None and at not in regions:
                regions[at] = f"v{len(regions)}"  # no entity stands there: one without a label
                yield _region(regions[at], units, at, [], value.score)
    for relation in doc.relations:
        head, tail = relation.head.place, relation.tail.place
        if head is not None and tail is not None:
            yield {
                "type": "relation",
                "from_id": regions[head],
                "to_id": regions[tail],
                "direction": "right",
                "labels": [relation.type],
                "score": relation.score,
            }
    for task, answer in doc.classifications.items():
        if answer.labels:
            yield {
                "id": f"c{task}",
                "from_name": task,
                "to_name": _TEXT,
                "type": "choices",
                "value": {"choices": [one.label for one in answer.labels]},
                "score": answer.labels[0].score,
            }


def _region(
    name: str, units: _Units, place: tuple[int, int], labels: list[str], score: float
) -> dict[str, Any]:
    start, end = place
    value = {
        "start": units.before(start),
        "end": units.before(end),
        "text": units.text[start:end],
        "labels": labels,
    }
    return {
        "id": name,
        "from_name": _LABEL,
        "to_name": _TEXT,
        "type": "labels",
        "value": value,
        "score": score,
    }


class _Units:
    """UTF-16 units of a text: letters beyond U+FFFF count twice."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._wide = not text.isascii() and max(text, default="") > "\uffff"
        self._counts = [0]
        if self._wide:
            for letter in text:
                self._counts.append(self._counts[-1] + 1 + (letter > "\uffff"))

    def before(self, at: int) -> int:
        """How many units stand before a character."""
        return self._counts[at] if self._wide else at
