"""A batch is scored as its readings are one by one, and only the heads that are asked run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.contract.checkpoints import gliner2

from onepass import Schema
from onepass.arrays import Array
from onepass.backends.torch import TorchBackend
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.encode import Reading, collate
from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.gliner2.instances import Instances
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.prompt import Kind, all_groups, encode_prompt
from onepass.models.gliner2.score import ReadingScores, score
from onepass.models.gliner2.text import read_text, read_window
from onepass.text.windows import Window

SCHEMAS = {
    "entities": Schema().entities(["person", "place", "company"]),
    "classes": Schema().classification("tone", ["calm", "angry"]).classification("is", ["bad"]),
    "structures": Schema()
    .structure("product", ["color::[red|blue]", "name", "price"])
    .structure("place", ["name"]),
    "relations": Schema().relations(["in", "works for"]),
    "all": Schema()
    .entities(["person"])
    .classification("tone", ["calm", "angry", "great"])
    .structure("product", ["name::str", "color::[red|blue]"])
    .relations(["in"]),
}
TEXTS = ["Tim Cook runs Apple in Paris.", "", "it is not great! " * 9]


class Recorder:
    """A torch backend that notes which graphs run."""

    name, precision = "torch", "fp32"

    def __init__(self, network: Gliner2Network) -> None:
        self._inner = TorchBackend(network.graphs(), GRAPHS)
        self.ran: list[str] = []

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        self.ran.append(graph)
        return self._inner.run(graph, inputs)


@pytest.fixture(scope="module", params=["count_lstm", "count_lstm_v2", "count_lstm_moe"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint")
    gliner2("bert", request.param, seed=5, absent=True).make(directory)
    return directory


@pytest.fixture(scope="module")
def network(checkpoint: Path) -> Gliner2Network:
    return load_network(checkpoint)


@pytest.fixture(scope="module")
def readings(checkpoint: Path) -> list[Reading]:
    tokenizer = PieceTokenizer(checkpoint / "tokenizer.json")
    made = []
    for schema in SCHEMAS.values():
        prompt = encode_prompt(schema, all_groups(schema), tokenizer)
        for text in TEXTS:
            read = read_text(text, tokenizer, max_word_pieces=50)
            made.append(read_window(prompt, read, Window(0, len(read.words))))
    return made


def run(network: Gliner2Network, readings: list[Reading]) -> list[ReadingScores]:
    return score(collate(readings), Recorder(network))


def assert_equal(one: ReadingScores, other: ReadingScores) -> None:
    assert set(one.classes) == set(other.classes)
    for group, values in one.classes.items():
        np.testing.assert_allclose(values, other.classes[group], atol=1e-4)
    assert set(one.spans) == set(other.spans)
    for group, spans in one.spans.items():
        logits = other.spans[group].logits
        assert spans.count == other.spans[group].count
        assert (spans.logits is None) == (logits is None)
        if spans.logits is None or logits is None:
            continue
        assert spans.logits.shape == logits.shape
        words, width = logits.shape[2:]
        inside = np.arange(words)[:, None] + np.arange(width) < words  # spans that do not pass it
        np.testing.assert_allclose(spans.logits[:, :, inside], logits[:, :, inside], atol=1e-4)


def test_a_batch_is_scored_as_its_readings(
    network: Gliner2Network, readings: list[Reading]
) -> None:
    together = run(network, readings)
    counts = {spans.count for scores in together for spans in scores.spans.values()}
    assert len(counts) > 2  # absent, once, several times
    for reading, scores in zip(readings, together, strict=True):
        assert_equal(run(network, [reading])[0], scores)


def test_what_stays_on_a_device_is_scored_the_same(
    network: Gliner2Network, readings: list[Reading]
) -> None:
    kept = score(collate(readings), TorchBackend(network.graphs(), GRAPHS, keep=True))
    for one, other in zip(run(network, readings), kept, strict=True):
        assert_equal(one, other)


def test_spare_instances_come_behind_those_that_are_expected(
    network: Gliner2Network, readings: list[Reading]
) -> None:
    plain = run(network, readings)
    more = score(collate(readings), Recorder(network), Instances(spare=2))
    seen = 0
    for reading, one, other in zip(readings, plain, more, strict=True):
        for group, spans in one.spans.items():
            wide = other.spans[group]
            if spans.logits is None or reading.prompt.groups[group].kind is Kind.ENTITIES:
                assert (wide.count, wide.spare) == (spans.count, False)
                continue
            assert (wide.count, wide.spare) == (min(spans.count + 2, 19), True)
            assert wide.logits is not None
            words, width = spans.logits.shape[2:]
            inside = np.arange(words)[:, None] + np.arange(width) < words
            np.testing.assert_allclose(
                wide.logits[: spans.count, :, inside], spans.logits[:, :, inside], atol=1e-4
            )
            seen += 1
    assert seen > 5


def test_scores_are_the_heads_own(network: Gliner2Network, readings: list[Reading]) -> None:
    """Follow one reading through the network without the program."""
    for reading in readings:
        batch = collate([reading])
        arrays = (batch.ids, batch.mask, batch.words, batch.markers)
        with torch.inference_mode():
            words, markers = network.encode(*map(torch.from_numpy, arrays))
            (scores,) = run(network, [reading])
            column = 0
            for number, group in enumerate(reading.prompt.groups):
                parent, items = column, slice(column + 1, column + 1 + len(group.items))
                column = items.stop
                if group.kind is Kind.CLASSES:
                    expected = network.classify(markers[0, items])
                    np.testing.assert_allclose(scores.classes[number], expected, atol=1e-5)
                    continue
                count = int(network.count(markers[:, parent]).argmax())
                if count == 0:
                    assert scores.spans[number].logits is None
                    continue
                steps = 1 if group.kind is Kind.ENTITIES else count
                queries = network.occurrences(
                    markers[:, items],
                    torch.ones(1, len(group.items), dtype=torch.int64),
                    torch.arange(steps),
                )[0]
                assert scores.spans[number].count == steps
                logits = scores.spans[number].logits
                assert logits is not None
                for step in range(steps):
                    expected = network.span_head(words, queries[step][None])[0]
                    np.testing.assert_allclose(logits[step], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "graphs"),
    [("classes", {"encode", "classify"}), ("entities", {"encode", "count", "queries", "spans"})],
)
def test_only_what_is_asked_runs(
    network: Gliner2Network, readings: list[Reading], name: str, graphs: set[str]
) -> None:
    backend = Recorder(network)
    first = list(SCHEMAS).index(name) * len(TEXTS)
    score(collate(readings[first : first + len(TEXTS)]), backend)
    assert set(backend.ran) <= graphs
    assert backend.ran.count("encode") == 1


def test_nothing_there_means_no_spans(network: Gliner2Network, readings: list[Reading]) -> None:
    bias = network.count_head.last.bias
    before = bias.detach().clone()
    try:
        with torch.no_grad():
            bias[0] += 1_000
        backend = Recorder(network)
        for scores in score(collate(readings), backend):
            assert all(s.count == 0 and s.logits is None for s in scores.spans.values())
        assert set(backend.ran) == {"encode", "count", "classify"}
    finally:
        with torch.no_grad():
            bias.copy_(before)


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (Kind.RELATION, Instances(least_pairs=1)),
        (Kind.STRUCTURE, Instances(least_records=9)),  # more than any count of these texts
    ],
)
def test_some_are_looked_for_where_fewer_are_predicted(
    network: Gliner2Network, readings: list[Reading], kind: Kind, least: Instances
) -> None:
    plain = run(network, readings)
    more = score(collate(readings), Recorder(network), least)
    number = max(least.least_pairs, least.least_records)
    added = 0
    for reading, one, other in zip(readings, plain, more, strict=True):
        for group, spans in one.spans.items():
            is_asked = reading.prompt.groups[group].kind is kind
            assert other.spans[group].count == max(spans.count, number if is_asked else 0)
            added += other.spans[group].count > spans.count
    assert added > 0


def test_queries_of_zeros_are_scored_like_others(
    network: Gliner2Network, readings: list[Reading]
) -> None:
    class Zeros(Recorder):
        def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
            outs = super().run(graph, inputs)
            return tuple(map(np.zeros_like, outs)) if graph == "queries" else outs

    expected = run(network, readings)
    for scores, other in zip(score(collate(readings), Zeros(network)), expected, strict=True):
        assert scores.spans.keys() == other.spans.keys()
