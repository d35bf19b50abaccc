"""Labels through an encoder of their own: texts to vectors, in batches of similar length.

It knows no family: which text is read of a label, and how long it may be, others decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend
from onepass.encoding.sequences import padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError, SchemaError
from onepass.models.family import Prompt
from onepass.models.labels import LabelVectors
from onepass.schema.shown import shown

_BATCH = 64


def encode_texts(
    texts: Sequence[str],
    tokenizer: PieceTokenizer,
    backend: Backend,
    *,
    longest: int,
    hidden: int,
) -> Float32s:
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

    def run(ids: Int64s, mask: Int64s) -> Float32s:
        vectors: Float32s = backend.run("encode_labels", {"label_ids": ids, "label_mask": mask})[0]
        return vectors

    return encode_rows(rows, hidden, run)


def framed(
    texts: Sequence[str], tokenizer: PieceTokenizer, longest: int, *, reader: str
) -> list[Int64s]:
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


def encode_rows(
    rows: Sequence[Int64s], size: int, run: Callable[[Int64s, Int64s], Float32s]
) -> Float32s:
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


def vectors_of(
    texts: Iterable[str],
    known: LabelVectors | None,
    size: int,
    encode: Callable[[Sequence[str]], Float32s],
) -> dict[str, Float32s]:
    """Return text to vector of labels: those that were encoded before, and the others.

    Args:
        texts: of labels; each is encoded once, however often it stands here.
        known: what a user gave, if anything.
        size: of this checkpoint's vectors.
        encode: takes texts that are not known, one or more, and returns (texts, size) vectors.

    Raises:
        InputError: for known vectors of another size.
    """
    held: dict[str, Float32s] = {}
    if known is not None:
        if known.vectors.shape[1] != size:
            raise InputError(
                f"The label vectors have {known.vectors.shape[1]} numbers, but those of this "
                f"checkpoint have {size}; make them with its encode_labels()."
            )
        held = dict(zip(known.texts, known.vectors, strict=True))
    missing = [text for text in dict.fromkeys(texts) if text not in held]
    if missing:
        held |= zip(missing, encode(missing), strict=True)
    return held


def refuse_vectors(known: LabelVectors | None, who: str) -> None:
    """Refuse label vectors where labels have no encoder of their own.

    Args:
        known: what a user gave, if anything.
        who: the kind of checkpoint, for the message: "a GLiNER2 checkpoint".

    Raises:
        InputError: if there are any.
    """
    if known is not None:
        raise InputError(
            f"Label vectors are for checkpoints with a label encoder, but {who} reads its labels "
            "together with each text; give it the labels themselves."
        )


def unprepared(
    who: str,
) -> Callable[[Sequence[Prompt], object, Backend, LabelVectors | None], Sequence[Prompt]]:
    """Return `Family.prepare` of a family whose labels stand in its prompts.

    Args:
        who: a checkpoint of it, for the message of `refuse_vectors`.
    """

    def prepare(
        prompts: Sequence[Prompt], settings: object, backend: Backend, known: LabelVectors | None
    ) -> Sequence[Prompt]:
        refuse_vectors(known, who)
        return prompts

    return prepare
