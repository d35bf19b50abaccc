"""A model that needs no files: it finds a label wherever the label itself stands in the text."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from onepass.batch.job import BUILTIN, ModelChoice
from onepass.cli import loading, main
from onepass.errors import CheckpointError, TextTooLong
from onepass.models.kept import Kept
from onepass.results.missed import Explanation, Missed
from onepass.results.types import Classification, Coverage, Entity, Extraction, LabelScore
from onepass.schema import Schema, read_schema

WINDOW = 100  # characters
CHUNK = 4  # texts that `stream` reads together


class EchoModel:
    """Stands in for an Extractor, with the same methods."""

    name = "echo"
    backend = "none"
    precision = "none"
    kept = Kept()

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []
        self.taken = 0  # texts that `stream` has taken

    def extract(self, text: Any, schema: Any, **options: Any) -> Any:
        if isinstance(text, list):
            return [self.extract(one, schema, **options) for one in text]
        return self._one(text, read_schema(schema), options)

    def explain(self, text: str, schema: Any, *, floor: float, **options: Any) -> Explanation:
        missed = Missed("place", Entity("place", text[:1], 0, 1, 0.25), 0.5)
        return Explanation(self.extract(text, schema, **options), (missed,), floor)

    def _one(self, text: str, schema: Schema, options: dict[str, Any]) -> Extraction:
        self.options.append(options)
        if options.get("on_long") == "error" and len(text) > WINDOW:
            raise TextTooLong(f"The text has {len(text)} characters; {WINDOW} fit.")
        entities = [
            Entity(label.name, label.name, start, start + len(label.name), 0.9)
            for label in schema.entity_labels
            if (start := text.find(label.name)) >= 0
        ]
        classes = {
            task.name: Classification(
                (LabelScore(task.labels[0].name, 0.75),),
                {label.name: 0.75 if n == 0 else 0.25 for n, label in enumerate(task.labels)},
            )
            for task in schema.classification_tasks
        }
        records = {structure.name: () for structure in schema.structures}
        unread = sum(len(word) for word in text.split() if len(word) > WINDOW)
        coverage = Coverage(len(text), len(text) - unread, 1, unread > 0)
        return Extraction(text, tuple(entities), classes, records, (), coverage)

    def stream(self, texts: Iterable[str], schema: Schema, **options: Any) -> Iterator[Extraction]:
        held: list[str] = []
        for text in texts:
            self.taken += 1
            held.append(text)
            if len(held) == CHUNK:
                yield from [self.extract(text, schema, **options) for text in held]
                held = []
        yield from [self.extract(text, schema, **options) for text in held]


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Onepass = Callable[..., Done]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> EchoModel:
    """Put the echo model where the command line makes its models."""
    echo = EchoModel()

    def load(chosen: ModelChoice = BUILTIN) -> EchoModel:
        if chosen.name not in (None, "echo"):
            raise CheckpointError(f"There is no model {chosen.name!r}; give another.")
        return echo

    monkeypatch.setattr(loading, "load_model", load)
    return echo


@pytest.fixture
def onepass(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], model: EchoModel
) -> Onepass:
    """Run a command in this process; standard input is ``stdin``, or a terminal."""

    def run(*arguments: str, stdin: bytes = b"", terminal: bool = False) -> Done:
        source = Terminal() if terminal else io.BytesIO(stdin)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source, encoding="utf-8"))
        code = main(arguments)
        return Done(code, *capfd.readouterr())

    return run
