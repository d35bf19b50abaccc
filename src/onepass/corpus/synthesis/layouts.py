"""Ways to write records down: prose, key and value, tables, lists, chats, comma-separated, logs.

A layout writes the same records differently; it knows scenes and values, not labels.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from onepass.corpus.synthesis.scene import Scene, Slot
from onepass.corpus.synthesis.writer import Placed, Writer

Values = dict[str, list[str]]  # slot to its values in one record
_SLOT = re.compile(r"{(\w+)}")
_JOINS = (", ", " and ", ", ", " / ")
_NOTHING = ("-", "n/a", "", "?", "none")
_SPEAKERS = ("Ana", "Ben", "Chris", "Dana", "Eli", "me", "agent", "support", "A", "B")


def prose(
    scene: Scene, records: Sequence[Values], writer: Writer, rng: random.Random
) -> list[Placed]:
    """Write each record as one or two sentences."""
    gap = rng.choice((" ", " ", "\n"))
    placed = []
    for number, values in enumerate(records):
        if number:
            writer.add(gap)
        own = Placed()
        lines = _some(scene.sentences, (1, 1, 2), rng)
        for place, line in enumerate(lines):
            if place:
                writer.add(" ")
            _sentence(line, scene, values, writer, own, rng)
        placed.append(own)
    return placed


def bullets(
    scene: Scene, records: Sequence[Values], writer: Writer, rng: random.Random
) -> list[Placed]:
    """Write a list with a sentence an entry."""
    mark = rng.choice(("- ", "* ", "• ", "{}. ", "{}) ", "#{} "))
    placed = []
    for number, values in enumerate(records, 1):
        own = Placed()
        writer.add(mark.format(number))
        _sentence(rng.choice(scene.sentences), scene, values, writer, own, rng)
        writer.add("\n" if number < len(records) else "")
        placed.append(own)
    return placed


def chat(
    scene: Scene, records: Sequence[Values], writer: Writer, rng: random.Random
) -> list[Placed]:
    """Write a talk in which each turn says something of a record."""
    one, two = rng.sample(_SPEAKERS, 2)
    replies = (
        "ok",
        "noted",
        "thanks!",
        "and the next one?",
        "got it, go on",
        "hm, are you sure?",
        "👍",
    )
    placed = []
    for number, values in enumerate(records):
        own = Placed()
        for line in _some(scene.sentences, (1, 2), rng):
            writer.add(f"{one}: ")
            _sentence(line, scene, values, writer, own, rng)
            writer.add("\n")
        if rng.random() < 0.6 and number < len(records) - 1:
            writer.add(f"{two}: {rng.choice(replies)}\n")
        placed.append(own)
    return placed


def pairs(
    scene: Scene, records: Sequence[Values], writer: Writer, rng: random.Random
) -> list[Placed]:
    """Write a block of keys and values a record."""
    sign = rng.choice((": ", ": ", " = ", " - ", ":\t", " : "))
    cases: tuple[Callable[[str], str], ...] = (str, str.capitalize, str.upper, str.title)
    case = rng.choice(cases)
    between = rng.choice(("\n", "\n", "; ", " | ", ", "))
    apart = rng.choice(("\n\n", "\n---\n", "\n\n")) if between == "\n" else "\n"
    shown = _shown(scene, records, rng)
    names = {slot.key: case(rng.choice(slot.names)) for slot in shown}
    placed = []
    for number, values in enumerate(records):
        own = Placed()
        own.sentences.append(set())
        writer.add(apart if number else "")
        first = True
        for slot in shown:
            if slot.key not in values and rng.random() < 0.7:
                continue
            writer.add(("" if first else between) + names[slot.key] + sign)
            first = False
            if slot.key in values:
                _put(slot, values, writer, own, rng)
            else:
                writer.add(rng.choice(_NOTHING))
        placed.append(own)
    return placed


def table(
    scene: Scene, records: Sequence[Values], writer: Writer, rng: random.Random
) -> list[Placed]:
    """Write a table with a header: pipes, tabs, commas or spaces between the cells."""
    bar = rng.choice((" | ", "|", "\t", ",", "; ", "  ", "    "))
    edge = "| " if bar == " | " and rng.random() < 0.5 else ""
    shown = _shown(scene, records, rng)
    if rng.random() < 0.85:
        case = rng.choice((str, str.capitalize, str.upper))
        header = bar.join(case(rng.choice(slot.names)) for slot in shown)
        writer.add(f"{edge}{header}{' |' if edge else ''}\n")
        if edge:
            writer.add("|" + "---|" * len(shown) + "\n")
    empty = rng.choice(_NOTHING)
    placed = []
    for number, values in enumerate(records):
        own = Placed()
        own.sentences.append(set())
        writer.add(edge)
        for column, slot in enumerate(shown):
            writer.add(bar if column else "")
            if slot.key in values:
                _put(slot, values, writer, own, rng)
            else:
                writer.add(empty)
        writer.add(" |" if edge else "")
        writer.add("\n" if number < len(records) - 1 else "")
        placed.append(own)
    return placed


LAYOUTS = ((prose, 5), (bullets, 2), (chat, 1), (pairs, 3), (table, 3))  # with weights
SPARSE = (pairs, table)  # do without values that a record does not have


def _some(lines: Sequence[str], numbers: Sequence[int], rng: random.Random) -> list[str]:
    """Return one of several numbers of different lines."""
    return rng.sample(lines, min(len(lines), rng.choice(numbers)))


def _shown(scene: Scene, records: Sequence[Values], rng: random.Random) -> list[Slot]:
    """Return the slots that have a value somewhere, the first one mostly in front."""
    slots = [slot for slot in scene.slots if any(slot.key in values for values in records)]
    if rng.random() < 0.5:
        rng.shuffle(slots)
    return slots


def _sentence(
    line: str, scene: Scene, values: Values, writer: Writer, own: Placed, rng: random.Random
) -> None:
    """Write one sentence; a slot that this record has no value for yet gets none, too."""
    named = set()
    for place, part in enumerate(_SLOT.split(line)):
        if place % 2:
            _put(scene.slot(part), values, writer, own, rng)
            named.add(part)
        else:
            writer.add(part)
    own.sentences.append(named)


def _put(slot: Slot, values: Values, writer: Writer, own: Placed, rng: random.Random) -> None:
    """Write the values of a slot and keep their places."""
    held = values[slot.key]
    if slot.choices:
        writer.add(held[0])
        own.choices[slot.key] = held[0]
        return
    join = rng.choice(_JOINS)
    spans = []
    for number, value in enumerate(held):
        writer.add(join if number else "")
        spans.append(writer.value(value))
    own.spans.setdefault(slot.key, spans)
    if own.sentences:
        own.sentences[-1].add(slot.key)
