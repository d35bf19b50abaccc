"""Values of records that are chosen together with entities: what may fill which field.

A value whose field names labels is kept only with an entity of such a label, whose span it takes
over. A field that takes one value, a longest list, words that may fill a field once in a record or
once in all of them: each is a limit. This module does not know how limits are solved, nor how
records of several windows come together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from onepass.decoding.candidates import Candidates, SpanFind, ValueOption
from onepass.decoding.consistency_solve import Limit
from onepass.decoding.consistency_spans import EntitySpans
from onepass.decoding.constrained import fit_of, most_values
from onepass.schema import Field
from onepass.text.words import Words
from onepass.typed.fit import Fit

# What cannot be read as its kind counts next to nothing beside what can.
_LATE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A field of one record, and what may fill it.

    Attributes:
        field: with its rules.
        options: in words of the document.
        scope: the records that share it have no word in common if the field is exclusive.
    """

    field: Field
    options: tuple[ValueOption, ...]
    scope: Hashable = None


@dataclass(frozen=True, slots=True)
class _Option:
    """A definite span in a slot."""

    slot: int
    find: SpanFind
    late: bool
    rows: tuple[int, ...]  # the entities of which one has to be kept; none are needed if empty


@dataclass(slots=True, eq=False)
class Values:
    """The values that may hold, put together from the records of all windows.

    Args:
        words: of the document.
        found: candidates of entities.
        labels: of the schema, with their numbers.
        slots: to fill.
    """

    words: Words
    found: Candidates
    labels: Mapping[str, int]
    slots: Sequence[Slot]
    options: list[_Option] = field(default_factory=list)

    def __post_init__(self) -> None:
        entities = EntitySpans(self.found)
        for number, slot in enumerate(self.slots):
            best: dict[tuple[int, int], _Option] = {}
            for option in slot.options:
                for own in self._spans(number, slot, option, entities):
                    place = own.find.start, own.find.end
                    if place not in best or _better(own, best[place]):
                        best[place] = own
            self.options += best.values()

    def _spans(
        self, number: int, slot: Slot, option: ValueOption, entities: EntitySpans
    ) -> Iterable[_Option]:
        """Yield what an option can stand for."""
        if not slot.field.rules.labels:
            yield _Option(number, option.find, option.late, ())
            return
        allowed = [self.labels[name] for name in slot.field.rules.labels]
        for find, rows in entities.of(option.find, allowed):
            # The span may be another than the field's own.
            how = fit_of(self.words, find.start, find.end, slot.field.rules)
            if how is not Fit.REFUSED:
                yield _Option(number, find, how is Fit.UNREADABLE, rows)

    def weights(self) -> list[float]:
        """Return the weight of each option."""
        return [one.find.score * (_LATE if one.late else 1.0) for one in self.options]

    def limits(self) -> Iterable[Limit]:
        """Yield what holds between the options, by their places."""
        own: dict[int, list[int]] = defaultdict(list)
        covers: dict[tuple[Hashable, int], list[int]] = defaultdict(list)
        for place, option in enumerate(self.options):
            slot = self.slots[option.slot]
            own[option.slot].append(place)
            shared = slot.scope if slot.field.rules.exclusive else option.slot
            for word in range(option.find.start, option.find.end):
                covers[(slot.field.rules.exclusive, shared), word].append(place)
        for number, places in own.items():
            most = most_values(self.slots[number].field)
            if most is not None and len(places) > most:
                yield _limit(most, places)
        # Of several words that the same options cover, one says it all.
        for sharing in dict.fromkeys(map(tuple, covers.values())):
            if len(sharing) > 1:
                yield _limit(1, sharing)

    def chosen(self, held: Iterable[int]) -> list[tuple[SpanFind, ...]]:
        """Return what fills each slot, in the order of the text.

        Args:
            held: the options that were chosen.
        """
        filled: list[list[SpanFind]] = [[] for _ in self.slots]
        for place in held:
            filled[self.options[place].slot].append(self.options[place].find)
        return [tuple(sorted(own, key=lambda find: (find.start, find.end))) for own in filled]


def _better(one: _Option, other: _Option) -> bool:
    return (one.late, -one.find.score) < (other.late, -other.find.score)


def _limit(most: int, places: Sequence[int]) -> Limit:
    return Limit(most, tuple((place,) for place in places))
