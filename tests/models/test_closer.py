"""Relations are looked for once more in short windows, where a checkpoint says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import make_tiny_checkpoint

from onepass import Extraction, Extractor, Schema
from onepass.hub import locate
from onepass.models.choosing import Wanted
from onepass.models.opening import open_backend
from onepass.models.reader import Reader
from onepass.models.registry import read_model
from onepass.schema.options import CallOptions
from onepass.text.windows import Window, plan_windows
from onepass.text.words import split_words

WORDS = 30  # more than the pieces of the prompt below
RELATIONS = Schema().relations(["works for", "lives in"])
ALL = (
    RELATIONS.copy()
    .entities(["person", "place"])
    .structure("offer", ["name::str", "price"])
    .classification("tone", ["calm", "angry"])
)
TEXT = (
    "Sam Ray met Ida Moe in Lyon on Monday, where both work for Blue Mill; Kai Bo lives in Graz. "
    "Tim Cook runs Apple in Paris, and Ann Lee works for Acme in Rome. Bo Berg lives in Oslo; he "
    "left Bergen for a desk at Tiny Works, where Eva Holm sells tea and bread."
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def closer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_tiny_checkpoint(tmp_path_factory.mktemp("closer"))
    (directory / "onepass.json").write_text(json.dumps({"pair_words": WORDS}))
    return directory


def read(directory: Path, text: str, schema: Schema = RELATIONS, **options: str) -> Extraction:
    model = Extractor.from_pretrained(directory, backend="torch")
    return model.extract(text, schema, threshold=0.0, **options)  # type: ignore[arg-type]


def pairs(doc: Extraction, moved: int = 0) -> dict[tuple[object, ...], float]:
    return {
        (r.type, *(moved + at for at in (r.head.start, r.head.end, r.tail.start, r.tail.end))): (
            r.score
        )
        for r in doc.relations
        if r.head.start is not None and r.head.end is not None
        if r.tail.start is not None and r.tail.end is not None
    }


def best(every: Sequence[dict[tuple[object, ...], float]]) -> dict[tuple[object, ...], float]:
    found: dict[tuple[object, ...], float] = {}
    for one in every:
        for pair, score in one.items():
            found[pair] = max(score, found.get(pair, 0.0))
    return found


def windows(text: str) -> list[Window]:
    lengths = np.ones(len(split_words(text)), dtype=np.int64)
    return plan_windows(lengths, len(lengths), overlap=WORDS // 3, most=WORDS)


def test_what_is_found_is_what_the_text_and_its_windows_say(plain: Path, closer: Path) -> None:
    words = split_words(TEXT)
    apart = [pairs(read(plain, TEXT))]
    for window in windows(TEXT):
        start, end = int(words.starts[window.start]), int(words.ends[window.end - 1])
        apart.append(pairs(read(plain, TEXT[start:end]), start))
    found = pairs(read(closer, TEXT))
    assert len(found) > len(apart[0]) > 0
    assert found == pytest.approx(best(apart), abs=1e-6)


def test_everything_else_stays(plain: Path, closer: Path) -> None:
    before, after = read(plain, TEXT, ALL), read(closer, TEXT, ALL)
    assert len(after.relations) > len(before.relations)
    assert (before.entities, before.records) == (after.entities, after.records)
    assert before.classifications == after.classifications
    assert before.coverage == after.coverage


def test_a_short_text_is_read_once(plain: Path, closer: Path) -> None:
    text = " ".join(TEXT.split()[:WORDS])
    assert WORDS < len(split_words(text)) <= WORDS * 1.25
    assert read(closer, text) == read(plain, text)


def test_what_is_not_read_is_not_read_closer(tmp_path: Path) -> None:
    directory = make_tiny_checkpoint(tmp_path, backbone="bert")  # reads 512 pieces
    (directory / "onepass.json").write_text(json.dumps({"pair_words": WORDS}))
    doc = read(directory, TEXT * 30, on_long="truncate")
    assert doc.coverage.truncated
    assert doc.relations
    assert max(r.tail.end or 0 for r in doc.relations) <= doc.coverage.chars_read


def test_ruled_relations_are_chosen_among_all(plain: Path, closer: Path) -> None:
    schema = Schema().relations({name: {"max_tails": 1} for name in ("works for", "lives in")})
    before, after = (read(directory, TEXT, schema) for directory in (plain, closer))
    heads = [(r.type, r.head.start, r.head.end) for r in after.relations]
    assert len(heads) == len(set(heads)) > 0
    assert pairs(after) != pairs(before)  # a closer look has better tails for some heads


def test_prompts_of_a_closer_look_may_be_the_longest(tmp_path: Path) -> None:
    directory = make_tiny_checkpoint(tmp_path, backbone="bert")  # reads 512 pieces
    (directory / "onepass.json").write_text(json.dumps({"pair_words": WORDS}))
    checkpoint = locate(directory)
    model = read_model(checkpoint)
    reader = Reader(model, open_backend(model, checkpoint, Wanted(backend="torch")))
    relations = [f"relation {'very ' * (number % 7)}{number}" for number in range(40)]
    for labels in range(1, 20):
        schema = Schema().entities(f"place {n} in paris" for n in range(labels))
        asked = reader.ask(schema.relations(relations), CallOptions(0.0))
        prompts, closer = asked.plan
        assert closer is not None
        longest = [max(p.pieces for p in own) for own in (prompts, closer.prompts)]
        if longest[0] < longest[1]:
            break
    assert longest[0] < longest[1]
    text = " ".join(["tim" * 150] * 600)  # each word as long as fits
    (doc,) = reader.read([text], asked)
    assert doc.coverage.windows
