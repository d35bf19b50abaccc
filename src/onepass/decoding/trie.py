"""Which pieces may follow when only certain labels may be generated.

It knows ids only, nothing of tokenizers nor of the model that generates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Node:
    """A prefix: what follows it, and whether a sequence ends with it."""

    after: dict[int, _Node] = field(default_factory=dict)
    ends: bool = False


class Trie:
    """Sequences of ids, asked by their prefixes.

    Args:
        sequences: each without the piece that ends a label; repeated ones count once.

    Raises:
        ValueError: without any sequence, or with an empty one.

    >>> trie = Trie([(5, 6), (5, 7, 8), (5, 6, 9)])
    >>> trie.after((5,)), trie.after((5, 6)), trie.after((6,))
    ((6, 7), (9,), ())
    >>> trie.ends((5, 6)), trie.ends((5, 7))
    (True, False)
    """

    def __init__(self, sequences: Iterable[Sequence[int]]) -> None:
        self._root = _Node()
        self._depth = 0
        for sequence in sequences:
            if not len(sequence):
                raise ValueError("A sequence of a trie needs at least one id, but one is empty.")
            node = self._root
            for one in sequence:
                node = node.after.setdefault(int(one), _Node())
            node.ends = True
            self._depth = max(self._depth, len(sequence))
        if not self._depth:
            raise ValueError("A trie needs at least one sequence, but there is none.")

    @property
    def depth(self) -> int:
        """Length of the longest sequence."""
        return self._depth

    def after(self, prefix: Iterable[int]) -> tuple[int, ...]:
        """Return the ids that may follow a prefix, in the order they were given in."""
        node = self._find(prefix)
        return tuple(node.after) if node is not None else ()

    def ends(self, prefix: Iterable[int]) -> bool:
        """Return whether a prefix is one of the sequences."""
        node = self._find(prefix)
        return node is not None and node.ends

    def _find(self, prefix: Iterable[int]) -> _Node | None:
        node: _Node | None = self._root
        for one in prefix:
            if node is None:
                return None
            node = node.after.get(one)
        return node
