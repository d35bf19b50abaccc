"""What the fields of the page ask for, read as parts of a schema and thresholds.

Lines are written as the options of the command line (see `onepass.schema.flags`), one a line. This
module knows strings, not the page or a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onepass.errors import InputError, SchemaError
from onepass.schema.flags import schema_from_flags
from onepass.schema.options import CallOptions, Overlap
from onepass.schema.schema import Schema
from onepass.schema.shown import shown

MAX_CHARS = 100_000  # of a text: more belongs into a file
Read = Callable[[str], Schema]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a model: a text, and what to find in it.

    Attributes:
        text: the text to read.
        parts: parts of the schema, in the order of the page.
        threshold: a number, numbers by name, or None for what the model was calibrated to.
        overlap: the policy for entities that share words. ``on_long`` and ``solver`` of a call are
            left at their defaults, so that the page stays small.

    Raises:
        InputError: if there is no text, or too long a one, or for a wrong option.
        SchemaError: if nothing is asked for.

    >>> Asked("Ann runs Acme.", (entity_part("person"),)).schema
    Schema().entities(['person'])
    """

    text: str
    parts: tuple[Schema, ...]
    threshold: float | dict[str, float] | None = None
    overlap: Overlap = "flat"

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InputError("There is no text; write or paste one into the field Text.")
        if len(self.text) > MAX_CHARS:
            raise InputError(
                f"The text has {len(self.text):,} characters, more than the {MAX_CHARS:,} that "
                "this page takes; use  onepass extract  for it."
            )
        _ = self.options  # which check themselves
        if all(part.is_empty for part in self.parts):
            raise SchemaError("Nothing is asked for; write a label, such as person, on a line.")

    @property
    def options(self) -> CallOptions:
        """Return how it is asked."""
        return CallOptions(self.threshold, self.overlap)

    @property
    def schema(self) -> Schema:
        """Return all parts as one schema.

        Raises:
            SchemaError: if two ask for the same name.
        """
        whole = Schema()
        for part in self.parts:
            whole = whole.merged(part)
        return whole.checked()


def entity_part(lines: str) -> Schema:
    r"""Return what lines ask for as entities: ``label`` or ``label = description``.

    Raises:
        SchemaError: that names the line.

    >>> entity_part("person\ncompany = legal name of a firm").entity_labels[1].description
    'legal name of a firm'
    """
    return _merged(lines, "Labels", lambda line: schema_from_flags(entities=[line]))


def relation_part(lines: str) -> Schema:
    """Return what lines ask for as relations: ``type`` or ``type = description``.

    Raises:
        SchemaError: that names the line.
    """
    return _merged(lines, "Relations", lambda line: schema_from_flags(relations=[line]))


def task_parts(lines: str) -> tuple[Schema, ...]:
    """Return one part for each line ``task = label, label``; an asterisk lets several hold.

    Raises:
        SchemaError: that names the line.

    >>> task_parts("topics* = sport, law")
    (Schema().classification('topics', ['sport', 'law'], multi_label=True),)
    """
    return tuple(_each(lines, "Classes", lambda line: schema_from_flags(classifications=[line])))


def structure_parts(lines: str) -> tuple[Schema, ...]:
    """Return one part for each line ``name: field, field``.

    Raises:
        SchemaError: that names the line.
    """
    return tuple(_each(lines, "Structures", lambda line: schema_from_flags(structures=[line])))


def one_task(name: str, lines: str, *, several: bool, none: bool) -> Schema:
    r"""Return a classification whose labels stand on lines, with descriptions if they have any.

    Args:
        name: of the task.
        lines: ``label`` or ``label = description``.
        several: whether any number of labels may hold.
        none: whether there may be no answer; where several may hold, there may be none anyway.

    Raises:
        SchemaError: that says what is wrong.

    >>> one_task("tone", "calm\nangry", several=False, none=True)
    Schema().classification('tone', ['calm', 'angry'], abstain=True)
    """
    labels = entity_part(lines).entity_labels
    abstain = True if none and not several else None
    return Schema().classification(name, labels, multi_label=several, abstain=abstain)


def one_structure(name: str, lines: str) -> Schema:
    r"""Return a structure whose fields stand on lines in shorthand (``name::str::description``).

    Raises:
        SchemaError: that says what is wrong.

    >>> one_structure("product", "name::str\nprice")
    Schema().structure('product', ['name::str', 'price'])
    """
    return Schema().structure(name, [line for _, line in _lines(lines)])


def read_threshold(given: str) -> float | dict[str, float] | None:
    """Return a threshold as written: nothing, ``0.4``, or ``person = 0.4, relations = 0.3``.

    Raises:
        InputError: if a number is none, or a name stands twice.

    >>> read_threshold("0.4"), read_threshold("person = 0.4"), read_threshold(" ")
    (0.4, {'person': 0.4}, None)
    """
    if "=" not in given:
        return _number(given) if given.strip() else None
    named: dict[str, float] = {}
    for pair in given.replace("\n", ",").split(","):
        if pair.strip():
            name, _, number = (part.strip() for part in pair.rpartition("="))
            if name in named:
                raise InputError(f"There are two thresholds for {shown(name)}; give one.")
            named[name] = _number(number)
    return named


def _number(given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise InputError(
            f"A threshold must be a number from 0 to 1, such as 0.4 or person = 0.4, but "
            f"{shown(given.strip())} was given."
        ) from None


def _lines(lines: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers."""
    for number, line in enumerate(lines.splitlines(), 1):
        if line.strip():
            yield number, line.strip()


def _each(lines: str, field: str, read: Read) -> Iterator[Schema]:
    for number, line in _lines(lines):
        try:
            yield read(line)
        except SchemaError as error:
            # The cause says the same without the option of the command line before it.
            reason = error.__cause__ or error
            raise SchemaError(f"{field}, line {number}, {shown(line)}: {reason}") from error


def _merged(lines: str, field: str, read: Read) -> Schema:
    whole = Schema()
    for part in _each(lines, field, read):
        whole = whole.merged(part)
    return whole
