"""``config.json`` of boundary checkpoints."""

from __future__ import annotations

from typing import Any

import pytest
from tests.boundary_checkpoints import EACH, SHARED

from onepass.errors import CheckpointError
from onepass.models.boundary.config import BoundaryConfig, Records, Relations


def read(head: dict[str, Any] | None = None, **config: Any) -> BoundaryConfig:
    return BoundaryConfig.from_dict({"config_version": 3, "boundary_head": head or {}, **config})


def test_defaults_are_those_of_gliner2() -> None:
    gliner2 = pytest.importorskip("gliner2.configuration")
    theirs, ours = gliner2.BoundaryHeadSettings(), read().to_dict()["boundary_head"]
    assert ours == {name: getattr(theirs, name) for name in ours}


@pytest.mark.parametrize("head", [{}, SHARED, EACH, {"enable_records": False}, {"dropout": 0.0}])
def test_what_is_written_is_read_again(head: dict[str, Any]) -> None:
    config = read(head, model_name="mine", token_pooling="mean")
    assert BoundaryConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("version", "head", "records", "relations"),
    [
        (3, {}, Records(), Relations()),
        (2, {}, None, None),
        (None, {}, None, None),
        (2, {"enable_relations": True}, None, Relations()),
        (3, {"enable_records": False}, None, Relations()),
    ],
)
def test_old_checkpoints_have_neither_records_nor_relations(
    version: int | None, head: dict[str, Any], records: Records | None, relations: Relations | None
) -> None:
    config = read(head, config_version=version)
    assert (config.records, config.relations) == (records, relations)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"content_soft_max_pool": 2}, "content_soft_max_pool .* must be true or false"),
        ({"candidate_pool": "all"}, "candidate_pool 'all' .* is not known; per_query, shared are"),
        ({"boundary_dim": 0}, "boundary_dim of the boundary_head of this GLiNER2 checkpoint must"),
        ({"pair_temperature": 0}, "pair_temperature .* must be a number from"),
        ({"abstention_threshold": 2}, "abstention_threshold .* from 0 to 1"),
        ({"use_inside_evidence": "yes"}, "use_inside_evidence .* must be true or false"),
        ({"boundary_top_k_alpha": 1e308}, "boundary_top_k_alpha .* from 0 to 1,000"),
        ({"multihead_pair_compat_heads": 7}, "asks for vectors of 128 numbers in 7 equal parts"),
        ({"boundary_attention_layers": 1, "boundary_attention_heads": 3}, "in 3 equal parts"),
        ({"candidate_attention_heads": 5}, "candidate_attention_heads .* in 5 equal parts"),
        ({"boundary_dim": 9, "enable_rotary_endpoints": True}, "9 numbers in 2 equal parts"),
    ],
)
def test_refused(head: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read(head)


def test_what_only_gliner2_reads_is_written_again() -> None:
    told = {
        "max_len": 700,
        "boundary_head": {
            "overlap_policy": "longest",
            "adaptive_threshold": True,
            "max_gold_per_query": 9,
        },
    }
    written = BoundaryConfig.from_dict(told).to_dict()
    assert (written["max_len"], written["boundary_head"]["max_gold_per_query"]) == (700, 9)
    assert written["boundary_head"]["overlap_policy"] == "longest"
    assert written["boundary_head"]["enable_records"] is False  # as it was read
