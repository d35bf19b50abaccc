"""A checkpoint and a stream of questions, as the task of the training loop.

It knows neither the family of the checkpoint nor the loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from onepass.errors import InputError
from onepass.text.shapes import SHAPES
from onepass.training.adapters import alpha, merged
from onepass.training.loading import Batch, Direct, Loaders
from onepass.training.parts import ENCODERS, HEADS
from onepass.training.samples import Sample
from onepass.training.trainee import Trainee

_LAYER = re.compile(r"(?:^|\.)layers?\.(\d+)\.")
# What reads the states of the top layer: final normalizations and poolers. A norm that stands
# beside the embeddings is not below a stack (``encoder``, ``decoder``, ``model`` of transformers).
_ABOVE = re.compile(
    r"\.(?:final_norm|final_layer_norm|ln_f|pooler|(?:encoder|decoder|model)\.norm)\."
)


Scorer = Callable[[Any], Mapping[str, float]]  # of the network, in evaluation mode


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast which parts learn; the defaults are those of Table 5 of the GLiNER2 paper.

    Attributes:
        encoder: learning rate of the encoders of texts and of labels.
        head: learning rate of everything else.
        decay: weight decay of matrices; biases and normalizations have none.
        layer_decay: how much slower each layer of an encoder learns than the one above it; 1 for
            not at all. Embeddings are below the lowest layer; what stands above the top layer
            learns as fast as that.
        frozen: parts that stay as they are, of `onepass.training.parts`.
        shapes: learning rate of the vectors of shapes (`onepass.text.shapes`), which begin alike,
            where a checkpoint has them; None for that of their encoder.
    """

    encoder: float = 1e-5
    head: float = 2e-5
    decay: float = 0.01
    layer_decay: float = 1.0
    frozen: tuple[str, ...] = ()
    shapes: float | None = None


class TrainingTask:
    """A checkpoint that is trained on a stream of questions.

    Args:
        trainee: the checkpoint.
        feed: what is asked, in batches.
        rates: of its parts.
        scorer: held-out scores of the network, if any; ``score`` is the one that counts.
        show: returns what the network says of a few held-out texts, if any are to be shown.
        adapted: layers that `onepass.training.adapters.adapt` changed.

    Raises:
        InputError: if a part is frozen that the checkpoint does not have, or all of them are.
    """

    def __init__(
        self,
        trainee: Trainee,
        feed: Direct | Loaders,
        rates: Rates,
        *,
        scorer: Scorer | None = None,
        show: Callable[[], Sequence[Sample]] | None = None,
        adapted: Sequence[str] = (),
    ) -> None:
        self._trainee, self._feed, self._rates, self._scorer = trainee, feed, rates, scorer
        self._show, self._adapted = show, adapted
        self._check_frozen()
        for name, parameter in self.network.named_parameters():
            if self._part(name) in rates.frozen:
                parameter.requires_grad_(False)
        if not any(parameter.requires_grad for parameter in self.network.parameters()):
            raise InputError(
                "freeze and lora.heads leave nothing to train; take a part out of freeze, or give "
                "lora.heads 'full' or 'adapt'."
            )

    def _check_frozen(self) -> None:
        there = [*self._trainee.parts, HEADS]
        for part in self._rates.frozen:
            if part not in there:
                raise InputError(
                    f"freeze names {part!r}, but this checkpoint has {', '.join(there)} only."
                )
        if set(there) <= set(self._rates.frozen):
            raise InputError("freeze names every part of the checkpoint; leave one to train.")

    def _part(self, name: str) -> str:
        """Return the part that a parameter belongs to."""
        parts = self._trainee.parts.items()
        return next((part for part, prefix in parts if name.startswith(prefix)), HEADS)

    @property
    def network(self) -> torch.nn.Module:
        """Return the module that is trained."""
        return self._trainee.network

    @property
    def seen(self) -> int:
        """Return how many examples were used so far."""
        return self._feed.seen

    @property
    def skipped(self) -> int:
        """Return how many of them could not be asked."""
        return self._feed.skipped

    def groups(self) -> list[dict[str, Any]]:
        """Return groups of parameters that learn alike, each with and without weight decay.

        Their ``names``, and ``lora_alpha``, tell a run that is resumed whether its state fits.
        """
        counts = alpha(self.network, self._adapted)
        groups: dict[tuple[float, bool], dict[str, torch.nn.Parameter]] = {}
        depths = self._depths()
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                key = (self._rate(name, parameter, depths), parameter.ndim > 1)
                groups.setdefault(key, {})[name] = parameter
        return [
            {
                "params": list(own.values()),
                "names": list(own),
                "lora_alpha": counts,
                "lr": rate,
                "weight_decay": self._rates.decay if decays else 0.0,
            }
            for (rate, decays), own in groups.items()
        ]

    def _rate(self, name: str, parameter: torch.nn.Parameter, depths: Mapping[str, int]) -> float:
        """Return how fast a parameter learns."""
        rates, part = self._rates, self._part(name)
        # BERT's own types of pieces are two segments; where there are more, they are shapes.
        shapes = ".type_embeddings." in name and len(parameter) == SHAPES + 1
        if rates.shapes is not None and shapes:
            return rates.shapes
        if part not in ENCODERS:
            return rates.head
        # (depth - 1 - layer) steps below the top, embeddings depth
        below = 0 if _ABOVE.search(name) else depths[part] - 1 - _layer(name)
        return rates.encoder * rates.layer_decay**below

    def _depths(self) -> dict[str, int]:
        """Return how many layers each encoder has."""
        depths = dict.fromkeys(ENCODERS, 0)
        for name, _ in self.network.named_parameters():
            part = self._part(name)
            if part in depths:
                depths[part] = max(depths[part], _layer(name) + 1)
        return depths

    def batches(self) -> Iterator[Batch]:
        """Yield batches forever."""
        return self._feed.batches()

    def loss(self, network: Any, batch: Batch) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` and its terms."""
        built = self._trainee.build(batch.asked) if batch.built is None else batch.built
        return self._trainee.loss(network, built)

    def places(self, batch: Batch) -> Sequence[str]:
        """Return where the examples of a batch stand."""
        return batch.places

    def score(self) -> Mapping[str, float]:
        """Return held-out scores, empty without a scorer."""
        return self._scorer(self.network) if self._scorer else {}

    def samples(self) -> Sequence[Sample]:
        """Return what the network, in evaluation mode, says of a few held-out texts."""
        return self._show() if self._show else ()

    def save(self, directory: Path) -> None:
        """Write the checkpoint in the published layout, adapters merged."""
        with merged(self.network, self._adapted):
            self._trainee.save(directory)

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""
        return self._feed.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken."""
        self._feed.restore(state)


def _layer(name: str) -> int:
    """Return the layer that a parameter of an encoder is in, -1 for the embeddings.

    >>> _layer("backbone.layers.11.qkv.weight"), _layer("backbone.word_embeddings.weight")
    (11, -1)
    """
    found = _LAYER.search(name)
    return int(found[1]) if found else -1
