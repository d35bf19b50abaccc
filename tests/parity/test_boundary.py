"""Our answers on gliner2's own random boundary checkpoints are gliner2's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

gliner2 = pytest.importorskip("gliner2")

from gliner2 import BoundaryExtractor  # noqa: E402
from gliner2.configuration import ExtractorConfig  # noqa: E402

from onepass import Extractor, Schema  # noqa: E402
from onepass.models.boundary import decode, records  # noqa: E402
from onepass.models.boundary.config import Head  # noqa: E402
from onepass.models.boundary.network.spans import Content  # noqa: E402
from onepass.models.gliner2 import decode as gliner2_decode  # noqa: E402
from tests.boundary_checkpoints import EACH, SHARED, SMALL  # noqa: E402
from tests.parity.opened import Models  # noqa: E402
from tests.parity.reference import encoder_config, tokenizer  # noqa: E402

TEXTS = [
    "Tim Cook runs Apple in Cupertino .",
    "The iphone costs 999 dollars and Galaxy is great!",
    "it does not work ? Tim, by the city.",
    "Apple.",
    "Is size large or small ? Blue and red and green products; the price is 12.50 for "
    "description (a), 99 for (b) - and nothing for (c). Tim works for a company in the city, "
    "Cook works for Apple: news, sports and topic. Great!",
]
FEW = {"pool_boundary_top_k": 10, "pool_size": 40, "min_pool_per_query": 3}
CHECKPOINTS: dict[str, dict[str, Any]] = {
    "published": {"head": SHARED},
    "few": {
        "head": SHARED | FEW | {"content_soft_max_pool": True},
        "backbone": "deberta-v3", "seed": 1,
    },
    "default": {"head": SMALL, "backbone": "modernbert"},
    "attention": {"head": SMALL | FEW | {"candidate_pool": "shared"}},
    "each": {
        "head": EACH
        | {"candidate_budget": 24, "boundary_attention_window": 3},
        "seed": 1,
    },
    "growing": {
        "head": EACH
        | {"start_top_k": 2, "end_top_k": 2, "boundary_top_k_alpha": 0.2, "ends_per_start": 3},
        "seed": 1,
    },
    "plain": {
        "head": SMALL
        | {
            "use_inside_evidence": False, "enable_abstention": False, "enable_count_head": False,
            "reranker_endpoint_compat": False, "bidirectional_proposals": False, "dropout": 0.0,
            "pair_temperature": 1.7, "relation_temperature": 0.8, "classification_temperature": 2.0,
        }
    },
}  # fmt: skip
TOLERANCE = 1e-4


def make(
    directory: Path, head: dict[str, Any], backbone: str = "bert", seed: int = 0
) -> BoundaryExtractor:
    """Make a random checkpoint with gliner2, save it with gliner2, and return its model."""
    torch.manual_seed(seed)
    own = tokenizer()
    config = ExtractorConfig(model_name=backbone, architecture="boundary", boundary_head=head)
    model = BoundaryExtractor(config, encoder_config(backbone, len(own)), own)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.2, generator=generator)
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    model.eval().save_pretrained(str(directory))
    return model


Both = tuple[BoundaryExtractor, Models]


@pytest.fixture(scope="module", params=CHECKPOINTS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A checkpoint as gliner2 and as we run it."""
    directory = tmp_path_factory.mktemp("boundary") / request.param
    return make(directory, **CHECKPOINTS[request.param]), Models(directory)


@pytest.fixture(params=["torch", "onnx"])
def ours(request: pytest.FixtureRequest, both: Both) -> Extractor:
    return both[1][request.param]


@pytest.mark.parametrize("spread", [1.0, 3.0, 6.0, 15.0])
def test_the_smooth_maximum_of_contents_that_lie_far_apart(spread: float) -> None:
    """gliner2 takes it from sums over all that stands in front, which lose small parts."""
    from gliner2.models.boundary.content import SpanContentPooler

    torch.manual_seed(0)
    head = Head(content=True, content_size=16, content_maximum=True)
    ours, theirs = Content(64, head), SpanContentPooler(64, 16, 0.0, True)
    theirs.value_projection.load_state_dict(ours.value.state_dict())
    words, lengths = torch.randn(3, 200, 64) * spread, torch.tensor([200, 120, 0])
    starts = torch.randint(0, 110, (3, 100)) * (lengths > 0)[:, None]
    ends = starts + torch.randint(1, 6, (3, 100)) * (lengths > 0)[:, None]
    with torch.no_grad():
        got = ours(words, lengths, starts, ends)
        real = torch.arange(200) < lengths[:, None]
        prefix = theirs.build_prefix(words, real)
        expected = theirs.pool(*prefix, starts, ends, torch.float32)
    apart = (got - expected)[:2].abs()
    assert apart.mean() < 0.01
    assert apart.max() < 0.3
    assert got.isfinite().all()


Facts = dict[tuple[Any, ...], float]


def assert_close(got: Facts, expected: Facts) -> None:
    assert set(got) == set(expected)
    for key, score in expected.items():
        assert got[key] == pytest.approx(score, abs=TOLERANCE), key


def test_entities(both: Both, ours: Extractor) -> None:
    labels, found = {"person": "by the name", "company": "legal firm"}, 0
    for text in TEXTS:
        out = both[0].extract_entities(
            text, labels, threshold=0.2, include_confidence=True, include_spans=True,
            overlap_policy="allow",
        )["entities"]  # fmt: skip
        doc = ours.extract(text, Schema().entities(labels), threshold=0.2, overlap="all")
        expected = {(n, e["start"], e["end"]): e["confidence"] for n in out for e in out[n]}
        assert_close({(e.label, e.start, e.end): e.score for e in doc.entities}, expected)
        found += len(expected)
    assert found  # of few labels where most say that there is nothing


def test_classes(both: Both, ours: Extractor) -> None:
    for text in TEXTS:
        task = {"topic": {"labels": ["sports", "news", "city"], "multi_label": True}}
        task["topic"]["cls_threshold"] = 0.0  # type: ignore[assignment]
        out = both[0].classify_text(text, task, include_confidence=True)["topic"]
        schema = Schema().classification("topic", ["sports", "news", "city"], multi_label=True)
        got = ours.extract(text, schema).classifications["topic"].scores
        assert_close(
            {(name,): score for name, score in got.items()},
            {(one["label"],): one["confidence"] for one in out},
        )


def test_relations(both: Both, ours: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what either does to pairs that repeat each other."""
    monkeypatch.setattr(both[0], "_deduplicate_relation_edges", lambda edges: edges)
    monkeypatch.setattr(decode, "_apart", list)
    found = 0
    for text in TEXTS:
        out = both[0].extract_relations(
            text, ["works for", "located"], threshold=0.01, include_confidence=True,
            include_spans=True,
        )["relation_extraction"]  # fmt: skip
        expected = {
            (
                kind, pair["head"]["start"], pair["head"]["end"],
                pair["tail"]["start"], pair["tail"]["end"],
            ): pair["confidence"]
            for kind, pairs in out.items()
            for pair in pairs
        }  # fmt: skip
        doc = ours.extract(text, Schema().relations(["works for", "located"]), threshold=0.01)
        got = {
            (r.type, r.head.start, r.head.end, r.tail.start, r.tail.end): r.score
            for r in doc.relations
        }
        assert_close(got, expected)
        found += len(expected)
    assert found > 20


def test_records(both: Both, ours: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    """With records of spans that overlap, which gliner2 leaves and we do not; single values."""
    monkeypatch.setattr(records, "resolve_overlaps", lambda found, policy: found)
    found = 0
    for text in TEXTS:
        schema = both[0].create_schema()
        structure = schema.structure("product", mode="natural", anchor="name")
        for name in ("name", "price", "color"):
            structure.field(name, dtype="str", cardinality="optional_one", exclusive=True)
        out = both[0].extract(
            text, schema, threshold=0.2, include_confidence=True, include_spans=True
        )
        expected = {
            (record["name"]["start"], record["name"]["end"], name, one["start"], one["end"]):
            one["confidence"]
            for record in out.get("product", [])
            for name in ("name", "price", "color")
            if (one := record[name]) is not None
        }  # fmt: skip
        fields = ["name::str", "price::str", "color::str"]
        doc = ours.extract(text, Schema().structure("product", fields), threshold=0.2)
        got = {}
        for record in doc.records["product"]:
            name = record["name"]
            held = {key: one for key, one in record.items() if one is not None}
            got |= {(name.start, name.end, k, v.start, v.end): v.score for k, v in held.items()}
        assert_close(got, expected)
        found += len(expected)
    assert found > 20


def test_lists_of_records(both: Both, ours: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise, with values that overlap."""
    for module in (records, gliner2_decode):
        monkeypatch.setattr(module, "resolve_overlaps", lambda found, policy: found)
    found = 0
    for text in TEXTS:
        schema = both[0].create_schema()
        structure = schema.structure("product", mode="natural", anchor="name")
        structure.field("name", dtype="str", cardinality="optional_one")
        for name in ("price", "color"):
            structure.field(name, dtype="list", cardinality="zero_or_more", exclusive=True)
        out = both[0].extract(
            text, schema, threshold=0.2, include_confidence=True, include_spans=True,
            overlap_policy="allow",
        )  # fmt: skip
        expected = {
            (record["name"]["start"], record["name"]["end"], name, one["start"], one["end"]):
            one["confidence"]
            for record in out.get("product", [])
            if record["name"] is not None
            for name in ("price", "color")
            for one in record[name]
        }  # fmt: skip
        fields = ["name::str", "price::list", "color::list"]
        doc = ours.extract(text, Schema().structure("product", fields), threshold=0.2)
        got = {
            (record["name"].start, record["name"].end, name, one.start, one.end): one.score
            for record in doc.records["product"]
            for name in ("price", "color")
            for one in record[name]
        }
        assert_close(got, expected)
        found += len(expected)
    assert found > 20
