"""Candidates for values and ends, scored in view of each other: a small transformer over them.

What two candidates are to each other (one record, one field, the same words, how far apart) is a
bias of its attention; see `onepass.models.gliner2.rivals` for what it is told. It begins as what
leaves all scores as they are.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from onepass.models.gliner2.rivals import AN_END, SCORES, SEVERAL
from onepass.nn.keymap import Entry, Rename
from onepass.text.shapes import SHAPES

_NEAR, _FAR = 8, 25  # words between two candidates
_RELATIONS = 14  # what two candidates are to each other


class RerankerLayer(nn.Module):
    """A pre-norm transformer layer over the candidates of a group."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.attention_out = nn.Linear(size, size)
        self.relation0, self.relation1 = nn.Linear(_RELATIONS, 16), nn.Linear(16, heads)
        self.up, self.down = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

    def forward(self, x: torch.Tensor, related: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        groups, count, size = x.shape
        qkv = self.qkv(self.norm1(x)).view(groups, count, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        told = self.relation1(functional.gelu(self.relation0(related))).permute(0, 3, 1, 2)
        weights = q @ k.transpose(2, 3) / (size // self.heads) ** 0.5 + told + bias
        mixed = (weights.softmax(-1) @ v).transpose(1, 2).reshape(groups, count, size)
        x = x + self.attention_out(mixed)
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Reranker(nn.Module):
    """Scores candidates for values and ends once more, each in view of the others.

    >>> places = torch.tensor([[[0, 0, 1, 2, 5, 5, 0], [0, 1, 4, 4, 7, 7, 0]]])
    >>> scores = torch.zeros(1, 2, 10)
    >>> scores[0, :, 0] = torch.tensor([1.5, -2.0])
    >>> Reranker()(scores, places, torch.ones(1, 2, dtype=torch.int64)).tolist()
    [[1.5, -2.0]]
    """

    size, heads, depth, kinds = 64, 4, 2, 8

    def __init__(self) -> None:
        super().__init__()
        # Where the numbers of candidates lie, and how wide.
        self.centres = nn.Parameter(torch.zeros(SCORES), requires_grad=False)
        self.spreads = nn.Parameter(torch.ones(SCORES), requires_grad=False)
        self.first_shapes = nn.Embedding(SHAPES, self.kinds)
        self.last_shapes = nn.Embedding(SHAPES, self.kinds)
        self.inward0 = nn.Linear(SCORES + 3 + 2 * self.kinds, self.size)
        self.inward1 = nn.Linear(self.size, self.size)
        self.layers = nn.ModuleList(RerankerLayer(self.size, self.heads) for _ in range(self.depth))
        self.norm = nn.LayerNorm(self.size)
        self.out = nn.Linear(self.size, 1)
        for table in (self.first_shapes, self.last_shapes):
            nn.init.normal_(table.weight, std=0.1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, scores: torch.Tensor, places: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return logits (groups, candidates).

        Args:
            scores: (groups, candidates, SCORES), logits first.
            places: (groups, candidates, `onepass.models.gliner2.rivals.PLACES`).
            mask: (groups, candidates), 1 at real candidates.
        """
        record, item, first, last, shape, last_shape, holds = places.unbind(-1)
        words, several, end = (last - first + 1) / 4, holds == SEVERAL, holds == AN_END
        told = torch.stack([one.to(scores.dtype) for one in (words, several, end)], dim=-1)
        shapes = (self.first_shapes(shape), self.last_shapes(last_shape))
        numbers = (scores - self.centres) / self.spreads
        x = torch.cat([numbers, told, *shapes], dim=-1)
        x = self.inward1(functional.gelu(self.inward0(x)))
        bias = (1.0 - mask[:, None, None].to(scores.dtype)) * torch.finfo(scores.dtype).min
        related = _related(record, item, first, last).to(scores.dtype)
        for layer in self.layers:
            x = layer(x, related, bias)
        return scores[..., 0] + self.out(self.norm(x))[..., 0]

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours, which are the same."""
        return tuple(Rename(name, name) for name in self.state_dict())


def _related(
    record: torch.Tensor, item: torch.Tensor, first: torch.Tensor, last: torch.Tensor
) -> torch.Tensor:
    """Return (groups, candidates, candidates, _RELATIONS): what the second is to the first."""

    def pairs(one: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return one[:, :, None], one[:, None, :]

    (r0, r1), (i0, i1), (f0, f1), (l0, l1) = map(pairs, (record, item, first, last))
    own, field = (r0 == r1).float(), (i0 == i1).float()
    over = ((f0 <= l1) & (f1 <= l0)).float()
    same = ((f0 == f1) & (l0 == l1)).float()
    apart = (f1 - f0).float()
    far = torch.log1p(apart.abs()) / 4
    return torch.stack(
        [
            own, field, own * field, over, same, over * own, over * field, same * field,
            (r1 - r0 == 1).float(), (r0 - r1 == 1).float(), torch.sign(apart) * far, far,
            (apart.abs() < _NEAR).float(), (apart.abs() < _FAR).float(),
        ],
        dim=-1,
    )  # fmt: skip
