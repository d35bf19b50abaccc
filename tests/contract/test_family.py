"""What holds for every family and every backend: the same text gives the same answer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from onepass import Extractor
from onepass.errors import BackendError, CheckpointError
from onepass.models.registry import FAMILIES
from onepass.results.types import Extraction
from tests.contract.checkpoints import (
    BACKENDS,
    CHECKPOINTS,
    Facts,
    Opened,
    assert_same,
    damage,
    everything,
    facts,
    finds_records,
    relates,
    saved_weights,
    writes_names,
)
from tests.contract.classifiers import CLASSIFIERS

TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "it is not great, a bad place",
    "Tim",
    "",
    "The price is 9 red, blue and green things! Tim works for Apple in Rome; and Cook in Paris?",
    "Great. " * 30,
]


def read(model: Extractor, texts: list[str], threshold: float | None = None) -> list[Extraction]:
    return model.extract(texts, everything(model), threshold=threshold)


def test_every_family_is_here() -> None:
    """Or in the contract of those that only classify."""
    kinds = (*CHECKPOINTS.values(), *CLASSIFIERS.values())
    assert {kind.family for kind in kinds} == set(FAMILIES)


def test_a_comparison_of_nothing_would_always_hold(model: Extractor) -> None:
    found: Facts = {}
    for doc in read(model, TEXTS):
        assert doc.classifications["tone"].labels
        found |= facts(doc)
    assert any(key[0] == "entity" for key in found)
    assert any(key[0] == "product" for key in found) == finds_records(model)
    assert any(key[0] in ("works for", "in") for key in found) == relates(model)
    assert any(key[0] == "name" for key in found) == writes_names(model)
    assert any(key[:2] == ("color", "chosen") for key in found)
    assert np.std([score for key, score in found.items() if key[0] != "name"]) > 0.05


def test_family_backend_and_name(checkpoint: str, opened: Opened) -> None:
    for backend in CHECKPOINTS[checkpoint].backends:
        model = opened[checkpoint][backend]
        assert model.family == CHECKPOINTS[checkpoint].family
        assert (model.backend, model.precision) == (backend, "fp32")
        assert Path(model.name).name == checkpoint
        assert model.max_pieces >= 512


def test_a_backend_that_does_not_run_it_is_refused(checkpoint: str, opened: Opened) -> None:
    kind = CHECKPOINTS[checkpoint]
    (first, *_) = opened[checkpoint].values()
    for backend in set(BACKENDS) - set(kind.backends):
        with pytest.raises(BackendError, match=f"open it with backend='{kind.backends[0]}'"):
            Extractor.from_pretrained(first.name, backend=backend)


@pytest.mark.parametrize("threshold", [0.2, None, 0.8])
def test_torch_equals_onnx(exported: str, opened: Opened, threshold: float | None) -> None:
    by_backend = [read(opened[exported][backend], TEXTS, threshold) for backend in BACKENDS]
    for one, other in zip(*by_backend, strict=True):
        assert_same(one, other, tolerance=1e-4)


def test_openvino_equals_onnx(exported: str, opened: Opened) -> None:
    by_backend = [
        read(model, TEXTS) for model in (opened.openvino(exported), opened[exported]["onnx"])
    ]
    for one, other in zip(*by_backend, strict=True):
        assert_same(one, other, tolerance=1e-4)


def test_batch_equals_single(model: Extractor) -> None:
    for text, doc in zip(TEXTS, read(model, TEXTS), strict=True):
        assert_same(model.extract(text, everything(model)), doc)


def test_padding_changes_nothing(model: Extractor) -> None:
    short, long = "Tim Cook runs Apple.", "Tim works for Apple in Rome and Paris. " * 8
    alone = model.extract(short, everything(model))
    beside, _ = read(model, [short, long])
    assert_same(beside, alone)


def test_the_order_of_texts_changes_nothing(model: Extractor) -> None:
    forward = read(model, TEXTS)
    for one, other in zip(reversed(read(model, TEXTS[::-1])), forward, strict=True):
        assert_same(one, other)


def test_a_second_run_says_exactly_the_same(model: Extractor) -> None:
    assert [doc.to_dict() for doc in read(model, TEXTS)] == [
        doc.to_dict() for doc in read(model, TEXTS)
    ]


def test_threads_get_what_one_gets(model: Extractor) -> None:
    expected = read(model, TEXTS)
    jobs = [number % len(TEXTS) for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        docs = list(pool.map(lambda number: model.extract(TEXTS[number], everything(model)), jobs))
    for number, doc in zip(jobs, docs, strict=True):
        assert_same(doc, expected[number])


def test_a_stream_is_lazy_and_in_order(reader: Extractor) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield f"tim {number}"

    docs = reader.stream(texts(), {"entities": ["person"]})
    assert taken == 0
    for number in range(300):
        assert next(docs).text == f"tim {number}"
        assert taken <= number + 256
    assert taken == 1 + 4 + 16 + 64 + 256  # groups grow: nobody waits long for the first


def test_a_stream_holds_few_characters(model: Extractor) -> None:
    taken = []

    def texts() -> Iterator[str]:
        for text in ("tim", "cook" + " " * 200_000, "runs"):
            taken.append(len(text))
            yield text

    docs = model.stream(texts(), {"classifications": {"tone": ["calm", "angry"]}})
    assert next(docs).text == "tim"
    assert len(taken) == 1
    assert next(docs).text.startswith("cook")
    assert len(taken) == 2  # the third is not taken before the long one is answered


def test_a_saved_checkpoint_is_the_same(checkpoint: str, opened: Opened, tmp_path: Path) -> None:
    source = Path(opened[checkpoint]["torch"].name)
    saved = tmp_path / checkpoint
    CHECKPOINTS[checkpoint].resave(source, saved)
    before, after = saved_weights(source), saved_weights(saved)
    unused = {name for name in before if name.startswith(CHECKPOINTS[checkpoint].unused)}
    assert set(before) - unused == set(after)
    for name, values in after.items():
        np.testing.assert_array_equal(before[name], values)
    again = Extractor.from_pretrained(saved, backend="torch")
    for one, other in zip(
        read(again, TEXTS), read(opened[checkpoint]["torch"], TEXTS), strict=True
    ):
        assert one.to_dict() == other.to_dict()


def test_weights_that_are_no_numbers_give_an_error(
    checkpoint: str, opened: Opened, tmp_path: Path
) -> None:
    source = Path(opened[checkpoint]["torch"].name)
    damaged = shutil.copytree(source, tmp_path / checkpoint, ignore=shutil.ignore_patterns("onnx"))
    damage(damaged)
    model = Extractor.from_pretrained(damaged, backend="torch")
    with pytest.raises(CheckpointError, match="computes scores that are no numbers"):
        read(model, TEXTS)


def test_the_reference_library_loads_it(checkpoint: str, opened: Opened) -> None:
    load = CHECKPOINTS[checkpoint].reference
    if load is None:
        pytest.skip("this family has no reference library")
    pytest.importorskip(CHECKPOINTS[checkpoint].family)
    directory = Path(opened[checkpoint]["torch"].name)
    state = load(directory).state_dict()
    saved = saved_weights(directory)
    assert set(state) == set(saved)
    for name, values in saved.items():
        np.testing.assert_array_equal(state[name].numpy(), values)


def test_graphs_are_exported_once(exported: str, opened: Opened) -> None:
    model = opened[exported]["onnx"]
    exports = sorted(Path(os.environ["ONEPASS_CACHE"]).rglob("*.onnx"))
    times = [path.stat().st_mtime_ns for path in exports]
    Extractor.from_pretrained(model.name, backend="onnx")
    assert [path.stat().st_mtime_ns for path in exports] == times
    assert sorted(Path(os.environ["ONEPASS_CACHE"]).rglob("*.onnx")) == exports
