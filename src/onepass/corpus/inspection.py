"""What is in annotated files, what is wrong with them, and what is in two of them at once.

It knows examples and their readers, and nothing about models.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepass.corpus.contradictions import Annotations
from onepass.corpus.example import Example
from onepass.corpus.formats import read_each
from onepass.corpus.spellings import Spellings
from onepass.corpus.surfaces import whole_words
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.text.words import split_words

SHINGLE = 12  # words in a row that hardly two texts share by chance
_LEAK = 0.5  # share of them from which on a text counts as leaked
_SHOWN = 60  # characters of a text in a message


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row.

    Attributes:
        path: of the file.
        place: in it, such as "line 3".
        kind: "error" (cannot be read), "duplicate", "conflict" (the same text, annotated
            otherwise), "leak" (also in a file that scores are reported on), "nothing" (no
            annotation), "repeat" (the same mention twice), "space" (white space at an end of a
            span), "cut" (a span that begins or ends inside a word) or "spelling" (a name that was
            written otherwise before).
        message: one sentence.
    """

    path: Path
    place: str
    kind: str
    message: str


@dataclass(slots=True)
class _Seen:
    """Rows of one text: where they stand, and by the exact text what was annotated in them."""

    places: list[tuple[Path, str]] = field(default_factory=list)
    annotations: dict[str, Annotations] = field(default_factory=dict)

    def add(self, path: Path, place: str, example: Example) -> None:
        annotations = self.annotations.setdefault(example.text, Annotations())
        annotations.add(len(self.places), example)
        self.places.append((path, place))

    def place(self, number: int) -> str:
        path, place = self.places[number]
        return f"{path}, {place}"


class Known:
    """Texts that must not be in training data, as they are and by their word sequences.

    >>> known = Known()
    >>> known.add(Example("One two three"))
    >>> known.holds("one  TWO three"), known.holds("four five six")
    (True, False)
    """

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._shingles: set[int] = set()

    def add(self, example: Example) -> None:
        """Remember a text."""
        self._texts.add(folded(example.text))
        self._shingles.update(_shingles(example.text))

    def holds(self, text: str) -> bool:
        """Say whether a text, or half of its sequences of `SHINGLE` words, is known."""
        if folded(text) in self._texts:
            return True
        own = set(_shingles(text))
        return bool(own) and len(own & self._shingles) >= _LEAK * len(own)


def folded(text: str) -> str:
    """Return a text as it is compared: case, white space and Unicode forms do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _shingles(text: str) -> Iterator[int]:
    words = folded(text).split()
    for start in range(len(words) - SHINGLE + 1):
        yield hash(tuple(words[start : start + SHINGLE]))


@dataclass(slots=True)
class Statistics:
    """Counts of what was annotated.

    Attributes:
        texts: examples.
        words: of all texts.
        longest: words of the longest text.
        entities: label to mentions; labels that were asked and never found have 0.
        lengths: words of a mention to mentions.
        classifications: (task, label) to texts for which it holds.
        structures: structure to records.
        fields: (structure, field) to values.
        relations: type to pairs.
        sources: where texts come from.
    """

    texts: int = 0
    words: int = 0
    longest: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    classifications: Counter[tuple[str, str]] = field(default_factory=Counter)
    structures: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)

    def add(self, example: Example) -> None:
        """Count one example.

        >>> statistics = Statistics()
        >>> statistics.add(Example("Bo barks.", asked=("dog",)))
        >>> statistics.words, statistics.entities
        (3, Counter({'dog': 0}))
        """
        words = len(split_words(example.text))
        self.texts += 1
        self.words += words
        self.longest = max(self.longest, words)
        self.entities.update(dict.fromkeys(example.asked, 0))
        for mention in example.entities:
            self.entities[mention.label] += 1
            self.lengths[len(split_words(example.text[mention.start : mention.end]))] += 1
        for task in example.classifications:
            for label in task.labels:
                self.classifications[task.name, label] += label in task.true
        for structure in example.structures:
            self.structures[structure.name] += len(structure.records)
            for named in structure.fields:
                self.fields[structure.name, named.name] += sum(
                    len(record.get(named.name, ())) for record in structure.records
                )
        self.relations.update(dict.fromkeys(example.asked_relations, 0))
        self.relations.update(relation.type for relation in example.relations)
        if example.source:
            self.sources[example.source] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain dicts, most frequent first."""
        tasks: dict[str, dict[str, int]] = {}
        for (task, label), count in self.classifications.most_common():
            tasks.setdefault(task, {})[label] = count
        fields: dict[str, dict[str, int]] = {}
        for (structure, name), count in self.fields.most_common():
            fields.setdefault(structure, {})[name] = count
        return {
            "texts": self.texts,
            "words": self.words,
            "longest": self.longest,
            "entities": dict(self.entities.most_common()),
            "mention_words": {str(words): self.lengths[words] for words in sorted(self.lengths)},
            "classifications": tasks,
            "records": {
                name: {"records": count, "values": fields.get(name, {})}
                for name, count in self.structures.most_common()
            },
            "relations": dict(self.relations.most_common()),
            "sources": dict(self.sources.most_common()),
        }


def inspect_files(
    paths: Iterable[Path],
    *,
    known: Known | None = None,
    statistics: Statistics | None = None,
    on_left_out: Callable[[str], None] | None = None,
) -> Iterator[Problem]:
    """Yield everything that is wrong with annotated files, to the last row.

    Args:
        paths: files in any format of `onepass.corpus.formats.read_any`.
        known: texts that scores are reported on.
        statistics: that count the rows that can be read, if given.
        on_left_out: as in `onepass.corpus.formats.read_any`.

    Raises:
        InputError: if there is no such file.
    """
    seen: dict[str, _Seen] = defaultdict(_Seen)
    spellings = Spellings()
    for path in paths:
        for place, found in _rows(path, on_left_out):
            if isinstance(found, InputError):
                yield Problem(path, place, "error", str(found))
                continue
            if statistics is not None:
                statistics.add(found)
            yield from _problems(path, place, found, known)
            for message in spellings.differing(found, f"{path}, {place}"):
                yield Problem(path, place, "spelling", message)
            earlier = seen[folded(found.text)]
            if earlier.places:
                yield _twice(path, place, found, earlier)
            earlier.add(path, place, found)


def _rows(
    path: Path, on_left_out: Callable[[str], None] | None
) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the rows of a file; where it cannot be read on, what is wrong is the last one."""
    if not path.is_file():
        raise InputError(f"There is no file {path}; give one that exists.")
    is_empty = True
    try:
        for row in read_each(path, on_left_out=on_left_out):
            is_empty = False
            yield row
    except InputError as error:
        yield "file", error
    else:
        if is_empty:
            yield "file", InputError(f"{path} holds no text; give annotated ones, or leave it out.")


def _problems(path: Path, place: str, example: Example, known: Known | None) -> Iterator[Problem]:
    asked = example.asked or example.classifications or example.structures
    if not (asked or example.asked_relations):
        yield Problem(path, place, "nothing", f"Nothing is annotated in {_shown(example)}.")
    if known is not None and known.holds(example.text):
        yield Problem(
            path, place, "leak", f"{_shown(example)} is in the files that scores are reported on."
        )
    for mention, count in Counter(example.entities).items():
        if count > 1:
            value = _quoted(example.text[mention.start : mention.end])
            message = (
                f"The entity {shown(mention.label)} at [{mention.start}, {mention.end}), {value}, "
                f"is there {count} times."
            )
            yield Problem(path, place, "repeat", message)
    spans = sorted({span for span, _ in example.spans()})
    for start, end in spans:
        value = example.text[start:end]
        if value != value.strip():
            where = "begins or ends with" if value.strip() else "holds nothing but"
            message = f"The span [{start}, {end}) {_quoted(value)} {where} white space."
            yield Problem(path, place, "space", message)
    if spans:
        for (start, end), whole in whole_words(example.text, spans).items():
            value, words = example.text[start:end], example.text[slice(*whole)]
            message = (
                f"The span [{start}, {end}) {_quoted(value)} begins or ends inside a word of "
                f"{_quoted(words)}."
            )
            yield Problem(path, place, "cut", message)


def _twice(path: Path, place: str, example: Example, seen: _Seen) -> Problem:
    """Return the first contradiction to an earlier row of the same text, or the first such row."""
    annotations = seen.annotations.get(example.text)  # offsets of other texts cannot be compared
    number = None if annotations is None else annotations.contradicted(example)
    if number is not None:
        message = f"{_shown(example)} is annotated otherwise in {seen.place(number)}."
        return Problem(path, place, "conflict", message)
    message = f"{_shown(example)} is also in {seen.place(0)}."
    return Problem(path, place, "duplicate", message)


def _shown(example: Example) -> str:
    return _quoted(example.text)


def _quoted(text: str) -> str:
    return f"{text if len(text) <= _SHOWN else text[:_SHOWN] + '...'!r}"
