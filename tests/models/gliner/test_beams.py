"""Beam search against trying everything."""

from __future__ import annotations

import itertools

import pytest
import torch

from onepass.decoding.trie import Trie
from onepass.models.gliner.network.beams import Search, beam_search

IDS, END, STEPS, ROWS = 4, 3, 3, 5


class Table:
    """A model whose next piece depends on the row, the step and the last piece."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.logits = 3 * torch.randn(ROWS, STEPS + 2, IDS, IDS, generator=generator)

    def chances(self, row: int, prefix: tuple[int, ...]) -> torch.Tensor:
        last = prefix[-1] if prefix else 0
        return self.logits[row, len(prefix), last].log_softmax(-1)

    def score(self, row: int, pieces: tuple[int, ...]) -> float:
        """Return the log-probability of pieces, an end included if there is one."""
        return sum(self.chances(row, pieces[:i])[one].item() for i, one in enumerate(pieces))

    def search(self, search: Search) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the search, with the prefixes kept as a model keeps its cache."""
        width = search.width
        prefixes: list[tuple[int, ...]] = [()] * (ROWS * width)

        def advance(ids: torch.Tensor, origins: torch.Tensor) -> torch.Tensor:
            prefixes[:] = [
                (*prefixes[origin], one)
                for one, origin in zip(ids.tolist(), origins.tolist(), strict=True)
            ]
            rows = [self.chances(i // width, prefix) for i, prefix in enumerate(prefixes)]
            return torch.stack(rows)

        first = torch.stack([self.chances(row, ()) for row in range(ROWS)])
        return beam_search(first, advance, ROWS, search)


def everything(table: Table, row: int, power: float) -> list[tuple[int, ...]]:
    """Return all sequences of up to three pieces, the best first."""
    found = []
    for length in range(STEPS):
        for inside in itertools.product(range(END), repeat=length):
            found.append((*inside, END))
    found += itertools.product(range(END), repeat=STEPS)  # cut off by the limit
    return sorted(found, key=lambda one: -table.score(row, one) / len(one) ** power)


@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_with_many_beams_the_best_are_found(seed: int, power: float) -> None:
    table = Table(seed)
    search = Search(END, sequences=4, beams=60, steps=STEPS, length_power=power)
    ids, scores = table.search(search)
    for row in range(ROWS):
        best = everything(table, row, power)[:4]
        found = [tuple(one for one in line if one >= 0) for line in ids[row].tolist()]
        assert found == [tuple(one for one in pieces if one != END) for pieces in best]
        expected = [table.score(row, pieces) for pieces in best]
        assert scores[row].tolist() == pytest.approx(expected, abs=1e-4)


def test_one_beam_takes_the_best_piece_each_time() -> None:
    table = Table(7)
    ids, scores = table.search(Search(END, steps=STEPS))
    for row in range(ROWS):
        prefix: tuple[int, ...] = ()
        while len(prefix) < STEPS and END not in prefix:
            prefix = (*prefix, int(table.chances(row, prefix).argmax()))
        expected = [one for one in prefix if one != END]
        assert [one for one in ids[row, 0].tolist() if one >= 0] == expected
        assert scores[row, 0].item() == pytest.approx(table.score(row, prefix), abs=1e-4)


@pytest.mark.parametrize("beams", [None, 1, 2, 7])
def test_along_a_trie_nothing_else_comes(beams: int | None) -> None:
    names = [(0,), (0, 1), (2, 2, 1), (1, 0, 0)]
    search = Search(END, sequences=2, beams=beams, steps=1, trie=Trie(names))
    ids, scores = Table(1).search(search)
    for row, line in itertools.product(range(ROWS), range(2)):
        label = tuple(one for one in ids[row, line].tolist() if one >= 0)
        if scores[row, line].isfinite():
            assert label in names
            assert scores[row, line].item() == pytest.approx(
                Table(1).score(row, (*label, END)), abs=1e-4
            )
        else:
            assert label == ()
    assert scores[:, 0].isfinite().all()


def test_more_beams_than_pieces() -> None:
    ids, _ = Table(0).search(Search(END, sequences=20, steps=1))
    assert ids.shape == (ROWS, 20, 1)
    assert ((ids >= 0).sum((1, 2)) == END).all()  # three pieces and an empty label
