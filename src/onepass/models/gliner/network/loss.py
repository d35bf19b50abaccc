"""The training loss of a GLiNER network: spans or words, and what is built on them.

Every term is a binary loss over cells of labels at places; they differ in which cells there are and
what a mean divides by.
"""

from __future__ import annotations

import torch

from onepass.models.gliner.decoder_targets import WrittenBatch
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.network.outputs import Outputs, run_network
from onepass.models.gliner.targets import Grid, Targets
from onepass.nn.losses import dice_loss, focal_loss, keep_negatives, reduce_loss, width_weights


def compute_loss(
    network: GlinerNetwork, targets: Targets, options: GlinerLoss
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of a batch and its terms as numbers.

    Args:
        network: in training mode.
        targets: the batch with its gold answers.
        options: of the terms.

    Returns:
        The weighted sum of the terms, and each of them: ``spans`` or ``tokens``; ``represented``,
        spans that are scored again; ``adjacency`` and ``relations``; ``written``, the labels of a
        decoder. A term that the batch has nothing for is left out.
    """
    return loss_of(network, run_network(network, targets), targets, options)


def loss_of(
    network: GlinerNetwork, outputs: Outputs, targets: Targets, options: GlinerLoss
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return what `compute_loss` returns, of a network that has run."""
    config = network.config
    terms: list[tuple[str, str, torch.Tensor]] = []
    if config.tokens:
        terms.append(("tokens", "token", token_term(outputs.grid, targets.grid, options)))
    else:
        terms.append(("spans", "span", span_term(outputs.grid, targets.grid, options)))
    if outputs.spans is not None and targets.spans is not None:
        value = cell_term(outputs.spans, targets.spans.labels, options)
        terms.append(("represented", "span", value))
    if targets.pairs is not None:
        if outputs.near is not None:
            near = Grid(targets.pairs.near.gold[:, None], targets.pairs.near.counted[:, None])
            value = cell_term(outputs.near[:, None], near, options, relations=True)
            terms.append(("adjacency", "adjacency", value))
        if outputs.pairs is not None:
            value = pair_term(outputs.pairs, targets.pairs.types, options)
            terms.append(("relations", "relation", value))
    if targets.written is not None:
        states = outputs.queries if targets.written.of_labels else outputs.states
        assert states is not None
        value = written_term(network, states, targets.written, options)
        terms.append(("written", "decoder", value))
    total = torch.zeros((), device=outputs.grid.device)
    for _, name, value in terms:
        total = total + value * options.weight(name, config.raw)
    return total, {name: float(value.detach()) for name, _, value in terms}


def span_term(logits: torch.Tensor, grid: Grid, options: GlinerLoss) -> torch.Tensor:
    """Return the loss of a grid of spans; a mean divides by the spans.

    Args:
        logits: (batch, labels, words, width).
        grid: which cells hold and count.
        options: kind, smoothing, masking, reduction.
    """
    gold, counted = _tensors(grid, logits)
    if options.kind == "dice":
        losses = dice_loss(logits, gold, gamma=options.dice_gamma)
    else:
        losses = _focal(logits, gold, options)
    if options.width_weight:
        losses = losses * width_weights(gold)
    units = counted.any(1)  # (batch, words, width)
    return reduce_loss(losses, counted & _kept(gold, options), options.reduction, units=units)


def token_term(logits: torch.Tensor, grid: Grid, options: GlinerLoss) -> torch.Tensor:
    """Return the loss of starts, ends and insides; a mean divides by words times labels.

    Args:
        logits: (batch, labels, words, 3).
        grid: which cells hold and count.
        options: smoothing, masking, reduction.
    """
    gold, counted = _tensors(grid, logits)
    losses = _focal(logits, gold, options)
    units = counted.any(-1)  # (batch, labels, words)
    return reduce_loss(losses, counted & _kept(gold, options), options.reduction, units=units)


def cell_term(
    logits: torch.Tensor, grid: Grid, options: GlinerLoss, *, relations: bool = False
) -> torch.Tensor:
    """Return the loss of cells of any kind; a mean divides by their number.

    Args:
        logits: (batch, labels, ...).
        grid: which cells hold and count.
        options: smoothing, masking, reduction.
        relations: whether the options of relations are meant.
    """
    gold, counted = _tensors(grid, logits)
    losses = _focal(logits, gold, options, relations=relations)
    kept = counted & _kept(gold, options)
    return reduce_loss(losses, kept, options.reduction, units=counted)


def pair_term(logits: torch.Tensor, grid: Grid, options: GlinerLoss) -> torch.Tensor:
    """Return the loss of relation types; a mean divides by pairs times types.

    Args:
        logits: (pairs, types).
        grid: which types hold and count.
        options: smoothing, masking, reduction.
    """
    whole = Grid(grid.gold.T[None], grid.counted.T[None])
    return cell_term(logits.T[None], whole, options, relations=True)  # (1, types, pairs)


def written_term(
    network: GlinerNetwork, states: torch.Tensor, written: WrittenBatch, options: GlinerLoss
) -> torch.Tensor:
    """Return the cross-entropy of labels that are written; a mean divides by their pieces.

    Args:
        network: whose decoder writes.
        states: (batch, columns, hidden) vectors of spans or labels.
        written: what is written from which of them.
        options: reduction.
    """
    rows, columns, pieces, labels = (
        torch.from_numpy(array).to(states.device)
        for array in (written.rows, written.columns, written.pieces, written.labels)
    )
    assert network.decoder is not None
    loss = network.decoder.loss(states[rows, columns], pieces, labels)
    return loss / (labels >= 0).sum() if options.reduction == "mean" else loss


def _focal(
    logits: torch.Tensor, gold: torch.Tensor, options: GlinerLoss, *, relations: bool = False
) -> torch.Tensor:
    alpha, gamma = options.alpha, options.gamma
    if relations:
        alpha = alpha if options.relation_alpha is None else options.relation_alpha
        gamma = gamma if options.relation_gamma is None else options.relation_gamma
    return focal_loss(
        logits,
        gold,
        alpha=alpha,
        gamma=gamma,
        margin=options.margin,
        smoothing=options.smoothing,
    )


def _kept(gold: torch.Tensor, options: GlinerLoss) -> torch.Tensor:
    return keep_negatives(gold, options.masking, options.negatives)


def _tensors(grid: Grid, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what holds as floats and what counts as booleans, where the logits are."""
    gold = torch.from_numpy(grid.gold).to(logits.device, logits.dtype)
    return gold, torch.from_numpy(grid.counted).to(logits.device)
