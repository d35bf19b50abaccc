"""One layer of DeBERTa-v2 and -v3: disentangled attention over content and relative distance.

It knows nothing about embeddings, published names or the other layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.deberta_config import DebertaConfig
from onepass.nn.backbones.disentangled import AsNode, TableRows, Tables, attend
from onepass.nn.backbones.fused import Fused
from onepass.nn.places import take


def distance_rows(span: int, buckets: int, max_distance: int) -> torch.Tensor:
    """Return the row of the distance table for each distance from ``-max_distance`` up.

    Near distances have a row each, farther ones share rows that widen with the logarithm of the
    distance. Everything beyond ``max_distance`` has the row of ``max_distance``.

    Args:
        span: half the number of rows.
        buckets: number of rows on the logarithmic scale, 0 for one row per distance.
        max_distance: the distance from which on all are alike.

    Returns:
        (2 * max_distance + 1) row numbers.

    >>> distance_rows(4, 4, 8).tolist()
    [0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7]
    """
    distance = torch.arange(-max_distance, max_distance + 1)
    if buckets:
        near = buckets // 2
        size = distance.abs().clamp(min=near)
        # fp32 and this order of operations, as published: both decide what ceil makes of it.
        widest = torch.log(torch.tensor((max_distance - 1) / near))
        far = torch.ceil(torch.log(size / near) / widest * (near - 1)) + near
        distance = torch.where(size <= near, distance, far.long() * distance.sign())
    return (distance + span).clamp(0, 2 * span - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all layers of one run share.

    The number of pieces is a multiple of `onepass.nn.backbones.disentangled.BLOCKS`.
    """

    bias: torch.Tensor  # (batch, 1, pieces), 0 at real pieces and very low at padding
    vectors: torch.Tensor | None  # (2 * span, hidden); None where every layer is prepared
    rows: TableRows | None
    fused: Fused | None = None  # in place of these rows where one kernel attends


class DebertaLayer(nn.Module):
    """Disentangled self-attention and feed-forward, each with a residual and a norm after it."""

    key_table: torch.Tensor | None  # (heads, 2 * span, size)
    query_table: torch.Tensor | None  # (heads, 2 * span, size), scaled
    scaled_weight: torch.Tensor | None  # of qkv, the queries scaled
    scaled_bias: torch.Tensor | None

    def __init__(self, config: DebertaConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        types = config.position_types if config.relative else frozenset[str]()
        self.c2p, self.p2c = "c2p" in types, "p2c" in types
        own = not config.shared_projections
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.distance_key = nn.Linear(hidden, hidden) if self.c2p and own else None
        self.distance_query = nn.Linear(hidden, hidden) if self.p2c and own else None
        self.attention_out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=config.norm_eps)
        self.up = nn.Linear(hidden, config.intermediate)
        self.down = nn.Linear(config.intermediate, hidden)
        self.norm = nn.LayerNorm(hidden, eps=config.norm_eps)
        self.activation = ACTIVATIONS[config.activation]
        for name in ("key_table", "query_table", "scaled_weight", "scaled_bias"):
            self.register_buffer(name, None, persistent=False)
        self.register_load_state_dict_pre_hook(_forget)

    def forward(
        self, x: torch.Tensor, frame: Frame, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        mixed = self._attend(self._project(x), frame)  # (batch, pieces, hidden)
        if kept is not None:  # every piece attends: distances are counted in blocks of them
            mixed, x = take(mixed, kept), take(x, kept)  # (batch, kept, hidden)
        x = self.attention_norm(x + self._drop(self.attention_out(mixed)))
        inner = self.down(self.activation(self.up(x)))
        return self.norm(x + self._drop(inner))  # (batch, pieces, hidden)

    def prepare(self, vectors: torch.Tensor | None) -> None:
        """Compute what depends on the weights alone; ``vectors`` are (2 * span, hidden)."""
        if type(self.qkv) is not nn.Linear:
            raise TypeError("prepare() reads plain linear layers: merge the adapters first.")
        hidden, scale = self.config.hidden, self.config.scale
        factors = torch.ones_like(self.qkv.bias)
        factors[:hidden] = scale
        self.scaled_weight = self.qkv.weight * factors[:, None]
        self.scaled_bias = self.qkv.bias * factors
        if vectors is not None:
            self.key_table, self.query_table = self._project_distances(vectors)

    def forget(self) -> None:
        """Drop what `prepare` computed."""
        self.key_table = self.query_table = self.scaled_weight = self.scaled_bias = None

    def train(self, mode: bool = True) -> DebertaLayer:
        if mode:
            self.forget()
        return super().train(mode)

    def _project(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, 3 * hidden), the queries scaled."""
        if self.scaled_weight is not None:
            return functional.linear(x, self.scaled_weight, self.scaled_bias)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return torch.cat([q * self.config.scale, k, v], dim=-1)

    def _attend(self, qkv: torch.Tensor, frame: Frame) -> torch.Tensor:
        tables = self._tables(frame)
        if frame.fused is not None:
            return frame.fused.attend(qkv, frame.bias, tables, self.config.heads)
        assert frame.rows is not None
        both = tables.key is not None and tables.query is not None
        if both and torch.onnx.is_in_onnx_export():
            mixed: torch.Tensor = AsNode.apply(qkv, frame.bias, *tables, *frame.rows)
            return mixed
        share = self.config.attention_dropout
        return attend(
            qkv, frame.bias, tables, frame.rows, self.config.heads,
            lambda weights: functional.dropout(weights, share, self.training),
        )  # fmt: skip

    def _tables(self, frame: Frame) -> Tables:
        if self.scaled_weight is not None:
            return Tables(self.key_table, self.query_table)
        if frame.vectors is None:
            return Tables(None, None)
        return self._project_distances(self._drop(frame.vectors))

    def _project_distances(self, vectors: torch.Tensor) -> Tables:
        """Project the distance vectors: (2 * span, hidden) -> 2 of (heads, 2 * span, size)."""
        key = query = None
        if self.distance_key is not None:
            key = self.distance_key(vectors)
        if self.distance_query is not None:
            query = self.distance_query(vectors)
        if self.config.shared_projections:
            query, key, _ = self.qkv(vectors).chunk(3, dim=-1)
        return Tables(
            self._by_head(key) if self.c2p and key is not None else None,
            self._by_head(query * self.config.scale) if self.p2c and query is not None else None,
        )

    def _by_head(self, rows: torch.Tensor) -> torch.Tensor:
        size = self.config.hidden // self.config.heads
        return rows.view(-1, self.config.heads, size).transpose(0, 1).contiguous()

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.config.dropout, self.training)


def _forget(layer: nn.Module, *_: object) -> None:
    assert isinstance(layer, DebertaLayer)
    layer.forget()
