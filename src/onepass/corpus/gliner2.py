"""GLiNER2's own training format, read into examples.

```
{"input": text, "output": {
  "entities": {label: [surface | {"text", "start", "end"}]},   "entity_descriptions": {label: str},
  "classifications": [{"task", "labels", "true_label", "multi_label", "prompt", "examples",
                       "label_descriptions"}],
  "json_structures": [{name: {field: surface | [surface] | {"value", "choices"}}}],
  "json_descriptions": {name: {field: str}},
  "relations": [{type: {"head": surface, "tail": surface}}],
  "relation_descriptions": {type: str}}}
```

``{"text", "schema"}`` means the same as ``{"input", "output"}``. A surface is searched in whole
words, in any case; in scripts without blanks, letter by letter. An entity stands at every
occurrence; a relation joins the two occurrences that are closest to each other, and a field value
is the occurrence closest to the rest of its record. A repeated name (of a structure or a relation
type) is one more record or pair. A record equal to an earlier one stands at the next occurrences of
its values; where there are no more, both are one. The fields of a structure are those of its
records and of its descriptions. Records and relations without a value say that there are none in
the text. ``record_metadata`` is allowed and not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onepass.corpus.checks import (
    as_flag,
    as_list,
    as_name,
    as_names,
    as_note,
    as_notes,
    as_object,
    as_rows,
    as_span,
    as_text,
    inside,
    known_keys,
    needed,
)
from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.gliner2_records import read_structures
from onepass.corpus.surfaces import Span, Surfaces, closest_pair
from onepass.errors import InputError
from onepass.schema.shown import shown

OnMissing = Callable[[str], None]

_PARTS = (
    "entities", "entity_descriptions", "classifications", "json_structures", "json_descriptions",
    "record_metadata", "relations", "relation_descriptions",
)  # fmt: skip
_TASK_KEYS = (
    "task", "labels", "true_label", "multi_label", "prompt", "examples", "label_descriptions",
    "class_act", "cls_threshold",
)  # fmt: skip


def is_gliner2_row(row: Mapping[str, Any]) -> bool:
    """Return whether a row is in this format.

    >>> is_gliner2_row({"input": "Bo", "output": {}}), is_gliner2_row({"text": "Bo"})
    (True, False)
    """
    return {"input", "output"} <= row.keys() or {"text", "schema"} <= row.keys()


def example_from_gliner2(row: Mapping[str, Any], *, on_missing: OnMissing | None = None) -> Example:
    """Read one object of this format.

    Args:
        row: the object.
        on_missing: is told of every entity and relation whose surface does not stand in the text
            as whole words; it is left out, and so is a label or type of which nothing was found
            (asking for it would say that there is none). None refuses such a row instead.

    Raises:
        InputError: for a wrong row.

    >>> row = {"input": "Bo met Al.", "output": {"entities": {"dog": ["Bo"], "cat": []}}}
    >>> example = example_from_gliner2(row)
    >>> example.asked, example.entities
    (('dog', 'cat'), (Mention(start=0, end=2, label='dog'),))
    """
    if not is_gliner2_row(row):
        raise InputError(
            "a row of GLiNER2 training data needs the keys 'input' and 'output' "
            f"(or 'text' and 'schema'), but has {', '.join(sorted(row)) or 'none'}."
        )
    keys = ("input", "output") if "input" in row and "output" in row else ("text", "schema")
    text = as_text(row[keys[0]], keys[0])
    parts = as_object(row[keys[1]], keys[1])
    known_keys(parts, _PARTS, keys[1])
    finder = Finder(text, on_missing)
    entities, asked = _entities(as_object(parts.get("entities") or {}, "entities"), finder)
    relations, types = _relations(as_rows(parts.get("relations") or (), "relations"), finder)
    descriptions = as_notes(parts.get("entity_descriptions") or {}, "entity_descriptions")
    of_types = as_notes(parts.get("relation_descriptions") or {}, "relation_descriptions")
    tasks = as_rows(parts.get("classifications") or (), "classifications")
    return Example(
        text=text,
        entities=entities,
        asked=asked,
        descriptions={label: d for label, d in descriptions.items() if label in asked},
        classifications=tuple(map(_task, tasks)),
        structures=read_structures(
            as_rows(parts.get("json_structures") or (), "json_structures"),
            as_object(parts.get("json_descriptions") or {}, "json_descriptions"),
            finder.places,
        ),
        relations=relations,
        asked_relations=types,
        relation_descriptions={kind: d for kind, d in of_types.items() if kind in types},
    )


class Finder:
    """Finds values in one text and tells of those that are not there."""

    def __init__(self, text: str, on_missing: OnMissing | None) -> None:
        self._text, self._on_missing = text, on_missing
        self._surfaces = Surfaces(text)

    def places(self, value: object, what: str) -> tuple[str, list[Span]]:
        """Return the surface of a value and where it stands.

        Args:
            value: a string or a number, or an object with ``text``, ``start`` and ``end``.
            what: name of the value in messages.
        """
        if isinstance(value, Mapping):
            known_keys(value, ("text", "start", "end"), what)
            surface = as_text(needed(value, "text", what), f"the text of {what}")
            span = as_span(needed(value, "start", what), needed(value, "end", what), what)
            inside(span, self._text, what)
            stands = self._text[span[0] : span[1]]
            if stands != surface:
                raise InputError(
                    f"{what} is {shown(surface)}, but [{span[0]}, {span[1]}) reads {shown(stands)}."
                )
            return surface, [span]
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        surface = as_text(value, what)
        return surface, self._surfaces.find(surface)

    def found(self, value: object, what: str) -> list[Span]:
        """Return where a value stands; tells, or refuses, if that is nowhere."""
        surface, places = self.places(value, what)
        if not places:
            sentence = f"{what} {shown(surface)} does not stand in the text as whole words."
            if self._on_missing is None:
                raise InputError(sentence)
            self._on_missing(sentence)
        return places


def _entities(
    by_label: Mapping[str, Any], finder: Finder
) -> tuple[tuple[Mention, ...], tuple[str, ...]]:
    mentions: dict[Mention, None] = {}
    asked: list[str] = []
    for label, values in by_label.items():
        what = f"the entity {shown(as_name(label, 'an entity label'))}"
        given = [v for v in (values if isinstance(values, list) else [values]) if not _blank(v)]
        spans = [span for value in given for span in finder.found(value, what)]
        mentions.update(dict.fromkeys(Mention(start, end, label) for start, end in spans))
        if spans or not given:
            asked.append(label)
    return tuple(sorted(mentions, key=lambda m: (m.start, m.end))), tuple(asked)


def _relations(
    rows: Sequence[Mapping[str, Any]], finder: Finder
) -> tuple[tuple[GoldRelation, ...], tuple[str, ...]]:
    relations: dict[GoldRelation, None] = {}
    lost: set[str] = set()
    kinds: dict[str, None] = {}
    for row in rows:
        for kind, pair in row.items():
            what = f"relation {shown(as_name(kind, 'a relation type'))}"
            kinds[kind] = None
            ends = as_object(pair, what)
            if set(ends) != {"head", "tail"}:
                raise InputError(
                    f"{what} must have exactly the fields head and tail, "
                    f"but has {', '.join(sorted(ends)) or 'none'}."
                )
            if _blank(ends["head"]) and _blank(ends["tail"]):
                continue
            heads = finder.found(ends["head"], f"the head of {what}")
            tails = finder.found(ends["tail"], f"the tail of {what}")
            if heads and tails:
                relations[GoldRelation(kind, *closest_pair(heads, tails))] = None
            else:
                lost.add(kind)
    lost -= {relation.type for relation in relations}
    return tuple(relations), tuple(kind for kind in kinds if kind not in lost)


def _task(row: Mapping[str, Any]) -> GoldTask:
    known_keys(row, _TASK_KEYS, "a classification")
    name = needed(row, "task", "a classification")
    given = needed(row, "true_label", f"task {shown(name)}")
    true = as_names(given if isinstance(given, list) else [given], "true_label")
    return GoldTask(
        name,
        as_names(needed(row, "labels", f"task {shown(name)}"), "labels"),
        true,
        # The reference trains every task with a binary loss: several true labels say it all.
        as_flag(row.get("multi_label", False), "multi_label") or len(true) > 1,
        as_notes(row.get("label_descriptions") or {}, "label_descriptions"),
        as_note(row.get("prompt"), "prompt"),
        tuple(as_list(row.get("examples") or (), "examples")),
    )


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
