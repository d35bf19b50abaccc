"""How many records of a type, and pairs of a relation type, are looked for in a text, and how.

The published way is as many as the count head says, each field for itself, any span of
words. It knows nothing about scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError
from onepass.models.gliner2.prompt import Kind

# In onepass.json.
SPARE, LEAST_RECORDS, LEAST_PAIRS = "spare_instances", "least_records", "least_pairs"
DISTINCT, PAIR_WORDS, WHOLE = "distinct_values", "pair_words", "whole_forms"
KEYS = (SPARE, LEAST_RECORDS, LEAST_PAIRS, DISTINCT, PAIR_WORDS, WHOLE)


@dataclass(frozen=True, slots=True)
class Instances:
    """What is looked for besides what the count head says; nothing as gliner2 does.

    Attributes:
        spare: instances of a structure or relation type beyond the predicted number, for
            checkpoints that were trained to find nothing in those.
        least_records: records of a type even where fewer, or none, are predicted.
        least_pairs: pairs of a relation type, likewise.
        distinct: whether fields with one value share no word within a record.
        pair_words: of the windows in which pairs are looked for once more where a text is longer;
            0 for none.
        whole: whether no finding cuts a timestamp or an address (`onepass.text.forms`).

    >>> Instances(spare=2, least_pairs=1).number(Kind.RELATION, predicted=0, most=19)
    3
    >>> Instances(spare=2, least_pairs=1).number(Kind.STRUCTURE, predicted=0, most=19)
    0
    """

    spare: int = 0
    least_records: int = 0
    least_pairs: int = 0
    distinct: bool = False
    pair_words: int = 0
    whole: bool = False

    @classmethod
    def from_dict(cls, own: Mapping[str, Any], where: str) -> Instances:
        """Read the settings of a checkpoint (``onepass.json``); what is not there is 0.

        Args:
            own: the settings; others are left alone.
            where: the directory they are in, for an error.

        Raises:
            CheckpointError: if one is not a whole number from 0, or not true or false.
        """
        for name in (SPARE, LEAST_RECORDS, LEAST_PAIRS, PAIR_WORDS):
            value = own.get(name, 0)
            if type(value) is not int or value < 0:
                raise CheckpointError(
                    f"{name} in {where}/onepass.json must be a whole number from 0, "
                    f"not {value!r:.60}."
                )
        for name in (DISTINCT, WHOLE):
            flag = own.get(name, False)
            if type(flag) is not bool:
                raise CheckpointError(
                    f"{name} in {where}/onepass.json must be true or false, not {flag!r:.60}."
                )
        spare, records, pairs, words = (
            own.get(name, 0) for name in (SPARE, LEAST_RECORDS, LEAST_PAIRS, PAIR_WORDS)
        )
        return cls(spare, records, pairs, own.get(DISTINCT, False), words, own.get(WHOLE, False))

    def to_dict(self) -> dict[str, int]:
        """Return the settings that are not the published ones, as ``onepass.json`` has them."""
        every = {
            SPARE: self.spare,
            LEAST_RECORDS: self.least_records,
            LEAST_PAIRS: self.least_pairs,
            DISTINCT: self.distinct,
            PAIR_WORDS: self.pair_words,
            WHOLE: self.whole,
        }
        return {name: value for name, value in every.items() if value}

    def number(self, kind: Kind, *, predicted: int, most: int) -> int:
        """Return how many instances of a group are scored.

        Args:
            kind: of the group; all entities are answered by one instance.
            predicted: by the count head.
            most: that the checkpoint can tell apart.
        """
        if kind is not Kind.ENTITIES:
            least = self.least_pairs if kind is Kind.RELATION else self.least_records
            predicted = max(predicted, least)
        if predicted == 0:
            return 0
        return 1 if kind is Kind.ENTITIES else min(predicted + self.spare, most)
