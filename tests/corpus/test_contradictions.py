"""Contradictions found by an index, against the comparison of every pair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.contradictions import Annotations
from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)

TEXT = "Bo Bo"
SPANS = ((0, 2), (3, 5))
NAMES = st.sets(st.sampled_from("abc"))


@st.composite
def examples(draw: st.DrawFn) -> Example:
    labels, true = draw(NAMES), draw(NAMES)
    fields = draw(NAMES)
    values = st.sampled_from([(GoldValue(*SPANS[0]),), (GoldValue(text="Al"),), ()])
    records = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(sorted(fields), values))))
    return Example(
        TEXT,
        entities=tuple(Mention(*span, "a") for span in draw(st.sets(st.sampled_from(SPANS)))),
        asked=tuple(draw(NAMES)),
        classifications=(
            (GoldTask("t", tuple(labels), tuple(true & labels), True),) if labels else ()
        ),
        structures=(
            (GoldStructure("s", tuple(map(GoldField, fields)), tuple(records)),) if fields else ()
        ),
        relations=(GoldRelation("a", *SPANS),) * draw(st.booleans()),
        asked_relations=tuple(draw(NAMES)),
    )


def differ(one: Example, other: Example) -> bool:
    """Say whether two examples contradict each other in something that both asked."""
    labels = {*one.asked} & {*other.asked}
    types = {*one.asked_relations} & {*other.asked_relations}

    def parts(own: Example, theirs: Example) -> list[object]:
        out: list[object] = [
            {m for m in own.entities if m.label in labels},
            {r for r in own.relations if r.type in types},
        ]
        for mine, task in zip(own.classifications, theirs.classifications, strict=False):
            out.append({*mine.true} & {*task.labels})
        for record, structure in zip(own.structures, theirs.structures, strict=False):
            both = {f.name for f in record.fields} & {f.name for f in structure.fields}
            said = [
                frozenset((n, v.text or "Bo") for n, vs in row.items() if n in both for v in vs)
                for row in record.records
            ]
            out.append({row for row in said if row})
        return out

    return parts(one, other) != parts(other, one)


@given(st.lists(examples(), max_size=6))
def test_the_first_row_that_contradicts_is_found(rows: list[Example]) -> None:
    annotations = Annotations()
    for number, row in enumerate(rows):
        pairs = (place for place in range(number) if differ(row, rows[place]))
        assert annotations.contradicted(row) == next(pairs, None)
        annotations.add(number, row)
