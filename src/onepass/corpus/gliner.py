"""GLiNER's own training format, read into examples and written from them.

```
{"tokenized_text": [word], "ner": [[first word, last word, label]],
 "ner_labels": [label], "ner_negatives": [label],
 "relations": [[index of the head in ner, index of the tail, type]],
 "rel_labels": [type], "rel_negatives": [type], "text": str}
```

One object a line, or one list of all objects. The text is the words joined by spaces, unless it is
given; then the words must stand in it, in order, with nothing but white space between them. Without
``tokenized_text`` the offsets of ``ner`` are characters of ``text``, half-open. ``ner_labels`` are
all labels that were looked for: mentions of others are not asked. ``negative`` means the same as
``ner_negatives``. Other keys are allowed and not used, unless they look like annotations.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from onepass.corpus.checks import as_list, as_name, as_names, as_span, as_text, known_keys, needed
from onepass.corpus.example import Example, GoldRelation, Mention
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.text.patterns import PLAIN
from onepass.text.words import split_words

Span = tuple[int, int]
_Row = Mapping[str, Any]

_KEYS = (
    "text", "tokenized_text", "ner", "ner_labels", "ner_negatives", "negative", "relations",
    "rel_labels", "rel_negatives",
)  # fmt: skip
_ANNOTATIONS = ("ner", "rel", "neg", "token", "entit")  # what an unknown key must not start with


def is_gliner_row(row: _Row) -> bool:
    """Return whether a row is in this format.

    >>> is_gliner_row({"tokenized_text": ["Bo"], "ner": []}), is_gliner_row({"text": "Bo"})
    (True, False)
    """
    return "tokenized_text" in row or {"text", "ner"} <= row.keys()


def example_from_gliner(row: _Row) -> Example:
    """Read one object of this format.

    Raises:
        InputError: for a wrong row.

    >>> row = {"tokenized_text": ["Bo", "Lee", "ran"], "ner": [[0, 1, "dog"]], "negative": ["cat"]}
    >>> example = example_from_gliner(row)
    >>> example.text, example.entities, example.asked
    ('Bo Lee ran', (Mention(start=0, end=6, label='dog'),), ('dog', 'cat'))
    """
    if not is_gliner_row(row):
        raise InputError(
            "a row of GLiNER training data needs the keys 'tokenized_text' and 'ner', but has "
            f"{', '.join(sorted(row)) or 'none'}."
        )
    known_keys({key: 0 for key in row if _annotates(key)}, _KEYS, "the row")
    text, words = _words(row)
    mentions = [_mention(entry, words) for entry in as_list(needed(row, "ner", "the row"), "ner")]
    relations = [
        _relation(entry, mentions) for entry in as_list(row.get("relations") or (), "relations")
    ]
    negatives = (*_names(row, "ner_negatives"), *_names(row, "negative"))
    asked = _asked(row, "ner_labels", [m.label for m in mentions], negatives)
    types = _asked(row, "rel_labels", [r.type for r in relations], _names(row, "rel_negatives"))
    return Example(
        text=text,
        entities=tuple(dict.fromkeys(m for m in mentions if m.label in asked)),
        asked=asked,
        relations=tuple(dict.fromkeys(r for r in relations if r.type in types)),
        asked_relations=types,
    )


def _annotates(key: str) -> bool:
    return key in _KEYS or key.startswith(_ANNOTATIONS)


def _names(row: _Row, key: str) -> tuple[str, ...]:
    return as_names(row.get(key) or (), key)


def _asked(row: _Row, key: str, found: Sequence[str], negatives: Sequence[str]) -> tuple[str, ...]:
    """Return what was looked for: the given labels, or those that were found and the negatives."""
    given = _names(row, key) if row.get(key) is not None else found
    return tuple(dict.fromkeys([*given, *negatives]))


def _words(row: _Row) -> tuple[str, list[Span] | None]:
    """Return the text, and the characters of each of its words; None where characters count."""
    if "tokenized_text" not in row:
        return as_text(row["text"], "text"), None
    words = [
        as_text(word, "a word of tokenized_text")
        for word in as_list(row["tokenized_text"], "tokenized_text")
    ]
    if row.get("text") is not None:
        text = as_text(row["text"], "text")
        return text, _places(words, text)
    ends = accumulate(len(word) + 1 for word in words)
    spans = [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]
    return " ".join(words), spans


def _places(words: Sequence[str], text: str) -> list[Span]:
    """Return the characters of each word in a text that was given."""
    spans: list[Span] = []
    end = 0
    for number, word in enumerate(words):
        start = text.find(word, end)
        if start < 0 or text[end:start].strip():
            raise InputError(
                f"word {number} of tokenized_text, {shown(word)}, is not the next one of the text, "
                f"which goes on with {shown(text[end:].lstrip()[:30])}; leave 'text' out to have "
                "the words joined."
            )
        end = start + len(word)
        spans.append((start, end))
    return spans


def _mention(entry: object, words: list[Span] | None) -> Mention:
    first, last, label = _three(entry, "ner", "first word, last word, label")
    name = as_name(label, "the label of an entity")
    if words is None:
        return Mention(*as_span(first, last, f"the entity {shown(name)}"), name)
    if not 0 <= _index(first, "ner") <= _index(last, "ner") < len(words):
        raise InputError(
            f"the entity {shown(entry)} must have 0 <= first word <= last word < {len(words)}, "
            "the number of words."
        )
    start, end = words[first][0], words[last][1]
    if start == end:
        raise InputError(
            f"the entity {shown(entry)} has no characters, since word {first} of tokenized_text is "
            "empty; leave the entity out, or give the word."
        )
    return Mention(start, end, name)


def _relation(entry: object, mentions: Sequence[Mention]) -> GoldRelation:
    head, tail, kind = _three(entry, "relations", "index of the head, index of the tail, type")
    name = as_name(kind, "a relation type")
    for index in (_index(head, "relations"), _index(tail, "relations")):
        if not 0 <= index < len(mentions):
            raise InputError(
                f"the relation {shown(entry)} names entity {index}, but ner has {len(mentions)}."
            )
    ends = [(mentions[index].start, mentions[index].end) for index in (head, tail)]
    return GoldRelation(name, ends[0], ends[1])


def _three(entry: object, key: str, what: str) -> tuple[Any, Any, Any]:
    values = as_list(entry, f"an item of {key}")
    if len(values) != 3:
        raise InputError(f"an item of {key} must be [{what}], but {shown(entry)} was given.")
    return values[0], values[1], values[2]


def _index(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"the places in {key} must be integers, but {shown(value)} was given.")
    return value


def lost_by_gliner(example: Example) -> list[str]:
    """Return what an example has that `gliner_row` leaves out, as the format has no place for it.

    >>> lost_by_gliner(Example("Bo ran.", asked=("dog",), descriptions={"dog": "it barks"}))
    ['descriptions of labels']
    """
    parts = {
        "descriptions of labels": example.descriptions,
        "descriptions of relation types": example.relation_descriptions,
        "unsure labels": example.unsure,
        "unsure relation types": example.unsure_relations,
        "sources": example.source,
    }
    return [name for name, part in parts.items() if part]


def gliner_row(example: Example) -> dict[str, Any]:
    """Return an example as one object of this format, without what `lost_by_gliner` names.

    Args:
        example: no entity begins or ends in white space, and relations are between entities. Words
            are cut where an entity begins or ends in one.

    Raises:
        InputError: for what the format cannot say.

    >>> gliner_row(Example("Bo ran.", (Mention(0, 2, "dog"),), asked=("cat",)))["ner"]
    [[0, 0, 'dog']]
    >>> gliner_row(Example("\u6771\u4eac\u90fd", (Mention(0, 2, "city"),)))["ner"]
    [[0, 0, 'city']]
    """
    if example.classifications or example.structures:
        raise InputError("GLiNER's format holds entities and relations, no classes or records.")
    words = _cut_words(example)
    starts = {start: place for place, (start, _) in enumerate(words)}
    ends = {end: place for place, (_, end) in enumerate(words)}

    def ner(mention: Mention) -> list[Any]:
        if mention.start not in starts or mention.end not in ends:
            surface = example.text[mention.start : mention.end]
            raise InputError(
                f"the entity at {[mention.start, mention.end]}, {shown(surface)}, begins or ends "
                "with white space, but GLiNER's format counts words; leave the white space out."
            )
        return [starts[mention.start], ends[mention.end], mention.label]

    row: dict[str, Any] = {
        "text": example.text,
        "tokenized_text": [example.text[start:end] for start, end in words],
        "ner": [ner(mention) for mention in example.entities],
    }
    places: dict[Span, int] = {}
    for place, mention in enumerate(example.entities):
        places.setdefault((mention.start, mention.end), place)
    relations = []
    for relation in example.relations:
        for span in (relation.head, relation.tail):
            if span not in places:
                raise InputError(
                    f"the relation {shown(relation.type)} has an end {list(span)} that is no "
                    "entity, which GLiNER's format needs; annotate it."
                )
        relations.append([places[relation.head], places[relation.tail], relation.type])
    found = {m.label for m in example.entities}
    related = {relation.type for relation in example.relations}
    row |= {
        "ner_negatives": [label for label in example.asked if label not in found],
        "relations": relations,
        "rel_negatives": [kind for kind in example.asked_relations if kind not in related],
    }
    return {key: value for key, value in row.items() if value or key in _KEYS[:3]}


def _cut_words(example: Example) -> list[Span]:
    """Return where the words of an example stand, cut where an entity begins or ends in one."""
    words = split_words(example.text, PLAIN)
    cuts = sorted({at for mention in example.entities for at in (mention.start, mention.end)})
    spans: list[Span] = []
    for start, end in zip(words.starts.tolist(), words.ends.tolist(), strict=True):
        inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]
        spans += pairwise([start, *inside, end])
    return spans
