"""Training: from a configuration and annotated files to a checkpoint; needs the extra ``train``."""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.training.config import TrainConfig, read_config
    from onepass.training.run import train_from_config
    from onepass.training.sampling import Sampler

_HOMES = {
    ".config": (
        "TrainConfig",
        "read_config",
    ),
    ".run": ("train_from_config",),
    ".sampling": ("Sampler",),
}

__all__ = [
    "Sampler",
    "TrainConfig",
    "read_config",
    "train_from_config",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
