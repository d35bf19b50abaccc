"""Which entity labels are asked of an example, under which names, and where they hold.

An asked label may be annotated and have mentions, be annotated and have none, be more general than
an annotated one, or come from elsewhere. It knows nothing about the other kinds of question.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from onepass.corpus.example import Example
from onepass.corpus.question import SpanAnswer
from onepass.schema import Label, Schema
from onepass.training.asking.means import Means
from onepass.training.bank import head_noun

Places = dict[str, list[tuple[int, int]]]  # label to character spans
Answers = tuple[tuple[SpanAnswer, ...], tuple[SpanAnswer, ...], tuple[SpanAnswer, ...]]


def ask_entities(example: Example, schema: Schema, means: Means, rng: random.Random) -> Answers:
    """Add entity labels to a schema.

    Args:
        example: what was annotated.
        schema: is added to; it has no entity labels yet.
        means: probabilities, limits and the label bank.
        rng: decides.

    Returns:
        Three tuples of (label, start, end), as in `onepass.corpus.question.Question`: the entities,
        the ignored cells and the outranked ones.
    """
    if not example.asked:
        return (), (), ()
    draw = _Draw(example, means, rng)
    options = means.options
    if rng.random() < options.generalize:
        draw.generalize()
    draw.note_asked()
    if rng.random() < options.compete:
        draw.compete()
    if means.pool and rng.random() < options.foreign:
        draw.add_foreign()
    return draw.ask(schema)


class _Draw:
    """One drawing of labels, built step by step."""

    def __init__(self, example: Example, means: Means, rng: random.Random) -> None:
        self.example, self.means, self.rng = example, means, rng
        gold: Places = {}
        for mention in example.entities:
            gold.setdefault(mention.label, []).append((mention.start, mention.end))
        present = [label for label in example.asked if label in gold]
        absent = [label for label in example.asked if label not in gold]
        options = means.options
        if len(present) > 2:
            present = [one for one in present if rng.random() > options.drop_label] or present
        rng.shuffle(present)
        rng.shuffle(absent)
        present = present[: options.max_labels]
        keep = rng.randint(0 if present else 1, max(1, options.max_labels - len(present)))
        self.spans: Places = {label: gold[label] for label in present}
        self.absent: list[str] = absent[:keep]
        self.ignored: Places = {}
        self.outranked: Places = {}
        self.annotated = set(example.asked)  # a label of these that is not asked may well hold
        self.asked: set[str] = set()
        self.synonyms: set[str] = set()  # in lower case: other names of what is there

    def generalize(self) -> None:
        """Replace specific labels by a general one, and ask for siblings that do not hold."""
        bank, rng = self.means.bank, self.rng
        spans, absent, moved = self.spans, self.absent, Places()
        kept: list[str] = []
        for label, places in spans.items():
            general = [g for g in bank.hypernyms(label) if g not in self.annotated]
            if not general or rng.random() < 0.3:
                moved.setdefault(label, []).extend(places)
                kept.append(label)
                continue
            chosen = general[0]
            moved.setdefault(chosen, []).extend(places)
            siblings = [
                s
                for s in bank.siblings.get(chosen, ())
                if head_noun(s) != head_noun(label) and s not in self.annotated and s not in absent
            ]
            absent = absent + rng.sample(siblings, min(len(siblings), rng.randint(0, 2)))
        for label in kept:  # what kept its own name falls under the general label as well
            for general_label in bank.hypernyms(label):
                if general_label in moved and general_label not in self.annotated:
                    self.outranked.setdefault(general_label, []).extend(spans[label])
        self.spans, self.absent = moved, [label for label in absent if label not in moved]

    def note_asked(self) -> None:
        """Fix what is asked so far: rivals and foreign labels must not mean the same."""
        paraphrases = self.means.bank.paraphrases
        self.synonyms = {n.lower() for label in self.spans for n in paraphrases.get(label, ())}
        self.absent = [label for label in self.absent if label.lower() not in self.synonyms]
        self.asked = set(self.spans) | set(self.absent)

    def compete(self) -> None:
        """Ask for labels above and below the asked ones."""
        bank, rng = self.means.bank, self.rng
        everywhere = [span for places in self.spans.values() for span in places]
        for label in list(self.spans):
            general = [g for g in bank.hypernyms(label) if self._is_new(g)]
            if general:
                chosen = rng.choice(general)
                self._add_absent(chosen)
                if rng.random() < 0.4:
                    self.outranked[chosen] = everywhere
            specific = [s for s in bank.siblings.get(label, ()) if self._is_new(s)]
            if specific and rng.random() < 0.5:
                for name in rng.sample(specific, min(len(specific), rng.randint(1, 3))):
                    self._add_absent(name)
                    self.ignored[name] = everywhere

    def add_foreign(self) -> None:
        """Ask for labels of other examples."""
        pool, rng = self.means.pool, self.rng
        for name in rng.sample(pool, min(len(pool), rng.randint(1, 5))):
            if self._is_new(name):
                self._add_absent(name)

    def _is_new(self, name: str) -> bool:
        known = name in self.asked or name in self.annotated
        return not known and name.lower() not in self.synonyms

    def _add_absent(self, name: str) -> None:
        self.asked.add(name)
        self.absent.append(name)

    def ask(self, schema: Schema) -> Answers:
        """Put the labels into the schema and return the answers."""
        labels = list(dict.fromkeys([*self.spans, *self.absent]))
        self.rng.shuffle(labels)
        described = self.rng.random() < self.means.options.describe
        schema.entities(self._names(labels, described=described))
        index = {label: i for i, label in enumerate(labels)}
        right = _cells(self.spans, index)
        known = set(right)
        return (
            right,
            tuple(cell for cell in _cells(self.ignored, index) if cell not in known),
            tuple(cell for cell in _cells(self.outranked, index) if cell not in known),
        )

    def _names(self, labels: list[str], *, described: bool) -> list[Label]:
        """Return what each label is asked as; no two names are the same."""
        means, rng = self.means, self.rng
        style = means.style(rng)
        taken = {label.lower() for label in (*self.example.asked, *labels)}
        notes = [self._description(label) if described else None for label in labels]
        names: list[str] = []
        for label in labels:
            name = means.renamed(label, taken, rng)
            name = style(name) if style else name
            names.append(label if name in names else name)
        if len(set(names)) < len(names):  # a name met another label: the annotated names differ
            names = labels
        return [Label(name, note) for name, note in zip(names, notes, strict=True)]

    def _description(self, label: str) -> str | None:
        return self.example.descriptions.get(label) or self.means.bank.descriptions.get(label)


def _cells(places: Places, index: Mapping[str, int]) -> tuple[SpanAnswer, ...]:
    return tuple((index[label], s, e) for label, spans in places.items() for s, e in spans)
