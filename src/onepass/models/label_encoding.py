"""Labels through an encoder of their own: texts to vectors, in batches of similar length.

It knows no family: which text is read of a label, and how long it may be, others decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onepass.backends.base import Backend, Floats
from onepass.encoding.sequences import padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError, SchemaError
from onepass.models.labels import LabelVectors
from onepass.schema.types import shown

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
    before, after = tokenizer.frame
    room = longest - len(before) - len(after)
    every = tokenizer.pieces([tokenizer.plain(text) for text in texts])
    for text, own in zip(texts, every, strict=True):
        if len(own) > room:
            raise SchemaError(
                f"The label {shown(text)} takes {len(own)} pieces, but the label encoder of this "
                f"model reads {room}; shorten it."
            )
    pieces = [np.concatenate([before, np.array(own, dtype=np.int64), after]) for own in every]
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
    out = np.zeros((len(texts), hidden), dtype=np.float32)
    for first in range(0, len(order), _BATCH):
        rows = order[first : first + _BATCH]
        ids, mask = padded([pieces[i] for i in rows])
        out[rows] = backend.run("encode_labels", {"label_ids": ids, "label_mask": mask})[0]
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
