"""Everything that was annotated is asked."""

from __future__ import annotations

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.evaluation.gold_schema import schema_of
from onepass.schema import Schema


def test_all_sections_with_their_descriptions():
    example = Example(
        "Bo has 2 balls.",
        entities=(Mention(0, 2, "dog"),),
        asked=("cat", "dog"),
        descriptions={"dog": "it barks"},
        classifications=(
            GoldTask("tone", ("calm", "angry"), ("calm",), False, {"calm": "at ease"}, "How?"),
            GoldTask("topics", ("pets", "toys"), (), True),
        ),
        structures=(
            GoldStructure(
                "toy",
                (
                    GoldField("name", "what it is", dtype="str"),
                    GoldField("size", choices=("big", "small")),
                ),
                ({"name": (GoldValue(9, 14),)},),
            ),
        ),
        relations=(GoldRelation("owns", (0, 2), (9, 14)),),
        asked_relations=("eats",),
        relation_descriptions={"owns": "has it"},
    )
    assert schema_of(example) == (
        Schema()
        .entities({"cat": None, "dog": "it barks"})
        .classification("tone", {"calm": "at ease", "angry": None}, prompt="How?")
        .classification("topics", ["pets", "toys"], multi_label=True)
        .structure(
            "toy",
            [
                "name::str::what it is",
                {"name": "size", "choices": ["big", "small"], "dtype": "list"},
            ],
        )
        .relations({"eats": None, "owns": "has it"})
    )


def test_what_is_absent_is_asked_too():
    example = Example(
        "Hm.", asked=("dog",), structures=(GoldStructure("toy", (GoldField("name"),), ()),)
    )
    assert schema_of(example) == Schema().entities(["dog"]).structure("toy", ["name"])


def test_nothing_annotated_asks_nothing():
    assert schema_of(Example("Hm.")).is_empty
