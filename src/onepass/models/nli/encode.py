"""Texts beside hypotheses as arrays: what the `classify` graph takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Array, Int64s
from onepass.encoding.sequences import padded
from onepass.encoding.words import TextPieces
from onepass.models.nli.prompt import Prompt
from onepass.text.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window beside one hypothesis.

    Attributes:
        prompt: the hypothesis.
        ids: (pieces,) of the window.
    """

    prompt: Prompt
    ids: Int64s

    @property
    def pieces(self) -> int:
        """Length of the whole sequence."""
        return len(self.prompt.before) + len(self.ids) + len(self.prompt.after)


def read_window(prompt: Prompt, text: TextPieces, window: Window) -> Reading:
    """Return one window beside one hypothesis."""
    return Reading(prompt, text.window(window))


def collate(readings: Sequence[Reading], *, types: bool) -> dict[str, Array]:
    """Pad readings into one batch.

    Args:
        readings: the rows.
        types: whether the encoder is told which of the two texts a piece is of.

    Returns:
        ids and mask (batch, pieces), and second_mask if it is told.
    """
    rows = [np.concatenate([one.prompt.before, one.ids, one.prompt.after]) for one in readings]
    ids, mask = padded(rows)
    if not types:
        return {"ids": ids, "mask": mask}
    firsts = np.array([one.pieces - one.prompt.second for one in readings])
    second = (np.arange(ids.shape[1]) >= firsts[:, None]) & (mask == 1)
    return {"ids": ids, "mask": mask, "second_mask": second.astype(np.int64)}
