"""What is asked of an example at one training step.

A zero-shot model must answer any schema, so each time that an example is seen it is asked
something else: some of its labels, labels that are not there, other names for the same thing,
general labels beside specific ones. This module turns an `Example` into a `Schema` with gold
answers in typed ids. It knows nothing about pieces, prompts or models.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from onepass.corpus.example import Example
from onepass.corpus.question import Question
from onepass.schema import Schema
from onepass.training.asking.classes import ask_classes
from onepass.training.asking.entities import ask_entities
from onepass.training.asking.means import Borrowed, Means, SamplingOptions
from onepass.training.asking.records import ask_relations, ask_structures
from onepass.training.bank import LabelBank


class Sampler:
    """Draws a `Question` from an `Example`.

    Args:
        bank: other names and more general labels.
        pool: specific labels, asked now and then of any example as labels that are not there.
        options: probabilities and limits.
        borrowed: name of a source to what its examples are asked likewise; a pool comes before
            the labels.

    >>> from onepass.corpus.example import Mention
    >>> example = Example("Bo barks.", (Mention(0, 2, "dog"),), asked=("cat",))
    >>> question = Sampler().question(example, random.Random(4))
    >>> [label.name for label in question.schema.entity_labels], question.entities
    (['dog', 'cat'], ((0, 0, 2),))
    """

    def __init__(
        self,
        bank: LabelBank | None = None,
        pool: Sequence[str] = (),
        options: SamplingOptions | None = None,
        *,
        borrowed: Mapping[str, Borrowed] | None = None,
    ) -> None:
        self.means = Means(bank or LabelBank(), pool, options or SamplingOptions())
        self._of_source = {
            source: replace(self.means, pool=pool or names.labels, types=names.types)
            for source, names in (borrowed or {}).items()
        }

    def question(self, example: Example, rng: random.Random, source: str = "") -> Question:
        """Return one question about the example; its schema is empty if nothing was annotated.

        Args:
            example: an annotated text.
            rng: the source of all random choices.
            source: the name of the source that the example is of.
        """
        means = self._of_source.get(source, self.means)
        schema = Schema()
        entities, ignored, outranked = ask_entities(example, schema, means, rng)
        records = ask_structures(example, schema, means, rng)
        pairs = ask_relations(example, schema, means, rng)
        classes = ask_classes(example, schema, means, rng)
        return Question(
            means.recased(example.text, rng),
            schema,
            entities,
            ignored,
            outranked,
            records,
            pairs,
            classes,
            known=known_names(example, means.bank),
        )


def known_names(example: Example, bank: LabelBank) -> frozenset[str]:
    """Return the labels that were annotated or may hold, and names for what they mean, `folded`.

    Asked or not, these must not be taken for labels that do not hold.

    >>> bank = LabelBank({"dog": ["hound"]}, general={"dog": ["animal"]})
    >>> sorted(known_names(Example("Bo barks.", asked=("Dog", "dog")), bank))
    ['animal', 'dog', 'hound']
    """
    names: set[str] = set()
    for label in (*example.asked, *example.unsure):
        names.update(bank.synonyms(label))
        for general in bank.hypernyms(label):
            names.update(bank.synonyms(general))
    return frozenset(names)
