"""The loss of a batch of passes under a GLiClass network.

Equation numbers are those of the GLiClass paper. It knows nothing about how a batch came about.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from onepass.models.gliclass.decoder_config import Reasoning
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.models.gliclass.network.row_loss import single_label_rows
from onepass.models.gliclass.network.step_loss import step_loss
from onepass.models.gliclass.targets import Targets
from onepass.nn.losses import focal_loss


def compute_loss(
    network: GliclassNetwork, batch: Targets, options: GliclassLoss
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss and its terms, those that the batch has.

    Args:
        network: in training mode.
        batch: passes with their gold answers.
        options: of the loss.
    """
    with seen_states(network) as seen:
        logits = run_network(network, batch)
    return loss_of(logits, seen, batch, options)


def loss_of(
    logits: torch.Tensor,
    seen: Seen,
    batch: Targets,
    options: GliclassLoss,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of what a network said of a batch, as `compute_loss` does.

    Args:
        logits: (batch, labels) of the network.
        seen: what its head has read and said, see `seen_states`.
        batch: passes with their gold answers.
        options: of the loss.
    """
    device = logits.device
    true = torch.from_numpy(batch.true).to(device)
    mask = torch.from_numpy(batch.label_mask).to(device).bool()
    single = _single(true, torch.from_numpy(batch.single).to(device), options)
    if seen.steps:
        total, parts = step_loss(seen.steps, (true, mask, single), seen.reasoning, options)
        terms = {name: float(loss.detach()) for name, loss in parts.items()}
    else:
        total, terms = _answer_loss(logits, true, mask, single, options)
    if options.contrastive:
        states, _ = seen.states[0]  # the other mask may be of the text alone
        loss = contrastive_loss(states, torch.from_numpy(batch.inputs["mask"]).to(device))
        total = total + options.contrastive * loss
        terms["contrastive"] = float(loss.detach())
    return total, terms


def _answer_loss(
    logits: torch.Tensor,
    true: torch.Tensor,
    mask: torch.Tensor,
    single: torch.Tensor,
    options: GliclassLoss,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of answers that were given once, and its terms."""
    total = logits.new_zeros(())
    terms: dict[str, float] = {}
    for name, loss in (
        ("multi", multi_label_loss(logits[~single], true[~single], mask[~single], options)),
        ("single", single_label_loss(logits[single], true[single], mask[single], options)),
    ):
        if loss is not None:
            total = total + loss
            terms[name] = float(loss.detach())
    return total, terms


def run_network(network: GliclassNetwork, batch: Targets) -> torch.Tensor:
    """Return the (batch, labels) logits of a batch, label vectors computed along the way."""
    device = next(network.parameters()).device
    inputs = {name: torch.from_numpy(array).to(device) for name, array in batch.inputs.items()}
    graphs = network.graphs()
    if batch.label_ids is None or batch.label_rows is None:
        return graphs["classify"](*inputs.values())
    ids, mask = (torch.from_numpy(array).to(device) for array in batch.label_ids)
    vectors = graphs["encode_labels"](ids, mask)
    own = vectors[torch.from_numpy(batch.label_rows).to(device)]  # (batch, labels, hidden)
    last = inputs.pop("label_mask")
    return graphs["classify"](*inputs.values(), own, last)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network's head has read and said.

    Attributes:
        reasoning: how often a decoder's labels are read; None where they are read once.
        states: (batch, pieces, hidden) that it read, with the (batch, pieces) mask of the pieces it
            pools, of each batch.
        steps: (batch, labels) logits behind each reading of the labels; of a decoder alone, while
            it is trained.
    """

    reasoning: Reasoning | None
    states: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    steps: list[torch.Tensor] = field(default_factory=list)


@contextmanager
def seen_states(network: GliclassNetwork) -> Iterator[Seen]:
    """Collect the states that a network's head reads, and what a decoder's says step by step.

    All pieces have states meanwhile, also where the head reads the first ones alone.
    """
    decoder = network.config.decoder
    seen = Seen(None if decoder is None else decoder.reasoning)

    def note(module: Any, given: tuple[torch.Tensor, ...]) -> None:
        seen.states.append((given[0], given[1]))

    def note_step(module: Any, given: Any, said: tuple[torch.Tensor, ...]) -> None:
        seen.steps.append(said[0])

    handles = [network.head.register_forward_pre_hook(note)]
    if decoder is not None and network.training:
        handles.append(network.head.scorer.register_forward_hook(note_step))
    first, network.reads_first = network.reads_first, False
    try:
        yield seen
    finally:
        network.reads_first = first
        for handle in handles:
            handle.remove()


def _single(true: torch.Tensor, asked: torch.Tensor, options: GliclassLoss) -> torch.Tensor:
    """Return the (batch,) passes that are trained with a softmax over their labels."""
    one = true.sum(1) == 1  # a softmax has no answer where none holds
    if options.problem == "multi":
        return torch.zeros_like(one)
    return one if options.problem == "single" else one & asked


def multi_label_loss(
    logits: torch.Tensor, true: torch.Tensor, mask: torch.Tensor, options: GliclassLoss
) -> torch.Tensor | None:
    """Return the mean focal loss of the real labels; None if there are none.

    Args:
        logits: (batch, labels).
        true: (batch, labels), 1 at labels that hold.
        mask: (batch, labels), real labels.
        options: of the loss.
    """
    if not mask.any():
        return None
    losses = focal_loss(
        logits[mask], true[mask],
        alpha=options.alpha, gamma=options.gamma, smoothing=options.smoothing,
    )  # fmt: skip
    return losses.mean()


def single_label_loss(
    logits: torch.Tensor, true: torch.Tensor, mask: torch.Tensor, options: GliclassLoss
) -> torch.Tensor | None:
    """Return the mean of `single_label_rows`; None if there are no passes.

    Args:
        logits: (batch, labels).
        true: (batch, labels), 1 at the one label that holds.
        mask: (batch, labels), real labels.
        options: of the loss.
    """
    if not len(logits):
        return None
    return single_label_rows(logits, true, mask, options).mean()


def contrastive_loss(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the token-level contrastive loss, equations 7 and 8.

    Each real piece is to be more like itself than like the other real pieces of its sequence.

    Args:
        states: (batch, pieces, hidden).
        mask: (batch, pieces), 1 at real pieces.

    >>> float(contrastive_loss(torch.eye(2)[None], torch.ones(1, 2)))
    0.31326...
    """
    real = mask.bool()
    unit = functional.normalize(states.float(), dim=-1)
    alike = unit @ unit.transpose(1, 2)  # (batch, pieces, pieces), equation 7
    alike = alike.masked_fill(~real[:, None], -torch.inf)
    own = torch.log_softmax(alike, dim=-1).diagonal(dim1=1, dim2=2)  # (batch, pieces)
    return -own.masked_select(real).mean()
