"""Long texts: words of instructions count, and nothing is done again for each window."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.gliner_checkpoints import HIDDEN, KINDS, encoder_config, make_reference
from tests.models.gliner.conftest import Case

from onepass import Extractor, Schema
from onepass.arrays import Array
from onepass.backends.base import Backend
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner import plan
from onepass.models.gliner import text as gliner_text
from onepass.models.gliner.prompt import Kind, Writer
from onepass.models.gliner2 import text as gliner2_text
from onepass.text.windows import Window

SENTENCE = "Tim Cook runs Apple in Paris and Rome. "
MOST = 40  # words that are read at once


class Listening:
    """A backend that notes what its graphs were given."""

    def __init__(self, inner: Backend) -> None:
        self.inner, self.given = inner, dict[str, list[Mapping[str, Array]]]()
        self.name, self.precision = inner.name, inner.precision

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        self.given.setdefault(graph, []).append(inputs)
        return self.inner.run(graph, inputs)


def listening(directory: Path) -> tuple[Extractor, Listening]:
    model = Extractor.from_pretrained(directory, backend="torch")
    backend = Listening(model._reader.backend)
    model._reader.backend = backend
    return model, backend


@pytest.fixture(scope="module", params=["span", "bi-token"])
def narrow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that reads few words at once."""
    directory = tmp_path_factory.mktemp("narrow") / str(request.param)
    make_reference(directory, **KINDS[request.param], max_len=MOST)
    return directory


SCHEMAS = {
    "entities": Schema().entities(["person"]),
    "a question": Schema().ask(["Who runs all of it and where in the world is it ?"]),
    "classes": Schema().classification("tone", [f"calm {i}" for i in range(12)]),
    "a prompt": Schema().classification("tone", ["calm"], prompt="Is it " + "so " * 15),
    "several": Schema().entities(["person"]).ask(["Who is it ?"]).summary(),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_words_of_an_instruction_count(narrow: Path, name: str) -> None:
    model, backend = listening(narrow)
    doc = model.extract(SENTENCE * 12, SCHEMAS[name])
    words = [int(given["word_counts"].max()) for given in backend.given["encode"]]
    assert max(words) == MOST
    assert doc.coverage.chars_read == len(doc.text)
    backend.given.clear()
    model.extract(SENTENCE * 12, SCHEMAS[name], on_long="truncate")
    assert max(int(given["word_counts"].max()) for given in backend.given["encode"]) == MOST


def test_words_of_what_is_asked_later_count(narrow: Path) -> None:
    model, backend = listening(narrow)
    schema = Schema().entities(["person", "place"]).relations(["works for", "in"])
    doc = model.extract(SENTENCE * 12, schema, threshold=0.1)
    assert doc.entities
    words = [int(given["word_counts"].max()) for given in backend.given["encode"]]
    assert max(words) == MOST
    assert min(words) < MOST  # without an instruction


def test_labels_of_what_is_asked_later_are_encoded_once(case_of: Callable[[str], Case]) -> None:
    model, backend = listening(case_of("bi-span").directory)
    schema = Schema().entities(["person", "place"]).relations(["works for", "in"])
    model.extract(SENTENCE * 120, schema, threshold=0.1)
    read: list[bytes] = []
    for given in backend.given["encode_labels"]:
        for ids, mask in zip(given["label_ids"], given["label_mask"], strict=True):
            read.append(ids[mask == 1].tobytes())
    assert len(read) > 10
    assert len(read) == len(set(read))  # the same names stand in all windows


def test_the_instruction_of_relations_is_written_once(
    case_of: Callable[[str], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    real = Writer.instruct

    def note(self: Writer, text: str, *choices: Any) -> Any:
        written.append(text)
        return real(self, text, *choices)

    model, _ = listening(case_of("span").directory)
    schema = Schema().entities(["person", "place"]).relations(["works for", "in"])
    model.extract(SENTENCE, schema, threshold=0.1)
    monkeypatch.setattr(Writer, "instruct", note)
    doc = model.extract(SENTENCE * 120, schema, threshold=0.1)
    assert doc.coverage.windows > 2
    assert written == [plan.RELATE]


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_windows_have_room_where_positions_start_behind_the_padding_id(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    encoder = encoder_config("bert", HIDDEN, 1)
    encoder |= {"model_type": "data2vec-text", "max_position_embeddings": 66, "pad_token_id": 1}
    make_reference(tmp_path / "model", encoder_config=encoder)
    model = Extractor.from_pretrained(tmp_path / "model", backend=backend)
    doc = model.extract(SENTENCE * 30, Schema().entities(["person", "place"]))
    assert doc.coverage.chars_read == len(doc.text)
    assert doc.coverage.windows > 5


class Watched(np.ndarray):
    """Lengths that note how many of them are added up."""

    added: ClassVar[list[int]] = []

    def sum(self, *args: Any, **options: Any) -> Any:
        self.added.append(self.size)
        return super().sum(*args, **options)


@pytest.mark.parametrize("module", [gliner_text, gliner2_text])
def test_a_window_costs_what_is_in_it(module: Any, case_of: Callable[[str], Case]) -> None:
    tokenizer = PieceTokenizer(case_of("span").directory / "tokenizer.json")
    whole = module.read_text("Tim wording " * 500, tokenizer, max_word_pieces=9)
    lengths = whole.lengths.view(Watched)
    text = dataclasses.replace(whole, lengths=lengths)
    writer = Writer(tokenizer, case_of("span").network.config, 50)
    prompt = writer.write(Kind.SPANS, [0], ["person"])
    last = prompt.end if module is gliner_text else whole.stops[0]
    Watched.added.clear()
    pieces = []
    for start in range(0, 1000, 10):
        reading = module.read_window(prompt, text, Window(start, start + 10))
        pieces.append(reading.ids[: int(whole.lengths[start : start + 10].sum())])
    np.testing.assert_array_equal(np.concatenate(pieces), whole.ids)
    assert sum(Watched.added) <= 1000
    empty = module.read_window(prompt, text, Window(1000, 1000))
    assert len(empty.ids) == len(last)
