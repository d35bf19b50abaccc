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
from onepass.models.boundary.pairs import propose_pairs
from onepass.models.boundary.proposals import Places, propose
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
        spans: for each row, (queries, spans).
        places: for each row, (queries, spans, 2) of these.
        records: group number to (records, fields, 1 + spans) logits of values.
        pairs: group number to (pairs, 4) places and (pairs,) logits.
        classes: (tasks, items); items behind a task's last one are undefined.
    """

    known: Known | None
    spans: list[torch.Tensor]
    places: list[Int64s]
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
        return Outputs(None, [], [], {}, {}, classes)
    queries = _queries(targets, markers)
    lengths = moved(targets.batch.word_counts, device)
    known = network.boundaries(words, lengths, queries)
    run = _Run(network, targets, words, queries, known, told)
    spans = run.spans()
    head = [part.float() for part in known[1:4]]
    nothing = known[-1].float() if network.config.head.abstains else None
    records, pairs = run.records(), run.pairs([one.detach() for one in spans])
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
        self.places: list[Int64s] = []

    def spans(self) -> list[torch.Tensor]:
        """Return the logits of the spans of each row, and note their places."""
        shared = self.network.config.proposals.pool == "shared"
        found = []
        for row, (asked, words) in enumerate(
            zip(self.targets.counts.tolist(), self.targets.batch.word_counts.tolist(), strict=True)
        ):
            if not asked:
                self.places.append(np.zeros((0, 0, 2), dtype=np.int64))
                found.append(self.words.new_zeros((0, 0)).float())
                continue
            starts, ends = (_array(part[row, :asked, : words + 1]) for part in self.known[1:3])
            left, right = (_array(part[row, : words + 1]) for part in self.known[4:6])
            gates = None if shared else _array(self.known[6][row, :asked])
            text = Places(starts, ends, left, right, gates)
            forced = self._forced(row)
            spans = propose(text, self.network.config.proposals, forced)
            places = np.broadcast_to(spans.places, (asked, *spans.places.shape[-2:]))
            self.places.append(places)
            logits = self._scored(row, asked, places)
            real = np.broadcast_to(spans.real, places.shape[:2])
            found.append(logits.masked_fill(~moved(real, self.device), -1e4))
        return found

    def _forced(self, row: int) -> Int64s:
        forced = self.targets.forced(row)
        return forced if self.told else forced[forced[:, 1] <= self.targets.prefix[row]]

    def _scored(self, row: int, asked: int, places: Int64s) -> torch.Tensor:
        """Return (queries, spans) logits of a row."""
        starts, ends = moved(places, self.device).unbind(-1)  # (queries, spans) each
        own = self.known[1][row, :asked].gather(1, starts)
        own = own + self.known[2][row, :asked].gather(1, ends)
        inside = self.known[3][row, :asked].float().cumsum(-1)
        inside = torch.cat([torch.zeros_like(inside[:, :1]), inside], dim=-1)
        width = (ends - starts).clamp(min=1)
        inside = (inside.gather(1, ends) - inside.gather(1, starts)) / width.sqrt()
        queries = self.queries[row : row + 1, :asked]
        texts = (
            self.known[0][row : row + 1], self.words[row : row + 1],
            moved(self.targets.batch.word_counts[row : row + 1], self.device), queries,
        )  # fmt: skip
        left, right = self.known[4][row], self.known[5][row]
        scale = 1 / math.sqrt(left.shape[-1])
        if self.network.config.proposals.pool == "shared":
            prior = (left[starts[0]] * right[ends[0]]).sum(-1) * scale  # (spans,)
            ones = torch.ones_like(starts[:1])
            spans = torch.stack([starts[0], ends[0]], dim=-1)[None]
            asked_of = torch.ones_like(starts[:, 0])[None]
            logits = self.network.shared_scorer(*texts, asked_of, spans, ones, prior[None])[0]
            own = own + inside if self.network.config.head.inside else own
        else:
            gates = self.known[6][row, :asked, None]
            own = own + (left[starts] * gates * right[ends]).sum(-1) * scale
            used = inside if self.network.config.head.inside else torch.zeros_like(inside)
            spans = torch.stack([starts, ends], dim=-1)[None]
            logits = self.network.query_scorer(*texts, spans, used[None].to(own.dtype))[0]
        return (logits + own).float()

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

    def pairs(self, spans: list[torch.Tensor]) -> dict[int, tuple[Int64s, torch.Tensor]]:
        """Return the places and logits of the pairs of every relation type.

        Args:
            spans: for each row, (queries, spans) logits.
        """
        head, config = self.network.relation_head, self.network.config.relations
        found = {}
        for number, group in enumerate(self.targets.groups):
            if head is None or config is None or group.kind is not Kind.RELATION:
                continue
            row, roles = group.row, slice(group.first, group.first + 2)
            proposed = propose_pairs(
                self.places[row][roles], _array(spans[row][roles]), config,
                prefix=int(self.targets.prefix[row]),
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
