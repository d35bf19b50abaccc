from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.trie import Trie

sequences = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1, max_size=12)


@given(sequences, st.lists(st.integers(0, 4), max_size=6))
def test_it_says_what_a_list_would(given_: list[list[int]], prefix: list[int]) -> None:
    trie = Trie(given_)
    size = len(prefix)
    following = {s[size] for s in given_ if s[:size] == prefix and len(s) > size}
    assert set(trie.after(prefix)) == following
    assert len(trie.after(prefix)) == len(following)
    assert trie.ends(prefix) == (prefix in given_)
    assert trie.depth == max(map(len, given_))


def test_every_walk_ends_in_a_sequence() -> None:
    given_ = [(1, 2), (1, 2, 3), (4,), (1, 5, 6, 7)]
    trie, found = Trie(given_), []

    def walk(prefix: tuple[int, ...]) -> None:
        if trie.ends(prefix):
            found.append(prefix)
        for one in trie.after(prefix):
            walk((*prefix, one))

    walk(())
    assert sorted(found) == sorted(given_)


def test_ids_of_an_array_are_ids() -> None:
    trie = Trie(np.array([[1, 2], [3, 4]]))
    assert trie.after(()) == (1, 3)
    assert trie.ends([np.int64(3), np.int64(4)])


def test_a_prefix_may_be_an_iterator() -> None:
    assert Trie([(1, 2)]).after(iter([1])) == (2,)
    assert Trie([(1, 2)]).after(iter([9, 1])) == ()


@pytest.mark.parametrize(("given_", "message"), [([], "none"), ([(1,), ()], "empty")])
def test_nothing_to_follow(given_: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trie(given_)
