"""The stages of a run: bounded batches, arguments that are checked at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny import make_tiny_checkpoint

from onepass import Schema
from onepass.arrays import Array
from onepass.backends.base import Backend
from onepass.errors import InputError, SchemaError
from onepass.hub import locate
from onepass.models.batching import ON_CPU
from onepass.models.cancelling import Unwanted, while_wanted
from onepass.models.choosing import Wanted
from onepass.models.opening import open_backend
from onepass.models.reader import Planned, Reader
from onepass.models.registry import read_model
from onepass.schema.options import CallOptions

SCHEMA = Schema().entities(["person", "place"]).classification("tone", ["calm", "angry"])


class Recorder:
    """A backend that notes the shapes that the encoder is given."""

    name, precision = "torch", "fp32"

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.shapes: list[tuple[int, ...]] = []

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        if graph == "encode":
            self.shapes.append(inputs["ids"].shape)
        return self._inner.run(graph, inputs)


def open_tiny(directory: Path, backbone: str) -> Reader:
    checkpoint = locate(make_tiny_checkpoint(directory, backbone=backbone))
    model = read_model(checkpoint)
    return Reader(model, Recorder(open_backend(model, checkpoint, Wanted(backend="torch"))))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return open_tiny(tmp_path_factory.mktemp("checkpoint"), "deberta-v2")  # reads 2,048 pieces


def ask(reader: Reader, schema: object = SCHEMA, **options: Any) -> Planned:
    return reader.ask(schema, CallOptions(**options))


def shapes(reader: Reader, texts: Sequence[str], schema: object = SCHEMA) -> list[tuple[int, ...]]:
    backend = reader.backend
    assert isinstance(backend, Recorder)
    backend.shapes.clear()
    reader.read(texts, ask(reader, schema))
    return backend.shapes


def test_what_nobody_wants_any_more_is_given_up_between_two_texts(reader: Reader) -> None:
    """An exact choice may take seconds a text."""
    wanted = iter([True, True])  # one run of both texts, and the first text
    with while_wanted(lambda: next(wanted, False)), pytest.raises(Unwanted):
        reader.read(["tim in rome", "tim in rome"], ask(reader, Schema().entities(["person"])))


def test_batches_are_bounded_and_hold_similar_lengths(reader: Reader) -> None:
    generator = np.random.default_rng(0)
    texts = ["tim " * int(words) for words in generator.integers(1, 350, size=64)]
    ran = shapes(reader, texts)
    assert sum(batch for batch, _ in ran) == len(texts)
    assert all(batch * pieces <= ON_CPU.pieces for batch, pieces in ran)
    assert [pieces for _, pieces in ran] == sorted((p for _, p in ran), reverse=True)
    real = sum(text.count("tim") + 25 for text in texts)
    assert sum(batch * pieces for batch, pieces in ran) < 1.1 * real


def test_a_text_of_two_hundred_thousand_characters(tmp_path: Path) -> None:
    reader = open_tiny(tmp_path, "bert")
    text = "Tim Cook runs Apple in Paris. " * 6_700
    (doc,) = reader.read([text], ask(reader))
    assert len(text) > 200_000
    assert doc.coverage.chars_read == doc.coverage.chars == len(text)
    assert doc.coverage.windows > 60
    backend = reader.backend
    assert isinstance(backend, Recorder)
    assert max(batch * pieces for batch, pieces in backend.shapes) <= 4096


def test_windows_are_short_only_where_a_text_does_not_fit(reader: Reader) -> None:
    assert shapes(reader, ["tim " * 1_900])[0][1] > 1_900  # it fits at once, as in the reference
    assert max(pieces for _, pieces in shapes(reader, ["tim " * 2_100])) < 700


def test_no_texts(reader: Reader) -> None:
    assert reader.read([], ask(reader)) == []


def test_a_schema_may_change_after_it_was_asked(reader: Reader) -> None:
    schema = Schema().entities(["person"])
    before = ask(reader, schema)
    schema.entities(["place"])
    after = ask(reader, schema)
    assert len(before.asking.schema.entity_labels) == 1
    assert len(after.asking.schema.entity_labels) == 2
    assert [len(g.items) for p in after.plan.prompts for g in p.groups] == [2]
    assert [len(g.items) for p in before.plan.prompts for g in p.groups] == [1]


@pytest.mark.parametrize(
    ("schema", "options", "kind", "said"),
    [
        ({}, {}, SchemaError, "asks for nothing"),
        (3, {}, SchemaError, "A schema must be"),
        (SCHEMA, {"overlap": "none"}, InputError, r"^overlap 'none' is not known; all, nested,"),
        (SCHEMA, {"on_long": "cut"}, InputError, r"^on_long 'cut' is not known; window, error,"),
        (SCHEMA, {"threshold": 2}, InputError, "threshold must be a number from 0 to 1"),
    ],
)
def test_arguments_are_checked(
    reader: Reader, schema: object, options: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        ask(reader, schema, **options)
