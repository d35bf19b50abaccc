"""From a scene to an example: draw values, write them down, say what was written.

Records, entities, relations and a class, in `onepass.corpus.example`'s form, all from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.synthesis.layouts import LAYOUTS, SPARSE, Values
from onepass.corpus.synthesis.scene import Scene, Slot
from onepass.corpus.synthesis.scenes import SCENES
from onepass.corpus.synthesis.values import Maker
from onepass.corpus.synthesis.words import LABELS
from onepass.corpus.synthesis.writer import Placed, Writer

SOURCE = "synthetic"
_COUNTS = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7)
_LEFT_OUT = 0.15  # of the values, where a layout can do without
_ABSENT_FIELDS = 2

_NEVER_ABSENT = frozenset(
    {"number", "name", "place", "location", "quantity", "title", "item", "amount"}
)


def synthesize(
    number: int, *, seed: int = 0, scenes: tuple[Scene, ...] = SCENES
) -> Iterator[Example]:
    """Yield made-up examples.

    Args:
        number: how many.
        seed: of everything that is drawn; the same seed gives the same examples.
        scenes: what they are about.

    Raises:
        MissingExtra: if Faker is not installed.

    >>> (example,) = synthesize(1, seed=3)
    >>> len(example.structures) >= 1
    True
    """
    maker = Maker(seed)
    for _ in range(number):
        yield _compose(maker, scenes)


def _compose(maker: Maker, scenes: tuple[Scene, ...]) -> Example:
    rng = maker.rng
    scene = rng.choice(scenes)
    count = rng.choice(_COUNTS)
    layout = rng.choices([one for one, _ in LAYOUTS], [weight for _, weight in LAYOUTS])[0]
    left_out = _LEFT_OUT if layout in SPARSE else 0.0
    records = [_values(scene, maker, left_out) for _ in range(count)]
    writer = Writer()
    intro = rng.choice(scene.intros)
    writer.add(f"{intro}\n" if intro else "")
    placed = layout(scene, records, writer, rng)
    outro = rng.choice(scene.outros)
    writer.add(f"\n{outro}" if outro else "")
    text = writer.text
    labels = _labels(scene, placed, rng)
    mentions = _mentions(placed, labels)
    absent = [label for label in _absent(scene, scenes, rng) if label not in labels.values()]
    relations, types = _relations(scene, placed)
    structures = [_structure(scene, placed, rng)]
    other = rng.choice(scenes)
    if other is not scene and rng.random() < 0.25:
        structures.append(_nothing(other, rng))
    return Example(
        text=text,
        entities=tuple(mentions),
        asked=tuple(dict.fromkeys([*labels.values(), *absent])),
        classifications=(_task(scene, scenes, rng),)
        if len(scenes) > 1 and rng.random() < 0.3
        else (),
        structures=tuple(structures),
        relations=tuple(relations),
        asked_relations=tuple(types),
        source=SOURCE,
    )


def _values(scene: Scene, maker: Maker, left_out: float) -> Values:
    """Return the values of one record, some of them left out, but never the first."""
    values: Values = {}
    for place, slot in enumerate(scene.slots):
        if place and maker.rng.random() < left_out:
            continue
        if slot.choices:
            values[slot.key] = [maker.rng.choice(slot.choices)]
        else:
            number = maker.rng.choice((1, 2, 2, 3)) if slot.several else 1
            values[slot.key] = list(dict.fromkeys(maker.make(slot.kind) for _ in range(number)))
    return values


def _labels(scene: Scene, placed: list[Placed], rng: random.Random) -> dict[str, str]:
    """Return the entity label of each slot that was written; slots of one kind share theirs."""
    used = {key for one in placed for key in one.spans}
    by_kind: dict[str, str] = {}
    found = {}
    for slot in scene.slots:
        if slot.key in used and not slot.choices:
            label = by_kind.setdefault(slot.kind, rng.choice(LABELS[slot.kind]))
            found[slot.key] = label
    return found


def _mentions(placed: list[Placed], labels: dict[str, str]) -> list[Mention]:
    return sorted(
        (
            Mention(start, end, labels[key])
            for one in placed
            for key, spans in one.spans.items()
            for start, end in spans
        ),
        key=lambda m: (m.start, m.end),
    )


def _absent(scene: Scene, scenes: tuple[Scene, ...], rng: random.Random) -> list[str]:
    """Return labels of kinds that the scene never has."""
    own = {slot.kind for slot in scene.slots}
    kinds = {slot.kind for other in scenes for slot in other.slots if slot.kind} - own
    close = {label for kind in own if kind for label in LABELS[kind]}
    drawn = rng.sample(sorted(kinds), min(len(kinds), rng.randint(1, 5)))
    labels = [rng.choice(LABELS[kind]) for kind in drawn]
    return [label for label in labels if label not in close and label not in _NEVER_ABSENT]


def _relations(scene: Scene, placed: list[Placed]) -> tuple[list[GoldRelation], list[str]]:
    """Return the pairs of each record, where a sentence or row says both ends."""
    found = []
    for kind, head, tail in scene.relations:
        for one in placed:
            for named in one.sentences:
                if head in named and tail in named:
                    found += [
                        GoldRelation(kind, h, t)
                        for h in one.spans.get(head, ())
                        for t in one.spans.get(tail, ())
                    ]
                    break
    return found, [kind for kind, _, _ in scene.relations]


def _structure(scene: Scene, placed: list[Placed], rng: random.Random) -> GoldStructure:
    """Return the records with those fields that were written, and a few that were not."""
    used = {key for one in placed for key in (*one.spans, *one.choices)}
    slots = [slot for slot in scene.slots if slot.key in used]
    rest = [slot for slot in scene.slots if slot.key not in used]
    slots += rng.sample(rest, min(len(rest), rng.randint(0, _ABSENT_FIELDS)))
    names = _field_names(slots, rng)
    rows = []
    for one in placed:
        row = {names[key]: tuple(GoldValue(*s) for s in spans) for key, spans in one.spans.items()}
        row |= {names[key]: (GoldValue(choice=choice),) for key, choice in one.choices.items()}
        rows.append({name: row[name] for name in names.values() if name in row})
    fields = tuple(_field(slot, names[slot.key]) for slot in slots)
    return GoldStructure(rng.choice(scene.names), fields, tuple(rows))


def _field(slot: Slot, name: str) -> GoldField:
    return GoldField(name, None, slot.choices, "list" if slot.several else "str")


def _field_names(slots: list[Slot], rng: random.Random) -> dict[str, str]:
    """Return a name for each slot, all of them different."""
    names: dict[str, str] = {}
    for slot in slots:
        free = [name for name in slot.names if name not in names.values()]
        names[slot.key] = rng.choice(free or [slot.key])
    return names


def _nothing(scene: Scene, rng: random.Random) -> GoldStructure:
    """Return a structure that the text has no record of."""
    slots = rng.sample(scene.slots, min(len(scene.slots), rng.randint(2, 5)))
    names = _field_names(slots, rng)
    fields = tuple(_field(slot, names[slot.key]) for slot in slots)
    return GoldStructure(rng.choice(scene.names), fields, ())


def _task(scene: Scene, scenes: tuple[Scene, ...], rng: random.Random) -> GoldTask:
    """Ask what kind of text it is."""
    rest = [one for one in scenes if one is not scene]
    others = rng.sample(rest, min(len(rest), rng.randint(2, 6)))
    true = scene.names[0]
    labels = list(dict.fromkeys([true, *(one.names[0] for one in others)]))
    rng.shuffle(labels)
    name = rng.choice(("document type", "what the text is about", "kind of text", "topic"))
    return GoldTask(name, tuple(labels), (true,))
