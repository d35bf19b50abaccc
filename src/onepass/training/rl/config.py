"""What a reinforcement run is told. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from onepass.corpus.checks import known_keys
from onepass.errors import InputError
from onepass.schema.numbers import is_finite, is_whole
from onepass.schema.shown import shown
from onepass.training.checks import check, either, is_from_0

BUILT_IN = ("f1", "accuracy", "recall")
FEEDBACK = "feedback"
ACTIONS = ("stochastic", "deterministic")
VALUES = ("copy", "policy")
OFF = -1.0  # switches a term off


@dataclass(frozen=True, slots=True)
class RlOptions:
    """Proximal policy optimization of classifications, by default as in the GLiClass paper.

    The numbers that can be switched off are off at -1, and at any other number below 0.

    Attributes:
        rewards: what an answer is worth: names to weights. A name is "f1", "accuracy" or "recall"
            (of the labels of a text, against what is annotated), "feedback", or "module:function"
            for a function of one's own, see `onepass.training.rl.rewards`.
        feedback: JSONL file of judged answers, see `onepass.training.rl.feedback`.
        iterations: updates with the answers to one batch.
        clip_range: how far the probability of an answer may move before its gradient stops.
        actions: "stochastic" draws each label with its probability, "deterministic" takes those
            above one half.
        kl: how much it costs to move away from the reference.
        reference: what ``kl`` compares with: a directory or a hub id; None for the model that the
            run starts from.
        entropy: how much it is rewarded to be unsure, which explores.
        alpha: weight of labels that were chosen, beside ``1 - alpha`` of those that were not.
        gamma: exponent of the probability of the answers, as their weight.
        smoothing: how far answers move towards one half.
        value: what predicts rewards: "copy", a copy of the model with an output of its own, or
            "policy", an output behind the model that is trained, which costs less.
        value_rate: learning rate of the copy.
        value_head_rate: learning rate of the output.
        save_every: batches between checkpoints; None for only where the run is scored.

    Raises:
        InputError: for a wrong value.

    >>> RlOptions.from_dict({"rewards": {"f1": 1, "recall": 0.5}, "kl": 0.1}).iterations
    3
    """

    rewards: Mapping[str, float] = field(default_factory=lambda: {"f1": 1.0})
    feedback: str | None = None
    iterations: int = 3
    clip_range: float = 0.2
    actions: str = "stochastic"
    kl: float = OFF
    reference: str | None = None
    entropy: float = OFF
    alpha: float = OFF
    gamma: float = OFF
    smoothing: float = OFF
    value: str = "copy"
    value_rate: float = 1e-5
    value_head_rate: float = 1e-3
    save_every: int | None = None

    def __post_init__(self) -> None:
        self._check_rewards()
        for name, choice, choices in (
            ("actions", self.actions, ACTIONS),
            ("value", self.value, VALUES),
        ):
            check(f"rl.{name}", choice, choice in choices, either(choices))
        whole = is_whole(self.iterations, 1)
        check("rl.iterations", self.iterations, whole, "a whole number from 1")
        saved = self.save_every is None or is_whole(self.save_every, 1)
        check("rl.save_every", self.save_every, saved, "a whole number from 1, or null")
        clips = is_finite(self.clip_range) and 0 < self.clip_range < 1
        check("rl.clip_range", self.clip_range, clips, "a number between 0 and 1")
        for name, rate in (
            ("value_rate", self.value_rate),
            ("value_head_rate", self.value_head_rate),
        ):
            check(f"rl.{name}", rate, is_from_0(rate), "a number from 0")
        for name, number in (("kl", self.kl), ("entropy", self.entropy), ("gamma", self.gamma)):
            check(f"rl.{name}", number, is_finite(number), "a number; below 0 switches it off")
        for name, share in (("alpha", self.alpha), ("smoothing", self.smoothing)):
            right = is_finite(share) and share <= 1
            check(f"rl.{name}", share, right, "a number up to 1; below 0 switches it off")
        if self.reference is not None:
            _check_path("reference", self.reference, "a directory or a hub id")
            if self.kl < 0:
                raise InputError(
                    "'rl.reference' is given but 'rl.kl' is off; give kl, or no reference."
                )

    def _check_rewards(self) -> None:
        given = self.rewards
        if not isinstance(given, Mapping) or not given:
            check("rl.rewards", given, False, "an object of names and weights")
        for name, weight in given.items():
            _check_name(name)
            check(f"rl.rewards.{name}", weight, is_finite(weight), "a number")
        if not any(given.values()):
            raise InputError("All weights in 'rl.rewards' are 0; give one of them another weight.")
        if self.feedback is not None:
            _check_path("feedback", self.feedback, "a path")
        if (self.feedback is not None) != (FEEDBACK in given):
            raise InputError(
                "The file 'rl.feedback' and a weight of 'feedback' in 'rl.rewards' belong "
                f"together, but only the {'file' if self.feedback else 'weight'} was given."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `from_dict` reads it back equal."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {"rewards": dict(self.rewards)}

    @classmethod
    def from_dict(cls, given: object) -> RlOptions:
        """Read the JSON form.

        Raises:
            InputError: for an unknown key or a wrong value.
        """
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise InputError(f"'rl' must be an object, but {shown(given)} was given.")
        known_keys(given, [f.name for f in fields(cls)], "'rl'")
        return cls(**given)


def _check_name(name: object) -> None:
    """Refuse a reward that is neither known nor the name of a function."""
    if name in (*BUILT_IN, FEEDBACK):
        return
    module, colon, function = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (colon and function.isidentifier() and all(map(str.isidentifier, module.split(".")))):
        raise InputError(
            f"'rl.rewards' names {shown(name)}, but a reward is one of "
            f"{', '.join((*BUILT_IN, FEEDBACK))}, or 'module:function'."
        )


def _check_path(name: str, value: object, expected: str) -> None:
    check(f"rl.{name}", value, isinstance(value, str) and bool(value.strip()), expected)
