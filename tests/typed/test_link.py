"""Children find their parents by position."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.results.types import Extraction, Value
from onepass.schema import Field
from onepass.schema.shape import Child, Leaf, Shape, named
from onepass.typed.link import Node, Place, _owners, link


def leaf(name: str) -> Leaf:
    return Leaf(name, name, Field(name, "str"))


def level(name: str, *leaves: str, below: tuple[Child, ...] = ()) -> Shape:
    return Shape(name, name.title(), tuple(leaf(one) for one in leaves), below)


def at(text: str, part: str, occurrence: int = 0, score: float = 0.9) -> Value:
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(part, start + 1)
    return Value(part, start, start + len(part), score)


OPTION = level("option", "color")
ITEM = level("item", "product", below=(Child("options", "options", OPTION, True),))
ORDER = level("order", "number", "total", below=(Child("items", "items", ITEM, True),))


def read(text: str, **records: list[dict[str, Value]]) -> list[Node]:
    return link(Extraction(text, records={k: tuple(v) for k, v in records.items()}), ORDER)


def said(node: Node, field: str) -> str:
    held = node.record[field]
    assert isinstance(held, Value)
    return held.text


def items(node: Node) -> list[str]:
    return [said(one, "product") for one in node.below.get("items", [])]


def test_children_belong_to_the_parent_before_them() -> None:
    text = "order 1: lamp and desk. order 2: sofa."
    orders = read(
        text,
        order=[{"number": at(text, "1")}, {"number": at(text, "2")}],
        item=[{"product": at(text, word)} for word in ("sofa", "desk", "lamp")],
    )
    assert [items(order) for order in orders] == [["lamp", "desk"], ["sofa"]]  # in text order


def test_three_levels() -> None:
    text = "1: lamp red blue, desk oak. 2: sofa gray"
    orders = read(
        text,
        order=[{"number": at(text, "1")}, {"number": at(text, "2")}],
        item=[{"product": at(text, word)} for word in ("lamp", "desk", "sofa")],
        option=[{"color": at(text, word)} for word in ("red", "blue", "oak", "gray")],
    )
    found = [
        [[said(one, "color") for one in item.below["options"]] for item in order.below["items"]]
        for order in orders
    ]
    assert found == [[["red", "blue"], ["oak"]], [["gray"]]]


def test_a_stretch_reaches_as_far_as_the_last_value_and_the_nearest_value_before_decides() -> None:
    # The total of order 1 stands after order 2 begins: what follows it belongs to order 1.
    text = "orders 1 and 2. second: sofa. total of the first 80 for lamp, thanks"
    orders = read(
        text,
        order=[
            {"number": at(text, "1"), "total": at(text, "80 for lamp")},
            {"number": at(text, "2")},
        ],
        item=[{"product": at(text, "sofa")}, {"product": at(text, "lamp")}],
    )  # fmt: skip
    assert [items(order) for order in orders] == [["lamp"], ["sofa"]]


def test_a_child_beyond_the_stretch_of_a_parent_is_not_its() -> None:
    text = "1 2 lamp"
    orders = read(
        text,
        order=[{"number": at(text, "1")}, {"number": at(text, "2")}],
        item=[{"product": at(text, "lamp")}],
    )
    assert [items(order) for order in orders] == [[], ["lamp"]]


def test_a_child_before_every_parent_belongs_to_the_first() -> None:
    text = "lamp in order 2, then order 1"
    orders = read(
        text,
        order=[{"number": at(text, "1")}, {"number": at(text, "2")}],
        item=[{"product": at(text, "lamp")}],
    )
    assert [items(order) for order in orders] == [[], ["lamp"]]


def test_children_without_a_parent_get_an_empty_one() -> None:
    text = "lamp red"
    (order,) = read(text, option=[{"color": at(text, "red")}])
    assert order.record == {}
    assert order.below["items"][0].record == {}
    assert len(order.below["items"][0].below["options"]) == 1


def test_nothing_found_gives_nothing() -> None:
    assert read("no order") == []


def test_children_without_a_place_go_by_number() -> None:
    text = "1 2"
    choice = Value("lamp", None, None, 0.8)
    orders = read(
        text,
        order=[{"number": at(text, "1")}, {"number": at(text, "2")}],
        item=[{"product": choice}, {"product": choice}, {"product": choice}],
    )
    assert [len(order.below["items"]) for order in orders] == [1, 2]


def test_of_single_children_the_nearest_stays_and_the_others_are_spare() -> None:
    address = level("address", "city")
    person = level("person", "name", below=(Child("address", "address", address, False),))
    text = "Ann of Rome flew to Oslo"
    doc = Extraction(
        text,
        records={
            "person": ({"name": at(text, "Ann")},),
            "address": ({"city": at(text, "Oslo", score=0.99)}, {"city": at(text, "Rome")}),
        },
    )
    (node,) = link(doc, person)
    assert [said(one, "city") for one in node.below["address"]] == ["Rome"]
    assert [said(one, "city") for one in node.spare["address"]] == ["Oslo"]


def test_a_limited_list_keeps_the_best() -> None:
    limited = level("order", "number", below=(Child("items", "items", ITEM, True, most=2),))
    text = "1 lamp desk sofa"
    scores = {"lamp": 0.9, "desk": 0.3, "sofa": 0.8}
    doc = Extraction(
        text,
        records={
            "order": ({"number": at(text, "1")},),
            "item": tuple({"product": at(text, word, score=s)} for word, s in scores.items()),
        },
    )
    assert items(link(doc, limited)[0]) == ["lamp", "sofa"]


def test_structures_get_names_of_their_own() -> None:
    address = level("address", "city")
    both = level(
        "order",
        "number",
        below=(
            Child("shipping_address", "shipping_address", address, False),
            Child("billing", "billing", address, False),
        ),
    )
    names = [structure.name for structure in named(both).structures()]
    assert names == ["order", "shipping address", "billing address"]


def owner(parents: list[list[Place]], start: int | None, number: int) -> int:
    """Return the parent of one child by the rule as it is written, all parents looked at."""
    placed = [(places, i) for i, places in enumerate(parents) if places]
    placed.sort(key=lambda one: one[0][0])
    if start is None or not placed:
        return min(number, len(parents) - 1)
    nearest = [(-1, -1, 0, placed[0][1])]
    for rank, (places, i) in enumerate(placed):
        first, last = places[0][0], rank + 1 == len(placed)
        end = max(end for _, end in places)
        if first <= start and (last or start < max(end, placed[rank + 1][0][0][0])):
            before = max(place[0] for place in places if place[0] <= start)
            nearest.append((before, first, -rank, i))
    return max(nearest)[-1]


places = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), max_size=3)


@given(st.lists(places, min_size=1, max_size=6), st.lists(st.none() | st.integers(0, 20)))
def test_the_owners_of_all_are_those_of_each(
    spans: list[list[Place]], starts: list[int | None]
) -> None:
    parents = [sorted((start, start + length) for start, length in one) for one in spans]
    each = [owner(parents, start, number) for number, start in enumerate(starts)]
    assert _owners(parents, starts) == each


def test_many_parents_and_children_take_no_square_of_time() -> None:
    def reading(count: int) -> Callable[[], None]:
        text = "".join(f"{number:05}: lamp; " for number in range(count))
        at = range(0, 13 * count, 13)
        value = [{"number": Value(text[i : i + 5], i, i + 5, 0.9)} for i in at]
        lamp = [{"product": Value("lamp", i + 7, i + 11, 0.9)} for i in at]

        def run() -> None:
            orders = read(text, order=value, item=lamp)
            assert all(items(order) == ["lamp"] for order in orders)

        return run

    assert_grows_in_proportion(reading, 1_000)
