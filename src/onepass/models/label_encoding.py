"""Labels through an encoder of their own: texts to vectors, in batches of similar length.

It knows no family: which text is read of a label, and how long it may be, others decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from onepass.backends.base import Backend, Floats
from onepass.encoding.sequences import padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError, SchemaError
from onepass.models.labels import LabelVectors
from onepass.schema.types import shown

Ints = NDArray[np.int64]
_BATCH = 64


def encode_texts(
    texts: Sequence[str],
    tokenizer: PieceTokenizer,
    backend: Backend,
    *,
    longest: int,
    hidden: int,
) -> Floats:
    """Return (labels, hidden) vectors.

    Args:
        texts: of the labels.
        tokenizer: of the label encoder.
        backend: that runs its graph "encode_labels".
        longest: pieces of a sequence, with what stands around every one.
        hidden: size of the vectors.

    Raises:
        SchemaError: for a label that its encoder would cut.
    """
    rows = framed(texts, tokenizer, longest, reader="the label encoder of this model")

    def run(ids: Ints, mask: Ints) -> Floats:
        vectors: Floats = backend.run("encode_labels", {"label_ids": ids, "label_mask": mask})[0]
        return vectors

    return encode_rows(rows, hidden, run)


def framed(
    texts: Sequence[str], tokenizer: PieceTokenizer, longest: int, *, reader: str
) -> list[Ints]:
    """Return the (pieces,) of each text, as a whole sequence.

    Args:
        texts: of labels.
        tokenizer: of what reads them.
        longest: pieces of a sequence, with what stands around every one.
        reader: what reads them, for the message.

    Raises:
        SchemaError: for a text that is too long.
    """
    before, after = tokenizer.frame
    room = longest - len(before) - len(after)
    every = tokenizer.pieces([tokenizer.plain(text) for text in texts])
    for text, own in zip(texts, every, strict=True):
        if len(own) > room:
            raise SchemaError(
                f"The label {shown(text)} takes {len(own)} pieces, but {reader} reads {room} at "
                "once; shorten it."
            )
    return [np.concatenate([before, np.array(own, dtype=np.int64), after]) for own in every]


def encode_rows(rows: Sequence[Ints], size: int, run: Callable[[Ints, Ints], Floats]) -> Floats:
    """Return (rows, size) vectors of whole sequences, read in batches of similar length.

    Args:
        rows: (pieces,) each.
        size: of a vector.
        run: takes (batch, pieces) ids and their mask.
    """
    out = np.zeros((len(rows), size), dtype=np.float32)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for first in range(0, len(order), _BATCH):
        chosen = order[first : first + _BATCH]
        out[chosen] = run(*padded([rows[i] for i in chosen]))
    return out


def known_vectors(known: LabelVectors | None, hidden: int) -> dict[str, Floats]:
    """Return text to vector of labels that were encoded before.

    Args:
        known: what a user gave, if anything.
        hidden: size of this checkpoint's vectors.

    Raises:
        InputError: for vectors of another size.
    """
    if known is None:
        return {}
    if known.vectors.shape[1] != hidden:
        raise InputError(
            f"The label vectors have {known.vectors.shape[1]} numbers, but those of this "
            f"checkpoint have {hidden}; make them with its encode_labels()."
        )
    return dict(zip(known.texts, known.vectors, strict=True))
