"""A value is opened once, whoever asks, and asked for again after a failure."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from onepass.backends.lazy import OpenOnce


def test_once_whichever_thread_asks_first() -> None:
    opened: list[str] = []

    def slow(name: str) -> object:
        opened.append(name)
        time.sleep(0.02)
        return object()

    values = OpenOnce(slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: values["ab"[n % 2]], range(32)))
    assert sorted(opened) == ["a", "b"]
    assert len({id(one) for one in found}) == 2


def test_a_failure_is_not_kept() -> None:
    left = [ValueError("not yet")]

    def opened(name: str) -> str:
        if left:
            raise left.pop()
        return name

    values = OpenOnce(opened)
    with pytest.raises(ValueError, match="not yet"):
        values["a"]
    assert values["a"] == "a"
