"""Which readings run through the backbone together.

It knows how long readings are, and neither what they hold nor what runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one run of the backbone reads.

    Attributes:
        pieces: with padding; a longer reading runs alone.
        padding: share of the real pieces.
    """

    pieces: int
    padding: float


# On a CPU the activations of more do not stay in the caches: with 4096 pieces, texts of 10 to 350
# words took 2 to 5 times as long. A GPU waits for Python between runs, so few large ones are faster
# although more of their pieces are padding: on an H100, 256 such texts took 283 ms in fp16 (22 %
# padding) where 333 ms went by with padding up to 0.3 (17 %).
ON_CPU = Budget(512, 0.1)
ON_GPU = Budget(16_384, 1.0)


def budget_of(device: str) -> Budget:
    """Return the budget of a device, "cpu" or "cuda".

    >>> budget_of("cpu")
    Budget(pieces=512, padding=0.1)
    >>> budget_of("cuda")
    Budget(pieces=16384, padding=1.0)
    """
    return ON_GPU if device == "cuda" else ON_CPU


def batches(items: Iterable[T], length: Callable[[T], int], budget: Budget) -> Iterator[list[T]]:
    """Yield items of similar length, longest first, within a budget.

    Args:
        items: what is read.
        length: pieces of an item.
        budget: of each run.

    >>> list(batches([10, 300, 95, 100, 700], lambda pieces: pieces, Budget(400, 0.1)))
    [[700], [300], [100, 95], [10]]
    """
    batch: list[T] = []
    real = longest = 0  # pieces of the batch without padding, and of its first item
    for item in sorted(items, key=length, reverse=True):
        own = length(item)
        longest = longest if batch else own
        most = min(budget.pieces, (1 + budget.padding) * (real + own))
        if batch and (len(batch) + 1) * longest > most:
            yield batch
            batch, real, longest = [], 0, own
        batch.append(item)
        real += own
    if batch:
        yield batch
