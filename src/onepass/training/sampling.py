"""What is asked of an example at one training step.

A zero-shot model must answer any schema, so each time that an example is seen it is asked
something else: some of its labels, labels that are not there, other names for the same thing,
general labels beside specific ones. This module turns an `Example` into a `Schema` with gold
answers in typed ids. It knows nothing about pieces, prompts or models.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onepass.corpus.example import Example, GoldStructure, GoldTask
from onepass.corpus.question import Question, RecordAnswer, SpanAnswer
from onepass.schema import ClassificationTask, Field, Label, RelationType, Schema, Structure

Places = dict[str, list[tuple[int, int]]]  # label to character spans


@dataclass(frozen=True, slots=True)
class LabelBank:
    """Other names, definitions and more general labels.

    Attributes:
        paraphrases: label to other names for exactly the same mentions.
        descriptions: label to a definition.
        general: head noun of a label to labels that are more general.
        siblings: general label to specific labels that fall under it.
    """

    paraphrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    general: Mapping[str, Sequence[str]] = field(default_factory=dict)
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def hypernyms(self, label: str) -> Sequence[str]:
        """Return labels more general than ``label``, by its head noun."""
        return [g for g in self.general.get(head_noun(label), ()) if g != label.lower()]


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Probabilities and limits of `Sampler`."""

    max_labels: int = 24
    max_classes: int = 24
    paraphrase: float = 0.35
    describe: float = 0.12
    restyle: float = 0.12
    compete: float = 0.45
    generalize: float = 0.2
    foreign: float = 0.3
    drop_label: float = 0.15
    max_structures: int = 3
    max_relations: int = 6


class Sampler:
    """Draws a `Question` from an `Example`.

    Args:
        bank: other names and more general labels.
        pool: specific labels of other examples, asked now and then as labels that are not there.
        options: probabilities and limits.
    """

    def __init__(
        self,
        bank: LabelBank | None = None,
        pool: Sequence[str] = (),
        options: SamplingOptions | None = None,
    ) -> None:
        self.bank = bank or LabelBank()
        self.pool = pool
        self.options = options or SamplingOptions()

    def question(self, example: Example, rng: random.Random) -> Question:
        """Return one question about the example."""
        schema = Schema()
        entities, ignored, outranked = self._entities(example, schema, rng)
        records = self._structures(example, schema, rng)
        pairs = self._relations(example, schema, rng)
        classes = self._classes(example, schema, rng)
        return Question(
            example.text, schema, entities, ignored, outranked, records, pairs, classes
        )

    # -- entities ----------------------------------------------------------------------------

    def _entities(
        self, example: Example, schema: Schema, rng: random.Random
    ) -> tuple[tuple[SpanAnswer, ...], ...]:
        if not example.asked:
            return (), (), ()
        options, bank = self.options, self.bank
        gold: Places = {}
        for mention in example.entities:
            gold.setdefault(mention.label, []).append((mention.start, mention.end))
        present = [label for label in example.asked if label in gold]
        absent = [label for label in example.asked if label not in gold]
        if len(present) > 2:
            present = [label for label in present if rng.random() > options.drop_label] or present
        rng.shuffle(present)
        rng.shuffle(absent)
        present = present[: options.max_labels]
        keep = rng.randint(0 if present else 1, max(1, options.max_labels - len(present)))
        absent = absent[:keep]
        spans = {label: gold[label] for label in present}
        ignored: Places = {}
        outranked: Places = {}
        if rng.random() < options.generalize:
            spans, absent = self._generalized(spans, absent, rng)
        asked = set(spans) | set(absent)
        if rng.random() < options.compete:
            for label in list(spans):
                options_for = [g for g in bank.hypernyms(label) if g not in asked]
                if options_for and g_allowed(example, options_for[0]):
                    general = rng.choice(options_for)
                    asked.add(general)
                    absent.append(general)
                    if rng.random() < 0.4:
                        outranked[general] = [s for other in spans.values() for s in other]
                specific = [s for s in bank.siblings.get(label, ()) if s not in asked]
                if specific and rng.random() < 0.5:
                    for name in rng.sample(specific, min(len(specific), rng.randint(1, 3))):
                        asked.add(name)
                        absent.append(name)
                        ignored[name] = [s for other in spans.values() for s in other]
        if self.pool and rng.random() < options.foreign:
            for name in rng.sample(self.pool, rng.randint(1, 5)):
                if name not in asked and name not in example.asked:
                    asked.add(name)
                    absent.append(name)
        return self._ask_entities(example, schema, (spans, absent, ignored, outranked), rng)

    def _generalized(
        self, spans: Places, absent: list[str], rng: random.Random
    ) -> tuple[Places, list[str]]:
        """Replace specific labels by a general one, and ask for siblings that do not hold."""
        moved: Places = {}
        absent = list(absent)
        for label, places in spans.items():
            general = [g for g in self.bank.hypernyms(label) if g not in spans and g not in absent]
            if not general or rng.random() < 0.3:
                moved.setdefault(label, []).extend(places)
                continue
            chosen = general[0]
            moved.setdefault(chosen, []).extend(places)
            siblings = [
                s
                for s in self.bank.siblings.get(chosen, ())
                if head_noun(s) != head_noun(label) and s not in spans and s not in absent
            ]
            absent += rng.sample(siblings, min(len(siblings), rng.randint(0, 2)))
        return moved, [label for label in absent if label not in moved]

    def _ask_entities(
        self,
        example: Example,
        schema: Schema,
        drawn: tuple[Places, list[str], Places, Places],
        rng: random.Random,
    ) -> tuple[tuple[SpanAnswer, ...], ...]:
        spans, absent, ignored, outranked = drawn
        labels = list(dict.fromkeys([*spans, *absent]))
        rng.shuffle(labels)
        described = rng.random() < self.options.describe
        style = _style(rng) if rng.random() < self.options.restyle else None
        taken = {label.lower() for label in example.asked} | {label.lower() for label in labels}
        asked: dict[str, Label] = {}
        for label in labels:
            name = self._renamed(label, taken, rng)
            name = style(name) if style else name
            if name in {a.name for a in asked.values()}:
                name = label
            description = example.descriptions.get(label) or self.bank.descriptions.get(label)
            asked[label] = Label(name, description if described else None)
        names = {a.name: None for a in asked.values()}
        if len(names) < len(asked):  # a paraphrase met another label: fall back to plain names
            asked = {label: Label(label) for label in labels}
        schema.entities(list(asked.values()))
        index = {label: i for i, label in enumerate(labels)}
        answers = tuple((index[a], s, e) for a, places in spans.items() for s, e in places)
        right = {(i, s, e) for i, s, e in answers}


        def others(cells: Places) -> tuple[SpanAnswer, ...]:
            flat = ((index[a], s, e) for a, places in cells.items() for s, e in places)
            return tuple(cell for cell in flat if cell not in right)

        return answers, others(ignored), others(outranked)

    def _renamed(self, label: str, taken: set[str], rng: random.Random) -> str:
        names = self.bank.paraphrases.get(label, ())
        if names and rng.random() < self.options.paraphrase:
            name = rng.choice(names)
            if name.lower() not in taken:
                taken.add(name.lower())
                return name
        return label

    # -- records and relations ---------------------------------------------------------------

    def _structures(
        self, example: Example, schema: Schema, rng: random.Random
    ) -> tuple[tuple[RecordAnswer, ...], ...]:
        chosen = list(example.structures)
        rng.shuffle(chosen)
        answers = []
        names: set[str] = set()
        for structure in chosen[: self.options.max_structures]:
            if structure.name in names:
                continue
            names.add(structure.name)
            answers.append(self._ask_structure(structure, schema, rng))
        return tuple(answers)

    def _ask_structure(
        self, gold: GoldStructure, schema: Schema, rng: random.Random
    ) -> tuple[RecordAnswer, ...]:
        fields = list(gold.fields)
        used = {name for record in gold.records for name in record}
        rng.shuffle(fields)
        fields.sort(key=lambda f: (f.name not in used) + (rng.random() < 0.2))
        count = max(1, min(len(fields), rng.randint(min(len(used) or 2, 12), 14)))
        fields = fields[:count]
        rng.shuffle(fields)
        described = rng.random() < 0.4
        asked = []
        for f in fields:
            choices = list(f.choices)
            rng.shuffle(choices)
            dtype = "str" if f.choices else f.dtype
            asked.append(
                Field(f.name, dtype, tuple(choices), f.description if described else None)  # type: ignore[arg-type]
            )
        schema.structure(gold.name, asked)
        index = {f.name: i for i, f in enumerate(asked)}
        records = []
        for record in gold.records:
            spans: list[SpanAnswer] = []
            picked: list[tuple[int, int]] = []
            unknown: list[int] = []
            for name, values in record.items():
                if name not in index:
                    continue
                i = index[name]
                for value in values:
                    if value.choice is not None and value.choice in asked[i].choices:
                        picked.append((i, asked[i].choices.index(value.choice)))
                    elif value.start is not None and value.end is not None:
                        spans.append((i, value.start, value.end))
                    else:
                        unknown.append(i)
            if spans or picked or unknown:
                records.append(RecordAnswer(tuple(spans), tuple(picked), tuple(unknown)))
        records.sort(key=lambda r: min((s for _, s, _ in r.spans), default=1 << 30))
        return tuple(records)

    def _relations(
        self, example: Example, schema: Schema, rng: random.Random
    ) -> tuple[tuple[tuple[int, int, int, int], ...], ...]:
        pairs: dict[str, list[tuple[int, int, int, int]]] = {}
        for relation in example.relations:
            pairs.setdefault(relation.type, []).append((*relation.head, *relation.tail))
        present = list(pairs)
        absent = [name for name in example.asked_relations if name not in pairs]
        rng.shuffle(present)
        rng.shuffle(absent)
        limit = self.options.max_relations
        present = present[:limit]
        chosen = present + absent[: rng.randint(0 if present else 1, max(1, limit // 2))]
        rng.shuffle(chosen)
        described = rng.random() < self.options.describe
        taken = {name.lower() for name in chosen} | {n.lower() for n in example.asked_relations}
        answers = []
        asked: list[RelationType] = []
        for name in chosen:
            renamed = self._renamed(name, taken, rng)
            description = example.relation_descriptions.get(name)
            description = description or self.bank.descriptions.get(name)
            asked.append(RelationType(renamed, description if described else None))
            answers.append(tuple(sorted(set(pairs.get(name, ())))))
        if len({r.name for r in asked}) < len(asked):  # two paraphrases met: plain names
            asked = [RelationType(name) for name in chosen]
        if asked:
            schema.relations(asked)
        return tuple(answers)

    # -- classes -----------------------------------------------------------------------------

    def _classes(
        self, example: Example, schema: Schema, rng: random.Random
    ) -> tuple[tuple[int, ...], ...]:
        tasks = list(example.classifications)
        rng.shuffle(tasks)
        return tuple(self._ask_task(task, schema, rng) for task in tasks[:4])

    def _ask_task(self, gold: GoldTask, schema: Schema, rng: random.Random) -> tuple[int, ...]:
        false = [label for label in gold.labels if label not in gold.true]
        rng.shuffle(false)
        limit = max(2, self.options.max_classes - len(gold.true))
        if len(false) > 3 and rng.random() < 0.7:
            limit = rng.randint(2, min(limit, len(false)))
        labels = [*gold.true, *false[:limit]]
        rng.shuffle(labels)
        style = _style(rng) if rng.random() < self.options.restyle else None
        names = [style(label) if style else label for label in labels]
        if len(set(names)) < len(names):
            names = labels
        described = rng.random() < 0.3
        taken = {task.name for task in schema.classification_tasks}
        task_name = gold.name if rng.random() < 0.8 or "class" in taken else "class"
        while task_name in taken:
            task_name += " again"
        schema.classification(
            task_name,
            {
                name: (gold.descriptions.get(label) if described else None)
                for name, label in zip(names, labels, strict=True)
            },
            multi_label=gold.multi_label,
            prompt=gold.prompt if gold.prompt and rng.random() < 0.3 else None,
        )
        return tuple(i for i, label in enumerate(labels) if label in gold.true)


def g_allowed(example: Example, general: str) -> bool:
    """Return whether a general label may be asked as one that does not hold.

    It may not where the example's own annotation already uses it.
    """
    return general not in example.asked


def head_noun(label: str) -> str:
    """Return the word that says what kind of thing a label names.

    >>> head_noun("date of birth"), head_noun("political party")
    ('date', 'party')
    """
    words = label.lower().replace("_", " ").split(" of ")[0].split(" for ")[0].split()
    word = words[-1] if words else ""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _style(rng: random.Random):  # type: ignore[no-untyped-def]
    return rng.choice(
        (str.upper, str.title, str.capitalize, lambda name: name.replace(" ", "_"), str.lower)
    )
