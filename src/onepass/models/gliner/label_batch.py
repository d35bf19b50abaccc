"""The labels of a batch for a separate label encoder: each read once, shared by all texts.

A text is also asked labels of the other texts of its batch, as labels that do not hold, unless one
was annotated in it under any name that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.corpus.question import folded
from onepass.encoding.sequences import padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.training_passes import Asked


@dataclass(frozen=True, slots=True, eq=False)
class LabelBatch:
    """The labels of a batch.

    Attributes:
        ids: (texts, pieces) of each different text of a label.
        mask: (texts, pieces), 1 at real pieces.
        rows: (batch, labels) which of the texts each row is asked; its own labels come first.
        counts: (batch,) labels of each row.
    """

    ids: Int64s
    mask: Int64s
    rows: Int64s
    counts: Int64s


@dataclass(frozen=True, slots=True, eq=False)
class LabelReader:
    """Reads labels for the label encoder of one checkpoint.

    Attributes:
        tokenizer: of the label encoder.
        max_pieces: longest label.
        in_batch: most labels of other texts that a text is asked.
    """

    tokenizer: PieceTokenizer
    max_pieces: int = 512
    in_batch: int = 100

    def read(self, asked: Sequence[Asked]) -> LabelBatch:
        """Return the labels of several passes.

        Args:
            asked: the rows.
        """
        shared: dict[str, str] = {}  # text to name, of the labels that others may be asked too
        for one in asked:
            if one.reading.prompt.kind is Kind.SPANS:
                for name, text in zip(one.names, one.reading.prompt.texts, strict=True):
                    shared.setdefault(text, name)
        rows = [[*one.reading.prompt.texts, *self._foreign(one, shared)] for one in asked]
        index = {text: i for i, text in enumerate(dict.fromkeys(t for row in rows for t in row))}
        counts = np.array([len(row) for row in rows], dtype=np.int64)
        out = np.zeros((len(rows), max(1, int(counts.max()))), dtype=np.int64)
        for line, row in enumerate(rows):
            out[line, : len(row)] = [index[text] for text in row]
        ids, mask = padded(self.pieces(list(index)))
        return LabelBatch(ids, mask, out, counts)

    def _foreign(self, one: Asked, shared: dict[str, str]) -> list[str]:
        """Return labels of other texts that surely do not mean what was annotated in this one."""
        if one.reading.prompt.kind is not Kind.SPANS:
            return []
        known = one.question.known.union(map(folded, one.names))
        own = set(one.reading.prompt.texts)
        found = (text for text, name in shared.items() if folded(name) not in known)
        return [text for text in found if text not in own][: self.in_batch]

    def reads(self, text: str) -> bool:
        """Return whether a label is read whole."""
        (own,) = self.tokenizer.pieces([self.tokenizer.plain(text)])
        return len(own) <= self._room

    @property
    def _room(self) -> int:
        before, after = self.tokenizer.frame
        return self.max_pieces - len(before) - len(after)

    def pieces(self, texts: Sequence[str]) -> list[Int64s]:
        """Return the pieces of each text of a label, framed and cut to the longest."""
        before, after = self.tokenizer.frame
        plain = [self.tokenizer.plain(text) for text in texts]
        return [
            np.concatenate([before, np.array(own[: self._room], dtype=np.int64), after])
            for own in self.tokenizer.pieces(plain)
        ]
