"""What is known about names beside themselves: other names, definitions, more general labels.

It knows nothing about texts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onepass.corpus.checks import as_names, as_notes, as_object, known_keys
from onepass.corpus.question import folded
from onepass.errors import InputError

_KEYS = (
    "paraphrases", "descriptions", "general", "siblings", "fields", "records", "classes", "pool",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelBank:
    """Other names, definitions and more general labels.

    Attributes:
        paraphrases: label or relation type to other names for exactly the same mentions or pairs.
        descriptions: label to a definition.
        general: head noun of a label to labels that are more general.
        siblings: general label to specific labels that fall under it.
        fields: field to other names for exactly the same values, in every record that has it.
        records: name of a record to other names for exactly the same records.
        classes: class, or choice of a field, to other names for it, wherever it may be chosen.

    >>> bank = LabelBank(general={"party": ["organization", "party"]})
    >>> bank.hypernyms("political party"), bank.hypernyms("party")
    (['organization', 'party'], ['organization'])
    """

    paraphrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    general: Mapping[str, Sequence[str]] = field(default_factory=dict)
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    records: Mapping[str, Sequence[str]] = field(default_factory=dict)
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _same: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        same: defaultdict[str, set[str]] = defaultdict(set)
        for label, names in self.paraphrases.items():
            group = {folded(name) for name in (label, *names)}
            for name in group:
                same[name] |= group
        object.__setattr__(self, "_same", {name: frozenset(own) for name, own in same.items()})

    def synonyms(self, label: str) -> frozenset[str]:
        """Return what means the same as a label, `folded`: itself, and names given for it.

        >>> sorted(LabelBank({"company": ["firm", "business"]}).synonyms("Firm"))
        ['business', 'company', 'firm']
        """
        return self._same.get(folded(label), frozenset((folded(label),)))

    def hypernyms(self, label: str) -> list[str]:
        """Return labels more general than ``label``, by its head noun."""
        return [g for g in self.general.get(head_noun(label), ()) if g != label.lower()]


def head_noun(label: str) -> str:
    """Return the word that says what kind of thing a label names.

    >>> head_noun("date of birth"), head_noun("political party")
    ('date', 'party')
    """
    words = label.lower().replace("_", " ").split(" of ")[0].split(" for ")[0].split()
    word = words[-1] if words else ""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def read_bank(path: Path) -> tuple[LabelBank, tuple[str, ...]]:
    """Read a JSON file with any attribute of `LabelBank`, and ``pool``.

    Returns:
        The bank, and the pool: specific labels that may be asked where they do not hold.

    Raises:
        InputError: if the file is missing or does not have this form.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}; give the path of a label bank in JSON.")
    try:
        row = as_object(json.loads(path.read_text(encoding="utf-8")), "a label bank")
        known_keys(row, _KEYS, "a label bank")
        bank = LabelBank(
            _lists(row, "paraphrases"),
            as_notes(row.get("descriptions", {}), "descriptions"),
            _lists(row, "general"),
            _lists(row, "siblings"),
            _lists(row, "fields"),
            _lists(row, "records"),
            _lists(row, "classes"),
        )
        return bank, as_names(row.get("pool", ()), "pool")
    except ValueError as error:  # of JSON, of UTF-8, and InputError
        raise InputError(f"{path} is not a label bank: {error}") from error


def _lists(row: Mapping[str, object], key: str) -> dict[str, tuple[str, ...]]:
    return {
        label: as_names(names, f"{key} of {label!r}")
        for label, names in as_object(row.get(key, {}), key).items()
    }
