"""What answers are worth: rewards by name, functions of one's own, and their weighted sum.

A reward takes an `Episode` and returns one number a text, or one a label. It knows nothing about
policies and networks.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from onepass.errors import InputError
from onepass.training.rl.config import FEEDBACK, RlOptions
from onepass.training.rl.episode import Episode
from onepass.training.rl.feedback import Feedback

Reward = Callable[[Episode], Any]  # a tensor, or what one can be made of


def f1(episode: Episode) -> torch.Tensor:
    """Return F1 of the chosen labels of each text, (texts,); 1 where none is true and none chosen.

    >>> from onepass.training.rl.episode import Decisions
    >>> gold, actions = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    >>> asked = Decisions(("Hi",), (("a", "b", "c"),), torch.ones(1, 3) > 0, gold)
    >>> f1(Episode(asked, actions, actions)), recall(Episode(asked, actions, actions))
    (tensor([0.6667]), tensor([0.5000]))
    """
    right, chosen, true = _counts(episode)
    return _share(2 * right, chosen + true)


def accuracy(episode: Episode) -> torch.Tensor:
    """Return the share of the labels of each text that were decided as annotated, (texts,)."""
    real = episode.mask.float()
    right = (episode.actions == episode.gold).float() * real
    return _share(right.sum(1), real.sum(1))


def recall(episode: Episode) -> torch.Tensor:
    """Return the share of the true labels of each text that were chosen; 1 where none is true."""
    right, _, true = _counts(episode)
    return _share(right, true)


def _counts(episode: Episode) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return how many labels of each text are chosen and true, chosen, and true."""
    real = episode.mask.float()
    chosen, true = episode.actions * real, episode.gold * real
    return (chosen * true).sum(1), chosen.sum(1), true.sum(1)


def _share(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=1e-9), 1.0)


_KNOWN: Mapping[str, Reward] = {"f1": f1, "accuracy": accuracy, "recall": recall}


class Rewards:
    """The weighted sum of several rewards.

    Args:
        parts: name to weight and reward.
    """

    def __init__(self, parts: Mapping[str, tuple[float, Reward]]) -> None:
        self._parts = dict(parts)

    def __call__(self, episode: Episode) -> tuple[torch.Tensor, dict[str, float]]:
        """Return what the answers to a batch are worth.

        Args:
            episode: questions and answers.

        Returns:
            (texts, 1), or (texts, labels) if a reward is given by label; and the mean of each
            reward over the texts, unweighted.

        Raises:
            InputError: if a function returns something else than a number a text or a label.
        """
        total = torch.zeros(len(episode.texts), 1, device=episode.actions.device)
        means = {}
        for name, (weight, reward) in self._parts.items():
            found = _checked(reward(episode), name, episode)  # (texts, 1 or labels)
            means[name] = float(per_text(found, episode.mask).mean())
            total = total + weight * found
        return total, means


def per_text(rewards: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return (texts,) rewards: of those by label, the mean over the real labels.

    Args:
        rewards: (texts, 1) or (texts, labels).
        mask: (texts, labels), true at real labels.

    >>> per_text(torch.tensor([[1.0, 0.0, 9.0]]), torch.tensor([[True, True, False]]))
    tensor([0.5000])
    """
    kept = torch.where(mask, rewards, 0.0)
    return kept.sum(1) / mask.sum(1).clamp(min=1)


def _checked(given: Any, name: str, episode: Episode) -> torch.Tensor:
    """Return what a reward gave as (texts, 1) or (texts, labels)."""
    texts, labels = episode.mask.shape
    expected = f"{texts} numbers, one a text, or ({texts}, {labels}), one a label"
    try:
        found = torch.as_tensor(given, dtype=torch.float32).to(episode.actions.device).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The reward {name!r} must return {expected}, but returned {type(given).__name__}: "
            f"{error}"
        ) from error
    if found.shape == (texts,):
        found = found[:, None]
    elif found.shape == (texts, labels):
        found = torch.where(episode.mask, found, 0.0)
    elif found.shape != (texts, 1):
        raise InputError(
            f"The reward {name!r} must return {expected}, but returned {tuple(found.shape)}."
        )
    if not torch.isfinite(found).all():
        raise InputError(f"The reward {name!r} returned a value that is no number; mend it.")
    return found


def build_rewards(options: RlOptions) -> Rewards:
    """Return the rewards of a run.

    Args:
        options: names, weights and the file of judged answers.

    Raises:
        InputError: if there is no such function, or the file is wrong.

    >>> build_rewards(RlOptions(rewards={"math:tau": 1.0}))
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: The reward 'math:tau' is not a function of an episode but a float.
    """
    weights = options.rewards.items()
    return Rewards({name: (weight, _found(name, options)) for name, weight in weights})


def _found(name: str, options: RlOptions) -> Reward:
    if name == FEEDBACK:
        assert options.feedback is not None  # a rule of the options
        return Feedback.read(Path(options.feedback))
    return _KNOWN[name] if name in _KNOWN else _told(name, load_function(name))


def _told(name: str, reward: Reward) -> Reward:
    """Return a function of one's own, whose errors say that they are its own."""

    def judge(episode: Episode) -> Any:
        try:
            return reward(episode)
        except Exception as error:  # foreign code: whatever is wrong in it
            raise InputError(
                f"The reward {name!r} raised {type(error).__name__}: {error}; mend it."
            ) from error

    return judge


def load_function(name: str) -> Reward:
    """Return a function by its name, from an installed module or one in the current directory.

    Args:
        name: "module:function".

    Raises:
        InputError: if there is no such function, or its module cannot be imported.
    """
    module_name, _, function = name.partition(":")
    with _current_directory_importable():
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise InputError(
                f"The reward {name!r} cannot be imported: {error}; give 'module:function' of an "
                "installed module, or of one in the current directory."
            ) from error
        except Exception as error:  # the module is foreign code: whatever is wrong in it
            raise InputError(
                f"The reward {name!r} cannot be imported: {module_name} raised "
                f"{type(error).__name__}: {error}; mend the module."
            ) from error
    if function not in vars(module):
        raise InputError(f"The module {module_name} has no {function!r}, which is a reward.")
    found: Reward = vars(module)[function]
    if not callable(found):
        raise InputError(
            f"The reward {name!r} is not a function of an episode but a {type(found).__name__}."
        )
    return found


@contextmanager
def _current_directory_importable() -> Iterator[None]:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
