"""Our own annotations of public texts (``data/annotated``), joined with the texts.

The files hold annotations only, in the compact form of `written`, and say which text they are of:
``source`` (a file that the recipe has converted), ``i`` (the first eight digits of the SHA-1 of the
whole text) and ``chars`` (how much of it was annotated, from its start). So the texts stay under
the terms of their sources.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from written import expand

from onepass.corpus.jsonl import read_examples


def annotated_rows(directory: Path, converted: Path) -> Iterator[dict[str, Any]]:
    """Yield the annotated texts in the multitask form.

    Args:
        directory: of the annotations.
        converted: directory of ``SOURCE.jsonl`` files.

    Raises:
        KeyError: if a text is not there: the sources are not those that were annotated.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows[row["source"]].append(row)
    for source, own in rows.items():
        texts = {
            digest(example.text): example.text
            for example in read_examples(converted / f"{source}.jsonl")
        }
        for row in own:
            text = texts[row["i"]][: row["chars"]]
            yield expand({**row, "t": text}, f"annotated_{source}")


def digest(text: str) -> str:
    """Return what a text is called in the annotations.

    >>> digest("Tim Cook")
    '2ffac453'
    """
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:8]
