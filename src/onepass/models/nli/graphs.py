"""The one graph of an NLI checkpoint: pairs of texts in, a logit a class out."""

from __future__ import annotations

from onepass.backends.base import Graph

_IDS = {"ids": ("batch", "pieces"), "mask": ("batch", "pieces")}
_OUT = {"logits": ("batch", "classes")}

PLAIN = Graph("classify", inputs=_IDS, outputs=_OUT)
# `second_mask` is 1 at the pieces of the second text.
TYPED = Graph("classify", inputs={**_IDS, "second_mask": ("batch", "pieces")}, outputs=_OUT)


def graphs(*, typed: bool) -> tuple[Graph, ...]:
    """Return what a checkpoint can run.

    Args:
        typed: whether its encoder is told which of the two texts a piece is of.

    >>> list(graphs(typed=True)[0].inputs)
    ['ids', 'mask', 'second_mask']
    """
    return (TYPED if typed else PLAIN,)
