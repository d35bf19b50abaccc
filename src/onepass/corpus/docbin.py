"""Documents as spaCy keeps them (``.spacy``, a `DocBin`): their entities, spans and categories.

What is asked of a document is as in `onepass.corpus.spacy`. Where nobody said anything about
entities, none are asked. Reading takes spaCy itself, which alone knows the format of its version.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example
from onepass.corpus.rows import PAIR, at_line, check_there
from onepass.corpus.spacy import Spacy
from onepass.errors import InputError, MissingExtra

SUFFIX = ".spacy"
_WRONG = "incorrect_spans"  # the group of what was found to be no entity, as spaCy's `ner` reads it
_TEXT, _NOTES = PAIR


def is_docbin(path: Path) -> bool:
    """Say whether a file holds documents of spaCy, by its suffix.

    >>> is_docbin(Path("train.spacy")), is_docbin(Path("train.json"))
    (True, False)
    """
    return path.name.lower().endswith(SUFFIX)


def read_each_document(path: Path) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place ("document 3") and the example of every document, or what is wrong with it.

    Raises:
        InputError: if the file cannot be read.
        MissingExtra: if spaCy is not installed.
    """
    documents = _Documents(path)
    reader = Spacy(documents.pairs)
    for number, pair in enumerate(documents.pairs(), 1):
        place = f"document {number}"
        try:
            with at_line(path, place):
                example = reader.example(pair)
        except InputError as error:
            yield place, error
        else:
            yield place, example


class _Documents:
    """The documents of one file."""

    def __init__(self, path: Path) -> None:
        check_there(path)
        if find_spec("spacy") is None:
            raise MissingExtra("Reading .spacy files", "spacy")
        tokens, vocab = import_module("spacy.tokens"), import_module("spacy.vocab")
        self._vocab = vocab.Vocab()
        try:
            self._bin = tokens.DocBin().from_disk(path)
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is not a file of spaCy's DocBin; write it anew with DocBin.to_disk."
            ) from error

    def pairs(self) -> Iterator[Mapping[str, Any]]:
        """Yield what `onepass.corpus.spacy` reads."""
        return map(_pair, self._bin.get_docs(self._vocab))


def _pair(document: Any) -> Mapping[str, Any]:
    groups = [group for name, group in document.spans.items() if name != _WRONG]
    spans = [*document.ents, *(span for group in groups for span in group)]
    notes: dict[str, Any] = {}
    if document.has_annotation("ENT_IOB") or groups:
        places = dict.fromkeys((one.start_char, one.end_char, one.label_) for one in spans)
        notes["entities"] = [list(place) for place in places if place[2]]
    return {_TEXT: document.text, _NOTES: notes | {"cats": document.cats}}
