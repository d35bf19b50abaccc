"""Records that are asked for choices which their text does not make.

People leave most such fields open, and a model that never saw one answers it all the same. It reads
and writes `Example` only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from onepass.corpus.example import Example, GoldField, GoldStructure


def with_absent_choices(examples: Iterable[Example], rng: random.Random) -> Iterator[Example]:
    """Yield texts whose records are also asked for choices of other texts, which none has made.

    A field is borrowed where no field of the structure has its name and none of its choices stands
    in the text.

    Args:
        examples: with records, some of them with choices.
        rng: decides which fields are borrowed.
    """
    every = list(examples)
    choices = sorted(
        {
            (one.name, one.choices)
            for example in every
            for structure in example.structures
            for one in structure.fields
            if one.choices
        }
    )
    for example in every:
        structures = [_with_absent(one, example.text.casefold(), choices, rng)
                      for one in example.structures]  # fmt: skip
        if any(made is not None for made in structures):
            yield Example(
                text=example.text,
                structures=tuple(
                    own if made is None else made
                    for own, made in zip(example.structures, structures, strict=True)
                ),
                source=f"{example.source} with absent choices",
            )


def _with_absent(
    structure: GoldStructure,
    text: str,
    choices: list[tuple[str, tuple[str, ...]]],
    rng: random.Random,
) -> GoldStructure | None:
    """Return a structure with one or two more fields; None where it has no record or none fits."""
    if not structure.records:
        return None
    taken = {one.name.casefold() for one in structure.fields}
    borrowed: list[GoldField] = []
    for name, options in rng.sample(choices, min(len(choices), 8)):
        stated = any(option.casefold() in text for option in options)
        if name.casefold() in taken or stated or len(borrowed) == 2:
            continue
        taken.add(name.casefold())
        borrowed.append(GoldField(name, choices=options))
    if not borrowed:
        return None
    borrowed = borrowed[: rng.randint(1, 2)]
    return replace(structure, fields=(*structure.fields, *borrowed))
