"""The training loss of a boundary network.

Binary terms over the places where spans start and end, the words inside, the spans and pairs that
are scored, and whether there is anything; softmaxes over the values of the fields of a record, and
classification. The published training has more terms (listwise and consistency losses), which are
not here.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch.nn import functional

from onepass.arrays import Bools, Int64s
from onepass.models.boundary.network.network import BoundaryNetwork
from onepass.models.boundary.network.outputs import Known, Outputs, run_network
from onepass.models.boundary.targets import BoundaryLoss, GoldGroup, Span, Targets
from onepass.models.gliner2.network.loss import class_terms
from onepass.models.gliner2.prompt import Kind
from onepass.nn.device import moved

_FAR = 1_000_000  # more words than a window has
_binary = functional.binary_cross_entropy_with_logits


def compute_loss(
    network: BoundaryNetwork, targets: Targets, weights: BoundaryLoss
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of a batch and its terms as numbers.

    Args:
        network: in training mode.
        targets: the batch with its gold spans.
        weights: of the terms.

    Returns:
        The weighted sum of the terms, and each term by its name in `BoundaryLoss`; a term that the
        batch has nothing for is left out.
    """
    return loss_of(run_network(network, targets), targets, weights)


def loss_of(
    outputs: Outputs, targets: Targets, weights: BoundaryLoss
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return what `compute_loss` returns, of a network that has run."""
    terms: list[tuple[str, torch.Tensor | None, float]] = []
    if outputs.known is not None:
        boundaries, inside, nothing = _place_terms(outputs.known, targets)
        terms += [
            ("boundaries", boundaries, weights.boundaries),
            ("inside", inside, weights.inside),
            ("nothing", nothing, weights.nothing),
            ("spans", _span_term(outputs, targets), weights.spans),
            ("records", _record_term(outputs, targets), weights.records),
            ("relations", _pair_term(outputs, targets), weights.relations),
        ]
    if outputs.classes is not None:
        softmax, binary = class_terms(outputs.classes, targets.classes)
        terms.append(("classes", softmax, weights.classes))
        terms.append(("binary_classes", binary, weights.binary_classes))
    total = torch.zeros(())  # a number, which goes with tensors of any device
    for _, value, weight in terms:
        if value is not None:
            total = total + value * weight
    return total, {name: float(v.detach()) for name, v, _ in terms if v is not None}


def _place_terms(
    known: Known, targets: Targets
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Return the terms of places, of words inside and of nothing: means over the open queries."""
    gold = np.zeros((2, *known.starts.shape), dtype=np.float32)  # of starts, of ends
    inside = np.zeros(known.inside.shape, dtype=np.float32)
    counts, within = gold > 0, inside > 0  # what counts
    nothing = np.full(known.starts.shape[:2], np.nan, dtype=np.float32)
    for group in targets.groups:
        words = int(targets.batch.word_counts[group.row])
        for item, spans in enumerate(group.spans):
            at = (group.row, group.first + item)
            if targets.closed[at]:
                continue
            counts[(slice(None), *at)][:, : words + 1] = True
            within[at][:words] = True
            unsure = [span for query, span in targets.ignored[at[0]] if query == at[1]]
            for start, end in unsure:  # neither right nor wrong, where nothing right is
                counts[0][at][start] = counts[1][at][end] = False
                within[at][start:end] = False
            for start, end in spans:
                gold[0][at][start] = gold[1][at][end] = inside[at][start:end] = 1
                counts[0][at][start] = counts[1][at][end] = within[at][start:end] = True
            if group.kind is Kind.ENTITIES and (spans or not unsure):
                nothing[at] = float(not spans)
    device = known.starts.device
    queries = max(int(counts[0].any(-1).sum()), 1)
    both = torch.stack([known.starts, known.ends])
    places = _binary(both, moved(gold, device), reduction="none") * moved(counts, device)
    words_inside = _binary(known.inside, moved(inside, device), reduction="none")
    words_inside = words_inside * moved(within, device)
    absent, told = None, ~np.isnan(nothing)
    if known.nothing is not None and told.any():
        truth = moved(nothing[told], device)
        absent = _binary(known.nothing[moved(told, device)], truth)
    return places.sum() / queries, words_inside.sum() / queries, absent


def _span_term(outputs: Outputs, targets: Targets) -> torch.Tensor:
    """Return the binary term of spans: a sum over those of a query, a mean over open queries."""
    total, queries = torch.zeros(()), 0
    for group in targets.groups:
        logits, places = outputs.spans[group.row], outputs.places[group.row]
        for item, spans in enumerate(group.spans):
            query = group.first + item
            if targets.closed[group.row, query]:
                continue
            counts = counted_spans(targets, group, item, places[query])
            gold = moved(_among(places[query], spans).astype(np.float32), logits.device)
            each = _binary(logits[query], gold, reduction="none")
            total = total + (each * moved(counts, logits.device)).sum()
            queries += 1
    return total / max(queries, 1)


def counted_spans(targets: Targets, group: GoldGroup, item: int, places: Int64s) -> Bools:
    """Return (spans,) which of (spans, 2) places may be an answer of an item of a group."""
    starts, ends = places.T
    counts = ends > starts
    if item in group.choices:  # its spans are choices, and nothing else
        counts &= np.isin(starts, group.choices[item]) & (ends - starts == 1)
    else:
        begin, stop = targets.own[group.row]
        counts &= (starts >= begin) & (ends <= stop)
    query = group.first + item
    unsure = [span for own, span in targets.ignored[group.row] if own == query]
    return np.asarray(counts & ~_among(places, unsure))


def _among(places: Int64s, spans: Iterable[Span]) -> Bools:
    """Return (spans,) true where one of (spans, 2) places is among the given ones."""
    keys = [start * _FAR + end for start, end in spans]
    return np.isin(places[:, 0] * _FAR + places[:, 1], keys)


def _record_term(outputs: Outputs, targets: Targets) -> torch.Tensor | None:
    """Return the term of the values of records, a mean over fields; None without any."""
    terms = []
    for number, logits in outputs.records.items():
        group = targets.groups[number]
        places = outputs.places[group.row][group.first :]
        for line, record in enumerate(group.records):
            for item, values in enumerate(record.values):
                if item != group.anchor and values is not None:
                    right = moved(_among(places[item], values), logits.device)
                    terms.append(_field_term(logits[line, item], right, group, item))
    return torch.stack(terms).mean() if terms else None


def _field_term(
    logits: torch.Tensor, right: torch.Tensor, group: GoldGroup, item: int
) -> torch.Tensor:
    """Return the term of one field: right values share the win, or none wins; of a list, binary.

    Args:
        logits: (1 + spans,), the first of no value.
        right: (spans,) booleans.
        group: of the field.
        item: of the field.
    """
    if not group.single[item]:
        return _binary(logits[1:], right.to(logits.dtype), reduction="sum")
    wins = torch.cat([~right.any()[None], right])
    lowest = torch.finfo(logits.dtype).min
    return logits.logsumexp(-1) - logits.masked_fill(~wins, lowest).logsumexp(-1)


def _pair_term(outputs: Outputs, targets: Targets) -> torch.Tensor | None:
    """Return the binary term of pairs: a sum over those of a type, a mean over types."""
    terms = []
    for number, (places, logits) in outputs.pairs.items():
        gold = {(*head, *tail) for head, tail in targets.groups[number].pairs}
        right = np.array([tuple(pair) in gold for pair in places.tolist()], dtype=np.float32)
        terms.append(_binary(logits, moved(right, logits.device), reduction="sum"))
    return torch.stack(terms).mean() if terms else None
