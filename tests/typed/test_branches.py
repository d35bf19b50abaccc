"""What is said of records that an instance has no room for."""

from __future__ import annotations

from onepass.results.types import Extraction, Value
from onepass.schema import Field
from onepass.schema.shape import Child, Leaf, Shape
from onepass.typed import FieldError
from onepass.typed.branches import grow
from onepass.typed.link import link


def level(name: str, field: str, *below: Child) -> Shape:
    return Shape(name, name.title(), (Leaf(field, field, Field(field, "str")),), below)


TEXT = "Ann: cart 1 with lamp (red); cart 2 with desk (oak), sofa."
COLOR = level("color", "color")
ITEM = level("item", "product", Child("color", "color", COLOR, False))
CART = level("cart", "number", Child("items", "items", ITEM, True))
ORDER = level("order", "customer", Child("cart", "cart", CART, False))


def found(field: str, *texts: str) -> tuple[dict[str, Value], ...]:
    starts = [(one, TEXT.index(one)) for one in texts]
    return tuple({field: Value(one, at, at + len(one), 0.9)} for one, at in starts)


def test_what_stands_below_a_spare_record_is_named_with_it() -> None:
    records = {
        "order": found("customer", "Ann"),
        "cart": found("number", "1", "2"),
        "item": found("product", "lamp", "desk", "sofa"),
        "color": found("color", "red", "oak"),
    }
    (node,) = link(Extraction(TEXT, records=records), ORDER)
    errors: list[FieldError] = []
    grow(node, "", TEXT, errors)
    assert [(one.path, one.text) for one in errors] == [("cart", "2; desk; oak; sofa")]
