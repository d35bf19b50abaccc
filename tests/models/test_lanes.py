import threading
from dataclasses import replace

import pytest

from onepass import Extractor
from onepass.models import lanes as module
from onepass.models.lanes import Lanes, lanes_of, span

TEXTS = [f"Ada met Grace in Oslo {'on a cold day ' * n}." for n in range(1, 40, 3)]
SCHEMA = {"entities": ["person", "city"]}


@pytest.fixture
def many(monkeypatch):
    """Every list is worth the lanes."""
    monkeypatch.setattr(module, "LEAST", 1)
    return Extractor(backend="onnx", threads=2)


def test_what_is_read_side_by_side_is_what_is_read_in_turn(many):
    beside, seen = many._reader.lanes, set()
    original = beside.backend.run

    def run(graph, inputs):
        seen.add(threading.get_ident())
        return original(graph, inputs)

    beside.backend.run = run
    texts = TEXTS * 4
    found = many.extract(texts, SCHEMA)
    assert len(seen) == 2
    many._reader.lanes = None
    assert [one.to_dict() for one in found] == [
        one.to_dict() for one in many.extract(texts, SCHEMA)
    ]


def test_a_short_list_opens_nothing_more(monkeypatch):
    model = Extractor(backend="onnx", threads=2)
    model._reader.lanes = replace(model._reader.lanes, backend=None)
    assert len(model.extract(TEXTS[:3], SCHEMA)) == 3


def test_one_thread_has_no_lanes():
    assert Extractor(backend="onnx", threads=1)._reader.lanes is None


def test_what_one_lane_raises_is_raised():
    lanes = Lanes(2, backend=None)
    with pytest.raises(ZeroDivisionError):
        lanes.each(lambda number: 1 // number, [1, 0, 1, 1])
    assert lanes.each(lambda number: -number, [3, 1, 2]) == [-3, -1, -2]


@pytest.mark.parametrize(
    ("costs", "pays"),
    [
        ([512] * 8, True),
        ([512] * 7, False),  # less than 2,048 pieces for each
        ([4096, 256], False),  # one lane would have next to nothing to do
        ([512] * 9, True),
        ([], False),
    ],
)
def test_when_lanes_pay(costs, pays):
    assert Lanes(2, backend=None).pays(costs) is pays


def test_the_time_of_lanes():
    assert span([4, 3, 3, 2], 1) == 12
    assert span([4, 3, 3, 2], 2) == 6
    assert span([9], 4) == 9
    assert lanes_of(3) == (3, 1)
    assert lanes_of(17) == (8, 2)
