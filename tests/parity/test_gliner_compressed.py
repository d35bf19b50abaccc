"""Labels that are compressed into a checkpoint: our answers are gliner's before it saved them.

Its library drops their vectors when it loads what it saved, and finds nothing from then on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gliner")

import torch
from gliner import GLiNER
from safetensors.torch import load_file

from onepass import Extractor, Schema
from onepass.errors import CheckpointError, InputError, SchemaError
from onepass.hub import locate
from onepass.hub.checkpoint import WEIGHTS
from onepass.hub.files import read_json
from onepass.models.gliner.network.checkpoint import load_network, save_network
from onepass.models.inspect import inspect_checkpoint
from onepass.results.types import Extraction
from onepass.training.families import open_trainee
from tests.gliner_checkpoints import KINDS, TEXTS, make_reference
from tests.parity.opened import Models

LABELS = ["person", "company", "place name", "color"]
READ = [
    "Tim Cook runs Apple in Paris and Rome.",
    "The price is 9 red, blue and green things! Tim works for Apple in Rome; Cook in Paris?",
    "it costs 9.5 , qx-zt !",
    "Tim",
    "",
]
NAMES = ("span", "span-behind-marker", "span-context-rnn", "token", "token-spans")
Found = dict[tuple[str, int, int], float]


@dataclass(frozen=True)
class Case:
    """A checkpoint with labels compressed into it: gliner's answers before it was saved, and ours.

    Attributes:
        directory: what gliner saved.
        expected: what it found in each of `READ`.
        models: ours, by backend.
    """

    directory: Path
    expected: list[Found]
    models: Models


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    root = tmp_path_factory.mktemp("compressed")

    @cache
    def make(name: str) -> Case:
        model = make_reference(root / name, **KINDS[name]).eval()
        model.compress_prompt_embeddings(list(TEXTS), LABELS, batch_size=1)
        model.save_pretrained(str(root / name), safe_serialization=True)
        return Case(root / name, [theirs(model, text) for text in READ], Models(root / name))

    return make


@pytest.fixture(autouse=True, scope="module")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def theirs(model: Any, text: str) -> Found:
    """Return what gliner finds; it names its own labels, whatever it is asked."""
    asked = {"threshold": 0.3, "flat_ner": False, "multi_label": True}
    found = model.inference([text], ["anything"], batch_size=1, **asked)[0]
    return {(one["label"], one["start"], one["end"]): one["score"] for one in found}


def ours(doc: Extraction) -> Found:
    return {(e.label, e.start, e.end): e.score for e in doc.entities}


def extract(model: Extractor, texts: Any, labels: Any = LABELS) -> Any:
    return model.extract(texts, Schema().entities(labels), threshold=0.3, overlap="nested")


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_spans_with_the_same_scores(
    name: str, backend: str, opened: Callable[[str], Case]
) -> None:
    case = opened(name)
    docs = extract(case.models[backend], READ)
    assert sum(map(len, case.expected)) > 20
    for doc, text, expected in zip(docs, READ, case.expected, strict=True):
        assert ours(doc) == pytest.approx(expected, abs=1e-5)
        assert ours(extract(case.models[backend], text)) == ours(doc)


def test_some_of_the_labels_in_any_order(opened: Callable[[str], Case]) -> None:
    """Each is scored as it is among all; what a description says is read by no one."""
    case = opened("span")
    for asked in (["color", "person"], {"color": "of things", "person": None}):
        found = ours(extract(case.models["torch"], READ[1], asked))
        every = case.expected[1]
        assert {key[0] for key in found} == {"color", "person"}
        assert all(
            found[key] == pytest.approx(every[key], abs=1e-5) for key in found if key in every
        )


def test_gliner_loses_the_labels_that_it_saved(opened: Callable[[str], Case]) -> None:
    case = opened("span")
    again = GLiNER.from_pretrained(str(case.directory), local_files_only=True).eval()
    assert case.expected[0]
    assert theirs(again, READ[0]) == {}


@pytest.mark.parametrize("mode", [False, None])
def test_switched_off_labels_are_read_again(
    mode: bool | None, opened: Callable[[str], Case], tmp_path: Path
) -> None:
    """The vectors are still in the file; gliner passes over them, too."""
    directory = Path(shutil.copytree(opened("span").directory, tmp_path / "copy"))
    path = directory / "gliner_config.json"
    path.write_text(json.dumps(read_json(path) | {"precomputed_prompts_mode": mode}))
    again = GLiNER.from_pretrained(str(directory), local_files_only=True).eval()
    labels, options = ["person", "animal"], {"threshold": 0.3, "flat_ner": False}
    (found,) = again.inference([READ[1]], labels, multi_label=True, **options)
    expected = {(one["label"], one["start"], one["end"]): one["score"] for one in found}
    model = Extractor.from_pretrained(directory, backend="torch")
    assert expected
    assert ours(extract(model, READ[1], labels)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (Schema().entities(["person", "animal"]), "the entity label 'animal'"),
        (Schema().entities(["Person"]), "the entity label 'Person'"),
        (Schema().ask(["Who runs Apple?"]), "the question 'Who runs Apple?'"),
        (Schema().classification("tone", ["calm", "angry"]), "the classification 'tone'"),
        (Schema().entities(["person"]).relations(["in"]), "the relation type 'in'"),
    ],
)
def test_what_is_not_there_is_refused(
    schema: Schema, named: str, opened: Callable[[str], Case]
) -> None:
    model = opened("span").models["torch"]
    with pytest.raises(SchemaError) as refused:
        model.extract("Tim", schema)
    assert str(refused.value) == (
        "This checkpoint answers only the entity labels that were compressed into it ('person', "
        f"'company', 'place name', 'color'); leave {named} to the checkpoint that it was made from."
    )


def test_it_has_no_label_encoder_and_is_not_trained(opened: Callable[[str], Case]) -> None:
    case = opened("span")
    with pytest.raises(InputError, match="has no label encoder: its labels are compressed into it"):
        case.models["torch"].encode_labels(LABELS)
    with pytest.raises(CheckpointError, match="train the checkpoint that it was made from"):
        open_trainee(case.directory)


@pytest.mark.parametrize("name", ["span", "token"])
def test_saved_again(name: str, opened: Callable[[str], Case], tmp_path: Path) -> None:
    case = opened(name)
    save_network(load_network(case.directory), tmp_path / "saved", tokenizer_from=case.directory)
    before, after = (load_file(one / WEIGHTS) for one in (case.directory, tmp_path / "saved"))
    assert torch.equal(after["precomputed_prompts"], before["precomputed_prompts"])
    again = Extractor.from_pretrained(tmp_path / "saved", backend="torch")
    assert ours(extract(again, READ[0])) == pytest.approx(case.expected[0], abs=1e-5)
    facts = inspect_checkpoint(locate(tmp_path / "saved"))
    assert "labels" in [part.name for part in facts.parts]
    assert facts.problems == ()
