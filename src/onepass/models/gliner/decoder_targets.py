"""What the label decoder shall write for the gold spans of a batch, in its own pieces.

It knows the decoder's tokenizer, not its network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.training_passes import Asked


@dataclass(frozen=True, slots=True, eq=False)
class WrittenBatch:
    """Labels to be written, one a row.

    Attributes:
        of_labels: whether they are written from the vectors of labels, not from those of spans.
        rows: (written,) row of the batch.
        columns: (written,) column of its labels or spans.
        pieces: (written, depth) of the span's words, -1 behind the last.
        labels: (written, steps) of the label and its end, -1 behind.
    """

    of_labels: bool
    rows: Int64s
    columns: Int64s
    pieces: Int64s
    labels: Int64s


@dataclass(frozen=True, slots=True, eq=False)
class LabelWriting:
    """Turns gold labels into what a decoder writes.

    Attributes:
        tokenizer: of the decoder.
        end: piece that ends a label.
        bare: whether names stand for the labels, of which the prompt has no words.
        full_context: whether the decoder reads the words of a span.
    """

    tokenizer: PieceTokenizer
    end: int
    bare: bool = False
    full_context: bool = True

    def read(
        self, asked: Sequence[Asked], places: Sequence[Sequence[tuple[int, int]]]
    ) -> WrittenBatch | None:
        """Return what is to be written, None where nothing is.

        Args:
            asked: the rows.
            places: for each row, its spans as first and last words.
        """
        rows, columns, pieces, labels = list[int](), list[int](), list[Int64s](), list[Int64s]()
        for row, (one, own) in enumerate(zip(asked, places, strict=True)):
            if one.reading.prompt.kind is not Kind.SPANS:
                continue
            for column, name, words in self._written(one, own):
                rows.append(row)
                columns.append(column)
                pieces.append(words)
                labels.append(np.append(self._pieces([name]), self.end))
        if not rows:
            return None
        return WrittenBatch(
            self.bare,
            np.array(rows, dtype=np.int64),
            np.array(columns, dtype=np.int64),
            _padded(pieces),
            _padded(labels),
        )

    def _written(
        self, one: Asked, places: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, str, Int64s]]:
        """Yield what is written from where in one row, and the pieces of the words read first."""
        if self.bare:
            names = dict(zip((label for label, *_ in one.gold), one.written, strict=True))
            for label, name in names.items():
                yield label, name, np.zeros(0, dtype=np.int64)
            return
        column = {span: i for i, span in enumerate(places)}
        for (_, first, last), name in zip(one.gold, one.written, strict=True):
            yield column[first, last], name, self._words(one, first, last)

    def _words(self, one: Asked, first: int, last: int) -> Int64s:
        """Return the pieces of a span's words, each of which stands behind a space."""
        if not self.full_context:
            return np.zeros(0, dtype=np.int64)
        before = one.reading.before
        forms = one.words.forms()[first - before : last + 1 - before]
        return self._pieces(forms, before=" ")

    def _pieces(self, texts: Sequence[str], before: str = "") -> Int64s:
        ids, _ = self.tokenizer.flat([before + self.tokenizer.plain(text) for text in texts])
        return ids


def _padded(rows: Sequence[Int64s]) -> Int64s:
    """Return (rows, longest) with -1 behind the end of a row."""
    out = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for line, row in enumerate(rows):
        out[line, : len(row)] = row
    return out
