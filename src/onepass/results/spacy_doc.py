"""Extractions as documents of spaCy.

Spans of spaCy are made of tokens. A place that begins or ends inside a token is widened to whole
ones, and its exact offsets are kept beside it. Its strings are UTF-8, so that U+FFFD stands for a
lone surrogate of a text, and an escape for one of a name. This file does not know pipelines.
"""

from __future__ import annotations

import json
from typing import Any

from onepass.errors import InputError, MissingExtra
from onepass.results.arguments import name
from onepass.results.surrogates import escaped_surrogates, has_surrogate, without_surrogates
from onepass.results.types import Extraction


def to_doc(found: Extraction, nlp: Any, spans_key: str) -> Any:
    """Return a new Doc (see `Extraction.to_spacy`)."""
    try:
        import spacy
    except ImportError as error:
        raise MissingExtra("A document of spaCy", "spacy") from error
    if nlp is not None and not isinstance(nlp, spacy.language.Language):
        raise InputError(f"nlp must be a pipeline of spaCy, but {nlp!r:.60} was given; load it.")
    name(spans_key, "The key of spans")
    # By itself a tokenizer has no limit on the length of texts, which is for parsers.
    make = spacy.blank("xx").tokenizer if nlp is None else nlp.make_doc
    doc = make(without_surrogates(found.text))
    fill_doc(doc, found, spans_key)
    return doc


def fill_doc(doc: Any, found: Extraction, spans_key: str, *, overwrite: bool = False) -> None:
    """Write what was found into a Doc of the same text.

    ``doc.spans[spans_key]`` gets all entities; its attributes "scores" and "offsets" are lists in
    the same order. ``doc.ents`` gets those that do not overlap, the surest first. ``doc.cats`` gets
    the scores of all labels, called "task/label" if there are several tasks. The whole result, with
    records and relations, is ``doc.user_data[spans_key]``.

    Args:
        doc: of spaCy; its tokens stay as they are.
        found: in ``doc.text``, lone surrogates aside.
        spans_key: of ``doc.spans`` and ``doc.user_data``.
        overwrite: whether entities that the document has already give way.
    """
    spans, scores, offsets = [], [], []
    for entity in found.entities:
        label = escaped_surrogates(entity.label)
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
            doc.cats[escaped_surrogates(f"{task}/{label}" if several else label)] = score
    whole = found.to_dict()
    odd = has_surrogate(json.dumps(whole, ensure_ascii=False))
    doc.user_data[spans_key] = _encodable(whole) if odd else whole


def _encodable(value: Any, key: str | None = None) -> Any:
    r"""Return a value of JSON whose strings are UTF-8; those that are called "text" are no names.

    >>> _encodable({"text": "\ud83d"}) == {"text": "\ufffd"}
    True
    >>> print(*_encodable({"\ud83d": 0.5, "\udfff": 0.25}))
    \ud83d \udfff
    """
    if isinstance(value, str):
        return without_surrogates(value) if key == "text" else escaped_surrogates(value)
    if isinstance(value, dict):
        return {escaped_surrogates(name): _encodable(one, name) for name, one in value.items()}
    return [_encodable(one, key) for one in value] if isinstance(value, list) else value


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
