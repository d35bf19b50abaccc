"""Logits of a batch, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.models.gliclass.made import Pair, config

from onepass import Schema
from onepass.models.gliclass.encode import read_window
from onepass.models.gliclass.prompt import Writer
from onepass.models.gliclass.score import decode, score
from onepass.models.gliclass.style import NEWEST
from onepass.models.gliclass.text import read_text
from onepass.text.windows import Window


class Places:
    """A network that gives the place of each label's first piece, and nonsense at padding."""

    def run(self, graph: str, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        assert graph == "classify"
        return [np.where(inputs["label_mask"] == 1, inputs["labels"][..., 0], -99)]


def test_every_reading_gets_its_own_logits(pairs: Callable[..., Pair]) -> None:
    pair, settings = pairs("wordpiece"), config(prompt_first=True)
    writer = Writer(settings, NEWEST, pair.ours, 100)
    text = read_text("tim", pair.ours, max_word_pieces=9)
    readings = []
    for labels in (["a"], ["great person", "a", "b"]):
        (task,) = Schema().classification("t", labels).classification_tasks
        readings += [read_window(one, text, Window(0, 1)) for one in writer.write(3, task)]
    backend: Any = Places()
    rows = score(readings, settings, backend)
    assert [row.tolist() for row in rows] == [[1], [1, 4, 6]]
    asking: Any = None  # decoding does not depend on it
    for row, reading in zip(rows, readings, strict=True):
        ((place, logits),) = decode(row, reading, asking, 1).classes.items()
        assert place == (3, reading.prompt.items)
        assert logits is row
