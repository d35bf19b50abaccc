"""Records made of other annotations: the relations of one thing, and the mentions of one label.

Real texts with several records are rare, and the order in which records are answered (the first
person of the text first) must be learned from many. It reads and writes `Example` only.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onepass.corpus.example import Example, GoldField, GoldStructure, GoldValue

Span = tuple[int, int]
MOST_RECORDS = 12
MOST_FIELDS = 6
# Things that are only meant by these have no name here; their texts are left out.
PRONOUNS = frozenset(
    (
        "he",
        "she",
        "it",
        "they",
        "him",
        "her",
        "them",
        "his",
        "its",
        "their",
        "who",
        "we",
        "i",
        "you",
    )
)


@dataclass(frozen=True)
class Recipe:
    """How the relations of a source become records.

    Attributes:
        names: of the record type, one of which is drawn.
        key: names of the field that holds the thing itself.
        fields: relation type to names of the field that holds its other end.
        label: of the thing, where it has one; None for anything.
        inverse: whether the thing is the tail of these relations, not the head.
    """

    names: tuple[str, ...]
    key: tuple[str, ...]
    fields: dict[str, tuple[str, ...]]
    label: str | None = None
    inverse: bool = False


_PERSON = {
    "date of birth": ("date of birth", "born", "birth date"),
    "date of death": ("date of death", "died", "death date"),
    "place of birth": ("place of birth", "birthplace"),
    "place of death": ("place of death",),
    "country of citizenship": ("nationality", "country of citizenship", "country"),
    "nationality": ("nationality", "citizenship"),
    "notable work": ("notable work", "works", "known for"),
    "member of": ("member of", "group or party"),
    "member of sports team": ("team", "sports club"),
    "member of political party": ("party", "political party"),
    "political affiliation": ("party", "political affiliation"),
    "position held": ("position held", "office"),
    "spouse": ("spouse", "married to"),
    "child": ("children", "child"),
    "father": ("father",),
    "mother": ("mother",),
    "child of": ("parent", "parents"),
    "sibling": ("siblings", "brother or sister"),
    "educated at": ("educated at", "school or university"),
    "employer": ("employer", "works for"),
    "employee or member of": ("employer or organization", "works for"),
    "award received": ("award", "prize"),
    "place of residence": ("residence", "lives in"),
    "residence": ("residence",),
    "conflict": ("war", "conflict"),
    "languages spoken, written or signed": ("language", "languages"),
}
_ORGANIZATION = {
    "country": ("country",),
    "located in the administrative territorial entity": ("location", "place"),
    "headquarters location": ("headquarters", "based in"),
    "headquarters": ("headquarters", "based in"),
    "inception": ("founded", "year founded"),
    "date founded": ("founded", "date founded"),
    "founded by": ("founder", "founded by"),
    "ceo": ("chief executive", "CEO"),
    "subsidiary": ("subsidiary", "owns"),
    "subsidiary of": ("parent company",),
    "parent organization": ("parent organization",),
    "owned by": ("owner",),
    "industry": ("industry",),
    "notable work": ("works", "products"),
    "has part": ("members", "parts"),
    "league": ("league",),
    "location of formation": ("formed in",),
}
_PLACE = {
    "country": ("country",),
    "located in the administrative territorial entity": ("region", "located in", "state or region"),
    "continent": ("continent",),
    "located in or next to body of water": ("river or sea", "water"),
    "capital": ("capital",),
    "head of government": ("head of government",),
    "head of state": ("head of state",),
    "mouth of the watercourse": ("flows into",),
    "inception": ("founded", "established"),
}
_WORK = {
    "publication date": ("release date", "published", "year"),
    "performer": ("performer", "artist"),
    "author": ("author", "writer"),
    "director": ("director",),
    "producer": ("producer",),
    "composer": ("composer",),
    "cast member": ("cast", "actors"),
    "country of origin": ("country of origin", "country"),
    "record label": ("record label", "label"),
    "developer": ("developer",),
    "publisher": ("publisher",),
    "platform": ("platform",),
    "genre": ("genre",),
    "screenwriter": ("screenwriter",),
    "characters": ("characters",),
    "location": ("location", "place"),
    "point in time": ("date", "when"),
    "participant": ("participants", "who took part"),
    "country": ("country",),
    "original language of work": ("language",),
}
_NAME = ("name",)
RECIPES: dict[str, tuple[Recipe, ...]] = {
    "redocred": (
        Recipe(("person", "biography", "person profile"), _NAME, _PERSON, "person"),
        Recipe(("organization", "organization profile"), _NAME, _ORGANIZATION, "organization"),
        Recipe(("place", "location"), _NAME, _PLACE, "location"),
        Recipe(("work or event", "title"), ("name", "title"), _WORK, "miscellaneous"),
    ),
    "knowledgenet": (
        Recipe(("person", "biography"), _NAME, _PERSON),
        Recipe(("company", "organization"), _NAME, _ORGANIZATION),
    ),
    "somesci": (
        Recipe(
            ("software", "program", "software used"), ("name", "software", "program"),
            {
                "version of": ("version",), "developer of": ("developer", "vendor"),
                "citation of": ("citation", "reference"), "url of": ("url", "web address"),
                "license of": ("license",), "release of": ("release",),
                "abbreviation of": ("abbreviation",),
            }, inverse=True,
        ),
    ),
    "wet_lab_protocols": (
        Recipe(("reagent", "substance"), ("name", "reagent"),
               {"measure": ("amount", "quantity"), "mod link": ("property",)}, "reagent"),
        Recipe(("step", "laboratory step"), ("action",),
               {"acts on": ("object", "acts on"), "setting": ("condition", "setting"),
                "site": ("place", "container"), "using": ("tool", "using"),
                "product": ("result",)}, "action"),
    ),
    "materials_synthesis": (
        Recipe(("synthesis step", "operation"), ("operation", "action"),
               {"participant material": ("material",), "recipe precursor": ("precursor",),
                "solvent material": ("solvent",), "recipe target": ("product",),
                "atmospheric material": ("atmosphere",)}, "operation"),
    ),
}  # fmt: skip
# How the field that holds a mention itself may be called; the label of the mention is one more.
MENTION_FIELDS = ("name", "name", "mention", "text", "what")
# How the one record of a text may be called: of a request, and of any other text.
REQUEST_NAMES = ("request", "booking", "inquiry", "order", "user request", "details", "slots")
TEXT_NAMES = ("facts", "details", "key information", "document", "summary", "text", "data")
MOST_FILLED = 8
MOST_EMPTY = 5


def records_of_relations(
    examples: Iterable[Example], recipes: tuple[Recipe, ...], rng: random.Random
) -> Iterator[Example]:
    """Yield texts whose relations are asked as records: one a thing, with a field a relation type.

    Args:
        examples: with relations.
        recipes: of their source.
        rng: decides how record types and fields are called, and which absent fields are asked.
    """
    for example in examples:
        labels = {(m.start, m.end): m.label for m in example.entities}
        structures = []
        for recipe in recipes:
            made = _structure(example, labels, recipe, rng)
            if made is not None and made.name not in [s.name for s in structures]:
                structures.append(made)
        if structures:
            yield Example(
                text=example.text,
                structures=tuple(structures),
                source=f"{example.source} as records",
            )


def _structure(
    example: Example, labels: dict[Span, str], recipe: Recipe, rng: random.Random
) -> GoldStructure | None:
    """Return the records of one kind of thing, None where it is not described in the text."""
    held = _described(example, labels, recipe)
    if not 0 < len(held) <= MOST_RECORDS:
        return None
    if any(example.text[slice(*thing)].casefold() in PRONOUNS for thing in held):
        return None
    present = sorted({kind for fields in held.values() for kind in fields})
    rng.shuffle(present)
    present = present[:MOST_FIELDS]
    absent = [kind for kind in recipe.fields if kind not in present]
    asked = present + rng.sample(absent, min(len(absent), rng.randint(0, 2)))
    called: dict[str, str] = {}
    key = rng.choice(recipe.key)
    for kind in asked:
        name = rng.choice(recipe.fields[kind])
        if name != key and name not in called.values():
            called[kind] = name
    records = []
    for thing, fields in sorted(held.items()):
        record = {key: (GoldValue(*thing),)}
        for kind, spans in fields.items():
            if kind in called:
                record[called[kind]] = tuple(GoldValue(*span) for span in sorted(spans))
        if len(record) > 1:
            records.append(record)
    if not records:
        return None
    names = [key, *called.values()]
    return GoldStructure(rng.choice(recipe.names), tuple(map(GoldField, names)), tuple(records))


def _described(
    example: Example, labels: dict[Span, str], recipe: Recipe
) -> dict[Span, dict[str, set[Span]]]:
    """Return what is said of each thing: relation type to the places of the other ends."""
    held: dict[Span, dict[str, set[Span]]] = defaultdict(lambda: defaultdict(set))
    for relation in example.relations:
        thing, other = relation.head, relation.tail
        if recipe.inverse:
            thing, other = other, thing
        fits = recipe.label is None or labels.get(thing) == recipe.label
        if fits and relation.type in recipe.fields:
            held[thing][relation.type].add(other)
    return held


def records_of_mentions(examples: Iterable[Example], rng: random.Random) -> Iterator[Example]:
    """Yield texts in which the mentions of a label are asked as records of one field.

    Only labels with two mentions or more that differ are taken; a name that comes again is no new
    record.

    Args:
        examples: with entities.
        rng: decides which labels are asked and how the field is called.
    """
    for example in examples:
        mentions: dict[str, dict[str, Span]] = defaultdict(dict)
        for mention in sorted(example.entities, key=lambda m: (m.start, m.end)):
            words = example.text[mention.start : mention.end].casefold()
            mentions[mention.label].setdefault(words, (mention.start, mention.end))
        fitting = sorted(k for k, held in mentions.items() if 2 <= len(held) <= MOST_RECORDS)
        if not fitting:
            continue
        structures = []
        for label in rng.sample(fitting, min(len(fitting), 2)):
            field = rng.choice((*MENTION_FIELDS, label))
            records = tuple({field: (GoldValue(*span),)} for span in mentions[label].values())
            structures.append(GoldStructure(label, (GoldField(field),), records))
        yield Example(
            text=example.text,
            structures=tuple(structures),
            source=f"{example.source} as records",
        )


def one_record_of_mentions(
    examples: Iterable[Example], names: tuple[str, ...], rng: random.Random
) -> Iterator[Example]:
    """Yield texts whose mentions are asked as one record with a field a label.

    What is known of labels is so learned for fields, too. A name that comes again is no new value.

    Args:
        examples: with entities.
        names: of the record type, one of which is drawn.
        rng: decides which labels are fields, among them some that are not in the text.
    """
    for example in examples:
        values: dict[str, dict[str, GoldValue]] = defaultdict(dict)
        for mention in sorted(example.entities, key=lambda m: (m.start, m.end)):
            words = example.text[mention.start : mention.end].casefold()
            values[mention.label].setdefault(words, GoldValue(mention.start, mention.end))
        if not values:
            continue
        filled = rng.sample(sorted(values), min(len(values), MOST_FILLED))
        absent = [label for label in example.asked or () if label not in values]
        fields = filled + rng.sample(absent, min(len(absent), rng.randint(0, MOST_EMPTY)))
        rng.shuffle(fields)
        record = {label: tuple(values[label].values()) for label in filled}
        yield Example(
            text=example.text,
            structures=(
                GoldStructure(
                    rng.choice([name for name in names if name not in fields]),
                    tuple(GoldField(name, example.descriptions.get(name)) for name in fields),
                    (record,),
                ),
            ),
            source=f"{example.source} as one record",
        )
