"""Schemas at random, with names that look like markers."""

from __future__ import annotations

from hypothesis import strategies as st

from onepass import Schema
from onepass.models.gliner2.prompt import SPECIAL_TOKENS
from onepass.schema.types import Field

names = st.one_of(
    st.sampled_from([*SPECIAL_TOKENS, "person", "( [E] x )", "\u200b", "|", "a b", "[CLS]"]),
    st.text(st.characters(exclude_categories=("Cs", "Z", "Cc")), min_size=1, max_size=5),
).filter(str.strip)
labels = st.dictionaries(names, st.one_of(st.none(), names), min_size=1, max_size=6)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    schema = Schema()
    if draw(st.booleans()):
        schema.entities(draw(labels))
    for name in draw(st.lists(names, unique=True, max_size=2)):
        schema.classification(name, draw(labels), prompt=draw(st.one_of(st.none(), names)))
    for name in draw(st.lists(names, unique=True, max_size=2)):
        fields = [
            Field(
                field, choices=tuple(draw(st.lists(names, unique=True, max_size=3))), description=d
            )
            for field, d in draw(labels).items()
        ]
        schema.structure(name, fields)
    if draw(st.booleans()) or schema.is_empty:
        schema.relations(draw(labels))
    return schema
