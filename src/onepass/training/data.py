"""A mixture of annotated files, drawn forever in a reproducible order.

Files stay on disk: only line offsets are held in memory. Each source is gone through in a new
random order every time round, and sources are drawn by weight. The position is a small value that a
checkpoint can hold.
"""

from __future__ import annotations

import codecs
import mmap
import os
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from onepass.corpus.example import Example
from onepass.corpus.jsonl import example_from_dict
from onepass.corpus.rows import at_line, parse_row
from onepass.errors import InputError
from onepass.schema.shown import shown

_WHITE = np.frombuffer(b" \t\n\r\v\f", dtype=np.uint8)  # what `bytes.strip` takes away


class LineFile:
    """Random access to the lines of an uncompressed JSONL file in onepass's own format.

    Args:
        path: the file.
        without: indices of entries that are left out.

    Raises:
        InputError: if it is missing, or has no entry.
    """

    def __init__(self, path: Path, *, without: Collection[int] = ()) -> None:
        if not path.is_file():
            raise InputError(f"There is no file {path}; give the path of an existing JSONL file.")
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; expected one JSON object a line.")
        self.path = path
        self._file = path.open("rb")
        self._stamp = _stamp(self._file)
        self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        content = np.frombuffer(self._bytes, dtype=np.uint8)
        ends = np.flatnonzero(content == 10) + 1
        mark = len(codecs.BOM_UTF8) if self._bytes[:3] == codecs.BOM_UTF8 else 0
        starts = np.concatenate([[mark], ends])
        stops = np.concatenate([ends, [len(self._bytes)]])
        filled = stops > starts
        perhaps = np.flatnonzero(filled)
        for line in perhaps[np.isin(content[starts[perhaps]], _WHITE)]:
            filled[line] = bool(self._bytes[starts[line] : stops[line]].strip())
        lines = np.flatnonzero(filled)
        if without:
            lines = np.delete(lines, sorted(without))
        if not len(lines):
            raise InputError(f"{path} has no entry to use; expected one JSON object a line.")
        self._starts, self._stops, self._lines = starts[lines], stops[lines], lines + 1

    def __len__(self) -> int:
        return len(self._lines)

    def only(self, indices: Sequence[int]) -> LineFile:
        """Return the same file with some of its entries alone."""
        other = copy(self)
        own = np.array(indices)
        other._starts, other._stops = self._starts[own], self._stops[own]
        other._lines = self._lines[own]
        return other

    def place(self, index: int) -> str:
        """Return where an entry stands, as ``name.jsonl:line``."""
        return f"{self.path.name}:{self._lines[index]}"

    def texts(self) -> Iterator[str]:
        """Yield the texts of all entries, without a look at what is annotated in them."""
        for start, stop in zip(self._starts.tolist(), self._stops.tolist(), strict=True):
            yield parse_row(self._bytes[start:stop])["text"]

    def example(self, index: int) -> Example:
        """Return one example.

        Raises:
            InputError: naming the line, if it does not fit the format; or if the file was written
                anew, where lines stand elsewhere (what is no longer there would end the process).
        """
        if _stamp(self._file) != self._stamp:
            raise InputError(
                f"{self.path} was changed while the run reads it; train on a copy that stays, or "
                "resume to go on with what it holds now."
            )
        with at_line(self.path, int(self._lines[index])):
            return example_from_dict(
                parse_row(self._bytes[self._starts[index] : self._stops[index]])
            )


def _stamp(file: BinaryIO) -> tuple[int, int]:
    """Return the size of an open file and when it was changed."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


class Drawn(NamedTuple):
    """An example, where it stands (``tone.jsonl:12``), and the name of its file (``tone``)."""

    example: Example
    place: str
    source: str


class Mixture:
    """Draws examples from weighted files.

    Args:
        files: name to file.
        weights: name to relative weight; missing names weigh as their number of lines.
        seed: of all orders.

    Raises:
        InputError: if there is no file, or a weight is for no file or below zero, or all are zero.
    """

    def __init__(
        self, files: Mapping[str, LineFile], weights: Mapping[str, float] | None, seed: int
    ) -> None:
        self._files = dict(sorted(files.items()))
        self._names = list(self._files)
        weights = weights or {}
        stray = sorted(set(weights) - set(files))
        if stray:
            raise InputError(f"The mixture weighs {stray[0]!r}, but there is no file of that name.")
        self._weights = [float(weights.get(n, len(f))) for n, f in self._files.items()]
        total = sum(self._weights)
        if not self._weights or min(self._weights) < 0 or not 0 < total < float("inf"):
            raise InputError(
                "The weights of a mixture must not be below 0, one must be above, and their sum "
                "must be finite, "
                f"but they are {dict(zip(self._names, self._weights, strict=True))}."
            )
        self._seed = seed
        self._drawn = dict.fromkeys(self._names, 0)
        self._orders: dict[str, tuple[int, Sequence[int]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._files.values()))

    def draw(self, count: int, rng: random.Random) -> list[Drawn]:
        """Return the next ``count`` examples; ``rng`` chooses the sources."""
        return [self._next(name) for name in self._choose(count, rng)]

    def skip(self, count: int, rng: random.Random) -> None:
        """Leave out the examples that `draw` would return."""
        for name in self._choose(count, rng):
            self._drawn[name] += 1

    def _choose(self, count: int, rng: random.Random) -> list[str]:
        return rng.choices(self._names, self._weights, k=count)

    def _next(self, name: str) -> Drawn:
        file = self._files[name]
        turn, place = divmod(self._drawn[name], len(file))
        self._drawn[name] += 1
        if self._orders.get(name, (-1,))[0] != turn:
            order = list(range(len(file)))
            random.Random(f"{self._seed}/{name}/{turn}").shuffle(order)
            self._orders[name] = (turn, order)
        index = self._orders[name][1][place]
        return Drawn(file.example(index), file.place(index), file.path.stem)

    def state(self) -> dict[str, int]:
        """Return how many examples were drawn from each source."""
        return dict(self._drawn)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken.

        Raises:
            InputError: if it was taken of other sources; one that nothing was drawn from may be
                gone, since earlier versions listed files of weight 0.
        """
        gone = sorted(name for name in set(state) - set(self._names) if state[name])
        new = [name for name in self._names if name not in state]
        if gone or new:
            lost = [f"drew from {shown(name)}, which is not in the data now" for name in gone[:1]]
            more = [
                f"did not draw from {shown(name)}, which is in the data now" for name in new[:1]
            ]
            raise InputError(
                f"The run to resume {', and '.join(lost + more)}; give the same data, or start "
                "without resume."
            )
        self._drawn = {name: int(state[name]) for name in self._names}
