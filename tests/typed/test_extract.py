"""Model classes, rules and relation rules through the built-in model."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from datetime import date
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from onepass import Extractor, Schema
from onepass.errors import InputError, MissingExtra
from onepass.results.types import Extraction, Value
from onepass.typed import Iban, Money, Rules, TypedExtraction

TEXT = (
    "Order 4711 was placed on 3 May 2024 by Ann Lee: 3 lamps at 50 dollars each. "
    "Order 4712 was placed on 5 May 2024 by Bob Ray: one desk."
)


class Item(BaseModel):
    product: str
    count: int = Field(1, ge=1)


class Order(BaseModel):
    number: int
    customer: str | None = None
    items: list[Item] = []


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


def test_a_class_gives_instances_with_evidence(model: Extractor) -> None:
    doc = model.extract(TEXT, Order)
    assert isinstance(doc, TypedExtraction)
    assert doc.value is not None
    assert doc.value.number == 4711
    assert doc.value.customer == "Ann Lee"
    assert [value and value.number for value in doc.values] == [4711, 4712]
    place = doc.evidence["number"]
    assert TEXT[place.start : place.end] == place.text == "4711"
    assert doc.evidence["[1].customer"].text == "Bob Ray"
    assert doc.records["order"][0]["number"] == place


def test_results_hash_whatever_their_values_are() -> None:
    evidence = {"name": Value("Ann", 0, 3, 0.5)}
    one = TypedExtraction("Ann", values=({"name": ["Ann"]},), evidence=evidence)
    same = TypedExtraction("Ann", values=({"name": ["Ann"]},), evidence=evidence)
    assert {one, same} == {one}
    assert pickle.loads(pickle.dumps(one)) == one
    assert asdict(one)["values"] == ({"name": ["Ann"]},)


def test_lists_streams_and_json_schemas_give_the_same(model: Extractor) -> None:
    one, other = model.extract([TEXT, ""], Order)
    assert one == model.extract(TEXT, Order)
    assert (other.value, other.values, other.errors) == (None, (), ())
    assert next(iter(model.stream([TEXT], Order))) == one
    plain = model.extract(TEXT, Order.model_json_schema())
    assert isinstance(plain, TypedExtraction)
    assert [value and value["number"] for value in plain.values] == [4711, 4712]


def test_a_class_and_its_json_schema_give_equal_values(model: Extractor) -> None:
    for name in ("dateparser", "phonenumbers", "price_parser", "stdnum"):
        pytest.importorskip(name)

    class Customer(BaseModel):
        name: str
        phone: Annotated[str, Rules(kind="phone", region="CH")] | None = None
        since: Annotated[date, Rules(order="DMY")] | None = None
        iban: Iban | None = None
        paid: Money | None = None

    text = (
        "Ann Weiss, customer since 03/04/2019, phone 044 668 18 00, "
        "IBAN DE89 3704 0044 0532 0130 00, paid EUR 45.00."
    )
    doc, plain = model.extract(text, Customer), model.extract(text, Customer.model_json_schema())
    assert isinstance(plain, TypedExtraction)
    assert doc.value == Customer.model_validate(plain.value)
    assert (doc.evidence, doc.errors) == (plain.evidence, plain.errors)


def test_a_schema_gives_a_plain_extraction(model: Extractor) -> None:
    assert type(model.extract(TEXT, Schema().entities(["person"]))) is Extraction


def test_a_bound_chooses_another_span(model: Extractor) -> None:
    def days(**rules: str) -> list[str]:
        field = {"name": "date", "dtype": "str", "kind": "date", **rules}
        text = TEXT.replace("3 May 2024", "2024-05-03").replace("5 May 2024", "2024-05-05")
        doc = model.extract(text, Schema().structure("order", ["number::str", field]))
        return [one["date"].text for one in doc.records["order"] if one["date"]]  # type: ignore[union-attr]

    assert "2024-05-03" in days()
    assert "2024-05-03" not in days(gt="2024-05-03")


def test_exclusive_values_fill_one_record(model: Extractor) -> None:
    class Loose(BaseModel):
        person: str

    class Strict(BaseModel):
        person: Annotated[str, Rules(exclusive=True)]

    text = "Ann Lee and Bob Ray met Ann Lee's brother Tom."
    doc = model.extract(text, Strict)
    places = [(value.start, value.end) for value in doc.evidence.values()]
    assert len(places) == len(set(places)) >= 2
    assert model.extract(text, Loose).values


def test_relations_join_what_they_may(model: Extractor) -> None:
    text = "Ann Weiss works for Siemens in Berlin, and Bob Ray works for Apple."
    rules = {"head": ["person"], "tail": ["company"], "inverse": "employs", "max_tails": 1}
    schema = Schema().entities(["person", "company", "city"]).relations({"works for": rules})
    for solver in ("greedy", "exact"):
        if solver == "exact":
            pytest.importorskip("highspy")
        doc = model.extract(text, schema, solver=solver)
        label = {(entity.start, entity.end): entity.label for entity in doc.entities}
        works = [one for one in doc.relations if one.type == "works for"]
        assert ("Ann Weiss", "Siemens") in [(one.head.text, one.tail.text) for one in works]
        assert len(doc.relations) == 2 * len(works)
        for one in works:
            assert label[one.head.start, one.head.end] == "person"  # type: ignore[index]
            assert label[one.tail.start, one.tail.end] == "company"  # type: ignore[index]
        assert len({one.head.text for one in works}) == len(works)


def test_wrong_solvers_are_refused(model: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema().entities(["person"])
    with pytest.raises(InputError, match="solver 'best' is not known; greedy, exact are"):
        model.extract(TEXT, schema, solver="best")
    monkeypatch.setitem(__import__("sys").modules, "highspy", None)
    with pytest.raises(MissingExtra, match=r"onepass\[exact\]"):
        model.extract(TEXT, schema, solver="exact")


def test_rules_hold_in_every_window_of_a_long_text(model: Extractor) -> None:
    class Bill(BaseModel):
        number: Annotated[str, Rules(pattern=r"^\d{4}$")]
        day: date | None = None

    filler = "Nothing of note happened on the way to the station. " * 60
    doc = model.extract(TEXT + " " + filler + "Order 4713 was placed by Tom.", Bill)
    assert doc.coverage.windows > 1
    for path, value in doc.evidence.items():
        assert not path.endswith("number") or (len(value.text) == 4 and value.text.isdigit())


def test_a_strict_class_gets_the_containers_that_it_takes(model: Extractor) -> None:
    class Item(BaseModel):
        model_config = ConfigDict(strict=True, frozen=True)
        product: str

    class Order(BaseModel):
        model_config = ConfigDict(strict=True)
        number: int
        customer: set[str] = set()
        items: frozenset[Item] = frozenset()

    doc = model.extract(TEXT, Order)
    assert doc.value is not None
    assert doc.value.number == 4711
    assert doc.value.customer == {"Ann Lee"}
    assert isinstance(doc.value.items, frozenset)
    assert not any("valid" in error.message for error in doc.errors)
