"""How general a label name is, so that the specific one of two labels can stand for a span.

Schemas ask for *politician* next to *person*, and both hold for the same words. A model is often
surer of the general label, because it saw it more often, while the user who asked for both wants
the specific one. Where their scores are close, the ``"flat"`` policy lets the names decide.

The table lists names that cover other labels commonly asked beside them, and nothing else: a name
that is not in it counts as specific. *company* is out because it is what people ask beside
*organization*; *location* is in because *country* and *city* are asked beside it. There is no
hierarchy here, and no comparing of two names: three levels decide nearly all the cases, and within
a level the score does. English only, plus the tags of the common annotation schemes. It knows
nothing about descriptions or texts.
"""

from __future__ import annotations

import re
from functools import lru_cache

SPECIFIC, GENERAL, ANYTHING = 0, 1, 2

# Covers any mention at all, or is what is left when no other label fits.
_ANYTHING = """
    entity, named entity, thing, object, item, mention, name of something, anything, something,
    miscellaneous, miscellany, misc, other, others, rest, unknown, unspecified, generic, general,
    concept, abstract concept, idea, notion, term, terminology, keyword, phrase, noun, noun phrase,
    proper noun, topic, subject, category, type, value, information
"""

# Covers several labels that are commonly asked beside it; the comments say which.
_GENERAL = """
    person, people, individual, human, human being, man, woman, name, full name, per, pers
    organization, organisation, org, institution, institute, agency, corp
    group, team, norp
    location, loc, place, area, region, site, address, geographical location, geographic location
    geopolitical entity, gpe, geo political entity, facility, fac
    product, prod, artifact, artefact, technology, tool, device, equipment, vehicle
    creative work, work, work of art, artwork, art, media, title, publication
    event, incident, activity, action, process
    date, time, date time, datetime, temporal expression, time expression, period, duration, timex
    number, numeral, quantity, amount, measure, measurement, cardinal, numeric, numeric value, id
    identifier, code, money, monetary value
    animal, plant, organism, living thing, species, substance, material, chemical, food
    field, domain, discipline
"""


def _table(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in re.split(r"[,\n]", names) if name.strip())


_RANKS = dict.fromkeys(_table(_GENERAL), GENERAL) | dict.fromkeys(_table(_ANYTHING), ANYTHING)


@lru_cache(maxsize=8192)
def label_rank(name: str) -> int:
    """Return how general a label name is.

    Case, plurals, underscores and hyphens do not matter; *other person* and *person name* count as
    *person*.

    Args:
        name: the label as the schema has it.

    Returns:
        0 for a specific name (and every name that is not known), 1 for a general one such as
        *person* or *location*, 2 for one that fits anything, such as *entity* or *miscellaneous*.

    >>> [label_rank(name) for name in ("politician", "Persons", "WORK_OF_ART", "misc")]
    [0, 1, 1, 2]
    """
    plain = " ".join(re.sub(r"[\W_]+", " ", name).casefold().split())
    core = re.sub(r"^(?:other|misc|miscellaneous|generic|general|any) ", "", plain)
    core = re.sub(r" (?:name|mention|entity|type)s?$", "", core)
    return max(_RANKS.get(form, SPECIFIC) for word in (plain, core) for form in _singulars(word))


def _singulars(name: str) -> tuple[str, ...]:
    """The name, and what it could be the plural of."""
    if name.endswith("ies"):
        return name, name[:-3] + "y"
    if name.endswith("s") and not name.endswith("ss"):
        return name, name[:-1]
    return (name,)
