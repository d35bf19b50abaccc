"""``config.json`` of a GLiNER2 checkpoint of the boundary architecture, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

from onepass.encoding.options import LAYERS, SIZE, Options
from onepass.errors import CheckpointError
from onepass.models.gliner2.config import POOLINGS

Pool = Literal["per_query", "shared"]
POOLS = ("per_query", "shared")
ARCHITECTURE = "boundary"
_BACKBONE = "bert-base-uncased"
_OWNER = "this GLiNER2 checkpoint"
_SECTIONED = 3  # config_version since which records and relations are there unless it says no
_MOST = 100_000  # candidates, pairs
_GROWTH = 1_000.0  # starts for each word


@dataclass(frozen=True, slots=True)
class Proposals:
    """Which spans are scored: those between the likeliest boundaries.

    Attributes:
        pool: "shared" if all queries of a text share their spans, else "per_query".
        boundaries: likeliest starts and ends of a text that are paired ("shared").
        spans: that are kept of these pairs.
        least: best pairs of each query that are kept in any case.
        starts: likeliest starts of a query ("per_query"); each gets its best ``ends_each`` ends.
        ends: likeliest ends, each with ``starts_each`` starts, where ``both_ways``.
        ends_each: see ``starts``.
        starts_each: see ``ends``.
        both_ways: whether spans are looked for from their ends as well.
        budget: spans of a query that are kept ("per_query").
        growth: starts and ends for each word of the text, if that is more; 0 for never.
        growth_most: upper bound of what ``growth`` asks for.
        growth_step: what ``growth`` asks for is a multiple of it.
    """

    pool: Pool = "per_query"
    boundaries: int = 64
    spans: int = 384
    least: int = 8
    starts: int = 16
    ends: int = 16
    ends_each: int = 8
    starts_each: int = 8
    both_ways: bool = True
    budget: int = 128
    growth: float = 0.0
    growth_most: int = 128
    growth_step: int = 8


@dataclass(frozen=True, slots=True)
class Head:
    """Sizes and parts of the boundary head.

    Attributes:
        size: of the vector of a boundary.
        pair_size: of the vectors that are compared for a span.
        layers: feed-forward blocks over boundaries.
        multiplier: their inner size by their size.
        attention_layers: attention blocks over boundaries.
        attention_heads: theirs.
        attention_window: boundaries to either side that one attends to; 0 for all.
        inside: whether what stands inside of a span counts.
        content: whether the mean of what stands inside is compared with the query.
        content_size: of that mean.
        content_maximum: whether their smooth maximum stands beside the mean.
        rotary: whether ends of spans know their distance ("per_query").
        rotary_base: of that.
        weighted_inside: whether each query weighs the inside ("per_query").
        differences: whether ends are subtracted as well ("per_query").
        compared: whether ends are compared once more where a span is scored ("per_query").
        compared_heads: parts of vectors in which they are.
        candidate_layers: layers in which spans see each other ("shared").
        candidate_heads: theirs.
        query_layers: layers in which queries see spans and each other ("shared").
        abstains: whether a query may say that there is nothing.
        abstention: the probability of that from which on it does.
        counts: whether the weights hold a count head, which nothing reads.
    """

    size: int = 128
    pair_size: int = 128
    layers: int = 1
    multiplier: float = 2.0
    attention_layers: int = 0
    attention_heads: int = 4
    attention_window: int = 0
    inside: bool = True
    content: bool = False
    content_size: int = 64
    content_maximum: bool = False
    rotary: bool = False
    rotary_base: float = 10000.0
    weighted_inside: bool = False
    differences: bool = False
    compared: bool = True
    compared_heads: int = 8
    candidate_layers: int = 2
    candidate_heads: int = 4
    query_layers: int = 1
    abstains: bool = True
    abstention: float = 0.5
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Records:
    """The head of records.

    Attributes:
        size: of the vectors that are compared.
        queries: learned instances of records without an anchor, which nothing reads.
    """

    size: int = 128
    queries: int = 32


@dataclass(frozen=True, slots=True)
class Relations:
    """The head of relations.

    Attributes:
        heads: spans of a type that may be heads.
        tails: spans of a type that may be tails.
        pairs: of these that are scored.
        threshold: the least score of a head or tail.
        directed: whether a type is the vectors of head and tail side by side, not their mean.
        content: whether the words inside are compared as well.
    """

    heads: int = 32
    tails: int = 32
    pairs: int = 128
    threshold: float = 0.0
    directed: bool = False
    content: bool = False


@dataclass(frozen=True, slots=True)
class Temperatures:
    """What logits are divided by before they are probabilities."""

    spans: float = 1.0
    relations: float = 1.0
    records: float = 1.0
    classes: float = 1.0


@dataclass(frozen=True, slots=True)
class BoundaryConfig:
    """What a checkpoint says about itself.

    Attributes:
        backbone: name of the model that the encoder came from.
        pooling: how the pieces of a word become its vector.
        dropout: of the heads, while training; without any, a weight has another name.
        head: of spans.
        proposals: which spans are scored.
        records: None without a head of records.
        relations: None without a head of relations.
        temperatures: see there.
        published: all that was read, of which nothing is lost where it is written again.

    >>> BoundaryConfig.from_dict({"architecture": "boundary", "config_version": 3}).head.size
    128
    """

    backbone: str
    pooling: str = "first"
    dropout: float = 0.1
    head: Head = field(default_factory=Head)
    proposals: Proposals = field(default_factory=Proposals)
    records: Records | None = field(default_factory=Records)
    relations: Relations | None = field(default_factory=Relations)
    temperatures: Temperatures = field(default_factory=Temperatures)
    published: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> BoundaryConfig:
        """Read a published configuration.

        Raises:
            CheckpointError: for a wrong or unknown value.
        """
        options = Options(config, _OWNER)
        head = Options(options.mapping("boundary_head") or {}, f"the boundary_head of {_OWNER}")
        whole = options.whole("config_version", 0, null=0, least=0) >= _SECTIONED
        has_records = head.flag("enable_records", whole)
        has_relations = head.flag("enable_relations", whole)
        found = cls(
            backbone=options.text("model_name", _BACKBONE, null=_BACKBONE),
            pooling=options.one_of("token_pooling", POOLINGS, "first", null="first"),
            dropout=head.share("dropout", 0.1),
            head=_read(Head, head),
            proposals=_read(Proposals, head),
            records=_read(Records, head) if has_records else None,
            relations=_read(Relations, head) if has_relations else None,
            temperatures=_read(Temperatures, head),
            published=dict(config),
        )
        _check_sizes(found.head)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the published form."""
        head: dict[str, Any] = {
            **(self.published.get("boundary_head") or {}),
            "dropout": self.dropout,
            "enable_records": self.records is not None,
            "enable_relations": self.relations is not None,
        }
        for part in (self.head, self.proposals, self.records, self.relations, self.temperatures):
            if part is not None:
                names = _NAMES[type(part)]
                head |= {names[f.name]: getattr(part, f.name) for f in fields(part)}
        return {
            **self.published,
            "model_type": "extractor",
            "architecture": ARCHITECTURE,
            "config_version": _SECTIONED,
            "model_name": self.backbone,
            "token_pooling": self.pooling,
            "boundary_head": head,
        }


_NAMES: Mapping[type, Mapping[str, str]] = {
    Head: {
        "size": "boundary_dim", "pair_size": "pair_dim", "layers": "boundary_refinement_layers",
        "multiplier": "boundary_ffn_multiplier", "attention_layers": "boundary_attention_layers",
        "attention_heads": "boundary_attention_heads",
        "attention_window": "boundary_attention_window", "inside": "use_inside_evidence",
        "content": "enable_span_content", "content_size": "content_dim",
        "content_maximum": "content_soft_max_pool",
        "rotary": "enable_rotary_endpoints",
        "rotary_base": "rotary_base", "weighted_inside": "query_conditioned_inside_weight",
        "differences": "endpoint_difference_features", "compared": "reranker_endpoint_compat",
        "compared_heads": "multihead_pair_compat_heads",
        "candidate_layers": "candidate_attention_layers",
        "candidate_heads": "candidate_attention_heads", "query_layers": "query_attention_layers",
        "abstains": "enable_abstention", "abstention": "abstention_threshold",
        "counts": "enable_count_head",
    },
    Proposals: {
        "pool": "candidate_pool", "boundaries": "pool_boundary_top_k", "spans": "pool_size",
        "least": "min_pool_per_query", "starts": "start_top_k", "ends": "end_top_k",
        "ends_each": "ends_per_start", "starts_each": "starts_per_end",
        "both_ways": "bidirectional_proposals", "budget": "candidate_budget",
        "growth": "boundary_top_k_alpha", "growth_most": "boundary_top_k_max",
        "growth_step": "boundary_top_k_bucket",
    },
    Records: {"size": "record_dim", "queries": "record_instance_queries"},
    Relations: {
        "heads": "relation_heads_per_type", "tails": "relation_tails_per_type",
        "pairs": "relation_pair_cap", "threshold": "relation_argument_proposal_threshold",
        "directed": "directional_relation_states", "content": "relation_biaffine_content",
    },
    Temperatures: {
        "spans": "pair_temperature", "relations": "relation_temperature",
        "records": "record_temperature", "classes": "classification_temperature",
    },
}  # fmt: skip
# What a value may be, beside the kind of its default: (least, most).
_SIZES = {"size", "pair_size", "content_size", "queries"}
_COUNTED = {"layers", "attention_layers", "candidate_layers", "query_layers"}
_FROM_NONE = _COUNTED | {"attention_window", "least"}
_SHARES = {"abstention", "threshold"}


def _check_sizes(head: Head) -> None:
    """Refuse sizes that cannot be cut into as many parts as there are heads."""
    for name, size, heads in (
        ("boundary_attention_heads", head.size, head.attention_heads * bool(head.attention_layers)),
        (
            "candidate_attention_heads",
            head.pair_size,
            head.candidate_heads * bool(head.candidate_layers + head.query_layers),
        ),
        ("multihead_pair_compat_heads", head.pair_size, head.compared_heads),
        ("enable_rotary_endpoints", head.size, 2 * head.rotary),
        ("enable_rotary_endpoints", head.pair_size, 2 * head.rotary),
    ):
        if heads and size % heads:
            raise CheckpointError(
                f"{name} of the boundary_head of {_OWNER} asks for vectors of {size} numbers in "
                f"{heads} equal parts; correct it in its config.json, or download it again."
            )


def _read(part: type, head: Options) -> Any:
    """Return a section of the settings, with its defaults where a key is not there."""
    found: dict[str, Any] = {}
    for own in fields(part):
        name, default = _NAMES[part][own.name], cast(Any, own.default)
        if own.name == "pool":
            found[own.name] = head.one_of(name, POOLS, "per_query")
        elif isinstance(default, bool):
            found[own.name] = head.flag(name, default)
        elif isinstance(default, int):
            most = LAYERS if own.name in _COUNTED else SIZE if own.name in _SIZES else _MOST
            least = 0 if own.name in _FROM_NONE else 1
            found[own.name] = head.whole(name, default, least=least, most=most)
        elif own.name in _SHARES:
            found[own.name] = head.share(name, default)
        elif own.name == "growth":
            found[own.name] = head.number(name, default, least=0, most=_GROWTH)
        else:
            found[own.name] = head.number(name, default, least=1e-6)
    return part(**found)
