"""Everything that a boundary network says of a batch with known answers.

The loss and the held-out score read it. What a network does in two graphs, with a choice of spans
between them, is one computation here, so that gradients pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from onepass.arrays import Float32s, Int64s
from onepass.models.boundary.network.network import BoundaryNetwork
from onepass.models.boundary.network.spans import picked
from onepass.models.boundary.pairs import propose_pairs
from onepass.models.boundary.proposals import Places, Spans, propose
from onepass.models.boundary.targets import GoldGroup, Targets
from onepass.models.gliner2.network.outputs import item_places
from onepass.models.gliner2.prompt import Kind
from onepass.nn.device import moved


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of places without a look at spans, in fp32.

    Attributes:
        starts: (batch, queries, places) logits.
        ends: (batch, queries, places).
        inside: (batch, queries, words).
        nothing: (batch, queries); None where no query says that there is nothing.
    """

    starts: torch.Tensor
    ends: torch.Tensor
    inside: torch.Tensor
    nothing: torch.Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Logits in fp32; None where the batch asks for nothing of the kind.

    Attributes:
        known: of places.
        spans: (batch, queries, spans).
        places: (batch, queries, spans, 2) of these.
        records: group number to (records, fields, 1 + spans) logits of values.
        pairs: group number to (pairs, 4) places and (pairs,) logits.
        classes: (tasks, items); items behind a task's last one are undefined.
    """

    known: Known | None
    spans: torch.Tensor
    places: Int64s
    records: dict[int, torch.Tensor]
    pairs: dict[int, tuple[Int64s, torch.Tensor]]
    classes: torch.Tensor | None


def run_network(network: BoundaryNetwork, targets: Targets, *, told: bool = True) -> Outputs:
    """Return the logits of a batch.

    Args:
        network: in any precision, on any device.
        targets: the batch.
        told: whether the gold spans and pairs are scored whatever the network finds likely.
    """
    device = next(network.parameters()).device
    words, markers = network.encode(
        **{name: moved(array, device) for name, array in targets.batch.inputs().items()}
    )
    classes = None
    if targets.classes:
        index, _ = item_places(targets.classes, markers.shape[1])
        picked = markers.reshape(-1, markers.shape[2])[moved(index, device)]
        classes = network.classify(picked).float()
    if not targets.groups:
        none = np.zeros((len(targets.counts), 0, 0, 2), dtype=np.int64)
        return Outputs(None, markers.new_zeros(none.shape[:3]), none, {}, {}, classes)
    queries = _queries(targets, markers)
    lengths = moved(targets.batch.word_counts, device)
    known = network.boundaries(words, lengths, queries)
    run = _Run(network, targets, words, queries, known, told)
    spans = run.spans()
    head = [part.float() for part in known[1:4]]
    nothing = known[-1].float() if network.config.head.abstains else None
    records, pairs = run.records(), run.pairs(spans.detach())
    return Outputs(
        Known(head[0], head[1], head[2], nothing), spans, run.places, records, pairs, classes
    )


def _queries(targets: Targets, markers: torch.Tensor) -> torch.Tensor:
    """Return (batch, queries, hidden), zero where a row has no more."""
    most = max(int(targets.counts.max()), 1)
    columns = np.zeros((len(targets.counts), most), dtype=np.int64)
    for group in targets.groups:
        items = np.arange(len(group.spans))
        columns[group.row, group.first + items] = group.marker + 1 + items
    device = markers.device
    real = moved(np.arange(most) < targets.counts[:, None], device)
    rows = moved(np.arange(len(columns))[:, None], device)
    return markers[rows, moved(columns, device)] * real[..., None].to(markers.dtype)


class _Run:
    """One batch on its way through the heads.

    Args:
        network: whose heads they are.
        targets: the batch.
        words: (batch, words, hidden).
        queries: (batch, queries, hidden).
        known: what `BoundaryNetwork.boundaries` returned.
        told: see `run_network`.
    """

    def __init__(
        self,
        network: BoundaryNetwork,
        targets: Targets,
        words: torch.Tensor,
        queries: torch.Tensor,
        known: tuple[torch.Tensor, ...],
        told: bool,
    ) -> None:
        self.network, self.targets, self.told = network, targets, told
        self.words, self.queries, self.known = words, queries, known
        self.device = words.device
        self.places = np.zeros((0, 0, 0, 2), dtype=np.int64)

    def spans(self) -> torch.Tensor:
        """Return (batch, queries, spans) logits, and note the places of the spans."""
        shared = self.network.config.proposals.pool == "shared"
        proposed = [self._proposed(row, shared=shared) for row in range(len(self.targets.counts))]
        batch, asked = self.queries.shape[:2]
        most = max(max(one.places.shape[-2] for one in proposed), 1)
        self.places = np.zeros((batch, asked, most, 2), dtype=np.int64)
        real = np.zeros((batch, asked, most), dtype=bool)
        for row, one in enumerate(proposed):
            number, count = int(self.targets.counts[row]), one.places.shape[-2]
            self.places[row, :number, :count] = one.places
            real[row, :number, :count] = one.real
        there = moved(real, self.device)
        logits = self._scored(there, shared=shared)
        return logits.float().masked_fill(~there, -1e4)

    def _proposed(self, row: int, *, shared: bool) -> Spans:
        """Return the spans of a row; of a row without queries none."""
        asked, words = int(self.targets.counts[row]), int(self.targets.batch.word_counts[row])
        if not asked:
            none = np.zeros((0, 0), dtype=np.float32)
            return Spans(np.zeros((0, 0, 2), dtype=np.int64), none > 0, none)
        starts, ends = (_array(part[row, :asked, : words + 1]) for part in self.known[1:3])
        left, right = (_array(part[row, : words + 1]) for part in self.known[4:6])
        gates = None if shared else _array(self.known[6][row, :asked])
        forced = self.targets.forced(row)
        if not self.told:
            forced = forced[forced[:, 1] <= self.targets.own[row, 0]]
        return propose(
            Places(starts, ends, left, right, gates), self.network.config.proposals, forced
        )

    def _scored(self, real: torch.Tensor, *, shared: bool) -> torch.Tensor:
        """Return (batch, queries, spans) logits, of which those of ``real`` spans are meant."""
        head, targets = self.network.config.head, self.targets
        places = moved(self.places, self.device)
        starts, ends = places.unbind(-1)  # (batch, queries, spans) each
        own = self.known[1].gather(2, starts) + self.known[2].gather(2, ends)
        inside = self.known[3].float().cumsum(-1)
        inside = torch.cat([torch.zeros_like(inside[..., :1]), inside], dim=-1)
        inside = inside.gather(2, ends) - inside.gather(2, starts)
        inside = (inside / (ends - starts).clamp(min=1).sqrt()).to(own.dtype)
        if not head.inside:
            inside = torch.zeros_like(inside)
        lengths = moved(targets.batch.word_counts, self.device)
        texts = (self.known[0], self.words, lengths, self.queries)
        left, right = self.known[4], self.known[5]
        scale = 1 / math.sqrt(left.shape[-1])
        if shared:
            first, last = starts[:, 0], ends[:, 0]  # all queries of a text have the same
            prior = (picked(left, first) * picked(right, last)).sum(-1) * scale
            asked = moved(np.arange(real.shape[1]) < targets.counts[:, None], self.device)
            spans = (places[:, 0], real.any(1).long(), prior)
            return own + inside + self.network.shared_scorer(*texts, asked.long(), *spans)
        batch, queries, count = starts.shape
        both = [
            picked(states, rows.flatten(1)).view(batch, queries, count, -1)
            for states, rows in ((left, starts), (right, ends))
        ]
        own = own + (both[0] * self.known[6][:, :, None] * both[1]).sum(-1) * scale
        return own + self.network.query_scorer(*texts, places, inside)

    def records(self) -> dict[int, torch.Tensor]:
        """Return the logits of the values of every structure with records."""
        head = self.network.record_head
        found = {}
        for number, group in enumerate(self.targets.groups):
            if head is None or not group.records or not self.told:
                continue
            states = self.known[0][group.row]
            lines = slice(group.first, group.first + len(group.spans))
            anchors = np.array([record.anchor for record in group.records])
            values = moved(self.places[group.row][lines], self.device)
            starts = states[moved(anchors, self.device)].flatten(-2)[None]
            ends = states[values].flatten(-2)[None]  # (1, fields, spans, 2 * size)
            found[number] = head(starts, self.queries[group.row : group.row + 1, lines], ends)[0]
        return {number: logits.float() for number, logits in found.items()}

    def pairs(self, spans: torch.Tensor) -> dict[int, tuple[Int64s, torch.Tensor]]:
        """Return the places and logits of the pairs of every relation type.

        Args:
            spans: (batch, queries, spans) logits.
        """
        head, config = self.network.relation_head, self.network.config.relations
        found = {}
        for number, group in enumerate(self.targets.groups):
            if head is None or config is None or group.kind is not Kind.RELATION:
                continue
            row, roles = group.row, slice(group.first, group.first + 2)
            proposed = propose_pairs(
                self.places[row][roles], _array(spans[row][roles]), config,
                own=(int(self.targets.own[row, 0]), int(self.targets.own[row, 1])),
            ).places  # fmt: skip
            places = _with_gold(proposed, group) if self.told else proposed
            if not len(places):
                continue
            asked = moved(np.array([[group.first, group.first + 1]]), self.device)
            logits = head(
                self.words[row : row + 1],
                moved(self.targets.batch.word_counts[row : row + 1], self.device),
                self.queries[row : row + 1],
                asked.expand(len(places), 2)[None],
                moved(places, self.device)[None],
            )[0]
            found[number] = (places, logits.float())
        return found


def _with_gold(places: Int64s, group: GoldGroup) -> Int64s:
    """Return (pairs, 4) proposed pairs with those of the gold that are not among them."""
    there = {tuple(place) for place in places.tolist()}
    gold = sorted((*head, *tail) for head, tail in group.pairs)
    missing = [pair for pair in gold if pair not in there]
    return np.concatenate([places, np.array(missing, dtype=np.int64).reshape(-1, 4)])


def _array(tensor: torch.Tensor) -> Float32s:
    return tensor.detach().float().cpu().numpy()
