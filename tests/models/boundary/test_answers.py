"""What a boundary checkpoint answers, beyond what holds for every family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from tests.boundary_checkpoints import SHARED, SMALL, make_boundary

from onepass import Extractor, Schema
from onepass.errors import CheckpointError, SchemaError

TEXT = "Tim Cook runs Apple in Paris; the price of 9 red things is not bad."


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    directory = tmp_path_factory.mktemp("boundary") / "shared"
    return Extractor.from_pretrained(make_boundary(directory, seed=21), backend="torch")


def test_a_span_may_have_any_length(shared: Extractor) -> None:
    doc = shared.extract(TEXT, {"entities": ["person"]}, threshold=0.0, overlap="all")
    assert max(len(entity.text.split()) for entity in doc.entities) > 12


def test_a_label_that_says_there_is_nothing_has_no_spans(tmp_path: Path) -> None:
    directory = make_boundary(tmp_path / "own", seed=21)
    weights = load_file(directory / "model.safetensors")
    weights["boundary_head.null_projection.bias"][...] = 50
    save_file(weights, directory / "model.safetensors")
    model = Extractor.from_pretrained(directory, backend="torch")
    schema = Schema().entities(["person"]).structure("product", ["name", "price"])
    doc = model.extract(TEXT, schema, threshold=0.0)
    assert not doc.entities
    assert doc.records["product"]  # only entities abstain, as in gliner2


@pytest.mark.parametrize("rules", [{}, {"max_tails": 30}])
def test_no_pair_repeats_a_better_one(shared: Extractor, rules: dict[str, Any]) -> None:
    schema = Schema().relations({"works for": rules} if rules else ["works for"])
    doc = shared.extract(TEXT, schema, threshold=0.0)
    pairs = [(r.head, r.tail) for r in doc.relations]
    for i, (head, tail) in enumerate(pairs):
        for other, end in pairs[:i]:
            heads = head.start < other.end and other.start < head.end
            assert not (heads and tail.start < end.end and end.start < tail.end)
    assert len(pairs) > 3


def test_a_structure_of_choices_alone_is_one_record(shared: Extractor) -> None:
    schema = Schema().structure("product", ["size::[small|large]::str", "color::[red|blue]::list"])
    (record,) = shared.extract(TEXT, schema, threshold=0.0).records["product"]
    assert record["size"].text in ("small", "large")
    assert {one.text for one in record["color"]} == {"red", "blue"}


def test_no_value_of_another_record_is_repeated_at_a_threshold_of_zero(shared: Extractor) -> None:
    schema = Schema().structure("product", ["name::str", "price", "color::str"])
    found = shared.extract(TEXT, schema, threshold=0.0).records["product"]
    assert len(found) > 1
    assert {len(record["price"]) for record in found} >= {0, 4}
    for record in found:
        for value in (*record["price"], *filter(None, (record["name"], record["color"]))):
            assert value.score > 0


def test_fields_with_rules(shared: Extractor) -> None:
    schema = Schema().structure(
        "thing", ["name::str", {"name": "number", "dtype": "str", "pattern": r"^\d+$"}]
    )
    for record in shared.extract(TEXT, schema, threshold=0.0).records["thing"]:
        assert record["number"] is None or record["number"].text == "9"


@pytest.mark.parametrize(
    ("off", "schema"),
    [
        ("records", Schema().structure("product", ["name"])),
        ("relations", Schema().relations(["works for"])),
    ],
)
def test_what_a_checkpoint_has_no_head_for_is_refused(
    tmp_path: Path, off: str, schema: Schema
) -> None:
    directory = make_boundary(tmp_path / "own", head=SMALL | {f"enable_{off}": False})
    model = Extractor.from_pretrained(directory, backend="torch")
    with pytest.raises(SchemaError, match=f"has no head for {off} .*leave the {off} out"):
        model.extract(TEXT, schema)
    assert model.extract(TEXT, {"entities": ["person"]}) is not None


def test_weights_of_another_configuration_are_refused(tmp_path: Path) -> None:
    directory = make_boundary(tmp_path / "own")
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    config["boundary_head"] = SHARED | {"boundary_dim": 8}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match="another shape than the configuration says"):
        Extractor.from_pretrained(directory, backend="torch")


def test_nothing_beside_the_text_takes_part_in_records(shared: Extractor) -> None:
    """Neither the words of choices before it, nor the full stop that is added to it."""
    fields = ["name::str", "price::str", "color::[red|blue]::str"]
    schema = Schema().structure("product", fields).relations(["works for"])
    found = [
        record
        for text in (TEXT, TEXT.rstrip("."), "Tim Cook")
        for record in shared.extract(text, schema, threshold=0.05).records["product"]
    ]
    assert len(found) > 3
    assert all(record["name"] is not None for record in found)


@pytest.mark.parametrize(
    "weight",
    [
        "record_decoder.inst_proj.weight", "relation_scorer.mlp.0.weight",
        "boundary_head.null_projection.weight", "boundary_head.shared_pool_scorer.film.weight",
        "boundary_head.boundary_query_head.inside_query_projection.weight",
    ],
)  # fmt: skip
def test_damaged_weights_are_seen_in_every_head(tmp_path: Path, weight: str) -> None:
    directory = make_boundary(tmp_path / "own", seed=21)
    weights = load_file(directory / "model.safetensors")
    weights[weight][...] = float("nan")
    save_file(weights, directory / "model.safetensors")
    model = Extractor.from_pretrained(directory, backend="torch")
    schema = Schema().entities(["a"]).structure("b", ["c", "d"]).relations(["e"])
    with pytest.raises(CheckpointError, match="scores that are no numbers"):
        model.extract(TEXT, schema, threshold=0.0)


def test_choices_are_calibrated_by_themselves(tmp_path: Path) -> None:
    directory = make_boundary(tmp_path / "own", seed=21)
    schema = Schema().structure("product", ["size::[small|large]::list"])
    plain = Extractor.from_pretrained(directory, backend="torch")
    before = plain.extract(TEXT, schema, threshold=0)
    kept = {"calibration": {"choices": {"scale": 1.0, "shift": -30.0}}}
    (directory / "onepass.json").write_text(json.dumps(kept), encoding="utf-8")
    own = Extractor.from_pretrained(directory, backend="torch")
    after = own.extract(TEXT, schema, threshold=0)
    scores = [
        [value.score for value in doc.records["product"][0]["size"]] for doc in (before, after)
    ]
    assert min(scores[0]) > 1e-6 > 1e-9 > max(scores[1])
