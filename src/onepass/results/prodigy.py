"""Extractions as tasks of Prodigy, to be looked at and corrected there.

Its interfaces mark whole tokens, so that tokens are given, cut where anything that was found begins
or ends. `onepass.corpus.prodigy` reads what comes back.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from onepass.errors import InputError
from onepass.results.classification import Classification
from onepass.results.types import Extraction

_PIECES = re.compile(r"\w+|[^\w\s]")


def to_task(doc: Extraction, task: str | None, *, multi_label: bool) -> dict[str, Any]:
    """Return a task (see `Extraction.to_prodigy`)."""
    asked = _asked(doc, task)
    tokens = _tokens(doc)
    starts = [token["start"] for token in tokens]

    def span(start: int, end: int) -> dict[str, Any]:
        first, last = bisect_left(starts, start), bisect_left(starts, end) - 1
        return {"start": start, "end": end, "token_start": first, "token_end": last}

    out: dict[str, Any] = {"text": doc.text, "tokens": tokens}
    out["spans"] = [
        {**span(e.start, e.end), "label": e.label, "score": e.score}
        for e in doc.entities
        if e.text.strip()
    ]
    out["relations"] = [
        {
            "head": ends[0]["token_end"],
            "child": ends[1]["token_end"],
            "head_span": ends[0],
            "child_span": ends[1],
            "label": relation.type,
            "score": relation.score,
        }
        for relation in doc.relations
        if len(ends := [span(*v.place) for v in (relation.head, relation.tail) if v.place]) == 2
    ]
    if asked is not None:
        out["options"] = [{"id": label, "text": label} for label in asked.scores]
        out["accept"] = [one.label for one in asked.labels]
        style = "multiple" if multi_label or len(asked.labels) > 1 else "single"
        out["config"] = {"choice_style": style}
    return out


def _asked(doc: Extraction, task: str | None) -> Classification | None:
    tasks = doc.classifications
    if task is None and len(tasks) > 1:
        raise InputError(
            f"There are {len(tasks)} classifications ({', '.join(map(repr, tasks))}), but a task "
            "of Prodigy asks one question; name one."
        )
    if task is not None and (not isinstance(task, str) or task not in tasks):
        raise InputError(f"There is no classification {task!r:.60}; there are {list(tasks)}.")
    return tasks[task] if task is not None else next(iter(tasks.values()), None)


def _tokens(doc: Extraction) -> list[dict[str, Any]]:
    """Words and marks, cut where anything begins or ends."""
    places = [(e.start, e.end) for e in doc.entities]
    places += [v.place for r in doc.relations for v in (r.head, r.tail) if v.place is not None]
    cuts = sorted({at for place in places for at in place})
    tokens: list[dict[str, Any]] = []
    for piece in _PIECES.finditer(doc.text):
        first, last = piece.span()
        inside = cuts[bisect_left(cuts, first + 1) : bisect_left(cuts, last)]
        for start, end in zip([first, *inside], [*inside, last], strict=True):
            space = doc.text[end : end + 1].isspace()
            tokens.append(
                {"text": doc.text[start:end], "start": start, "end": end, "id": len(tokens),
                 "ws": space}
            )  # fmt: skip
    return tokens
