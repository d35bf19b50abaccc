"""Programs that a strict type checker accepts; `test_static.py` lets one read them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, assert_type

from pydantic import BaseModel

from onepass import (
    Classification,
    Entity,
    Extraction,
    Extractor,
    LabelVectors,
    Record,
    Relation,
    Schema,
    ServiceError,
    Value,
)
from onepass.client import AsyncClient, Client
from onepass.schema import OnLong, Overlap, Solver, Threshold
from onepass.typed import Rules, TypedExtraction

ASKED = {"entities": ["person"]}
ORDER = {"title": "Order", "properties": {"number": {"type": "integer"}}}


class Room(BaseModel):
    name: Annotated[str, Rules(exclusive=True)]


def one_text(model: Extractor, labels: LabelVectors) -> None:
    assert_type(model.extract("a", ASKED), Extraction)
    assert_type(model.extract("a", Schema().entities(["person"]), solver="exact"), Extraction)
    assert_type(model.extract("a", '{"entities": ["person"]}'), Extraction)
    assert_type(model.extract("a", labels=labels), Extraction)
    assert_type(model.extract("a", Room), TypedExtraction[Room])
    assert_type(model.extract("a", Room, solver="exact"), TypedExtraction[Room])
    assert_type(model.extract("a", Room, overlap="nested", labels=None), TypedExtraction[Room])
    assert_type(model.extract("a", Room).value, Room | None)


def texts(model: Extractor, some: Sequence[str], any_: Iterable[str], lines: Iterator[str]) -> None:
    assert_type(model.extract(["a"], ASKED), list[Extraction])
    assert_type(model.extract(some, ASKED), list[Extraction])
    assert_type(model.extract(lines, ASKED), list[Extraction])
    assert_type(model.extract(["a"], Room, solver="exact"), list[TypedExtraction[Room]])
    assert_type(model.extract(any_, Room), list[TypedExtraction[Room]])
    assert_type(model.extract({"a": 1}.keys(), Room), list[TypedExtraction[Room]])
    assert_type(model.stream(any_, ASKED), Iterator[Extraction])
    assert_type(model.stream(any_, Room, solver="exact"), Iterator[TypedExtraction[Room]])


def one_or_more(model: Extractor, given: str | list[str]) -> Extraction:
    assert_type(model.extract(given, Room), TypedExtraction[Room] | list[TypedExtraction[Room]])
    found = model.extract(given, ASKED)
    return found[0] if isinstance(found, list) else found


def options(model: Extractor, least: Threshold, overlap: Overlap, on_long: OnLong) -> Extraction:
    solver: Solver = "greedy"
    return model.extract(
        "a", ASKED, threshold=least, overlap=overlap, on_long=on_long, solver=solver
    )


def shortcuts(model: Extractor) -> None:
    assert_type(model.entities("a", {"person": "a human being"}), tuple[Entity, ...])
    assert_type(model.classify("a", {"sport": ["golf"], "law": []}), Classification)
    assert_type(model.records("a", {"room": ["name::str"]})["room"], tuple[Record, ...])
    assert_type(model.relations("a", ["runs"]), tuple[Relation, ...])
    assert_type(model.encode_labels({"person": None}), LabelVectors)


def fields(model: Extractor) -> list[str]:
    (record,) = model.records("a", {"room": ["name::str", "colors"]})["room"]
    name, colors = record["name"], record["colors"]
    found = [name] if isinstance(name, Value) else []
    found += colors if isinstance(colors, tuple) else ()
    return [value.text for value in found]


def json_schema(model: Extractor) -> object:
    doc = model.extract("a", ORDER)
    return doc.value if isinstance(doc, TypedExtraction) else None


def client(one: Client) -> None:
    assert_type(one.extract("a", ASKED), Extraction)
    assert_type(one.extract("a", Room, overlap="all"), TypedExtraction[Room])
    assert_type(one.extract_batch(["a"], ASKED), list[Extraction | ServiceError])
    assert_type(one.extract_batch(["a"], Room), list[TypedExtraction[Room] | ServiceError])
    assert_type(one.check(Room), Schema)


async def async_client(one: AsyncClient) -> None:
    assert_type(await one.extract("a", ASKED), Extraction)
    assert_type(await one.extract("a", Room), TypedExtraction[Room])
    assert_type(await one.extract_batch(["a"], ASKED), list[Extraction | ServiceError])
    assert_type(await one.extract_batch(["a"], Room), list[TypedExtraction[Room] | ServiceError])
