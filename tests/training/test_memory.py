"""What was freed between things that stay is given back."""

import os
from pathlib import Path

import pytest

from onepass.training import memory

PAGES = Path("/proc/self/statm")


def resident() -> int:
    return int(PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not PAGES.exists() or memory._glibc() is None, reason="needs Linux and glibc")
def test_holes_are_given_back():
    blocks = [bytearray(b"x" * 60_000) for _ in range(4_000)]  # 240 MB, none of them a map
    kept = blocks[::40]  # the last ones hold the heap up
    del blocks
    before = resident()
    assert memory.give_back()
    assert resident() < before - 150_000_000
    assert len(kept) == 100


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    assert memory.give_back() is False
