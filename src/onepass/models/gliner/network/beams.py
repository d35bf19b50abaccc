"""Beam search over pieces: the best few sequences of each row, freely or along a trie.

It asks a function for the logits of what comes next and knows no network. Nothing is drawn by
chance; one beam is greedy search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from onepass.decoding.trie import Trie

Advance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
_NOTHING = float("-inf")


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        end: id of the piece that ends a sequence.
        sequences: how many of each row are returned.
        beams: how many are followed at once; None for as many as are returned.
        steps: most pieces of a sequence, its end included; with a trie its longest one counts.
        length_power: sequences are ranked by log-probability / pieces ** length_power: 0 ranks by
            probability, 1 by the mean of the pieces.
        trie: the only sequences allowed; None allows all.

    >>> Search(end=0, trie=Trie([(1, 2)])).most
    3
    """

    end: int
    sequences: int = 1
    beams: int | None = None
    steps: int = 15
    length_power: float = 0.0
    trie: Trie | None = None

    def __post_init__(self) -> None:
        if min(self.sequences, self.width, self.steps) < 1:
            raise ValueError(
                f"A search needs at least one sequence, beam and step, but has {self.sequences}, "
                f"{self.width} and {self.steps}."
            )

    @property
    def width(self) -> int:
        """Number of beams."""
        return self.sequences if self.beams is None else max(self.beams, self.sequences)

    @property
    def most(self) -> int:
        """Most pieces of a sequence, its end included."""
        return self.steps if self.trie is None else self.trie.depth + 1

    def allowed(self, prefix: Sequence[int]) -> list[int]:
        """Return what may follow a prefix along the trie, which there must be."""
        assert self.trie is not None
        ends = [self.end] if self.trie.ends(prefix) else []
        return [*self.trie.after(prefix), *ends]


def beam_search(
    logits: torch.Tensor, advance: Advance, rows: int, search: Search
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best sequences of each row.

    Args:
        logits: (rows, vocabulary) of the first piece.
        advance: chosen ids (rows * beams,) and the beams that they continue (rows * beams,) to the
            logits (rows * beams, vocabulary) of the next piece.
        rows: how many; at least one.
        search: what is looked for.

    Returns:
        Ids (rows, sequences, pieces) without the end, -1 behind the last, and log-probabilities
        (rows, sequences), best first; where there are fewer sequences, -1 and minus infinity.
    """
    width = search.width
    found = [_Row(search) for _ in range(rows)]
    logits = logits.repeat_interleave(width, 0)  # (rows * beams, vocabulary)
    for step in range(search.most):
        chances = logits.float().log_softmax(-1)
        if search.trie is not None:
            chances = chances + _barrier(found, chances)
        scores = torch.tensor([row.scores for row in found]).to(chances)  # (rows, beams)
        every = (scores[:, :, None] + chances.view(rows, width, -1)).flatten(1)
        best, places = every.topk(min(2 * width, every.shape[1]))
        beams, ids = places // chances.shape[1], places % chances.shape[1]
        for row, *candidates in zip(
            found, best.tolist(), beams.tolist(), ids.tolist(), strict=True
        ):
            row.step(list(zip(*candidates, strict=True)))
        if step + 1 == search.most or all(row.closed for row in found):
            break
        device = logits.device
        chosen = torch.tensor([one for row in found for one in row.chosen], device=device)
        origins = [i * width + one for i, row in enumerate(found) for one in row.origins]
        logits = advance(chosen, torch.tensor(origins, device=device))
    return _arrays([row.best() for row in found], search.sequences, logits.device)


@dataclass(slots=True)
class _Row:
    """The beams of one row, and its sequences that have ended."""

    search: Search
    live: list[tuple[int, ...]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)  # one a beam, minus infinity for none
    chosen: list[int] = field(default_factory=list)  # the last id of each beam
    origins: list[int] = field(default_factory=list)  # the beam that each came from
    done: list[tuple[float, float, tuple[int, ...]]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        width = self.search.width
        self.live, self.scores = [()] * width, [0.0] + [_NOTHING] * (width - 1)

    def step(self, candidates: list[tuple[float, int, int]]) -> None:
        """Take the best candidates: score, beam and id of each, best first."""
        width, end = self.search.width, self.search.end
        kept: list[tuple[float, int, int]] = []
        for place, (score, beam, one) in enumerate(candidates):
            if score == _NOTHING or self.closed:
                break
            if one != end:
                kept.append((score, beam, one))
            elif place < width:
                self._end(score, self.live[beam], len(self.live[beam]) + 1)
        kept = kept[:width]
        kept += [(_NOTHING, 0, end)] * (width - len(kept))
        self.live = [(*self.live[beam], one) for _, beam, one in kept]
        self.scores = [score for score, _, _ in kept]
        self.origins = [beam for _, beam, _ in kept]
        self.chosen = [one for _, _, one in kept]
        self.closed = self.closed or self._settled()

    def _end(self, score: float, pieces: tuple[int, ...], length: int) -> None:
        self.done.append((self._rank(score, length), score, pieces))

    def _rank(self, score: float, length: int) -> float:
        return score / length**self.search.length_power

    def _settled(self) -> bool:
        """Return whether no beam can still become one of the best."""
        if self.scores[0] == _NOTHING or (self.search.width == 1 and self.done):
            return True
        if len(self.done) < self.search.sequences:
            return False
        longest = self.search.most if self.search.length_power > 0 else len(self.live[0])
        worst = sorted((rank for rank, _, _ in self.done), reverse=True)[self.search.sequences - 1]
        return self._rank(self.scores[0], longest) <= worst

    def best(self) -> list[tuple[float, tuple[int, ...]]]:
        """Return the best sequences with their scores, those cut off by the limit included."""
        if not self.closed:
            for score, pieces in zip(self.scores, self.live, strict=True):
                if score != _NOTHING:
                    self._end(score, pieces, len(pieces))
        ranked = sorted(self.done, key=lambda one: one[0], reverse=True)
        return [(score, pieces) for _, score, pieces in ranked[: self.search.sequences]]


def _barrier(found: Sequence[_Row], chances: torch.Tensor) -> torch.Tensor:
    """Return (rows * beams, vocabulary): 0 where the trie goes on, minus infinity elsewhere."""
    barrier = torch.full_like(chances, _NOTHING)
    width = found[0].search.width
    for i, row in enumerate(found):
        for beam, (prefix, score) in enumerate(zip(row.live, row.scores, strict=True)):
            if score != _NOTHING and not row.closed:
                barrier[i * width + beam, row.search.allowed(prefix)] = 0.0
    return barrier


def _arrays(
    rows: Sequence[Sequence[tuple[float, tuple[int, ...]]]], sequences: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max((len(pieces) for row in rows for _, pieces in row), default=0)
    ids = torch.full((len(rows), sequences, longest), -1, dtype=torch.int64)
    scores = torch.full((len(rows), sequences), _NOTHING)
    for i, row in enumerate(rows):
        for place, (score, pieces) in enumerate(row):
            ids[i, place, : len(pieces)] = torch.tensor(pieces, dtype=torch.int64)
            scores[i, place] = score
    return ids.to(device), scores.to(device)
