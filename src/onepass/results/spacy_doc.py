"""Extractions as documents of spaCy.

Spans of spaCy are made of tokens. A place that begins or ends inside a token is widened to whole
ones, and its exact offsets are kept beside it. Its strings are UTF-8, so that U+FFFD stands for a
lone surrogate. This file does not know pipelines.
"""

from __future__ import annotations

import json
from typing import Any

from onepass.errors import InputError, MissingExtra
from onepass.results.given import name
from onepass.results.types import Extraction
from onepass.results.wording import without_surrogates

USER_DATA = "onepass"  # key of ``doc.user_data`` that holds `Extraction.to_dict`


def to_doc(found: Extraction, nlp: Any, spans_key: str) -> Any:
    """Return a new Doc (see `Extraction.to_spacy`)."""
    try:
        import spacy
    except ImportError as error:
        raise MissingExtra("A document of spaCy", "spacy") from error
    if nlp is not None and not isinstance(nlp, spacy.language.Language):
        raise InputError(f"nlp must be a pipeline of spaCy, but {nlp!r:.60} was given; load it.")
    name(spans_key, "The key of spans")
    doc = (spacy.blank("xx") if nlp is None else nlp).make_doc(without_surrogates(found.text))
    fill_doc(doc, found, spans_key)
    return doc


def fill_doc(doc: Any, found: Extraction, spans_key: str, *, overwrite: bool = False) -> None:
    """Write what was found into a Doc of the same text.

    ``doc.spans[spans_key]`` gets all entities; its attributes "scores" and "offsets" are lists in
    the same order. ``doc.ents`` gets those that do not overlap, the surest first. ``doc.cats`` gets
    the scores of all labels, called "task/label" if there are several tasks. The whole result, with
    records and relations, is ``doc.user_data["onepass"]``.

    Args:
        doc: of spaCy; its tokens stay as they are.
        found: in ``doc.text``, lone surrogates aside.
        spans_key: of ``doc.spans``.
        overwrite: whether entities that the document has already give way.
    """
    spans, scores, offsets = [], [], []
    for entity in found.entities:
        label = without_surrogates(entity.label)
        span = doc.char_span(entity.start, entity.end, label, alignment_mode="expand")
        if span is not None and len(span):
            spans.append(span)
            scores.append(entity.score)
            offsets.append([entity.start, entity.end])
    doc.spans[spans_key] = spans
    doc.spans[spans_key].attrs.update(scores=scores, offsets=offsets)
    _set_ents(doc, spans, scores, overwrite)
    several = len(found.classifications) > 1
    for task, answer in found.classifications.items():
        for label, score in answer.scores.items():
            doc.cats[without_surrogates(f"{task}/{label}" if several else label)] = score
    text = json.dumps(found.to_dict(), ensure_ascii=False)
    doc.user_data[USER_DATA] = json.loads(without_surrogates(text))


def _set_ents(doc: Any, spans: list[Any], scores: list[float], overwrite: bool) -> None:
    """Put the spans that do not overlap into ``doc.ents``, beside those that are there."""
    there = list(doc.ents)
    best = [span for _, span in sorted(zip(scores, spans, strict=True), key=lambda p: -p[0])]
    kept: list[Any] = []
    taken: set[int] = set()
    for span in [*best, *there] if overwrite else [*there, *best]:
        tokens = range(span.start, span.end)
        if taken.isdisjoint(tokens):
            taken.update(tokens)
            kept.append(span)
    doc.ents = kept
