"""Which entity labels are asked of an example, under which names, and where they hold.

An asked label may be annotated and have mentions, be annotated and have none, be more general than
an annotated one, or come from elsewhere. It knows nothing about the other kinds of question.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from onepass.corpus.example import Example
from onepass.corpus.question import SpanAnswer, folded
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
        self.hidden: Places = {label: own for label, own in gold.items() if label not in self.spans}
        self.absent: list[str] = absent[:keep]
        self.ignored: Places = {}
        self.outranked: Places = {}
        # Names, folded: of what was annotated or may hold, and of what is asked so far.
        bank = means.bank
        unsure = (name for label in example.unsure for name in (label, *bank.hypernyms(label)))
        noted = (*example.asked, *unsure)
        self.known = {name for label in noted for name in bank.synonyms(label)}
        self.unsure = {name for label in example.unsure for name in bank.synonyms(label)}
        self.asked: set[str] = set()

    def generalize(self) -> None:
        """Replace specific labels by a general one, and ask for siblings that do not hold."""
        bank, rng = self.means.bank, self.rng
        unasked = [span for places in self.hidden.values() for span in places]
        found: list[str] = []
        kept: Places = {}
        for label, places in self.spans.items():
            general = [g for g in bank.hypernyms(label) if folded(g) not in self.known]
            if not general or rng.random() < 0.3:
                kept[label] = places
                continue
            chosen = general[0]
            found.append(chosen)
            self.hidden[label] = places
            siblings = [
                s
                for s in bank.siblings.get(chosen, ())
                if head_noun(s) != head_noun(label)
                and folded(s) not in self.known
                and s not in self.absent
            ]
            for name in rng.sample(siblings, min(len(siblings), rng.randint(0, 2))):
                self.absent.append(name)
                self.ignored[name] = unasked
        self.spans = kept | {name: self._below(name) for name in found}
        for label, places in kept.items():  # they fall under the general label as well
            for general_label in bank.hypernyms(label):
                if general_label in found:
                    self.outranked.setdefault(general_label, []).extend(places)

    def _below(self, general: str) -> list[tuple[int, int]]:
        """Return where labels hold that fall under a general one and are not asked themselves."""
        bank = self.means.bank
        below = (own for label, own in self.hidden.items() if general in bank.hypernyms(label))
        return [span for places in below for span in places]

    def note_asked(self) -> None:
        """Fix what is asked so far: rivals and foreign labels must not mean the same."""
        synonyms = self.means.bank.synonyms
        same = {name for label in self.spans for name in synonyms(label)}
        self.absent = [one for one in self.absent if folded(one) not in same | self.unsure]
        # What is more general than a label that holds unasked may hold there as well.
        self.ignored = {
            label: self.ignored.get(label) or self._below(label) for label in self.absent
        }
        self.asked = same.union(map(folded, self.absent))

    def compete(self) -> None:
        """Ask for labels above and below the asked ones."""
        bank, rng = self.means.bank, self.rng
        everywhere = [span for places in self.spans.values() for span in places]
        hidden = [span for places in self.hidden.values() for span in places]
        for label in list(self.spans):
            general = [g for g in bank.hypernyms(label) if self._is_new(g)]
            if general:
                chosen = rng.choice(general)
                self._add(chosen, self._below(chosen))
                if rng.random() < 0.4:
                    self.outranked[chosen] = everywhere
            specific = [s for s in bank.siblings.get(label, ()) if self._is_new(s)]
            if specific and rng.random() < 0.5:
                for name in rng.sample(specific, min(len(specific), rng.randint(1, 3))):
                    self._add(name)
                    self.ignored[name] = everywhere + hidden

    def add_foreign(self) -> None:
        """Ask for labels of other examples, none of which is more general than one of these."""
        pool, rng, bank = self.means.pool, self.rng, self.means.bank
        above = (g for label in (*self.spans, *self.hidden) for g in bank.hypernyms(label))
        general = {name for g in above for name in bank.synonyms(g)}
        for name in rng.sample(pool, min(len(pool), rng.randint(1, 5))):
            if self._is_new(name) and folded(name) not in general:
                self._add(name)

    def _is_new(self, name: str) -> bool:
        return folded(name) not in self.asked and folded(name) not in self.known

    def _add(self, name: str, places: Sequence[tuple[int, int]] = ()) -> None:
        """Ask one more label, which holds at some places or at none."""
        self.asked.add(folded(name))
        if places:
            self.spans[name] = list(places)
        else:
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
        taken = means.unclear((*self.example.asked, *self.example.unsure, *labels))
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
