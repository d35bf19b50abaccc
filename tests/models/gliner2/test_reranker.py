"""Checkpoints that score candidates for values of records once more: a variant of our own."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gliner2 import GLiNER2
from safetensors.torch import load_file
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor, Schema
from onepass.errors import CheckpointError
from onepass.evaluation.records import asked_values
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.export import export_checkpoint
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.reranker import Reranker
from onepass.models.gliner2.rivals import packed, rivals
from onepass.models.inspect import inspect_checkpoint
from onepass.results.types import Extraction
from onepass.training.gliner2 import Gliner2Trainee

SCHEMA = (
    Schema()
    .entities(["person"])
    .structure("trip", ["who::str", "where", "kind::[short|long]"])
    .structure("choice", ["kind::[a|b]"])
    .relations(["in"])
)
TEXTS = ["Tim Cook runs Apple in Paris and Rome.", "", "Apple in Paris. Tim Cook in Rome. " * 3]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_tiny_checkpoint(tmp_path_factory.mktemp("reranking"), reranker=True)
    (directory / "onepass.json").write_text('{"least_records": 2, "spare_instances": 1}')
    export_checkpoint(locate(directory))
    return directory


@pytest.fixture(scope="module")
def network() -> Reranker:
    torch.manual_seed(3)
    reranker = Reranker()
    for parameter in reranker.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return reranker.eval()


def values(docs: list[Extraction]) -> list[tuple[str, str, str, float]]:
    return [
        (name, field, value.text, value.score)
        for doc in docs
        for name, rows in doc.records.items()
        for row in rows
        for field, value in asked_values(row, ("who", "where", "kind"))
    ]


def some(seed: int, shape: tuple[int, int, int, int] = (2, 3, 9, 3)) -> dict[str, torch.Tensor]:
    logits = np.random.default_rng(seed).normal(-2, 2, shape).astype(np.float32)
    fields = np.ones(shape[1], dtype=bool)
    found = rivals(logits, np.arange(shape[2]), fields, np.zeros(shape[1], np.int64))
    return {name: torch.from_numpy(array) for name, array in packed([found]).items()}


def test_padding_and_order_change_nothing(network: Reranker) -> None:
    one = some(1)
    count = one["mask"].shape[1]
    with torch.no_grad():
        plain = network(**one)
        longer = {name: torch.cat([a, a[:, :5]], dim=1) for name, a in one.items()}
        longer["mask"][:, count:] = 0
        torch.testing.assert_close(network(**longer)[:, :count], plain, atol=1e-5, rtol=1e-5)
        order = torch.randperm(count)
        moved = network(**{name: array[:, order] for name, array in one.items()})
        torch.testing.assert_close(moved, plain[:, order], atol=1e-5, rtol=1e-5)


def test_candidates_are_seen_in_view_of_each_other(network: Reranker) -> None:
    one = some(2)
    with torch.no_grad():
        before = network(**one)
        one["scores"][0, 1, 0] += 3.0
        after = network(**one)
    assert (before - after).abs()[0, 0] > 1e-4


def test_a_new_one_leaves_scores_as_they_are() -> None:
    one = some(3)
    torch.testing.assert_close(Reranker()(**one), one["scores"][..., 0])


def test_values_and_pairs_alone_are_scored_anew(checkpoint: Path, tmp_path: Path) -> None:
    network = load_network(checkpoint)
    plain = Gliner2Network(
        replace(network.config, reranker=False),
        read_json(checkpoint / "encoder_config/config.json"),
    )
    plain.load_state_dict({n: t for n, t in network.state_dict().items() if "reranker" not in n})
    save_network(
        plain, tmp_path, tokenizer_from=checkpoint,
        encoder_config=read_json(checkpoint / "encoder_config/config.json"),
    )  # fmt: skip
    shutil.copyfile(checkpoint / "onepass.json", tmp_path / "onepass.json")
    found, before = (
        Extractor.from_pretrained(directory, backend="torch").extract(TEXTS, SCHEMA, threshold=0.0)
        for directory in (checkpoint, tmp_path)
    )
    assert [doc.entities for doc in found] == [doc.entities for doc in before]
    assert [doc.relations for doc in found] != [doc.relations for doc in before]
    first, second = values(found), values(before)
    assert first
    assert [one for one in first if one[0] == "trip"] != [one for one in second if one[0] == "trip"]
    # Choices have no spans to be scored anew; those of a trip go with its records.
    only = [[one for one in found if one[0] == "choice"] for found in (first, second)]
    assert only[0] == only[1] != []


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_graphs_and_network_agree_and_batches_do_too(checkpoint: Path, backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    network, graphs = (
        Extractor.from_pretrained(checkpoint, backend=one, precision="fp32")
        for one in ("torch", backend)
    )
    wanted = values(network.extract(TEXTS, SCHEMA, threshold=0.0))
    for found in (
        values(graphs.extract(TEXTS, SCHEMA, threshold=0.0)),
        values([graphs.extract(text, SCHEMA, threshold=0.0) for text in TEXTS]),
    ):
        assert [one[:3] for one in found] == [one[:3] for one in wanted]
        np.testing.assert_allclose([o[3] for o in found], [o[3] for o in wanted], atol=1e-5)


def test_other_libraries_open_the_rest(checkpoint: Path) -> None:
    published, own = (
        load_file(checkpoint / name) for name in ("model.safetensors", "onepass.safetensors")
    )
    assert own
    assert all(name.startswith("onepass.reranker.") for name in own)
    assert not any(name.startswith("onepass.") for name in published)
    model = GLiNER2.from_pretrained(str(checkpoint))
    assert set(model.extract_entities(TEXTS[0], ["person"])["entities"]) == {"person"}


def test_without_its_weights_it_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "half")
    (tmp_path / "half/onepass.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"onepass\.reranker"):
        load_network(tmp_path / "half")
    assert inspect_checkpoint(locate(tmp_path / "half")).problems


def test_it_says_so_and_stays_through_training(checkpoint: Path, tmp_path: Path) -> None:
    assert Gliner2Config.from_dict(Gliner2Config("x", reranker=True).to_dict()).reranker
    assert "reranker" not in Gliner2Config("x").to_dict()
    told = inspect_checkpoint(locate(checkpoint))
    assert told.problems == ()
    assert told.architecture.endswith(", reranker")
    trainee = Gliner2Trainee(checkpoint)
    assert not any(own.requires_grad for own in trainee.network.reranker.parameters())
    trainee.save(tmp_path / "again")
    before, after = load_network(checkpoint), load_network(tmp_path / "again")
    assert before.state_dict().keys() == after.state_dict().keys()
    (tmp_path / "again/config.json").write_text(
        json.dumps(before.config.to_dict() | {"reranker": "yes"})
    )
    with pytest.raises(CheckpointError, match="reranker of this GLiNER2 checkpoint must be true"):
        load_network(tmp_path / "again")
