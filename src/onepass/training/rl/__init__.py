"""Training from rewards for answers in place of annotated ones."""

from typing import TYPE_CHECKING

from onepass.lazy import Needs, public

if TYPE_CHECKING:
    from onepass.training.rl.episode import Decisions, Episode
    from onepass.training.rl.rewards import build_rewards

_HOMES = {
    ".episode": (
        "Decisions",
        "Episode",
    ),
    ".rewards": ("build_rewards",),
}

_NEEDS = Needs("Training", "train", ("torch",))

__all__ = [
    "Decisions",
    "Episode",
    "build_rewards",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES, _NEEDS)
