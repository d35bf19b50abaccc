"""Human feedback: answers that people judged, as a reward for answers that agree with them.

One JSON object a line, each a text with an answer to it and what that answer is worth:

```
{"text": str, "labels": [label], "reward": number}
{"text": str, "action": {label: true or false}, "reward": number}
```

``labels`` are all labels that were chosen: the others that the text is asked were not. ``action``
judges only the labels that it names. A text may have any number of rows. Rewards above 0 approve of
an answer, those below 0 reject it. It knows nothing about policies and networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from onepass.arrays import Float32s
from onepass.corpus.checks import as_flag, as_name, as_names, as_object, as_text, known_keys, needed
from onepass.corpus.example import Example
from onepass.corpus.rows import at_line, read_entries
from onepass.errors import InputError
from onepass.schema.numbers import is_finite
from onepass.schema.shown import shown
from onepass.training.rl.episode import Episode

_KEYS = ("text", "labels", "action", "reward")


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that was judged.

    Attributes:
        place: where it stands in its file.
        chosen: labels that were chosen.
        refused: labels that were not; None for all others that the text is asked.
        reward: what the answer is worth.
    """

    place: str
    chosen: frozenset[str]
    refused: frozenset[str] | None
    reward: float

    @property
    def named(self) -> frozenset[str]:
        """All labels that it names."""
        return self.chosen | (self.refused or frozenset())

    def fits(self, labels: Iterable[str]) -> bool:
        """Return whether it judges an answer about these labels.

        >>> Judged("line 1", frozenset({"a"}), None, 1.0).fits(["a", "b"])
        True
        """
        asked = set(labels)
        return self.named <= asked if self.refused is None else bool(self.named & asked)


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """Judged answers as a reward: how far an answer agrees with them, times what they are worth.

    An answer agrees with a judged one at the share of the judged labels that are chosen, or not
    chosen, alike. A text with several judged answers gets the mean, a text without any gets 0.

    Attributes:
        path: of the file.
        judged: by text.
    """

    path: Path
    judged: Mapping[str, tuple[Judged, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Feedback:
        """Read a file.

        Raises:
            InputError: if there is no such file, a row is wrong, or there is none.
        """
        found: dict[str, list[Judged]] = {}
        for place, row in read_entries(path):
            with at_line(path, place):
                text, judged = _judged(row, place)
            found.setdefault(text, []).append(judged)
        if not found:
            raise InputError(f"{path} is empty; expected one judged answer a line.")
        return cls(path, {text: tuple(rows) for text, rows in found.items()})

    def check(self, examples: Iterable[Example]) -> tuple[int, int]:
        """Return how many rows judge an answer that these examples ask for, and how many there are.

        Args:
            examples: everything that a run learns from.

        Raises:
            InputError: if there is none, or a row names a label that its text is not asked.
        """
        asked: dict[str, list[tuple[str, ...]]] = {}
        for example in examples:
            if example.text in self.judged:
                tasks = [task.labels for task in example.classifications]
                asked.setdefault(example.text, []).extend(tasks)
        used = 0
        for text, tasks in asked.items():
            for judged in self.judged[text]:
                stray = judged.named - {label for labels in tasks for label in labels}
                if stray or not any(map(judged.fits, tasks)):
                    raise InputError(
                        f"{self.path}, {judged.place}: the labels {_listed(judged.named)} are not "
                        f"those of one task of this text in the data, which are "
                        f"{'; '.join(map(_listed, tasks)) or 'none'}."
                    )
                used += 1
        if not used:
            raise InputError(
                f"None of the texts in {self.path} is in the data; a text must be the same in both."
            )
        return used, sum(map(len, self.judged.values()))

    def __call__(self, episode: Episode) -> torch.Tensor:
        """Return (texts,) rewards.

        Args:
            episode: questions and answers.
        """
        lines = list(self._lines(episode))
        device = episode.actions.device
        total = torch.zeros(len(episode.texts), device=device)
        if not lines:
            return total
        rows = torch.tensor([line.row for line in lines], device=device)
        worth = torch.tensor([line.reward for line in lines], device=device)
        wanted = torch.from_numpy(np.stack([line.wanted for line in lines])).to(device)
        judged = wanted >= 0  # (lines, labels)
        alike = (episode.actions[rows] == wanted) & judged
        agreement = alike.sum(1) / judged.sum(1)
        counts = torch.bincount(rows, minlength=len(total)).clamp(min=1)
        return total.index_add(0, rows, worth * agreement) / counts

    def _lines(self, episode: Episode) -> Iterator[_Line]:
        """Yield the judged answers to the texts of a batch."""
        width = episode.actions.shape[1]
        for row, (text, labels) in enumerate(zip(episode.texts, episode.labels, strict=True)):
            for judged in self.judged.get(text, ()):
                if judged.fits(labels):
                    yield _Line(row, judged.reward, _wanted(judged, labels, width))


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A judged answer to one text of a batch; ``wanted`` is 1, 0, or -1 where it says nothing."""

    row: int
    reward: float
    wanted: Float32s


def _wanted(judged: Judged, labels: tuple[str, ...], width: int) -> Float32s:
    said = dict.fromkeys(judged.chosen, 1.0)
    if judged.refused is None:
        said = dict.fromkeys(labels, 0.0) | said
    else:
        said |= dict.fromkeys(judged.refused, 0.0)
    wanted = np.full(width, -1.0, dtype=np.float32)
    wanted[: len(labels)] = [said.get(label, -1.0) for label in labels]
    return wanted


def _judged(row: Mapping[str, Any], place: str) -> tuple[str, Judged]:
    known_keys(row, _KEYS, "the row")
    text = as_text(needed(row, "text", "the row"), "text")
    reward = needed(row, "reward", "the row")
    if not is_finite(reward) or abs(reward) >= 1e9:
        raise InputError(f"the reward must be a number, but {shown(reward)} was given.")
    if ("labels" in row) == ("action" in row):
        raise InputError("the row needs either 'labels' or 'action'; give one of them.")
    if "labels" in row:
        return text, Judged(place, frozenset(as_names(row["labels"], "labels")), None, reward)
    action = {
        as_name(label, "a label of action"): as_flag(value, f"the action {shown(label)}")
        for label, value in as_object(row["action"], "action").items()
    }
    if not action:
        raise InputError("'action' is empty; it must name a label.")
    chosen = frozenset(label for label, value in action.items() if value)
    return text, Judged(place, chosen, frozenset(action) - chosen, float(reward))


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels)) or "(none)"
