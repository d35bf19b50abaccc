"""A few held-out texts with what is right and what the network says, to look at while it learns.

What it says is read as `onepass.Extractor` reads. It knows neither the family nor the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from onepass.backends.base import Backend
from onepass.corpus.example import Example, GoldValue
from onepass.errors import SchemaError
from onepass.models.family import Model
from onepass.models.reader import Reader
from onepass.results.types import Extraction, FieldValue, Value
from onepass.schema import Schema

_TEXT, _ANSWERS = 120, 100  # characters that are shown
_SHORT = 300  # characters of a text that can be judged at a glance


@dataclass(frozen=True, slots=True)
class Sample:
    """One text with its answers, each as ``label: value, value``.

    Attributes:
        text: its beginning.
        gold: the annotated answers.
        predicted: those of the network.

    >>> Sample("Bo met Al", ("person: Bo, Al",), ("person: Bo",)).lines()
    ('  Bo met Al', '    gold  person: Bo, Al  predicted  person: Bo')
    """

    text: str
    gold: tuple[str, ...]
    predicted: tuple[str, ...]

    def lines(self) -> tuple[str, str]:
        """Return the text, and below it the answers."""
        gold, predicted = (
            _cut("; ".join(answers) or "nothing", _ANSWERS)
            for answers in (self.gold, self.predicted)
        )
        same = sorted(self.gold) == sorted(self.predicted)
        answers = f"right  {gold}" if same else f"gold  {gold}  predicted  {predicted}"
        return f"  {self.text}", f"    {answers}"


class Samples:
    """Texts that a network is asked again and again.

    Args:
        examples: of which a few are chosen: short ones, with answers of different kinds.
        count: how many.
        model: the checkpoint that the network started from; its thresholds do not count, for they
            are of the old weights.
        backend: makes what runs the network as it is now.
        schema_of: returns what an example is asked; what the checkpoint cannot be asked so (of some
            that write labels, any schema) is not shown.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        count: int,
        model: Model,
        backend: Callable[[], Backend],
        schema_of: Callable[[Example], Schema],
    ) -> None:
        self._model = replace(model, kept=model.kept.uncalibrated())
        self._backend = backend
        chosen = [(one, schema_of(one)) for one in choose(examples, count)]
        self._asked = [(one, schema) for one, schema in chosen if self._answers(schema)]

    def _answers(self, schema: Schema) -> bool:
        """Return whether the checkpoint can be asked a schema."""
        model = self._model
        try:
            model.family.plan(schema, model.tokenizer, model.settings, model.limits.pieces)
        except SchemaError:
            return False
        return True

    def __call__(self) -> list[Sample]:
        """Return the texts with what the network, in evaluation mode, says of them now."""
        reader = Reader(self._model, self._backend())  # a new one: it keeps vectors of labels
        samples = []
        for example, schema in self._asked:
            asked = reader.ask(schema)
            (found,) = reader.read([example.text], asked)
            samples.append(Sample(_cut(example.text, _TEXT), _gold(example), _predicted(found)))
        return samples


def choose(examples: Sequence[Example], count: int) -> list[Example]:
    """Return examples to look at: one after the other that with the most kinds of answers left.

    >>> from onepass.corpus.example import GoldTask, Mention
    >>> some = [Example("Bo", (Mention(0, 2, "person"),)), Example("Al", (Mention(0, 2, "dog"),))]
    >>> some.append(Example("Hm", classifications=(GoldTask("tone", ("calm",), ("calm",)),)))
    >>> [one.text for one in choose(some, 2)]
    ['Bo', 'Hm']
    """
    left = list(examples)
    shown: set[str] = set()
    chosen = []
    for _ in range(min(count, len(left))):
        best = max(left, key=lambda one: (len(_kinds(one) - shown), len(one.text) <= _SHORT))
        left.remove(best)
        shown |= _kinds(best)
        chosen.append(best)
    return chosen


def _kinds(example: Example) -> set[str]:
    """Return what kinds of answers an example has."""
    kinds = {
        "entities": example.entities,
        "classes": [task for task in example.classifications if task.true],
        "records": [structure for structure in example.structures if structure.records],
        "relations": example.relations,
    }
    return {name for name, answers in kinds.items() if answers}


def _gold(example: Example) -> tuple[str, ...]:
    text = example.text
    found = [(m.label, text[m.start : m.end]) for m in example.entities]
    found += [(task.name, label) for task in example.classifications for label in task.true]
    for structure in example.structures:
        for row in structure.records:
            fields = [
                (name, _shown(value, text)) for name, values in row.items() for value in values
            ]
            found.append((structure.name, _record(fields)))
    for one in example.relations:
        head, tail = text[slice(*one.head)], text[slice(*one.tail)]
        found.append((one.type, f"{head} > {tail}"))
    return _by_label(found)


def _shown(value: GoldValue, text: str) -> str:
    return value.choice or value.text or text[value.start : value.end]


def _predicted(found: Extraction) -> tuple[str, ...]:
    pairs = [(entity.label, entity.text) for entity in found.entities]
    pairs += [
        (name, one.label) for name, answer in found.classifications.items() for one in answer.labels
    ]
    for name, rows in found.records.items():
        for row in rows:
            fields = [(key, value.text) for key, values in row.items() for value in _values(values)]
            pairs.append((name, _record(fields)))
    pairs += [(one.type, f"{one.head.text} > {one.tail.text}") for one in found.relations]
    return _by_label(pairs)


def _values(values: FieldValue) -> Iterator[Value]:
    """Yield the values of a field."""
    if isinstance(values, Value):
        yield values
    elif values is not None:
        yield from values


def _record(fields: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in fields) + "}"


def _by_label(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return one answer a label, with all its values in order."""
    values: dict[str, list[str]] = {}
    for label, value in pairs:
        values.setdefault(label, []).append(" ".join(value.split()))
    return tuple(f"{label}: {', '.join(own)}" for label, own in values.items())


def _cut(text: str, most: int) -> str:
    """Return a text on one line, with the end left out if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
