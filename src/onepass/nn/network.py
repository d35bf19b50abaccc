"""What the network of every family is to those who open, run and export checkpoints."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from onepass.nn.backbones.base import Backbone


class Network(nn.Module, abc.ABC):
    """The encoders and heads of one checkpoint."""

    @property
    @abc.abstractmethod
    def hidden(self) -> int:
        """Size of the vectors that pass between graphs."""

    @abc.abstractmethod
    def graphs(self) -> Mapping[str, Callable[..., Any]]:
        """Return the functions of its graphs, by the names that `Family.graphs` gives them."""

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        self.eval()
        for part in self.children():
            if isinstance(part, Backbone):
                part.prepare()
