"""What a checkpoint carries beside its weights, whatever its family.

It does not know the file that this is read from: see `onepass.models.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onepass.text.words import Splitter


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits of one kind become honest probabilities: ``sigmoid(scale * logit + shift)``.

    Fitted on held-out data (Platt, 1999) and stored with the checkpoint. For a softmax over labels
    only the scale matters.
    """

    scale: float = 1.0
    shift: float = 0.0


PLAIN = Calibration()


@dataclass(frozen=True, slots=True)
class Kept:
    """What ``onepass.json`` of a checkpoint of any family may say.

    Attributes:
        thresholds: what it was calibrated to, by kind of task.
        calibration: of its scores, by kind of task; "single" is for single-label tasks.
        labels: thresholds of labels that have one of their own, by name.
        splitter: of words; None for those of the family.
        of_family: what its family alone reads, as it is written there.
        fitted_labels: of the labels, those whose thresholds were fitted, with the kind of each.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    splitter: Splitter | None = None
    of_family: Mapping[str, Any] = field(default_factory=dict)
    fitted_labels: Mapping[str, str] = field(default_factory=dict)

    def uncalibrated(self) -> Kept:
        """Return how texts are read, without what was fitted to scores.

        >>> Kept({"entities": 0.4}, labels={"person": 0.3}, splitter="char").uncalibrated().labels
        {}
        """
        return Kept(splitter=self.splitter, of_family=self.of_family)
