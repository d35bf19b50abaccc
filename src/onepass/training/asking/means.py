"""What questions are drawn with: probabilities, limits, the label bank, ways to write a name.

It knows nothing about examples.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from onepass.corpus.question import folded
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.training.bank import LabelBank

Style = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Probabilities and limits of `onepass.training.sampling.Sampler`.

    Attributes:
        max_labels: most entity labels of a question, general and foreign ones not counted.
        max_classes: most labels of a classification task.
        max_structures: most structures of a question.
        max_relations: most relation types of a question.
        paraphrase: of a label, field, choice, record, relation type or class being asked under
            another name.
        describe: of entity labels and relation types being asked with their descriptions; those of
            fields are shown in 40 % of the records, those of classes in 30 % of the tasks.
        restyle: of all names being written in another way (upper case, underscores).
        compete: of general or specific rivals being asked beside a label.
        generalize: of labels being replaced by more general ones.
        foreign: of labels, and of relation types, of other examples being asked.
        drop_label: of a label with mentions not being asked.
        fewer_classes: of a task with many labels being asked among some of them.
        fewer_fields: of a record being asked for some of its fields.
        prefix: of fields being asked with the name of their record before their own.
        density: of a task being asked with any number of labels, one as often as a hundred: true
            ones of a multi-label task are left out as well.
        recase: of the text being written in lower case, upper case or title case, where that leaves
            its length, and so all offsets, as they are.
    """

    max_labels: int = 24
    max_classes: int = 24
    max_structures: int = 3
    max_relations: int = 6
    paraphrase: float = 0.35
    describe: float = 0.12
    restyle: float = 0.12
    compete: float = 0.45
    generalize: float = 0.2
    foreign: float = 0.3
    drop_label: float = 0.15
    fewer_classes: float = 0.7
    fewer_fields: float = 0.0
    prefix: float = 0.0
    density: float = 0.0
    recase: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.items():
            whole = isinstance(value, int) and not isinstance(value, bool)
            if name.startswith("max_"):
                if not whole or value < 1:
                    raise InputError(
                        f"The sampling option {name!r} must be a whole number above 0, "
                        f"but {shown(value)} was given."
                    )
            elif not (whole or isinstance(value, float)) or not 0 <= value <= 1:
                raise InputError(
                    f"The sampling option {name!r} must be a probability from 0 to 1, "
                    f"but {shown(value)} was given."
                )

    def items(self) -> list[tuple[str, float]]:
        """Return every option with its name."""
        return [(f.name, getattr(self, f.name)) for f in fields(self)]


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Names of other texts that may be asked where they were not looked for.

    Attributes:
        labels: of entities.
        types: of relations.
    """

    labels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """Everything that questions are drawn with.

    Attributes:
        bank: other names and more general labels.
        pool: specific labels of other examples.
        options: probabilities and limits.
        types: relation types of other examples.
    """

    bank: LabelBank = field(default_factory=LabelBank)
    pool: Sequence[str] = ()
    options: SamplingOptions = field(default_factory=SamplingOptions)
    types: Sequence[str] = ()

    def renamed(
        self,
        label: str,
        taken: set[str],
        rng: random.Random,
        others: Mapping[str, Sequence[str]] | None = None,
    ) -> str:
        """Return another name for a label now and then, and note it among those ``taken``.

        Args:
            label: as it was annotated.
            taken: names that must not be used, `folded`, such as `unclear` gives.
            rng: decides.
            others: a table of the bank that has other names; None for its paraphrases.
        """
        names = self._others(label, others)
        if names and rng.random() < self.options.paraphrase:
            name = rng.choice(names)
            if folded(name) not in taken:
                taken.add(folded(name))
                return name
        return label

    def unclear(
        self, names: Iterable[str], others: Mapping[str, Sequence[str]] | None = None
    ) -> set[str]:
        """Return what none of several names may be asked as: they themselves, and shared names.

        >>> bank = LabelBank({"company": ["firm", "business"], "law office": ["firm"]})
        >>> sorted(Means(bank).unclear(["company", "law office"]))
        ['company', 'firm', 'law office']
        """
        own = {folded(name): name for name in names}
        listed = Counter(
            other for name in own.values() for other in set(map(folded, self._others(name, others)))
        )
        return own.keys() | {other for other, count in listed.items() if count > 1}

    def _others(self, label: str, others: Mapping[str, Sequence[str]] | None) -> Sequence[str]:
        table = self.bank.paraphrases if others is None else others
        return table.get(label) or table.get(folded(label), ())

    def asked_as(
        self,
        names: Sequence[str],
        style: Style | None,
        rng: random.Random,
        others: Mapping[str, Sequence[str]] | None = None,
        also: Sequence[str] = (),
    ) -> list[str]:
        """Return what each of several names is asked as now; no two are the same.

        Args:
            names: as they were annotated, all different.
            style: how they are written.
            rng: decides.
            others: as in `renamed`.
            also: more names that must not be meant.
        """
        taken = self.unclear((*names, *also), others)
        renamed = [self.renamed(name, taken, rng, others) for name in names]
        styled = [style(name) if style else name for name in renamed]
        return styled if len(set(styled)) == len(styled) else renamed

    def style(self, rng: random.Random) -> Style | None:
        """Return a way to write names now and then, None for as they are."""
        return rng.choice(_STYLES) if rng.random() < self.options.restyle else None

    def recased(self, text: str, rng: random.Random) -> str:
        """Return a text in another case now and then; nothing is drawn where it never happens.

        A letter never becomes none, so that texts of equal length have all letters in place.

        >>> Means(options=SamplingOptions(recase=1.0)).recased("Bo barks.", random.Random(0))
        'BO BARKS.'
        >>> Means(options=SamplingOptions(recase=1.0)).recased("Straße", random.Random(0))
        'Straße'
        """
        if not self.options.recase or rng.random() >= self.options.recase:
            return text
        other = rng.choice(_CASES)(text)
        return other if len(other) == len(text) else text


def _with_underscores(name: str) -> str:
    return name.replace(" ", "_")


_STYLES: tuple[Style, ...] = (
    str.upper,
    str.title,
    str.capitalize,
    _with_underscores,
    str.lower,
)
_CASES: tuple[Style, ...] = (str.lower, str.upper, str.title)
